//! `oauth request` and `oauth mcp` with tokens that are bound to a key
//! (RFC 9449) or to a certificate (RFC 8705): what proves them goes with each
//! request.

use super::dpop::{Proof, bound_session, proof_of};
use super::support::binary::Home;
use super::support::bridge::Bridge;
use super::support::development_server::DevelopmentServer;
use super::support::literal_server::{LiteralServer, Reply, Request, json, status};
use super::support::login::complete_at;
use super::support::outcome::run;
use super::support::sessions::{KEPT_ACCESS_TOKEN, ending_in, resource};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::process::Stdio;

const NEW_TOKEN: &str = "new-bound-token-8c02";

fn wants_nonce(nonce: &str) -> Reply {
    let challenge = "WWW-Authenticate: DPoP error=\"use_dpop_nonce\", algs=\"ES256\"";
    Reply::http(401, &[challenge, &format!("DPoP-Nonce: {nonce}")], "")
}

fn with_nonce(nonce: &str, body: &str) -> Reply {
    let headers = ["Content-Type: application/json", &format!("DPoP-Nonce: {nonce}")];
    Reply::http(200, &headers, body)
}

fn refuses_token() -> Reply {
    Reply::http(
        401,
        &["WWW-Authenticate: DPoP error=\"invalid_token\", algs=\"ES256\""],
        "",
    )
}

/// A home with a session whose token is bound, for everything at the server.
fn bound_home(server: &LiteralServer) -> Home {
    let home = Home::new();
    let origin = server.origin();
    home.configure(&format!(
        "[profile.bound]\nissuer = \"{origin}\"\nclient_id = \"desktop\"\nresource = [\"{origin}\"]\ndpop = true\n"
    ));
    let mut session = bound_session(&origin);
    session.requested.resource = vec![resource(&origin)];
    home.keep("bound", &session);
    let answer = format!(r#"{{"access_token":"{NEW_TOKEN}","token_type":"DPoP","expires_in":3600}}"#);
    server.on("POST", "/token", json(200, &answer));
    home
}

/// Each request has a proof of its own for it and for its token.
#[track_caller]
fn nonces(requests: &[Request], target: &str, token: impl Fn(usize) -> &'static str) -> Vec<Option<String>> {
    let mut ids = HashSet::new();
    let mut keys = HashSet::new();
    let proven = requests.iter().enumerate().map(|(index, request)| {
        let credentials = format!("DPoP {}", token(index));
        assert_eq!(request.header("authorization"), Some(credentials.as_str()), "{index}");
        let Proof { claims, thumbprint } = proof_of(request);
        assert_eq!(claims["htm"], request.method.as_str());
        assert_eq!(claims["htu"], target);
        assert_eq!(claims["ath"], URL_SAFE_NO_PAD.encode(Sha256::digest(token(index))));
        assert!(ids.insert(claims["jti"].to_string()), "a proof was used again");
        keys.insert(thumbprint);
        claims["nonce"].as_str().map(str::to_owned)
    });
    let nonces = proven.collect();
    assert_eq!(keys.len(), 1);
    nonces
}

fn some(nonce: &str) -> Option<String> {
    Some(nonce.to_owned())
}

#[test]
fn a_request_has_a_proof_and_the_nonce_of_the_resource_server_after_a_refresh_too() {
    let server = LiteralServer::start();
    let home = bound_home(&server);
    server.on_each(
        "POST",
        "/api/x",
        vec![
            wants_nonce("n-1"),
            refuses_token(),
            wants_nonce("n-2"),
            json(200, "done"),
        ],
    );
    let url = server.url("/api/x?a=b");
    let outcome = run(home.oauth().args(["request", &url, "-d", "c=d"])).expect_code(0);
    assert_eq!(outcome.stdout, "done");
    let requests = server.requests_to("/api/x");
    assert!(requests.iter().all(|request| request.body_text() == "c=d"));
    let token = |index| if index < 2 { KEPT_ACCESS_TOKEN } else { NEW_TOKEN };
    assert_eq!(
        nonces(&requests, &server.url("/api/x"), token),
        [None, some("n-1"), None, some("n-2")]
    );
    // The refresh has a proof of the same key, without the hash of a token.
    let refresh = server.only_request_to("/token");
    assert_eq!(proof_of(&refresh).claims.get("ath"), None);
    assert_eq!(proof_of(&refresh).thumbprint, proof_of(&requests[0]).thumbprint);
}

#[test]
fn a_redirect_at_the_same_origin_gets_a_proof_for_its_own_url() {
    let server = LiteralServer::start();
    let home = bound_home(&server);
    server.on("GET", "/old", super::support::literal_server::redirect(307, "/new"));
    server.on("GET", "/new", json(200, "done"));
    run(home.oauth().args(["request", "-L", &server.url("/old")])).expect_code(0);
    for path in ["/old", "/new"] {
        let requests = server.requests_to(path);
        assert_eq!(requests.len(), 1);
        nonces(&requests, &server.url(path), |_| KEPT_ACCESS_TOKEN);
    }
}

#[test]
fn every_message_of_a_bridge_has_a_proof_and_the_last_nonce() {
    let server = LiteralServer::start();
    let home = bound_home(&server);
    let listed = |id: u32| format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#);
    server.on_each(
        "POST",
        "/mcp",
        vec![
            wants_nonce("n-1"),
            with_nonce("n-2", &listed(1)),
            json(200, &listed(2)),
            refuses_token(),
            wants_nonce("n-3"),
            json(200, &listed(3)),
        ],
    );
    server.on("GET", "/mcp", status(405));
    let mut command = home.oauth();
    let mut bridge = Bridge::start(command.args(["mcp", &server.url("/mcp")]), Stdio::null());
    for id in 1..=3 {
        bridge.say(&format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/list","params":{{}}}}"#
        ));
        assert_eq!(bridge.next(), listed(id));
    }
    bridge.leave();
    let token = |index| if index < 4 { KEPT_ACCESS_TOKEN } else { NEW_TOKEN };
    assert_eq!(
        nonces(&server.requests_to("/mcp"), &server.url("/mcp"), token),
        [None, some("n-1"), some("n-2"), some("n-2"), None, some("n-3")]
    );
    assert_eq!(server.requests_to("/token").len(), 1);
}

#[test]
fn both_work_at_a_server_that_demands_proofs_and_nonces() {
    let server = DevelopmentServer::start(&["--approve", "auto", "--require", "dpop,nonce"]);
    let home = Home::new();
    for (profile, path) in [("api", "/api"), ("mcp", "/mcp")] {
        let resource = server.issuer() + path;
        let arguments = ["-p", profile, "--client-id", "oauth-cli", "--scope", "openid hello"];
        let arguments = [&arguments[..], &["--resource", &resource]].concat();
        complete_at(&server, &home, &arguments).expect_code(0);
    }
    // Expired, so that the refresh is part of it.
    for profile in ["api", "mcp"] {
        home.keep(profile, &ending_in(-10, home.kept(profile).expect("a session")));
    }
    let url = server.issuer() + "/api/hello";
    let outcome = run(home.oauth().args(["request", &url])).expect_code(0);
    let hello: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    assert_eq!(hello["subject"], "demo", "{hello}");

    let mut command = home.oauth();
    let mut bridge = Bridge::start(command.args(["mcp", &(server.issuer() + "/mcp")]), Stdio::null());
    bridge.say(r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#);
    assert!(bridge.next().contains("\"result\""));
    bridge.say(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
    bridge.say(r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"hello","arguments":{}}}"#);
    let answer = loop {
        let message: Value = serde_json::from_str(&bridge.next()).expect("JSON");
        if message["id"] == 2 {
            break message;
        }
    };
    assert!(answer["result"].to_string().contains("Hello, demo!"), "{answer}");
    bridge.close();
    bridge.end().expect_code(0);
}
