//! `scope`: a list of case-sensitive tokens, joined by spaces (RFC 6749 §3.3).

use super::abnf::is_nqchar_text;
use super::citation::Cited;
use std::fmt;

/// The scope-tokens of a request or an answer, in order, without repetition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope(Vec<String>);

/// What is between the scope-tokens of an authorization request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ScopeSeparator {
    /// As RFC 6749 §3.3 says.
    #[default]
    Space,
    /// As some providers want it.
    Comma,
}

/// A scope-token with a character that RFC 6749 §3.3 does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.cited())]
pub struct InvalidScope(pub String);

impl InvalidScope {
    /// The reason and the section behind it.
    pub fn cited(&self) -> Cited {
        Cited::new(
            format!(
                "\"{}\" is not a scope: only printable ASCII without space, quote and backslash",
                self.0
            ),
            "RFC 6749 §3.3",
        )
    }
}

impl Scope {
    /// Reads a space-delimited list; empty text is the empty scope.
    ///
    /// # Errors
    /// [`InvalidScope`] naming the first token that is not `1*NQCHAR`.
    pub fn parse(text: &str) -> Result<Self, InvalidScope> {
        Scope::from_tokens(text.split(' ').filter(|token| !token.is_empty()))
    }

    /// Takes tokens, dropping repeated ones.
    ///
    /// # Errors
    /// [`InvalidScope`].
    pub fn from_tokens<'a>(tokens: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidScope> {
        let mut scope = Scope::default();
        for token in tokens {
            if !is_nqchar_text(token) {
                return Err(InvalidScope(token.to_owned()));
            }
            if !scope.contains(token) {
                scope.0.push(token.to_owned());
            }
        }
        Ok(scope)
    }

    /// Reads the scope that a server says it granted: as it came, since servers
    /// send all kinds of characters here. Sanitize it before showing it.
    pub fn received(text: &str) -> Self {
        let mut scope = Scope::default();
        for token in text.split_ascii_whitespace() {
            if !scope.contains(token) {
                scope.0.push(token.to_owned());
            }
        }
        scope
    }

    /// The same for tokens that are taken apart already, such as stored ones.
    pub fn from_received_tokens(tokens: Vec<String>) -> Self {
        let mut scope = Scope::default();
        for token in tokens {
            if !scope.contains(&token) {
                scope.0.push(token);
            }
        }
        scope
    }

    /// The tokens of both.
    pub fn union(&self, other: &Scope) -> Scope {
        let tokens = self.0.iter().chain(&other.0).cloned().collect();
        Scope::from_received_tokens(tokens)
    }

    /// Whether the token is in the scope; case matters.
    pub fn contains(&self, token: &str) -> bool {
        self.0.iter().any(|own| own == token)
    }

    /// Whether there is no token.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tokens in order.
    pub fn tokens(&self) -> &[String] {
        &self.0
    }

    /// The tokens as they are sent.
    pub fn joined_by(&self, separator: ScopeSeparator) -> String {
        self.0.join(match separator {
            ScopeSeparator::Space => " ",
            ScopeSeparator::Comma => ",",
        })
    }

    /// Whether every token is in `other`, in any order.
    pub fn is_subset_of(&self, other: &Scope) -> bool {
        self.0.iter().all(|token| other.contains(token))
    }

    /// Whether both have the same tokens, in whatever order.
    pub fn has_same_tokens(&self, other: &Scope) -> bool {
        self.is_subset_of(other) && other.is_subset_of(self)
    }

    /// The tokens that `other` lacks. Some servers put commas where spaces
    /// belong, and their users do too: what is between commas counts as well.
    pub fn without(&self, other: &Scope) -> Scope {
        let parts = |token: &'_ str| token.split(',').map(str::to_owned).collect::<Vec<_>>();
        let others: Vec<String> = other.0.iter().flat_map(|token| parts(token)).collect();
        let has = |token: &str| other.contains(token) || parts(token).iter().all(|part| others.contains(part));
        Scope(self.0.iter().filter(|token| !has(token)).cloned().collect())
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.joined_by(ScopeSeparator::Space))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_keep_their_order_and_lose_repetition() {
        let scope = Scope::parse("openid  email openid").unwrap();
        assert_eq!(scope.to_string(), "openid email");
        assert!(Scope::parse("email").unwrap().is_subset_of(&scope));
        assert!(!Scope::parse("Email").unwrap().is_subset_of(&scope));
    }

    #[test]
    fn commas_between_tokens_hide_none() {
        let scope = |text: &str| Scope::received(text);
        let granted = scope("repo,gist  user:email");
        assert!(scope("gist repo").without(&granted).is_empty());
        assert!(scope("repo,gist").without(&granted).is_empty());
        assert_eq!(scope("repo,admin").without(&granted).to_string(), "repo,admin");
        assert!(granted.without(&scope("repo gist,user:email")).is_empty());
        assert_eq!(granted.without(&scope("repo user:email")).to_string(), "repo,gist");
    }

    #[test]
    fn characters_outside_the_syntax_are_refused() {
        for bad in ["a\"b", "a\\b", "é", "a\u{1b}b", "a\tb", "a\nb"] {
            assert!(Scope::parse(bad).is_err(), "{bad:?}");
        }
    }
}
