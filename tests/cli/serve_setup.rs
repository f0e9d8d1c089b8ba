//! `oauth serve --setup`: users with claims, clients, resources, lifetimes and
//! claims of tokens from a file, over which flags win.

use super::support::binary::Home;
use super::support::development_server::{DevelopmentServer, parameter};
use super::support::outcome::{Outcome, run};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::path::PathBuf;

const SETUP: &str = r#"
[lifetimes]
code = "30s"
access_token = "5m"
refresh_token = "1h"

[[user]]
name = "ada"
password = "lovelace"
[user.claims]
sub = "00u1"
name = "Ada Lovelace"
email = "ada@corp.example"
phone_number = "+44 20"
groups = ["admins", "staff"]

[[user]]
name = "grace"
password = "hopper"

[[client]]
client_id = "oauth-cli"
token_endpoint_auth_method = "none"
redirect_uris = ["http://127.0.0.1/callback"]
client_name = "The client"

[[resource]]
resource = "https://api.corp.example"
scopes = ["read", "write"]

[claims]
id_token = { tenant = "corp" }
access_token = { tenant = "corp", roles = ["reader"] }
"#;

fn file(home: &Home, text: &str) -> PathBuf {
    let file = home.path().join("setup.toml");
    std::fs::write(&file, text).expect("the setup");
    file
}

/// `oauth serve` with this setup, who is asked nothing.
fn serve(home: &Home, text: &str, arguments: &[&str]) -> DevelopmentServer {
    let file = file(home, text).display().to_string();
    let all = [&["--approve", "auto", "--setup", &file][..], arguments].concat();
    DevelopmentServer::start(&all)
}

fn claims(tokens: &Value, member: &str) -> Value {
    let token = tokens[member].as_str().expect("a token");
    let payload = token.split('.').nth(1).expect("a JWT");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64url")).expect("JSON")
}

#[test]
fn tokens_and_userinfo_speak_of_the_user_of_the_setup() {
    let home = Home::new();
    let server = serve(&home, SETUP, &[]);
    let tokens = server.tokens("&scope=openid%20profile&nonce=n");
    assert_eq!(tokens["expires_in"], 300);

    let id_token = claims(&tokens, "id_token");
    assert_eq!(
        (&id_token["sub"], &id_token["name"], &id_token["tenant"]),
        (&json!("00u1"), &json!("Ada Lovelace"), &json!("corp"))
    );
    assert_eq!(id_token["groups"], json!(["admins", "staff"]));
    assert_eq!(id_token["email"], Value::Null, "email was not asked for");

    let access_token = claims(&tokens, "access_token");
    assert_eq!(
        (&access_token["sub"], &access_token["tenant"], &access_token["roles"]),
        (&json!("00u1"), &json!("corp"), &json!(["reader"]))
    );
    assert_eq!(access_token["groups"], Value::Null);

    let bearer = format!("Authorization: Bearer {}", tokens["access_token"].as_str().expect("it"));
    let userinfo: Value = serde_json::from_slice(&server.get("/userinfo", &[&bearer]).body).expect("JSON");
    assert_eq!(
        (&userinfo["sub"], &userinfo["name"]),
        (&json!("00u1"), &json!("Ada Lovelace"))
    );
    assert_eq!(userinfo["email"], Value::Null);

    let tokens = server.tokens("&scope=openid%20email%20phone&nonce=n");
    let bearer = format!("Authorization: Bearer {}", tokens["access_token"].as_str().expect("it"));
    let userinfo: Value = serde_json::from_slice(&server.get("/userinfo", &[&bearer]).body).expect("JSON");
    assert_eq!(
        (&userinfo["email"], &userinfo["phone_number"], &userinfo["name"]),
        (&json!("ada@corp.example"), &json!("+44 20"), &Value::Null)
    );
}

#[test]
fn tokens_are_issued_for_the_resources_of_the_setup_alone() {
    let home = Home::new();
    let server = serve(&home, SETUP, &[]);
    let metadata: Value =
        serde_json::from_slice(&server.get("/.well-known/oauth-authorization-server", &[]).body).expect("JSON");
    let scopes = metadata["scopes_supported"].as_array().expect("scopes");
    for scope in ["read", "write", "phone"] {
        assert!(scopes.contains(&json!(scope)), "{scopes:?}");
    }
    let tokens = server.tokens("&scope=read&resource=https%3A%2F%2Fapi.corp.example");
    let access_token = claims(&tokens, "access_token");
    assert_eq!(
        (&access_token["aud"], &access_token["scope"]),
        (&json!("https://api.corp.example"), &json!("read"))
    );
    let other = server.authorize("&resource=https%3A%2F%2Fother.example");
    let location = other.header("location").expect("a redirect");
    assert_eq!(parameter(location, "error").as_deref(), Some("invalid_target"));
    let unknown = server.authorize("&scope=delete");
    let location = unknown.header("location").expect("a redirect");
    assert_eq!(parameter(location, "error").as_deref(), Some("invalid_scope"));
}

#[test]
fn flags_win_over_the_setup() {
    let home = Home::new();
    let flags = [
        "--user",
        "eve:x",
        "--access-token-ttl",
        "10m",
        "--client",
        "oauth-cli",
        "--json",
    ];
    let server = serve(&home, SETUP, &flags);
    let announced: Value = serde_json::from_str(&server.announcement).expect("JSON");
    assert_eq!(announced["users"], json!(["eve"]));
    assert_eq!(announced["clients"].as_array().map(Vec::len), Some(1));
    let tokens = server.tokens("&scope=openid&nonce=n");
    assert_eq!(tokens["expires_in"], 600);
    assert_eq!(claims(&tokens, "id_token")["sub"], "eve");

    let server = serve(&home, SETUP, &["--json"]);
    let announced: Value = serde_json::from_str(&server.announcement).expect("JSON");
    assert_eq!(announced["users"], json!(["ada", "grace"]));
    assert!(!server.announcement.contains("lovelace"));
}

fn refused(text: &str) -> Outcome {
    let home = Home::new();
    let file = file(&home, text);
    run(home.oauth().args(["serve", "--port", "0", "--setup"]).arg(file)).expect_error(2)
}

#[test]
fn mistakes_name_the_line_and_the_nearest_key() {
    for (text, error, hint) in [
        ("\n[[users]]\n", ":2: unknown key \"users\"", "Did you mean \"user\"?"),
        (
            "[[user]]\nname = \"a\"\npasword = \"b\"\n",
            ":3: unknown key \"pasword\"",
            "Did you mean \"password\"?",
        ),
        (
            "[lifetimes]\nacess_token = \"1h\"\n",
            ":2: unknown key \"acess_token\"",
            "Did you mean \"access_token\"?",
        ),
        (
            "[[client]]\nclient_id = \"a\"\nredirect_uri = []\n",
            ":3: unknown key \"redirect_uri\"",
            "Did you mean \"redirect_uris\"?",
        ),
        (
            "[[resource]]\nresource = \"https://a.example\"\nzzzzzz = 1\n",
            ":3: unknown key \"zzzzzz\"",
            "Known here: resource, scopes.",
        ),
        ("[lifetimes]\ncode = 60\n", ":2: code must be a duration", ""),
        (
            "[[user]]\nname = 7\npassword = \"b\"\n",
            ":2: name must be a string",
            "",
        ),
        ("\n\n[[user]]\nname = \"a\"\n", ":3: password is missing", ""),
        (
            "[user]\nname = \"a\"\n",
            ":1: user must be tables that begin with [[user]]",
            "",
        ),
        (
            "[[resource]]\nresource = \"https://a.example\"\nscopes = \"read\"\n",
            ":3: scopes must be a list of strings",
            "",
        ),
        (
            "[[resource]]\nresource = \"relative\"\n",
            ":1: the resource cannot be used",
            "",
        ),
        (
            "[claims]\nid_token = { iss = \"x\" }\n",
            ":1: the claim \"iss\" is the server's own",
            "Leave it out",
        ),
        ("[claims]\naccess_token = { sub = \"x\" }\n", "the claim \"sub\"", ""),
        (
            "[[client]]\nclient_id = \"a\"\ntoken_endpoint_auth_method = \"private_key_jwt\"\n",
            ":1: the client metadata cannot be used: jwks is missing",
            "",
        ),
        ("[[user]]\nname = \"a\"\n[broken\n", ":3: not valid TOML", ""),
    ] {
        let outcome = refused(text);
        assert!(outcome.error().contains(error), "{text}: {outcome:?}");
        assert!(outcome.hints().contains(hint), "{text}: {outcome:?}");
        assert_eq!(outcome.stdout, "");
    }
}

#[test]
fn a_setup_that_cannot_be_read_is_a_usage_error_and_a_password_is_never_shown() {
    let home = Home::new();
    let outcome = run(home.oauth().args(["serve", "--setup", "/nonexistent/setup.toml"])).expect_error(2);
    assert!(
        outcome.error().contains("/nonexistent/setup.toml cannot be read"),
        "{outcome:?}"
    );
    let outcome = refused("[[user]]\nname = \"\"\npassword = \"hunter2\"\n");
    outcome.does_not_say("hunter2");
}
