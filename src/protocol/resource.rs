//! `resource`: the resource server a token is wanted for (RFC 8707 §2).

use super::citation::Cited;
use super::url_text;
use std::fmt;
use url::Url;

/// An absolute URI without a fragment, kept as it was written. One that can be
/// called has no userinfo, and means what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    text: String,
    url: Box<Url>,
}

/// Text that RFC 8707 §2 does not take as a resource.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.cited())]
pub struct InvalidResource;

impl InvalidResource {
    /// The reason and the section behind it.
    pub fn cited(&self) -> Cited {
        let reason = "a resource must be an absolute URI without a fragment";
        Cited::new(reason.to_owned(), "RFC 8707 §2")
    }
}

impl Resource {
    /// Takes an absolute URI without a fragment.
    ///
    /// # Errors
    /// [`InvalidResource`].
    pub fn parse(text: &str) -> Result<Self, InvalidResource> {
        match url_text::parse(text) {
            Some(url) if !text.contains('#') && (!url.is_special() || url_text::parse_exact(text).is_some()) => {
                Ok(Resource {
                    text: text.to_owned(),
                    url: Box::new(url),
                })
            }
            _ => Err(InvalidResource),
        }
    }

    /// The URI as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The same, parsed. A URI of another scheme than http and https may have no host.
    pub fn url(&self) -> &Url {
        &self.url
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_and_without_fragment() {
        for good in [
            "https://api.example.com",
            "https://api.example.com/app/?q",
            "urn:example:api",
        ] {
            assert_eq!(Resource::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "api", "/api", "https://api.example.com/#x", "https://a\nb"] {
            assert!(Resource::parse(bad).is_err(), "{bad:?}");
        }
    }
}
