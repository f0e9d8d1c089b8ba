//! The challenges of `WWW-Authenticate` (RFC 9110 §11.6.1): what a resource
//! server wants of a client, and why it refused (RFC 6750 §3, RFC 9728 §5.1).
//!
//! Invariant: everything here is foreign text of a bounded length. A header
//! beyond the bounds is refused as a whole, so that no half of it is believed.

use super::scope::Scope;

/// Longer headers are refused: real ones have a few hundred bytes.
pub const MAX_HEADER_BYTES: usize = 16 * 1024;

/// Challenges of one answer; the rest is refused.
const MAX_CHALLENGES: usize = 16;

/// Parameters of one challenge; the rest is refused.
const MAX_PARAMETERS: usize = 32;

/// Why the challenges of an answer are not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidChallenges {
    #[error("its WWW-Authenticate header has {0} bytes, and at most {MAX_HEADER_BYTES} are read")]
    TooLong(usize),
    #[error("its WWW-Authenticate header has more than {MAX_CHALLENGES} challenges")]
    TooManyChallenges,
    #[error("a challenge in its WWW-Authenticate header has more than {MAX_PARAMETERS} parameters")]
    TooManyParameters,
}

/// One challenge: a scheme and its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// As it was written, and empty where it is missing; compare it with
    /// [`is_scheme`](Self::is_scheme).
    pub scheme: String,
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// Whether it is this scheme, whatever the case (RFC 9110 §11.1).
    pub fn is_scheme(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// The value of a parameter, whose name has no case. `None` where the
    /// challenge has it twice with different values: it is unclear which
    /// one is meant (RFC 9110 §11.2 forbids it).
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let mut values = self
            .parameters
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str());
        let first = values.next()?;
        values.all(|value| value == first).then_some(first)
    }

    /// What is protected, in the server's words (RFC 9110 §11.5).
    pub fn realm(&self) -> Option<&str> {
        self.parameter("realm")
    }

    /// Why the request was refused, such as `invalid_token` or
    /// `insufficient_scope` (RFC 6750 §3.1).
    pub fn error(&self) -> Option<&str> {
        self.parameter("error")
    }

    /// The same for a developer.
    pub fn error_description(&self) -> Option<&str> {
        self.parameter("error_description")
    }

    /// Where more about it is written.
    pub fn error_uri(&self) -> Option<&str> {
        self.parameter("error_uri")
    }

    /// The scope that the request needs (RFC 6750 §3). `None` where a token of
    /// it cannot be asked for (RFC 6749 §3.3), or where there is none in it.
    pub fn scope(&self) -> Option<Scope> {
        let scope = Scope::parse(self.parameter("scope")?).ok()?;
        (!scope.is_empty()).then_some(scope)
    }

    /// The URL of the resource's metadata (RFC 9728 §5.1), not vetted.
    pub fn resource_metadata(&self) -> Option<&str> {
        self.parameter("resource_metadata")
    }
}

/// All challenges of an answer, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Challenges(Vec<Challenge>);

impl Challenges {
    /// Reads the values of all `WWW-Authenticate` headers of an answer. What is
    /// malformed within the bounds is skipped up to the next comma.
    ///
    /// # Errors
    /// [`InvalidChallenges`].
    pub fn parse<'a>(headers: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidChallenges> {
        let mut challenges = Challenges::default();
        let mut length_bytes = 0;
        for header in headers {
            length_bytes += header.len();
            if length_bytes > MAX_HEADER_BYTES {
                return Err(InvalidChallenges::TooLong(length_bytes));
            }
            for part in split_outside_quotes(header) {
                challenges.read_part(part.trim())?;
            }
        }
        Ok(challenges)
    }

    /// What is between two commas: a scheme, a scheme with its first
    /// parameter or its token68, or a further parameter.
    fn read_part(&mut self, part: &str) -> Result<(), InvalidChallenges> {
        let word_end = part
            .find(|character| !is_token_character(character))
            .unwrap_or(part.len());
        let (word, rest) = part.split_at(word_end);
        let rest = rest.trim_start();
        let is_parameter = rest.starts_with('=') && !rest.trim_start_matches('=').is_empty();
        if word.is_empty() {
            return Ok(());
        }
        // Some servers send parameters alone.
        if !is_parameter || self.0.is_empty() {
            if self.0.len() == MAX_CHALLENGES {
                return Err(InvalidChallenges::TooManyChallenges);
            }
            self.0.push(Challenge {
                scheme: if is_parameter { String::new() } else { word.to_owned() },
                parameters: Vec::new(),
            });
        }
        let parameter = if is_parameter { part } else { rest };
        let (Some(challenge), Some((name, value))) = (self.0.last_mut(), parameter.split_once('=')) else {
            return Ok(());
        };
        let name = name.trim_end();
        // What has nothing but `=` at its end is a token68.
        let is_token68 = value.trim_matches('=').is_empty();
        if is_token68 || name.is_empty() || !name.chars().all(is_token_character) {
            return Ok(());
        }
        if challenge.parameters.len() == MAX_PARAMETERS {
            return Err(InvalidChallenges::TooManyParameters);
        }
        challenge.parameters.push((name.to_owned(), unquote(value.trim())));
        Ok(())
    }

    /// The challenges in the order of the answer.
    pub fn iter(&self) -> impl Iterator<Item = &Challenge> {
        self.0.iter()
    }

    /// Those of access tokens: `Bearer` (RFC 6750) and `DPoP` (RFC 9449 §7.1).
    pub fn for_access_tokens(&self) -> impl Iterator<Item = &Challenge> {
        let schemes = ["Bearer", "DPoP"];
        self.iter()
            .filter(move |challenge| schemes.iter().any(|scheme| challenge.is_scheme(scheme)))
    }

    /// The first challenge with an error, those of access tokens before others.
    pub fn with_error(&self) -> Option<&Challenge> {
        let mut all = self.for_access_tokens().chain(self.iter());
        all.find(|challenge| challenge.error().is_some())
    }

    /// The first challenge that names the resource's metadata, which any scheme
    /// may do (RFC 9728 §5.1).
    pub fn with_resource_metadata(&self) -> Option<&Challenge> {
        let mut all = self.for_access_tokens().chain(self.iter());
        all.find(|challenge| challenge.resource_metadata().is_some())
    }

    /// The scope of the first challenge of access tokens that names one.
    pub fn scope(&self) -> Option<Scope> {
        self.for_access_tokens().find_map(Challenge::scope)
    }
}

/// `tchar` (RFC 9110 §5.6.2).
fn is_token_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character)
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

fn unquote(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"') else {
        return value.to_owned();
    };
    let mut text = String::new();
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => text.extend(characters.next()),
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(header: &str) -> Challenges {
        Challenges::parse([header]).unwrap()
    }

    #[test]
    fn schemes_and_parameters_are_read_in_any_case_and_spacing() {
        let header = r#"Basic realm="a, b=\"c\"", bEARER Resource_Metadata = "https://h/.well-known/x" ,scope=read, Negotiate YWJj==, DPoP algs="ES256""#;
        let challenges = parse(header);
        let schemes: Vec<&str> = challenges.iter().map(|challenge| challenge.scheme.as_str()).collect();
        assert_eq!(schemes, ["Basic", "bEARER", "Negotiate", "DPoP"]);
        let [basic, bearer, negotiate, dpop] = &challenges.0[..] else {
            panic!("{challenges:?}")
        };
        assert_eq!(basic.realm(), Some(r#"a, b="c""#));
        assert_eq!(bearer.resource_metadata(), Some("https://h/.well-known/x"));
        assert_eq!(bearer.scope().unwrap().to_string(), "read");
        assert!(negotiate.parameters.is_empty());
        assert_eq!(dpop.parameter("ALGS"), Some("ES256"));
        assert_eq!(challenges.for_access_tokens().count(), 2);
        assert_eq!(challenges.scope().unwrap().to_string(), "read");
        assert_eq!(parse(""), Challenges::default());
        assert_eq!(parse("Bearer").0[0].scheme, "Bearer");
    }

    #[test]
    fn the_error_of_an_access_token_comes_before_that_of_another_scheme() {
        let challenges = Challenges::parse([
            r#"Digest error="stale""#,
            r#"Bearer error="insufficient_scope", error_description="more", error_uri="https://h/e", scope="a  b a""#,
        ])
        .unwrap();
        let challenge = challenges.with_error().unwrap();
        assert_eq!(challenge.error(), Some("insufficient_scope"));
        assert_eq!(challenge.error_description(), Some("more"));
        assert_eq!(challenge.error_uri(), Some("https://h/e"));
        assert_eq!(challenge.scope().unwrap().to_string(), "a b");
        assert_eq!(parse("OAuth error=x").with_error().unwrap().error(), Some("x"));
    }

    #[test]
    fn a_parameter_twice_with_two_values_is_none() {
        let challenge =
            &parse(r#"Bearer resource_metadata="https://a/", resource_metadata="https://b/", realm=x, REALM="x""#).0[0];
        assert_eq!(challenge.resource_metadata(), None);
        assert_eq!(challenge.realm(), Some("x"));
    }

    #[test]
    fn a_scope_that_cannot_be_asked_for_is_none() {
        for header in [
            r#"Bearer scope="""#,
            r#"Bearer scope="  ""#,
            "Bearer scope=\"a\u{e9}\"",
            r#"Bearer scope="a\"b""#,
        ] {
            assert_eq!(parse(header).scope(), None, "{header}");
        }
    }

    #[test]
    fn headers_beyond_the_bounds_are_refused_as_a_whole() {
        let long = format!(
            "Bearer resource_metadata=\"https://h/\", realm=\"{}\"",
            "a".repeat(100 * 1024)
        );
        assert!(matches!(
            Challenges::parse([&*long]),
            Err(InvalidChallenges::TooLong(_))
        ));
        let many = vec!["Bearer a=b"; 2_000];
        assert!(matches!(
            Challenges::parse(many.iter().copied()),
            Err(InvalidChallenges::TooLong(_) | InvalidChallenges::TooManyChallenges)
        ));
        assert_eq!(
            Challenges::parse(["A, ".repeat(17).as_str()]),
            Err(InvalidChallenges::TooManyChallenges)
        );
        let wide = format!("Bearer {}", "a=b, ".repeat(33));
        assert_eq!(Challenges::parse([&*wide]), Err(InvalidChallenges::TooManyParameters));
    }

    proptest! {
        #[test]
        fn any_header_is_read_without_inventing_text(header in "[ -~]{0,80}|([a-zA-Z]{1,4}[ =\",\\\\]{1,2}){0,20}") {
            if let Ok(challenges) = Challenges::parse([&*header]) {
                for challenge in challenges.iter() {
                    prop_assert!(header.contains(&challenge.scheme));
                    for (name, _) in &challenge.parameters {
                        prop_assert!(header.contains(name.as_str()));
                    }
                }
            }
        }

        #[test]
        fn a_quoted_value_comes_back(value in "[ -~]{0,40}") {
            let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
            let header = format!("Bearer x=1, realm=\"{quoted}\", y=2");
            let challenges = parse(&header);
            prop_assert_eq!(challenges.0[0].realm(), Some(value.as_str()));
            prop_assert_eq!(challenges.0[0].parameter("y"), Some("2"));
        }
    }
}
