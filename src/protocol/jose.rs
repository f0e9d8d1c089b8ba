//! JSON Web Tokens as text (RFC 7515 §3.1, RFC 7519 §7.2): taken apart and put
//! together. Signatures are made and checked elsewhere.

use super::abnf::{base64url, from_base64url};
use super::json::{JsonError, parse_object, parse_object_with_repetitions};
use serde_json::{Map, Value};

/// A JWT in compact form, decoded and not verified.
#[derive(Debug, Clone)]
pub struct UnverifiedJwt {
    /// `alg`, `kid`, `typ`.
    pub header: Map<String, Value>,
    pub claims: Map<String, Value>,
    /// The ASCII bytes that the signature covers.
    pub signing_input: String,
    pub signature: Vec<u8>,
}

/// Text that is not a signed JWT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwtError {
    #[error("it is not three segments of base64url joined by dots (RFC 7515 §3.1)")]
    Segments,
    #[error("it is encrypted (five segments, RFC 7516 §3.1), which is not supported")]
    Encrypted,
    #[error("its header or payload is not one JSON object without repeated members (RFC 7515 §4, RFC 7519 §7.2)")]
    Json,
    /// Longer than anyone needs.
    #[error("it is longer than 256 KiB")]
    TooLong,
}

const JWT_MAX_BYTES: usize = 256 * 1024;

type ParseObject = fn(&[u8]) -> Result<Map<String, Value>, JsonError>;

impl UnverifiedJwt {
    /// Takes a compact JWT apart.
    ///
    /// # Errors
    /// [`JwtError`].
    pub fn decode(text: &str) -> Result<Self, JwtError> {
        UnverifiedJwt::decode_with(text, parse_object)
    }

    /// The same, but a claim may stand twice with the same value. RFC 7519 §4
    /// forbids it; Keycloak writes `iss` twice into its signed responses.
    ///
    /// # Errors
    /// [`JwtError`].
    pub fn decode_with_repeated_claims(text: &str) -> Result<Self, JwtError> {
        UnverifiedJwt::decode_with(text, parse_object_with_repetitions)
    }

    fn decode_with(text: &str, parse_claims: ParseObject) -> Result<Self, JwtError> {
        if text.len() > JWT_MAX_BYTES {
            return Err(JwtError::TooLong);
        }
        let segments: Vec<&str> = text.split('.').collect();
        let [header, payload, signature] = segments[..] else {
            return Err(if segments.len() == 5 {
                JwtError::Encrypted
            } else {
                JwtError::Segments
            });
        };
        let bytes = |segment| from_base64url(segment).ok_or(JwtError::Segments);
        let object = |segment, parse: ParseObject| parse(&bytes(segment)?).map_err(|_| JwtError::Json);
        Ok(UnverifiedJwt {
            header: object(header, parse_object)?,
            claims: object(payload, parse_claims)?,
            signing_input: format!("{header}.{payload}"),
            signature: bytes(signature)?,
        })
    }
}

/// The text that a signature covers.
pub fn signing_input(header: &Value, claims: &Value) -> String {
    format!(
        "{}.{}",
        base64url(header.to_string().as_bytes()),
        base64url(claims.to_string().as_bytes())
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_put_together_comes_apart() {
        let input = signing_input(&json!({"alg":"ES256"}), &json!({"sub":"a"}));
        let jwt = UnverifiedJwt::decode(&format!("{input}.{}", base64url(b"sig"))).unwrap();
        assert_eq!(
            (jwt.header["alg"].as_str(), jwt.claims["sub"].as_str()),
            (Some("ES256"), Some("a"))
        );
        assert_eq!((jwt.signing_input, jwt.signature), (input, b"sig".to_vec()));
    }

    #[test]
    fn a_claim_may_stand_twice_where_it_is_said_so_and_a_member_of_the_header_never() {
        let (object, twice) = (base64url(b"{}"), base64url(br#"{"iss":"a","iss":"a"}"#));
        let jwt = format!("{object}.{twice}.");
        assert_eq!(UnverifiedJwt::decode(&jwt).err(), Some(JwtError::Json));
        assert_eq!(
            UnverifiedJwt::decode_with_repeated_claims(&jwt).unwrap().claims["iss"],
            "a"
        );
        let header = UnverifiedJwt::decode_with_repeated_claims(&format!("{twice}.{object}."));
        assert_eq!(header.err(), Some(JwtError::Json));
    }

    #[test]
    fn malformed_tokens() {
        let object = base64url(b"{}");
        for (bad, error) in [
            (String::new(), JwtError::Segments),
            ("a.b".into(), JwtError::Segments),
            (format!("{object}.{object}"), JwtError::Segments),
            (format!("{object}.{object}.="), JwtError::Segments),
            (format!("{object}=.{object}."), JwtError::Segments),
            (format!("{object}.{}.", base64url(b"[]")), JwtError::Json),
            (format!("{object}.{}.", base64url(br#"{"a":1,"a":2}"#)), JwtError::Json),
            (format!("{object}.{}.", base64url(b"{\"a\":\"\xff\"}")), JwtError::Json),
            ("a.b.c.d.e".into(), JwtError::Encrypted),
            ("a".repeat(JWT_MAX_BYTES + 1), JwtError::TooLong),
        ] {
            assert_eq!(UnverifiedJwt::decode(&bad).err(), Some(error), "{bad:.60}");
        }
    }
}
