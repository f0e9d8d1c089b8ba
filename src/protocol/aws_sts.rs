//! AssumeRoleWithWebIdentity of AWS's Security Token Service: short-lived keys
//! for an ID token
//! (<https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html>).

use super::http::{HeaderValue, HttpRequest};
use super::params::Params;
use crate::foreign_text::{Quoted, WordOrQuoted};
use crate::secret::Secret;
use std::fmt;
use url::Url;

/// The version of the API that the request and its answer are of.
const API_VERSION: &str = "2011-06-15";

/// A role, and how its keys are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleRequest {
    pub role_arn: String,
    /// How the session is called in AWS's logs.
    pub session_name: String,
    pub duration_s: u32,
}

impl RoleRequest {
    /// The request. It is not signed: the ID token is the proof.
    pub fn to_http(&self, endpoint: Url, id_token: &Secret) -> HttpRequest {
        let mut params = Params::new();
        params.push("Action", "AssumeRoleWithWebIdentity");
        params.push("Version", API_VERSION);
        params.push("RoleArn", &self.role_arn);
        params.push("RoleSessionName", &self.session_name);
        params.push("DurationSeconds", &self.duration_s.to_string());
        params.push_secret("WebIdentityToken", id_token);
        HttpRequest {
            headers: vec![("accept".into(), HeaderValue::Plain("text/xml".to_owned()))],
            ..HttpRequest::post(endpoint, params)
        }
    }
}

/// The keys of a role.
#[derive(Debug, Clone)]
pub struct RoleKeys {
    pub access_key_id: String,
    pub secret_access_key: Secret,
    pub session_token: Secret,
    /// RFC 3339.
    pub expiration: String,
}

impl RoleKeys {
    /// Reads the answer's XML; `None` where a member is missing or empty.
    pub fn read(body: &[u8]) -> Option<Self> {
        let credentials = element(std::str::from_utf8(body).ok()?, "Credentials")?;
        let member = |name| {
            let text = element(credentials, name).and_then(unescape)?;
            let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
            is_plain.then_some(text)
        };
        Some(RoleKeys {
            access_key_id: member("AccessKeyId")?,
            secret_access_key: member("SecretAccessKey")?.into(),
            session_token: member("SessionToken")?.into(),
            expiration: member("Expiration")?,
        })
    }
}

/// Why STS said no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StsRefusal {
    /// `AccessDenied`, `InvalidIdentityToken`.
    pub code: String,
    /// Text from the network.
    pub message: String,
}

impl StsRefusal {
    /// Reads the answer's XML; `None` where it is something else.
    pub fn read(body: &[u8]) -> Option<Self> {
        let error = element(std::str::from_utf8(body).ok()?, "Error")?;
        Some(StsRefusal {
            code: element(error, "Code").and_then(unescape)?,
            message: element(error, "Message").and_then(unescape).unwrap_or_default(),
        })
    }
}

impl fmt::Display for StsRefusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} ({})",
            WordOrQuoted(&self.code),
            Quoted::message(self.message.trim())
        )
    }
}

/// What is between the first tags of this name, which AWS writes without a
/// prefix or attributes.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (inner, _) = rest.split_once(&format!("</{name}>"))?;
    Some(inner)
}

/// Text without markup, with its entities replaced; `None` where it has markup.
fn unescape(text: &str) -> Option<String> {
    if text.contains(['<', '>']) {
        return None;
    }
    let mut parts = text.split('&');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (entity, rest) = part.split_once(';')?;
        plain.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => character(entity.strip_prefix('#')?)?,
        });
        plain.push_str(rest);
    }
    Some(plain)
}

fn character(number: &str) -> Option<char> {
    let code = match number.strip_prefix('x') {
        Some(digits) => u32::from_str_radix(digits, 16).ok()?,
        None => number.parse().ok()?,
    };
    char::from_u32(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
        <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIA1</AccessKeyId>\
        <SecretAccessKey>a/b+c&amp;&#x64;</SecretAccessKey><SessionToken>tok==</SessionToken>\
        <Expiration>2026-11-28T23:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult>\
        </AssumeRoleWithWebIdentityResponse>";

    #[test]
    fn the_keys_are_read_from_the_answer() {
        let keys = RoleKeys::read(ANSWER.as_bytes()).unwrap();
        assert_eq!(keys.access_key_id, "ASIA1");
        assert_eq!(keys.secret_access_key.expose(), "a/b+c&d");
        assert_eq!(keys.session_token.expose(), "tok==");
        assert_eq!(keys.expiration, "2026-11-28T23:00:00Z");
    }

    #[test]
    fn an_answer_without_a_member_or_with_markup_in_one_is_none() {
        for (from, to) in [
            ("<SecretAccessKey>a/b+c&amp;&#x64;</SecretAccessKey>", ""),
            ("ASIA1", ""),
            ("ASIA1", "A\nB"),
            ("ASIA1", "<b>A</b>"),
            ("&amp;", "&bogus;"),
            ("&amp;", "&"),
            ("Credentials>", "Other>"),
        ] {
            assert!(
                RoleKeys::read(ANSWER.replace(from, to).as_bytes()).is_none(),
                "{from} {to}"
            );
        }
        for other in [&b""[..], b"\xff\xfe", b"{}", b"<Credentials>"] {
            assert!(RoleKeys::read(other).is_none());
        }
    }

    #[test]
    fn a_refusal_is_read_with_its_code() {
        let body = b"<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>Not &lt;allowed&gt;</Message></Error></ErrorResponse>";
        let refusal = StsRefusal::read(body).unwrap();
        assert_eq!(refusal.to_string(), "AccessDenied (\"Not <allowed>\")");
        assert_eq!(StsRefusal::read(b"<html>"), None);
    }
}
