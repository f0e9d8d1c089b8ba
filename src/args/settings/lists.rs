//! Lists and pairs from repeated flags, else from the profile.

use super::error::{SettingsError, invalid, invalid_with_hint};
use crate::args::config::Profile;

/// A list from repeated flags or one space-separated value, else from the profile.
pub(in crate::args) fn list<'a>(
    given: &[String],
    flag: &'a str,
    profile: &Profile,
    key: &'a str,
) -> (&'a str, Vec<String>) {
    if given.is_empty() {
        return (key, profile.list(key).to_vec());
    }
    (flag, words(given))
}

/// Repeated flags, each with one value or several separated by spaces.
pub(in crate::args) fn words(given: &[String]) -> Vec<String> {
    let words = given.iter().flat_map(|value| value.split_whitespace());
    words.map(str::to_owned).collect()
}

pub(in crate::args) fn pairs(
    given: &[String],
    flag: &str,
    saved: &[(String, String)],
    key: &str,
    own: &[&str],
) -> Result<Vec<(String, String)>, SettingsError> {
    let mut result: Vec<(String, String)> = Vec::new();
    for text in given {
        let (name, value) = text
            .split_once('=')
            .filter(|(name, _)| !name.is_empty())
            .ok_or_else(|| invalid(flag, format!("\"{text}\" is not of the form NAME=VALUE")))?;
        if result.iter().any(|(earlier, _)| earlier == name) {
            return Err(invalid(flag, format!("\"{name}\" is given twice")));
        }
        result.push((name.to_owned(), value.to_owned()));
    }
    for (name, value) in saved {
        if !result.iter().any(|(given, _)| given == name) {
            result.push((name.clone(), value.clone()));
        }
    }
    match result.iter().find(|(name, _)| own.contains(&name.as_str())) {
        None => Ok(result),
        Some((name, _)) => {
            let place = if given.iter().any(|text| text.starts_with(&format!("{name}="))) {
                flag
            } else {
                key
            };
            let hint = format!("Use the option for {name}, or leave it out: it is set for you.");
            Err(invalid_with_hint(
                place,
                format!("\"{name}\" is set by oauth itself"),
                &hint,
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::authorization::RESERVED_PARAMETERS;

    #[test]
    fn extra_parameters_may_not_be_those_of_the_flow() {
        let pairs = |given: &[&str], saved: &[(&str, &str)]| {
            let given: Vec<String> = given.iter().map(ToString::to_string).collect();
            let saved: Vec<(String, String)> = saved.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect();
            super::pairs(&given, "--param", &saved, "param", &RESERVED_PARAMETERS)
        };
        assert_eq!(
            pairs(&["prompt=login"], &[("prompt", "none"), ("ui", "x")]).unwrap(),
            [
                ("prompt".to_owned(), "login".to_owned()),
                ("ui".to_owned(), "x".to_owned())
            ]
        );
        for bad in ["state=x", "code_challenge=x", "redirect_uri=x", "scope=x"] {
            assert!(
                pairs(&[bad], &[]).unwrap_err().to_string().starts_with("--param: "),
                "{bad}"
            );
        }
        assert!(
            pairs(&[], &[("state", "x")])
                .unwrap_err()
                .to_string()
                .starts_with("param: ")
        );
        assert!(pairs(&["prompt"], &[]).is_err() && pairs(&["=x"], &[]).is_err());
        assert!(pairs(&["a=1", "a=2"], &[]).is_err());
    }
}
