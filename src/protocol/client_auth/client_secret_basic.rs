//! `client_secret_basic`: HTTP Basic with id and secret, each form-encoded
//! first (RFC 6749 §2.3.1).

use crate::protocol::abnf::{base64, from_base64};
use crate::protocol::client_id::ClientId;
use crate::protocol::http::HeaderValue;
use crate::protocol::params::{Params, Value};
use crate::secret::Secret;

pub(super) const NAME: &str = "client_secret_basic";

pub(super) fn header(id: &ClientId, secret: &Secret) -> HeaderValue {
    let credentials = Secret::new(format!("{}:{}", form_encode(id.as_str()), form_encode(secret.expose())));
    HeaderValue::Credentials {
        scheme: "Basic",
        credentials: Secret::new(base64(credentials.expose().as_bytes())),
    }
}

/// Id and secret of a header, as a server reads it.
pub(super) fn credentials(header: &str) -> Option<(String, Secret)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = Secret::new(String::from_utf8(from_base64(encoded.trim())?).ok()?);
    let (id, secret) = decoded.expose().split_once(':')?;
    Some((form_decode(id), Secret::new(form_decode(secret))))
}

fn form_encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn form_decode(text: &str) -> String {
    // Joined to a name, so that the one public decoder of form bodies can be used.
    let pair = Params::parse(&format!("v={}", text.replace('&', "%26")));
    pair.iter()
        .next()
        .map(|(_, value)| Value::expose(value).to_owned())
        .unwrap_or_default()
}
