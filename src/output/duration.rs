//! Durations as they are typed and shown: `250ms`, `90s`, `5m`, `1h`, `30d`.

use std::time::Duration;

/// Text that is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a duration is a whole number with its unit, such as 250ms, 90s, 5m, 1h or 30d")]
pub struct InvalidDuration;

/// Reads a whole number with its unit; a bare number is refused.
///
/// # Errors
/// [`InvalidDuration`].
pub fn parse_duration(text: &str) -> Result<Duration, InvalidDuration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| InvalidDuration)?;
    let seconds = |factor: u64| {
        number
            .checked_mul(factor)
            .map(Duration::from_secs)
            .ok_or(InvalidDuration)
    };
    match unit {
        "ms" => Ok(Duration::from_millis(number)),
        "s" => seconds(1),
        "m" => seconds(60),
        "h" => seconds(3600),
        "d" => seconds(86_400),
        _ => Err(InvalidDuration),
    }
}

/// A duration for a person: as [`describe_seconds`], below a second in milliseconds.
pub fn describe(duration: Duration) -> String {
    match duration.as_secs() {
        0 => format!("{} ms", duration.as_millis()),
        seconds => describe_seconds(seconds),
    }
}

/// A duration for a person who compares: `37 ms`, `1.25 s`, `4:05 min`.
pub fn describe_milliseconds(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{} ms", duration.as_millis()),
        1..=59 => format!("{seconds}.{:02} s", duration.subsec_millis() / 10),
        _ => format!("{}:{:02} min", seconds / 60, seconds % 60),
    }
}

/// A number of seconds for a person: `45 s`, `59 min`, `5 h`, `29 days`.
pub fn describe_seconds(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        7200..=172_799 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_to_compare_keeps_two_decimals_of_a_second() {
        for (milliseconds, shown) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (1_005, "1.00 s"),
            (59_999, "59.99 s"),
            (60_000, "1:00 min"),
            (3_605_000, "60:05 min"),
        ] {
            assert_eq!(describe_milliseconds(Duration::from_millis(milliseconds)), shown);
        }
    }

    #[test]
    fn a_number_with_a_unit() {
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse_duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(parse_duration("1h"), Ok(Duration::from_secs(3600)));
        assert_eq!(parse_duration("30d"), Ok(Duration::from_secs(2_592_000)));
        for bad in [
            "",
            "5",
            "s",
            "-1s",
            "1.5s",
            "5 m",
            "5M",
            "99999999999999999999s",
            "999999999999999999d",
        ] {
            assert_eq!(parse_duration(bad), Err(InvalidDuration), "{bad}");
        }
    }

    #[test]
    fn words_round_down() {
        assert_eq!(
            [describe_seconds(59), describe_seconds(3599), describe_seconds(7200)],
            ["59 s", "59 min", "2 h"]
        );
        assert_eq!(describe_seconds(2_592_000), "30 days");
    }
}
