//! Where the section of a rule can be read.

use super::Rule;

impl Rule {
    /// The section of its specification on the web.
    pub fn url(self) -> String {
        let (document, section) = (self.document(), self.section());
        if let Some(number) = document.strip_prefix("RFC ") {
            return format!("https://www.rfc-editor.org/rfc/rfc{number}#section-{section}");
        }
        match document {
            "OpenID Core" => format!("https://openid.net/specs/openid-connect-core-1_0.html#rfc.section.{section}"),
            "OpenID Discovery" => {
                format!("https://openid.net/specs/openid-connect-discovery-1_0.html#rfc.section.{section}")
            }
            "JARM" => format!("https://openid.net/specs/oauth-v2-jarm.html#section-{section}"),
            "CIMD" => format!(
                "https://datatracker.ietf.org/doc/html/draft-ietf-oauth-client-id-metadata-document#section-{section}"
            ),
            "CSP Level 3" => "https://www.w3.org/TR/CSP3/#directive-form-action".to_owned(),
            // what is left is the Model Context Protocol, whose sections have names
            _ => format!(
                "https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization#{}",
                section.to_ascii_lowercase().replace(' ', "-")
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_links_to_its_section() {
        for rule in Rule::ALL {
            let url = url::Url::parse(&rule.url()).unwrap_or_else(|error| panic!("{rule}: {error}"));
            let is_anchored = url.fragment().is_some_and(|anchor| !anchor.contains(' '));
            assert!(url.scheme() == "https" && is_anchored, "{rule}: {url}");
        }
        assert_eq!(
            Rule::PkceWrongVerifier.url(),
            "https://www.rfc-editor.org/rfc/rfc7636#section-4.6"
        );
        assert_eq!(
            Rule::IdTokenNonce.url(),
            "https://openid.net/specs/openid-connect-core-1_0.html#rfc.section.3.1.3.7"
        );
    }

    #[test]
    fn a_specification_that_is_not_known_here_would_be_noticed() {
        let known = ["OpenID Core", "OpenID Discovery", "JARM", "CIMD", "CSP Level 3", "MCP"];
        for rule in Rule::ALL {
            let document = rule.document();
            assert!(document.starts_with("RFC ") || known.contains(&document), "{document}");
        }
    }
}
