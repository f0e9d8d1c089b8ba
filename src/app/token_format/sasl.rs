//! `--format xoauth2` and `--format oauthbearer`: the first message of a SASL
//! client, in base64, as mail programs send it.

use crate::args::settings::BearerClient;
use crate::protocol::abnf::base64;
use zeroize::Zeroizing;

/// `user=U^Aauth=Bearer T^A^A`, where `^A` is U+0001
/// (<https://developers.google.com/workspace/gmail/imap/xoauth2-protocol>).
pub(super) fn xoauth2(user: &str, token: &str) -> String {
    let message = Zeroizing::new(format!("user={user}\x01auth=Bearer {token}\x01\x01"));
    base64(message.as_bytes()) + "\n"
}

/// The GS2 header with the user, and host, port and token as pairs (RFC 7628 §3.1).
pub(super) fn oauthbearer(client: &BearerClient, token: &str) -> String {
    let BearerClient { user, host, port } = client;
    // A saslname (RFC 5801 §4)
    let user = user.replace('=', "=3D").replace(',', "=2C");
    let host = host.as_ref().map(|host| format!("host={host}\x01")).unwrap_or_default();
    let port = port.map(|port| format!("port={port}\x01")).unwrap_or_default();
    let message = Zeroizing::new(format!("n,a={user},\x01{host}{port}auth=Bearer {token}\x01\x01"));
    base64(message.as_bytes()) + "\n"
}
