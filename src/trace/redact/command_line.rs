//! What was typed, as a page may show it: a person who reads the page can run
//! it again, and learns no secret from it.

use super::Redaction;
use super::url_parts::QuerySecrets;
use crate::foreign_text::sanitize_unbounded;
use crate::protocol::params::Value;
use crate::secret::Secret;
use std::ffi::OsString;

/// A longer word without a `/` may be a token that was given by mistake.
const MAX_WORD_CHARS: usize = 64;

/// Options whose value is no name of a file and no setting of ours.
const LONG_OPTIONS: [(&str, Kind); 7] = [
    ("--data", Kind::Hidden),
    ("--form", Kind::HiddenAfter('=')),
    ("--header", Kind::HiddenAfter(':')),
    ("--user", Kind::HiddenAfter(':')),
    ("--param", Kind::Parameter),
    ("--token-param", Kind::Parameter),
    ("--refresh-param", Kind::Parameter),
];

/// The same by one letter.
const SHORT_OPTIONS: [(char, Kind); 3] = [
    ('d', Kind::Hidden),
    ('F', Kind::HiddenAfter('=')),
    ('H', Kind::HiddenAfter(':')),
];

/// Letters of options that take a value of another kind.
const SHORT_OPTIONS_WITH_VALUE: [char; 2] = ['o', 'p'];

/// What a word is.
#[derive(Clone, Copy)]
enum Kind {
    /// A name, a URL, a setting.
    Word,
    /// Text of the user's that may hold anything.
    Hidden,
    /// The same after the first mark.
    HiddenAfter(char),
    /// A parameter of a request, `K=V`.
    Parameter,
}

impl Redaction {
    /// The command that these arguments are, quoted for a POSIX shell, the
    /// name of the program without its folder.
    pub fn command_line(self, arguments: &[OsString]) -> String {
        let mut words = vec!["oauth".to_owned()];
        let mut next = Kind::Word;
        let mut is_foreign = false;
        for argument in arguments.iter().skip(1) {
            let text = argument.to_string_lossy();
            let shown = match (self.shows_secrets(), is_foreign) {
                (true, _) => text.into_owned(),
                // The command that `exec` runs is for another program.
                (false, true) => hidden(&text),
                (false, false) => shown_word(&text, &mut next),
            };
            is_foreign |= argument == "--";
            words.push(shell_words::quote(&sanitize_unbounded(&shown)).into_owned());
        }
        words.join(" ")
    }
}

/// One argument; `next` says what the word is, and then what the one after it is.
fn shown_word(text: &str, next: &mut Kind) -> String {
    let kind = std::mem::replace(next, Kind::Word);
    if !matches!(kind, Kind::Word) {
        return shown_value(text, kind);
    }
    if let Some((option, value)) = text.split_once('=').filter(|(option, _)| option.starts_with("--")) {
        return format!("{option}={}", shown_value(value, kind_of(option)));
    }
    if text.starts_with("--") {
        *next = kind_of(text);
        return text.to_owned();
    }
    match text.strip_prefix('-').and_then(short_option) {
        Some((at, kind)) if at == text.len() => {
            *next = kind;
            text.to_owned()
        }
        Some((at, kind)) => format!("{}{}", &text[..at], shown_value(&text[at..], kind)),
        None => shown_value(text, Kind::Word),
    }
}

fn kind_of(option: &str) -> Kind {
    let found = LONG_OPTIONS.iter().find(|(name, _)| *name == option);
    found.map_or(Kind::Word, |(_, kind)| *kind)
}

/// Where the value of an option begins in `-abc`, given `abc`, and what it is.
fn short_option(letters: &str) -> Option<(usize, Kind)> {
    for (at, letter) in letters.char_indices() {
        if let Some((_, kind)) = SHORT_OPTIONS.iter().find(|(own, _)| *own == letter) {
            return Some((1 + at + letter.len_utf8(), *kind));
        }
        if SHORT_OPTIONS_WITH_VALUE.contains(&letter) {
            return None;
        }
    }
    None
}

fn shown_value(text: &str, kind: Kind) -> String {
    match kind {
        Kind::Hidden => hidden(text),
        Kind::HiddenAfter(mark) => match text.split_once(mark) {
            Some((name, value)) => format!("{name}{mark}{}", hidden(value)),
            None if mark == ':' => text.to_owned(),
            None => hidden(text),
        },
        Kind::Parameter => match text.split_once('=') {
            Some((name, value)) => {
                let value = Value::tagged(name, value);
                let secret = QuerySecrets::of("", &[]).hidden(name, &value);
                format!("{name}={}", secret.unwrap_or(value).shown())
            }
            None => text.to_owned(),
        },
        Kind::Word if text.contains("://") => without_userinfo(&Redaction::new(false).url(text)),
        Kind::Word if is_like_a_secret(text) => hidden(text),
        Kind::Word => text.to_owned(),
    }
}

/// Tokens and keys are refused on a command line, and have been typed all the same.
fn is_like_a_secret(text: &str) -> bool {
    let is_jwt = text.starts_with("ey") && text.matches('.').count() >= 2;
    let is_long = text.chars().count() > MAX_WORD_CHARS && !text.contains(['/', ' ', '\\']);
    is_jwt || is_long || text.contains("-----BEGIN") || text.trim_start().starts_with('{')
}

fn without_userinfo(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rsplit_once('@') {
        Some((userinfo, _)) => format!("{scheme}://{}{}", hidden(userinfo), &rest[userinfo.len()..]),
        None => url.to_owned(),
    }
}

/// Whatever a person chose: a fingerprint would confirm a guess.
fn hidden(text: &str) -> String {
    Value::Chosen(Secret::from(text)).shown()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(words: &[&str]) -> String {
        let arguments: Vec<OsString> = std::iter::once("/usr/bin/oauth")
            .chain(words.iter().copied())
            .map(OsString::from)
            .collect();
        Redaction::new(false).command_line(&arguments)
    }

    #[test]
    fn what_can_be_no_secret_is_shown_as_a_shell_takes_it() {
        for (words, command) in [
            (
                &["login", "https://id.example.com", "--scope", "openid email"][..],
                "oauth login https://id.example.com --scope 'openid email'",
            ),
            (
                &["check", "-p", "Hd", "-vv", "--html=a b.html"],
                "oauth check -p Hd -vv '--html=a b.html'",
            ),
            (
                &["login", "--param", "prompt=consent", "--refresh-param=x=1"],
                "oauth login --param 'prompt=consent' '--refresh-param=x=1'",
            ),
            (
                &["token", "--format", "xoauth2", "--user", "demo@example.com"],
                "oauth token --format xoauth2 --user demo@example.com",
            ),
        ] {
            assert_eq!(shown(words).replace('\'', ""), command.replace('\'', ""), "{words:?}");
        }
    }

    #[test]
    fn what_may_be_a_secret_is_its_length() {
        const SECRET: &str = "s3cr3t-7f";
        let long = format!("{SECRET}{}", "x".repeat(80));
        let url = format!("https://user:{SECRET}@api.example.com/");
        let query = format!("https://api.example.com/?access_token={SECRET}");
        let header = format!("X-Key: {SECRET}");
        let (field, pair, account) = (
            format!("key={SECRET}"),
            format!("client_secret={SECRET}"),
            format!("demo:{SECRET}"),
        );
        let bundled = format!("-id{SECRET}");
        for words in [
            &["request", "POST", "https://api.example.com", "-d", SECRET][..],
            &["request", "https://api.example.com", &bundled],
            &["request", "https://api.example.com", "-H", &header, "--form", &field],
            &["request", &query],
            &["discover", &url],
            &["login", "--token-param", &pair],
            &["serve", "--user", &account],
            &["exec", "work", "--", "curl", SECRET],
            &["token", &long],
            &["login", "--client-key-file", "{\"kty\":\"s3cr3t-7f\"}"],
        ] {
            let command = shown(words);
            assert!(
                !command.contains(SECRET) && command.contains("[redacted, "),
                "{command}"
            );
        }
        let whole = Redaction::new(true).command_line(&["oauth".into(), "token".into(), long.clone().into()]);
        assert_eq!(whole, format!("oauth token {long}"));
    }
}
