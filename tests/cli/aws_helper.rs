//! `oauth credential aws`: what is asked of STS, what is printed, and what is kept.

use super::support::binary::Home;
use super::support::literal_server::{LiteralServer, Reply, status};
use super::support::outcome::{Outcome, run};
use super::support::sessions::{now, session};
use base64::Engine;
use oauth::secret::Secret;
use oauth::store::Session;
use serde_json::{Value, json};

const ISSUER: &str = "https://id.example.com";
const ARN: &str = "arn:aws:iam::123456789012:role/Deploy";

fn id_token(seconds: i64) -> String {
    let encode = |value: Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({ "iss": ISSUER, "aud": "desktop", "sub": "u1", "exp": now() + seconds });
    format!("{}.{}.c2lnbmF0dXJl", encode(json!({ "alg": "RS256" })), encode(claims))
}

fn home() -> Home {
    let home = Home::new();
    home.configure(&format!(
        "[profile.work]\nissuer = \"{ISSUER}\"\nclient_id = \"desktop\"\n"
    ));
    home.keep("work", &session_with(&id_token(3600)));
    home
}

fn session_with(id_token: &str) -> Session {
    let mut session = session(ISSUER);
    session.id_token = Some(Secret::from(id_token));
    session
}

/// An answer whose keys end in so many seconds.
fn keys(name: &str, seconds: i64) -> Reply {
    let expiration = jiff::Timestamp::from_second(now() + seconds).expect("a time");
    let body = format!(
        "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>{name}</AccessKeyId>\
         <SecretAccessKey>secret/{name}+&amp;</SecretAccessKey><SessionToken>token-{name}==</SessionToken>\
         <Expiration>{expiration}</Expiration></Credentials></AssumeRoleWithWebIdentityResult>\
         </AssumeRoleWithWebIdentityResponse>"
    );
    Reply::http(200, &["Content-Type: text/xml"], body)
}

fn refusal(status: u16, code: &str) -> Reply {
    let body = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>No \u{1b}[2J</Message></Error></ErrorResponse>"
    );
    Reply::http(status, &["Content-Type: text/xml"], body)
}

fn aws(home: &Home, server: &LiteralServer, arguments: &[&str]) -> Outcome {
    let mut command = home.oauth();
    command.args(["credential", "aws", "--sts-endpoint", &server.origin()]);
    run(command.args(arguments))
}

#[test]
fn the_request_and_what_credential_process_reads() {
    let (home, server) = (home(), LiteralServer::start());
    server.on("POST", "/", keys("ASIA1", 3600));
    let arguments = [
        "work",
        "--role-arn",
        ARN,
        "--session-name",
        "ci@main",
        "--duration",
        "30m",
    ];
    let outcome = aws(&home, &server, &arguments).expect_code(0);
    let object = outcome.json();
    assert_eq!(outcome.stderr, "");
    assert_eq!(object["Version"], 1);
    assert_eq!(object["AccessKeyId"], "ASIA1");
    assert_eq!(object["SecretAccessKey"], "secret/ASIA1+&");
    assert_eq!(object["SessionToken"], "token-ASIA1==");
    let expiration: jiff::Timestamp = object["Expiration"].as_str().expect("text").parse().expect("RFC 3339");
    assert!((3590..=3600).contains(&(expiration.as_second() - now())));

    let request = server.only_request_to("/");
    let form = request.form();
    let names: Vec<&str> = form.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "Action",
            "Version",
            "RoleArn",
            "RoleSessionName",
            "DurationSeconds",
            "WebIdentityToken"
        ]
    );
    let values: Vec<&str> = form.iter().take(5).map(|(_, value)| value.as_str()).collect();
    assert_eq!(
        values,
        ["AssumeRoleWithWebIdentity", "2011-06-15", ARN, "ci@main", "1800"]
    );
    assert_eq!(form[5].1.split('.').count(), 3);
    assert_eq!(request.header("accept"), Some("text/xml"));
    assert_eq!(request.header("authorization"), None);
}

#[test]
fn keys_are_kept_in_the_session_until_five_minutes_before_their_end() {
    let (home, server) = (home(), LiteralServer::start());
    let replies = vec![
        keys("LONG", 360),
        keys("SHORT", 299),
        keys("OTHER", 3600),
        keys("LAST", 3600),
    ];
    server.on_each("POST", "/", replies);
    let key = |arguments: &[&str]| {
        let outcome = aws(&home, &server, arguments).expect_code(0);
        outcome.json()["AccessKeyId"].as_str().expect("text").to_owned()
    };
    assert_eq!(key(&["--role-arn", ARN]), "LONG");
    assert_eq!(key(&["--role-arn", ARN]), "LONG");
    // another role, name or duration has keys of its own
    let other = ["--role-arn", "arn:aws:iam::123456789012:role/Other"];
    assert_eq!(key(&other), "SHORT");
    assert_eq!(key(&other), "OTHER", "too short to be used again");
    assert_eq!(key(&["--role-arn", ARN, "--session-name", "xx"]), "LAST");
    assert_eq!(server.requests().len(), 4);

    // in the store alone, encrypted
    for file in home.files() {
        let bytes = std::fs::read(&file).expect("reading it");
        assert!(!bytes.windows(6).any(|part| part == b"secret"), "{}", file.display());
    }
    let kept = home.kept("work").expect("the session");
    assert_eq!(kept.tokens.len(), 1);
    // a new login has other keys
    home.keep("work", &session_with(&id_token(3600)));
    assert_eq!(key(&["--role-arn", ARN]), "LAST");
}

#[test]
fn what_sts_refuses_is_told_with_advice_and_nothing_is_kept() {
    let (home, server) = (home(), LiteralServer::start());
    let replies = vec![
        refusal(403, "AccessDenied"),
        refusal(400, "InvalidIdentityToken"),
        refusal(503, "ServiceUnavailable"),
        status(404),
        Reply::http(200, &["Content-Type: text/html"], "<html>canary</html>"),
        status(302),
    ];
    server.on_each("POST", "/", replies);
    let arguments = ["--role-arn", ARN];
    aws(&home, &server, &arguments).expect_error(5).says(&[
        "AccessDenied",
        "trust policy",
        "oauth decode --id-token",
        "\\u{1b}",
    ]);
    aws(&home, &server, &arguments)
        .expect_error(5)
        .says(&["InvalidIdentityToken", "OpenID provider"]);
    aws(&home, &server, &arguments).expect_error(3).says(&["503"]);
    aws(&home, &server, &arguments)
        .expect_error(6)
        .says(&["404", "--sts-endpoint"]);
    aws(&home, &server, &arguments).expect_error(6).does_not_say("canary");
    aws(&home, &server, &arguments).expect_error(6);
    assert!(home.kept("work").expect("the session").role_credentials.is_empty());
}

#[test]
fn an_id_token_that_is_missing_or_has_expired_is_a_login() {
    let (home, server) = (home(), LiteralServer::start());
    home.keep("work", &session_with(&id_token(-5)));
    aws(&home, &server, &["--role-arn", ARN])
        .expect_error(4)
        .says(&["oauth login work"]);
    home.keep("work", &session(ISSUER));
    aws(&home, &server, &["--role-arn", ARN])
        .expect_error(4)
        .says(&["openid"]);
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn what_aws_would_not_take_is_refused_before_anything_is_sent() {
    let (home, server) = (home(), LiteralServer::start());
    let with_arn = |more: [&'static str; 2]| [&["--role-arn", ARN][..], &more].concat();
    for arguments in [
        vec!["--role-arn", "Deploy"],
        vec!["--role-arn", "arn:aws:iam::1:user/x"],
        vec!["--role-arn", "arn:aws:iam::1:role/a b"],
        with_arn(["--session-name", "a"]),
        with_arn(["--session-name", "a b"]),
        with_arn(["--duration", "14m"]),
        with_arn(["--duration", "13h"]),
        with_arn(["--duration", "900500ms"]),
        with_arn(["--sts-endpoint", "http://sts.example.com"]),
    ] {
        aws(&home, &server, &arguments).expect_error(2);
    }
    for region in ["eu central", "evil.test/", "EU-CENTRAL-1", "-x"] {
        let mut command = home.oauth();
        command
            .args(["credential", "aws", "--role-arn", ARN])
            .arg(format!("--region={region}"));
        run(&mut command).expect_error(2).says(&["--region"]);
    }
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn a_trace_shows_neither_id_token_nor_keys() {
    let (home, server) = (home(), LiteralServer::start());
    server.on("POST", "/", keys("ASIA1", 3600));
    let outcome = aws(&home, &server, &["--role-arn", ARN, "-vv"]).expect_code(0);
    assert!(outcome.stderr.contains("AssumeRoleWithWebIdentity"), "{outcome:?}");
    for secret in ["secret/ASIA1", "token-ASIA1", "c2lnbmF0dXJl"] {
        outcome.does_not_say(secret);
    }
}
