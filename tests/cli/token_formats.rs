//! `oauth token --format` for other programs: exact bytes, and never a token
//! that the program could not use.

use super::support::binary::Home;
use super::support::outcome::{Outcome, run};
use super::support::sessions::{KEPT_ACCESS_TOKEN, now, session};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use oauth::protocol::time::UnixSeconds;
use oauth::secret::Secret;
use serde_json::{Value, json};
use std::process::Command;

const ISSUER: &str = "https://id.example.com";
const V1: &str = "client.authentication.k8s.io/v1";
const V1BETA1: &str = "client.authentication.k8s.io/v1beta1";

/// 2033-05-18T03:33:20Z
const EXPIRES_AT: UnixSeconds = UnixSeconds(2_000_000_000);

fn home() -> Home {
    let home = Home::new();
    home.configure(&format!(
        "[profile.work]\nissuer = \"{ISSUER}\"\nclient_id = \"desktop\"\n"
    ));
    let mut session = session(ISSUER);
    session.tokens[0].expires_at = Some(EXPIRES_AT);
    home.keep("work", &session);
    home
}

fn token(home: &Home, arguments: &[&str]) -> Command {
    let mut command = home.oauth();
    command.arg("token").args(arguments);
    command
}

fn printed(home: &Home, arguments: &[&str]) -> String {
    let outcome = run(&mut token(home, arguments)).expect_code(0);
    assert_eq!(outcome.stderr, "");
    outcome.stdout
}

fn exec_credential(home: &Home, info: &str) -> Outcome {
    run(token(home, &["--format", "exec-credential"]).env("KUBERNETES_EXEC_INFO", info))
}

#[test]
fn headers_are_one_json_object() {
    assert_eq!(
        printed(&home(), &["--format", "headers"]),
        format!("{{\"Authorization\":\"Bearer {KEPT_ACCESS_TOKEN}\"}}\n")
    );
}

#[test]
fn an_exec_credential_has_the_version_that_was_asked_for_and_says_when_it_ends() {
    let home = home();
    let expected = |version: &str| {
        format!(
            "{{\"apiVersion\":\"{version}\",\"kind\":\"ExecCredential\",\"status\":{{\"expirationTimestamp\":\"2033-05-18T03:33:20Z\",\"token\":\"{KEPT_ACCESS_TOKEN}\"}}}}\n"
        )
    };
    assert_eq!(printed(&home, &["--format", "exec-credential"]), expected(V1));
    for version in [V1, V1BETA1] {
        for info in [
            json!({ "apiVersion": version, "kind": "ExecCredential", "spec": { "interactive": true } }),
            json!({ "apiVersion": version, "kind": "ExecCredential", "spec": {}, "status": null, "more": [1] }),
            json!({ "apiVersion": version, "kind": "ExecCredential" }),
        ] {
            let outcome = exec_credential(&home, &info.to_string()).expect_code(0);
            assert_eq!(outcome.stdout, expected(version), "{info}");
        }
    }
}

#[test]
fn an_exec_credential_names_the_cluster_that_it_is_for() {
    let cluster =
        json!({ "server": "https://k8s.example:6443", "certificate-authority-data": "QQ==", "config": { "a": 1 } });
    let info = json!({
        "apiVersion": V1BETA1, "kind": "ExecCredential", "spec": { "cluster": cluster, "interactive": false },
    });
    let object = exec_credential(&home(), &info.to_string()).expect_code(0).json();
    assert_eq!(object["apiVersion"], V1BETA1);
    assert_eq!(object["spec"], json!({ "cluster": cluster, "interactive": false }));
    assert_eq!(object["status"]["token"], KEPT_ACCESS_TOKEN);
}

#[test]
fn an_exec_credential_without_a_known_end_has_no_timestamp() {
    let home = home();
    let mut session = session(ISSUER);
    session.tokens[0].expires_at = None;
    home.keep("work", &session);
    assert_eq!(
        printed(&home, &["--format", "exec-credential"]),
        format!(
            "{{\"apiVersion\":\"{V1}\",\"kind\":\"ExecCredential\",\"status\":{{\"token\":\"{KEPT_ACCESS_TOKEN}\"}}}}\n"
        )
    );
}

#[test]
fn an_exec_info_that_cannot_be_answered_is_a_usage_error_that_repeats_nothing_of_it() {
    let home = home();
    let deep = format!(
        r#"{{"apiVersion":"{V1}","kind":"ExecCredential","spec":{{"cluster":{}1{}}}}}"#,
        r#"{"a":"#.repeat(5000),
        "}".repeat(5000)
    );
    for info in [
        "canary",
        "[]",
        "{}",
        r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"canary"}"#,
        r#"{"apiVersion":["canary"],"kind":"ExecCredential"}"#,
        r#"{"apiVersion":"client.authentication.k8s.io/v1","apiVersion":"canary","kind":"ExecCredential"}"#,
        r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","spec":"canary"}"#,
        r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","spec":{"cluster":"canary"}}"#,
        &deep,
    ] {
        exec_credential(&home, info)
            .expect_error(2)
            .says(&["KUBERNETES_EXEC_INFO", "hint: "])
            .does_not_say("canary");
    }
    let old = json!({ "apiVersion": "client.authentication.k8s.io/v1alpha1", "kind": "ExecCredential" });
    exec_credential(&home, &old.to_string())
        .expect_error(2)
        .says(&["v1alpha1", V1BETA1, "hint: Set the apiVersion"]);
}

#[test]
fn sasl_messages_are_the_bytes_that_mail_servers_read() {
    let home = home();
    let decoded = |arguments: &[&str]| {
        let line = printed(&home, arguments);
        let bytes = STANDARD
            .decode(line.strip_suffix('\n').expect("one line"))
            .expect("base64");
        String::from_utf8(bytes).expect("UTF-8")
    };
    assert_eq!(
        decoded(&["--format=xoauth2", "--user=a,b=c@example.com"]),
        format!("user=a,b=c@example.com\x01auth=Bearer {KEPT_ACCESS_TOKEN}\x01\x01")
    );
    assert_eq!(
        decoded(&["--format=oauthbearer", "--user=a,b=c@example.com"]),
        format!("n,a=a=2Cb=3Dc@example.com,\x01auth=Bearer {KEPT_ACCESS_TOKEN}\x01\x01")
    );
    assert_eq!(
        decoded(&[
            "--format=oauthbearer",
            "--user=ü@example.com",
            "--host=mail.example.com",
            "--port=993"
        ]),
        format!("n,a=ü@example.com,\x01host=mail.example.com\x01port=993\x01auth=Bearer {KEPT_ACCESS_TOKEN}\x01\x01")
    );
}

/// RFC 7628 §4.1 has this message; only its token is not ours.
#[test]
fn the_example_of_rfc_7628_comes_out() {
    let home = home();
    let mut session = session(ISSUER);
    session.tokens[0].access_token = Secret::from("vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==");
    home.keep("work", &session);
    let arguments = [
        "--format=oauthbearer",
        "--user=user@example.com",
        "--host=server.example.com",
        "--port=143",
    ];
    assert_eq!(
        printed(&home, &arguments),
        "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB\n"
    );
}

#[test]
fn what_a_format_needs_or_does_not_take_is_a_usage_error() {
    let home = home();
    for (arguments, says) in [
        (&["--format=xoauth2"][..], "--user"),
        (&["--format=oauthbearer"], "--user"),
        (&["--format=xoauth2", "--user="], "--user"),
        (&["--format=xoauth2", "--user=a\x01auth=Bearer x"], "control character"),
        (&["--format=oauthbearer", "--user=a", "--host=a\x01b"], "--host"),
        (&["--format=xoauth2", "--user=a", "--host=h"], "--host"),
        (&["--format=xoauth2", "--user=a", "--port=1"], "--port"),
        (&["--format=raw", "--user=a"], "--user"),
        (&["--user=a"], "--user"),
        (&["--format=json", "--shell=fish"], "--shell"),
    ] {
        run(&mut token(&home, arguments)).expect_error(2).says(&[says]);
    }
    run(&mut token(&home, &["--format=oauthbearer", "--user=a", "--port=0"])).expect_code(2);
}

#[test]
fn env_lines_are_those_of_the_shell() {
    let home = home();
    let lines = |shell: &str| printed(&home, &["--format=env", "--shell", shell]);
    let values = [
        ("OAUTH_ACCESS_TOKEN", KEPT_ACCESS_TOKEN),
        ("OAUTH_TOKEN_TYPE", "Bearer"),
        ("OAUTH_EXPIRES_AT", "2033-05-18T03:33:20Z"),
        ("OAUTH_ISSUER", ISSUER),
        ("OAUTH_PROFILE", "work"),
        ("OAUTH_TOKEN_PROFILE", "work"),
    ];
    let expected = |line: fn(&str, &str) -> String| values.map(|(name, value)| line(name, value)).concat();
    assert_eq!(
        lines("posix"),
        expected(|name, value| format!("export {name}='{value}'\n"))
    );
    assert_eq!(
        lines("fish"),
        expected(|name, value| format!("set -gx {name} '{value}'\n"))
    );
    assert_eq!(
        lines("powershell"),
        expected(|name, value| format!("$env:{name} = '{value}'\n"))
    );
    assert_eq!(
        lines("cmd"),
        expected(|name, value| format!("set \"{name}={value}\"\n"))
    );
    assert_eq!(printed(&home, &["--format=env"]), lines("posix"));

    let mut session = session(ISSUER);
    session.tokens[0].access_token = Secret::from("a%PATH%b");
    home.keep("work", &session);
    run(&mut token(&home, &["--format=env", "--shell=cmd"]))
        .expect_error(2)
        .says(&["OAUTH_ACCESS_TOKEN", "--shell powershell", "oauth exec"])
        .does_not_say("PATH");
}

#[cfg(unix)]
#[test]
fn fish_reads_back_what_was_quoted_for_it() {
    use super::support::installed;
    if !installed::all(&["fish"], "fish") {
        return;
    }
    let home = home();
    let mut session = session(ISSUER);
    let odd = r#"a'b\c$(d)"e%f\'"#;
    session.tokens[0].access_token = Secret::from(odd);
    home.keep("work", &session);
    let lines = printed(&home, &["--format=env", "--shell=fish"]);
    let script = format!("{lines}printf %s $OAUTH_ACCESS_TOKEN");
    let outcome = run(Command::new("fish")
        .args(["--no-config", "-c", &script])
        .env("HOME", home.path()))
    .expect_code(0);
    assert_eq!(outcome.stdout, odd);
}

#[test]
fn a_bound_token_is_printed_for_people_and_scripts_only_and_never_as_a_bearer_token() {
    let home = home();
    let mut session = session(ISSUER);
    session.tokens[0].token_type = "dpop".to_owned();
    let id_token = id_token();
    session.id_token = Some(Secret::from(id_token.as_str()));
    home.keep("work", &session);
    for format in ["header", "headers", "exec-credential", "xoauth2", "oauthbearer"] {
        let mut arguments = vec!["--format", format];
        if format.contains("oauth") {
            arguments.extend(["--user", "a"]);
        }
        run(&mut token(&home, &arguments))
            .expect_error(2)
            .says(&["DPoP", &format!("--format {format}"), "hint: "]);
    }
    for format in ["raw", "json", "env"] {
        let outcome = run(&mut token(&home, &["--format", format])).expect_code(0);
        assert!(outcome.stdout.contains(KEPT_ACCESS_TOKEN), "{format}");
        outcome.says(&["warning: ", "DPoP"]);
    }
    // an ID token is bound to no key
    let outcome = run(&mut token(&home, &["--id-token", "--format=exec-credential"])).expect_code(0);
    assert_eq!(
        (outcome.json()["status"]["token"].as_str(), outcome.stderr.as_str()),
        (Some(id_token.as_str()), "")
    );
}

/// Nobody looks at its signature here. It ends when the access token does.
fn id_token() -> String {
    let encode = |value: Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
    let claims =
        json!({ "iss": ISSUER, "aud": "desktop", "sub": "u1", "iat": now() - now() % 1000, "exp": EXPIRES_AT.0 });
    format!("{}.{}.c2lnbmF0dXJl", encode(json!({ "alg": "RS256" })), encode(claims))
}
