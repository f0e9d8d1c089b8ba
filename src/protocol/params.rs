//! An ordered list of names and values, from which every message is encoded
//! and every trace line is made. It holds no rules but one: repetition is
//! found where a value is read (RFC 6749 §3.1).

use super::citation::Cited;
use crate::foreign_text::Quoted;
use crate::secret::Secret;
use url::Url;

/// One parameter value, which knows how it may be shown.
#[derive(Debug, Clone)]
pub enum Value {
    /// May be shown to anyone.
    Plain(String),
    /// Drawn at random by a machine: shown as length and fingerprint.
    Secret(Secret),
    /// Chosen by a person (a client secret, a password) or made to be typed by
    /// one (a user code): shown as length only, since a fingerprint would confirm a guess.
    Chosen(Secret),
}

impl Value {
    /// A value of a parameter or member of this name; a name that is known to
    /// hold a secret makes it one.
    pub fn tagged(name: &str, value: &str) -> Self {
        if CHOSEN_NAMES.contains(&name) {
            Value::Chosen(Secret::from(value))
        } else if SECRET_NAMES.contains(&name) {
            Value::Secret(Secret::from(value))
        } else {
            Value::Plain(value.to_owned())
        }
    }

    /// The value, where it is a secret.
    pub fn secret(&self) -> Option<&Secret> {
        match self {
            Value::Plain(_) => None,
            Value::Secret(secret) | Value::Chosen(secret) => Some(secret),
        }
    }

    /// The text that goes on the wire.
    pub fn expose(&self) -> &str {
        match self {
            Value::Plain(text) => text,
            Value::Secret(secret) | Value::Chosen(secret) => secret.expose(),
        }
    }

    /// The text that may be shown to a person, not yet neutralised for a terminal.
    pub fn shown(&self) -> String {
        match self {
            Value::Plain(text) => text.clone(),
            Value::Secret(secret) => secret.redacted(),
            Value::Chosen(secret) => format!("[redacted, {} chars]", secret.length_chars()),
        }
    }
}

/// A parameter that appears more than once where once is allowed (RFC 6749 §3.1).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.cited())]
pub struct Repeated(pub String);

impl Repeated {
    /// The reason and the section behind it.
    pub fn cited(&self) -> Cited {
        Cited::new(
            format!("parameter {} is repeated", Quoted::name(&self.0)),
            "RFC 6749 §3.1",
        )
    }
}

/// Names whose values are secrets wherever they stand in a message.
const SECRET_NAMES: [&str; 15] = [
    "access_token",
    "actor_token",
    "assertion",
    "client_assertion",
    "code",
    "code_verifier",
    "device_code",
    "id_token",
    "id_token_hint",
    "refresh_token",
    "request",
    "response",
    "state",
    "subject_token",
    "token",
];

/// Names whose values are secrets that can be guessed: a person chose them, or
/// they are short enough to be typed (RFC 8628 §3.2).
const CHOSEN_NAMES: [&str; 4] = ["client_secret", "password", "user_code", "verification_uri_complete"];

/// An ordered list of parameters, as in a query or a form body.
#[derive(Debug, Clone, Default)]
pub struct Params(Vec<(String, Value)>);

impl Params {
    /// An empty list.
    pub fn new() -> Self {
        Params::default()
    }

    /// Reads `application/x-www-form-urlencoded` text (a query or a body).
    /// Never fails: bytes that are not UTF-8 become U+FFFD, which no
    /// parameter's syntax allows. Known secret names are tagged as secret.
    pub fn parse(encoded: &str) -> Self {
        let mut params = Params::new();
        for (name, value) in url::form_urlencoded::parse(encoded.as_bytes()) {
            params.push(&name, &value);
        }
        params
    }

    /// Appends a parameter; a name that is known to hold a secret is tagged so.
    pub fn push(&mut self, name: &str, value: &str) {
        self.0.push((name.to_owned(), Value::tagged(name, value)));
    }

    /// Appends the parameters of another list.
    pub fn append(&mut self, others: Params) {
        self.0.extend(others.0);
    }

    /// The values that are secrets.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.iter().filter_map(|(_, value)| value.secret())
    }

    /// Appends a parameter whose value is a secret, whatever its name.
    pub fn push_secret(&mut self, name: &str, value: &Secret) {
        let value = match Value::tagged(name, value.expose()) {
            Value::Plain(_) => Value::Secret(value.clone()),
            tagged => tagged,
        };
        self.0.push((name.to_owned(), value));
    }

    /// Gives a parameter this one value, wherever and how often it stood before.
    pub fn set(&mut self, name: &str, value: &str) {
        match self.0.iter().position(|(key, _)| key == name) {
            None => self.push(name, value),
            Some(place) => {
                self.remove(name);
                self.0.insert(place, (name.to_owned(), Value::tagged(name, value)));
            }
        }
    }

    /// Gives a parameter this one secret value.
    pub fn set_secret(&mut self, name: &str, value: &Secret) {
        self.set(name, value.expose());
    }

    /// Takes a parameter out, however often it appears.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(key, _)| key != name);
    }

    /// The same with secrets as values, but for those that may be shown.
    #[must_use]
    pub fn hide_unless(&self, may_be_shown: impl Fn(&str, &str) -> bool) -> Params {
        let mut params = Params::new();
        for (name, value) in self.iter() {
            match may_be_shown(name, value.expose()) {
                true => params.push(name, value.expose()),
                false => params.push_secret(name, &Secret::from(value.expose())),
            }
        }
        params
    }

    /// The parameters in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Whether the list is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The one value of `name`. A parameter without a value is treated as
    /// omitted (RFC 6749 §3.1).
    ///
    /// # Errors
    /// [`Repeated`] when the name appears more than once.
    pub fn single(&self, name: &str) -> Result<Option<&str>, Repeated> {
        let mut values = self
            .0
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.expose());
        let first = values.next();
        if values.next().is_some() {
            return Err(Repeated(name.to_owned()));
        }
        Ok(first.filter(|value| !value.is_empty()))
    }

    /// All non-empty values of a parameter that may repeat (`resource`, RFC 8707 §2).
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.expose())
            .filter(|value| !value.is_empty())
    }

    /// The first name that appears more than once, apart from `resource`.
    pub fn first_repeated(&self) -> Option<Repeated> {
        self.0.iter().enumerate().find_map(|(index, (name, _))| {
            let again = name != "resource" && self.0[..index].iter().any(|(earlier, _)| earlier == name);
            again.then(|| Repeated(name.clone()))
        })
    }

    /// How long the encoded list is.
    pub fn encoded_length_bytes(&self) -> usize {
        self.encode().expose().len()
    }

    /// A URL with these parameters behind those of its own query.
    pub fn added_to(&self, url: &Url) -> Url {
        let mut url = url.clone();
        let encoded = self.encode();
        let query = match url.query() {
            Some(existing) if !existing.is_empty() => format!("{existing}&{}", encoded.expose()),
            _ => encoded.expose().clone(),
        };
        url.set_query(Some(&query));
        url
    }

    /// The list as `application/x-www-form-urlencoded` text.
    pub fn encode(&self) -> Secret {
        let mut serializer = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in &self.0 {
            serializer.append_pair(name, value.expose());
        }
        Secret::new(serializer.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_value_may_stand_once_and_an_empty_one_counts_as_omitted() {
        let params = Params::parse("a=1&b=&c=2&c=3&resource=x&resource=y");
        assert_eq!(params.single("a"), Ok(Some("1")));
        assert_eq!(params.single("b"), Ok(None));
        assert_eq!(params.single("c"), Err(Repeated("c".into())));
        assert_eq!(params.all("resource").collect::<Vec<_>>(), ["x", "y"]);
        assert_eq!(params.first_repeated(), Some(Repeated("c".into())));
    }

    #[test]
    fn a_parameter_is_replaced_in_its_place_or_taken_out() {
        let mut params = Params::parse("a=1&b=2&a=3&c=4");
        params.set("a", "5");
        params.set("d", "6");
        params.remove("c");
        assert_eq!(params.encode().expose(), "a=5&b=2&d=6");
    }

    #[test]
    fn encoding_is_that_of_rfc_6749_appendix_b() {
        let mut params = Params::new();
        params.push("name", " %&+£€");
        assert_eq!(params.encode().expose(), "name=+%25%26%2B%C2%A3%E2%82%AC");
        assert_eq!(
            Params::parse(params.encode().expose()).single("name"),
            Ok(Some(" %&+£€"))
        );
    }

    proptest! {
        #[test]
        fn whatever_is_encoded_is_read_again(pairs in proptest::collection::vec((".{0,8}", ".{0,16}"), 0..6)) {
            let mut params = Params::new();
            for (name, value) in &pairs {
                params.push(name, value);
            }
            let read = Params::parse(params.encode().expose());
            let again: Vec<(String, String)> =
                read.iter().map(|(name, value)| (name.to_owned(), value.expose().to_owned())).collect();
            prop_assert_eq!(again, pairs);
        }

        #[test]
        fn whatever_is_read_is_stable_once_encoded(query in "[ -~\\u{e9}\\u{0}]{0,64}") {
            let encoded = Params::parse(&query).encode();
            let again = Params::parse(encoded.expose()).encode();
            prop_assert_eq!(again.expose(), encoded.expose());
        }
    }

    #[test]
    fn secrets_are_known_by_their_names() {
        let params = Params::parse("code=SplxlOBeZQQYbYS6WxSbIA&client_secret=abc&scope=openid");
        let shown: Vec<String> = params.iter().map(|(_, value)| value.shown()).collect();
        assert!(shown[0].starts_with("[redacted, 22 chars, sha256 "), "{shown:?}");
        assert_eq!(shown[1], "[redacted, 3 chars]");
        assert_eq!(shown[2], "openid");
        assert!(!format!("{params:?}").contains("Splx"));
    }
}
