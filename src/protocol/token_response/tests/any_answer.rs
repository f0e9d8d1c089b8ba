//! No answer of whatever shape loses its refresh token.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

/// A value of any kind, which a server may give any member.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((any_name(), inner), 0..4).prop_map(Value::from_iter),
        ]
    })
}

/// The names that are read, and any other.
fn any_name() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "access_token",
        "token_type",
        "expires_in",
        "refresh_token",
        "scope",
        "id_token",
        "error_description",
        "message",
    ]);
    prop_oneof![3 => known.prop_map(str::to_owned), 1 => "[^\u{0}]{0,12}".prop_filter("not error", |name| name != "error")]
}

/// 1 character to 64 KiB of VSCHAR.
fn refresh_token() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "[ -~]{1,200}",
        1 => (1..=MAX_REFRESH_TOKEN_BYTES).prop_map(|length| "~".repeat(length)),
        1 => Just("\\\"".repeat(MAX_REFRESH_TOKEN_BYTES / 2)),
    ]
}

fn object_text(members: &[(String, Value)], refresh_token: &str, position: usize) -> String {
    let position = position % (members.len() + 1);
    let mut texts: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("{}:{value}", json!(name)))
        .collect();
    // a string of this name after ours would be the one that counts
    let later_is_string = members[position..]
        .iter()
        .any(|(name, value)| name == "refresh_token" && value.is_string());
    let position = if later_is_string { members.len() } else { position };
    texts.insert(position, format!("\"refresh_token\":{}", json!(refresh_token)));
    format!("{{{}}}", texts.join(","))
}

proptest! {
    /// RFC 6749 §6: the refresh token of an answer replaces the one that was sent.
    #[test]
    fn a_string_refresh_token_is_never_lost_whatever_the_other_members_are(
        members in vec((any_name(), any_value()), 0..8),
        token in refresh_token(),
        position in any::<usize>(),
        status in 200_u16..300,
    ) {
        let body = object_text(&members, &token, position);
        let response = answer(status, "application/json", body.as_bytes());
        let taken = TokenResponse::read(&endpoint(), &response, TokenType::Bearer).ok().and_then(|response| response.refresh_token);
        let kept = taken.or_else(|| salvage_refresh_token(&response));
        prop_assert_eq!(kept.map(|kept| kept.expose().clone()), Some(token));
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in vec(any::<u8>(), 0..200), status in 200_u16..600) {
        let response = answer(status, "application/json", &bytes);
        let _ = TokenResponse::read(&endpoint(), &response, TokenType::Bearer);
        let _ = salvage_refresh_token(&response);
    }
}
