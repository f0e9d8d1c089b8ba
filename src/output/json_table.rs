//! A JSON object from a server or a token for a person: one member a line,
//! and what is a time in words as well.

use crate::foreign_text::{sanitize, sanitize_json};
use crate::output::duration::describe_seconds;
use crate::protocol::time::UnixSeconds;
use crate::system;
use crate::trace::ordered_json::OrderedJson;
use unicode_width::UnicodeWidthStr;

/// Members that are seconds since 1970 (RFC 7519 §4.1, RFC 7662 §2.2, OpenID
/// Connect Core §2 and §5.1).
const TIMES: [&str; 5] = ["exp", "iat", "nbf", "auth_time", "updated_at"];

/// No calendar goes further.
const YEAR_10000: f64 = 253_402_300_800.0;

/// A time in the past from here on counts milliseconds by mistake: as seconds
/// it is the year 5138, as milliseconds 1973.
const FIRST_MILLISECONDS: f64 = 100_000_000_000.0;

/// An answer that is a JSON object: as it came, or for a person.
pub fn render(answer: &[u8], json: bool) -> String {
    let document = OrderedJson::parse(answer).unwrap_or(OrderedJson::Null);
    if json {
        return sanitize_json(&document.line()) + "\n";
    }
    render_members(&document, system::now())
}

/// The members of an object, each on its line, aligned.
pub fn render_members(object: &OrderedJson, now: UnixSeconds) -> String {
    let OrderedJson::Object(members) = object else {
        return String::new();
    };
    let names: Vec<String> = members.iter().map(|(name, _)| sanitize(name)).collect();
    let width = names.iter().map(|name| name.width()).max().unwrap_or_default();
    let mut text = String::new();
    for (name, (member, value)) in names.iter().zip(members) {
        let fill = " ".repeat(width - name.width());
        text += &format!("  {name}{fill}  {}\n", member_text(member, value, now));
    }
    text
}

fn member_text(member: &str, value: &OrderedJson, now: UnixSeconds) -> String {
    match value {
        OrderedJson::Text(text) => sanitize(text),
        OrderedJson::Number(number) if TIMES.contains(&member) => {
            let time = number.as_f64().and_then(|number| Time::read(member, number));
            match time {
                Some(Time { is_milliseconds, time }) => {
                    let unit = if is_milliseconds {
                        "milliseconds instead of seconds: "
                    } else {
                        ""
                    };
                    let (date, distance) = (system::rfc_3339(time), relative_time(time, now));
                    format!("{number} ({unit}{date}, {distance})")
                }
                None => number.to_string(),
            }
        }
        other => sanitize(&other.line()),
    }
}

/// A number that is a time.
struct Time {
    time: UnixSeconds,
    is_milliseconds: bool,
}

impl Time {
    fn read(member: &str, number: f64) -> Option<Self> {
        // An expiry may lie in the year 9999, where it means never.
        let limit = if member == "exp" {
            YEAR_10000
        } else {
            FIRST_MILLISECONDS
        };
        let is_milliseconds = number >= limit;
        let seconds = if is_milliseconds { number / 1000.0 } else { number };
        (0.0..YEAR_10000).contains(&seconds).then_some(Time {
            time: UnixSeconds(seconds as i64),
            is_milliseconds,
        })
    }
}

fn relative_time(time: UnixSeconds, now: UnixSeconds) -> String {
    match time.seconds_since(now) {
        0 => "just now".to_owned(),
        left_s @ 1.. => format!("in {}", describe_seconds(left_s.unsigned_abs())),
        past_s => format!("{} ago", describe_seconds(past_s.unsigned_abs())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_words_and_text_cannot_steer() {
        let object = OrderedJson::parse(
            br#"{"sub":"a\u001b[2J\n","exp":1700000300,"iat":1699999000.5,"nbf":1700000000000,"auth_time":"x","aud":["a","b"],"ok":true}"#,
        )
        .unwrap();
        assert_eq!(
            render_members(&object, UnixSeconds(1_700_000_000)),
            "  sub        a\\u{1b}[2J\\u{a}\n\
             \x20 exp        1700000300 (2023-11-14T22:18:20Z, in 5 min)\n\
             \x20 iat        1699999000.5 (2023-11-14T21:56:40Z, 16 min ago)\n\
             \x20 nbf        1700000000000 (milliseconds instead of seconds: 2023-11-14T22:13:20Z, just now)\n\
             \x20 auth_time  x\n\
             \x20 aud        [\"a\",\"b\"]\n\
             \x20 ok         true\n"
        );
    }
}
