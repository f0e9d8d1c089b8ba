//! JSON Web Tokens as text (RFC 7515 §3.1, RFC 7519 §7.2): taken apart and put
//! together. Signatures are made and checked elsewhere.

use super::abnf::{base64url, from_base64url};
use super::json::parse_object;
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

/// Text that is no signed JWT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwtError {
    #[error("it is not three segments of base64url joined by dots (RFC 7515 §3.1)")]
    Segments,
    #[error("it is encrypted (five segments, RFC 7516 §3.1), which is not supported")]
    Encrypted,
    #[error("its header or payload is not one JSON object without repeated members (RFC 7515 §4, RFC 7519 §7.2)")]
    Json,
    /// Longer than anybody needs.
    #[error("it is longer than 256 KiB")]
    TooLong,
}

const JWT_MAX_BYTES: usize = 256 * 1024;

impl UnverifiedJwt {
    /// Takes a compact JWT apart.
    ///
    /// # Errors
    /// [`JwtError`].
    pub fn decode(text: &str) -> Result<Self, JwtError> {
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
        let object = |segment| parse_object(&bytes(segment)?).map_err(|_| JwtError::Json);
        Ok(UnverifiedJwt {
            header: object(header)?,
            claims: object(payload)?,
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
