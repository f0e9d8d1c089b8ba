//! What a `WWW-Authenticate` header says beside its scheme (RFC 9110 §11.6.1).

/// The value of a parameter of the challenges, whatever its case; the last one,
/// where several have it, and `None` where none has.
pub fn parameter(header: &str, wanted: &str) -> Option<String> {
    let parts = split_outside_quotes(header).into_iter().rev();
    let mut pairs = parts.filter_map(|part| part.split_once('='));
    // The first parameter stands behind the scheme.
    let named = |name: &str| name.trim().rsplit(' ').next().unwrap_or_default().to_owned();
    let (_, value) = pairs.find(|(name, _)| named(name).eq_ignore_ascii_case(wanted))?;
    Some(unquoted(value.trim()))
}

/// The parts between commas, where the comma is not in a quoted string (RFC 9110 §5.6.4).
fn split_outside_quotes(header: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut begin, mut quoted, mut escaped) = (0, false, false);
    for (place, character) in header.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => {
                parts.push(&header[begin..place]);
                begin = place + 1;
            }
            _ => {}
        }
    }
    parts.push(&header[begin..]);
    parts
}

fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"') else {
        return value.to_owned();
    };
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    let mut text = String::new();
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => text.extend(characters.next()),
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_found_behind_any_scheme_and_in_any_case() {
        let header = r#"Basic realm="a, b=\"c\"", Bearer Resource_Metadata="https://h/.well-known/x", scope=read"#;
        for (name, value) in [
            ("realm", Some(r#"a, b="c""#)),
            ("resource_metadata", Some("https://h/.well-known/x")),
            ("scope", Some("read")),
            ("b", None),
            ("Bearer", None),
        ] {
            assert_eq!(parameter(header, name).as_deref(), value, "{name}");
        }
        assert_eq!(parameter("", "error"), None);
    }
}
