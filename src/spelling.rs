//! What may have been meant by a name that nothing has.

/// The known name that is nearest to the one that was typed, where one is
/// really near: one slip, or one more for every four letters, and never more
/// than a third of what was typed.
pub(crate) fn nearest<'k>(typed: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let typed_len = typed.chars().count();
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(typed, name), name))
        .filter(|(distance, name)| {
            let at_most = (name.chars().count() / 4).max(1);
            *distance <= at_most && distance * 3 <= typed_len
        })
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_really_near_is_suggested() {
        let known = ["use", "from", "scope", "remove", "introspection_endpoint", "try"];
        for (typed, expected) in [
            ("tyr", Some("try")),
            ("scop", Some("scope")),
            ("scopes", Some("scope")),
            ("remvoe", Some("remove")),
            ("introspect_endpoint", Some("introspection_endpoint")),
            ("foo", None),
            ("rename", None),
            ("unset", None),
            ("us", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, known), expected, "{typed}");
        }
    }
}
