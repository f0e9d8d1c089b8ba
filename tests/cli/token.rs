//! `oauth token` for a session that is stored and valid, or has ended: one
//! line on stdout, nothing asked of anybody, and never a token of another server.

use super::support::authorization_server;
#[cfg(unix)]
use super::support::authorization_server::ACCESS_TOKEN;
use super::support::binary::Home;
use super::support::literal_server::{LiteralServer, json};
#[cfg(unix)]
use super::support::outcome::members;
use super::support::outcome::{finish, run};
use super::support::sessions::{KEPT_ACCESS_TOKEN, ending_in, log_in, now, refreshable, resource, scope, session};
use oauth::protocol::time::UnixSeconds;
use oauth::secret::Secret;
use oauth::store::{Session, SessionEnd};
use serde_json::{Value, json};
use std::process::{Command, Stdio};

const ISSUER: &str = "https://id.example.com";

/// A profile `work` at [`ISSUER`] with more lines of the test's own.
fn configured(home: &Home, lines: &str) {
    home.configure(&format!(
        "[profile.work]\nissuer = \"{ISSUER}\"\nclient_id = \"desktop\"\n{lines}"
    ));
}

fn token(home: &Home, arguments: &[&str]) -> Command {
    let mut command = home.oauth();
    command.arg("token").args(arguments);
    command
}

/// An ID token whose `exp` is so many seconds away; nobody looks at its signature here.
fn id_token(seconds: i64) -> String {
    use base64::Engine;
    let encode = |value: Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({ "iss": ISSUER, "aud": "desktop", "sub": "u1", "iat": now() - 10, "exp": now() + seconds });
    format!("{}.{}.c2lnbmF0dXJl", encode(json!({ "alg": "RS256" })), encode(claims))
}

// the variables are read by `sh`, which Windows lacks
#[cfg(unix)]
#[test]
fn after_a_login_it_prints_the_token_in_each_format_and_asks_the_server_nothing() {
    let home = Home::new();
    let server = authorization_server::start();
    let answer = r#"{"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"Bearer","expires_in":3600,"scope":"a b"}"#;
    server.on("POST", "/token", json(200, answer));
    let resource = "https://api.example.com/v1";
    let arguments = [
        &server.origin(),
        "--client-id=desktop",
        "--profile=work",
        "--scope=a b c",
        "--resource",
        resource,
        "--no-browser",
    ];
    log_in(&home, &server, &arguments);
    let (requests, connections) = (server.requests().len(), server.connections());

    let raw = run(&mut token(&home, &[])).expect_code(0);
    assert_eq!((raw.stdout, raw.stderr), (format!("{ACCESS_TOKEN}\n"), String::new()));
    let raw = run(&mut token(&home, &["--format", "raw", "work"])).expect_code(0);
    assert_eq!((raw.stdout, raw.stderr), (format!("{ACCESS_TOKEN}\n"), String::new()));

    let header = run(&mut token(&home, &["--format=header"])).expect_code(0);
    assert_eq!(header.stdout, format!("Authorization: Bearer {ACCESS_TOKEN}\n"));

    for arguments in [&["--format", "json"][..], &["--json"], &["--json", "--format", "json"]] {
        let object = run(&mut token(&home, arguments)).expect_code(0).json();
        assert_eq!(
            members(&object),
            [
                "access_token",
                "expires_at",
                "expires_in",
                "issuer",
                "profile",
                "resource",
                "scope",
                "token_type"
            ]
        );
        assert_eq!(object["access_token"], ACCESS_TOKEN);
        assert_eq!(object["token_type"], "Bearer");
        assert_eq!(object["scope"], "a b", "as the server granted it");
        assert_eq!(object["resource"], json!([resource]));
        assert_eq!(object["issuer"], server.origin());
        assert_eq!(object["profile"], "work");
        let expires_in = object["expires_in"].as_i64().expect("whole seconds");
        assert!((3500..=3600).contains(&expires_in), "{expires_in}");
        let expires_at = object["expires_at"].as_str().expect("a time");
        assert!(expires_at.ends_with('Z') && expires_at.len() == 20, "{expires_at}");
        let expires_at: jiff::Timestamp = expires_at.parse().expect("RFC 3339");
        assert!((expires_at.as_second() - now() - expires_in).abs() <= 2);
    }

    let variables = sourced(&run(&mut token(&home, &["--format", "env"])).expect_code(0).stdout);
    let names: Vec<&str> = variables.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "OAUTH_ACCESS_TOKEN",
            "OAUTH_EXPIRES_AT",
            "OAUTH_ISSUER",
            "OAUTH_PROFILE",
            "OAUTH_TOKEN_PROFILE",
            "OAUTH_TOKEN_TYPE"
        ]
    );
    assert_eq!(variables[0].1, ACCESS_TOKEN);
    assert!(variables[1].1.parse::<jiff::Timestamp>().is_ok(), "{}", variables[1].1);
    assert_eq!(
        [2, 3, 4, 5].map(|index| variables[index].1.as_str()),
        [server.origin().as_str(), "work", "work", "Bearer"]
    );

    assert_eq!((server.requests().len(), server.connections()), (requests, connections));
}

/// The `OAUTH_*` variables that a POSIX shell exports after reading these lines, sorted.
#[cfg(unix)]
fn sourced(lines: &str) -> Vec<(String, String)> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("lines");
    std::fs::write(&file, lines).expect("writing them");
    let script = format!("set -eu; . '{}'; exec env -0", file.display());
    let mut shell = Command::new("sh");
    shell
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default());
    let outcome = run(shell.args(["-c", &script])).expect_code(0);
    let variables = outcome.stdout.split_terminator('\0');
    let mut variables: Vec<(String, String)> = variables
        .filter_map(|variable| variable.split_once('='))
        .filter(|(name, _)| name.starts_with("OAUTH_"))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    variables.sort();
    variables
}

// the variables are read by `sh`, which Windows lacks
#[cfg(unix)]
#[test]
fn a_shell_takes_every_character_of_a_token_as_it_is() {
    let home = Home::new();
    configured(&home, "");
    // all that RFC 6749 Appendix A.12 allows
    let odd: String = (0x20u8..=0x7e).map(char::from).collect();
    let mut odd_session = session(ISSUER);
    odd_session.tokens[0].access_token = Secret::from(odd.as_str());
    home.keep("work", &odd_session);

    let outcome = run(&mut token(&home, &["work", "--format", "env"])).expect_code(0);
    assert!(outcome.stdout.lines().all(|line| line.starts_with("export OAUTH_")));
    let variables = sourced(&outcome.stdout);
    assert_eq!(variables[0], ("OAUTH_ACCESS_TOKEN".to_owned(), odd.clone()));
    assert_eq!(run(&mut token(&home, &["work"])).stdout, format!("{odd}\n"));
    let object = run(&mut token(&home, &["work", "--json"])).json();
    assert_eq!(object["access_token"], odd);
}

#[test]
fn json_escapes_what_steers_a_terminal_and_the_other_formats_give_the_bytes() {
    let home = Home::new();
    configured(&home, "");
    let odd = "a\u{202e}b";
    let mut odd_session = session(ISSUER);
    odd_session.tokens[0].access_token = Secret::from(odd);
    odd_session.tokens[0].token_type = odd.to_owned();
    home.keep("work", &odd_session);

    let outcome = run(&mut token(&home, &["work", "--json"])).expect_code(0);
    assert!(!outcome.stdout.contains('\u{202e}'), "{outcome:?}");
    let object = outcome.json();
    assert_eq!(
        (&object["access_token"], &object["token_type"]),
        (&json!(odd), &json!(odd))
    );

    assert_eq!(run(&mut token(&home, &["work"])).stdout, format!("{odd}\n"));
    let header = run(&mut token(&home, &["work", "--format", "header"]));
    assert_eq!(header.stdout, format!("Authorization: Bearer {odd}\n"));
    let variables = run(&mut token(&home, &["work", "--format", "env"])).stdout;
    assert!(variables.starts_with(&format!(
        "export OAUTH_ACCESS_TOKEN='{odd}'\nexport OAUTH_TOKEN_TYPE='{odd}'\n"
    )));
}

// the variables are read by `sh`, which Windows lacks
#[cfg(unix)]
#[test]
fn what_is_not_known_is_null_and_a_token_without_an_end_is_printed() {
    let home = Home::new();
    home.configure("[profile.work]\nclient_id = \"desktop\"\n");
    let mut bare = session(ISSUER);
    bare.issuer = None;
    bare.tokens[0].expires_at = None;
    home.keep("work", &bare);

    let outcome = run(&mut token(&home, &["work", "--min-ttl", "1h", "--json"])).expect_code(0);
    assert_eq!(outcome.stderr, "");
    let object = outcome.json();
    for member in ["expires_in", "expires_at", "scope", "issuer"] {
        assert_eq!(object[member], Value::Null, "{member}");
        assert!(members(&object).contains(&member));
    }
    assert_eq!(object["resource"], json!([]));
    let variables = sourced(&run(&mut token(&home, &["work", "--format=env"])).stdout);
    assert_eq!(variables[1], ("OAUTH_EXPIRES_AT".to_owned(), String::new()));
}

#[test]
fn json_and_another_format_contradict_each_other() {
    let home = Home::new();
    home.keep("default", &session(ISSUER));
    for format in ["raw", "header", "env"] {
        let outcome = run(&mut token(&home, &["--json", "--format", format]));
        assert_eq!(outcome.stdout, "");
        let error = outcome.json_error(2);
        assert_eq!(error["name"], "usage");
        let message = error["message"].as_str().expect("a message");
        assert!(message.contains("--json") && message.contains("--format"), "{message}");
    }
    let outcome = run(&mut token(&home, &["--format", "xml"])).expect_code(2);
    assert!(
        outcome.stderr.contains("raw") && outcome.stderr.contains("env"),
        "{outcome:?}"
    );
}

#[test]
fn the_id_token_is_as_fresh_as_its_own_exp() {
    let home = Home::new();
    configured(&home, "");
    let fresh = id_token(600);
    let with = |id_token: Option<&str>, access_token_s| {
        let mut session = ending_in(access_token_s, session(ISSUER));
        session.id_token = id_token.map(Secret::from);
        home.keep("work", &session);
        run(&mut token(&home, &["work", "--id-token"]))
    };
    let outcome = with(Some(&fresh), 3600).expect_code(0);
    assert_eq!((outcome.stdout, outcome.stderr), (format!("{fresh}\n"), String::new()));
    // its access token has ended, which is another matter
    assert_eq!(with(Some(&fresh), -5).expect_code(0).stdout, format!("{fresh}\n"));
    let object = run(&mut token(&home, &["work", "--id-token", "--json"]))
        .expect_code(0)
        .json();
    let expires_in = object["expires_in"].as_i64().expect("seconds");
    assert!((550..=600).contains(&expires_in), "{expires_in}");

    with(Some(&id_token(-1)), 3600)
        .expect_error(4)
        .says(&["ID token", "oauth login work"]);
    with(None, 3600)
        .expect_error(4)
        .says(&["no ID token", "oauth login work", "openid"]);
}

#[test]
fn a_token_with_less_time_than_wanted_is_printed_with_a_warning() {
    let home = Home::new();
    configured(&home, "");
    let after = |left_s, session: Session, arguments: &[&str]| {
        home.keep("work", &ending_in(left_s, session));
        let outcome = run(token(&home, arguments).arg("work")).expect_code(0);
        assert_eq!(outcome.stdout, format!("{KEPT_ACCESS_TOKEN}\n"));
        outcome.labelled("warning:")
    };
    // 60 s by default
    assert_eq!(after(30, session(ISSUER), &[]).len(), 1);
    assert_eq!(after(90, session(ISSUER), &[]).len(), 0);
    // as given
    assert_eq!(after(90, session(ISSUER), &["--min-ttl", "2m"]).len(), 1);
    assert_eq!(after(30, session(ISSUER), &["--min-ttl", "10s"]).len(), 0);
    assert_eq!(after(30, session(ISSUER), &["--min-ttl", "99999999999999d"]).len(), 1);
    assert_eq!(after(30, session(ISSUER), &["--min-ttl", "0s"]).len(), 0);
    assert_eq!(after(90, session(ISSUER), &["--min-ttl", "2m", "--quiet"]).len(), 0);

    // half of a short life, 40 s, is less than 60 s
    let mut short = session(ISSUER);
    short.tokens[0].expires_at = Some(UnixSeconds(now() + 30));
    short.tokens[0].issued_at = Some(UnixSeconds(now() - 10));
    home.keep("work", &short);
    assert_eq!(run(&mut token(&home, &["work"])).expect_code(0).stderr, "");

    home.keep("work", &ending_in(30, session(ISSUER)));
    let outcome = run(&mut token(&home, &["work", "--json"])).expect_code(0);
    assert!(outcome.json_lines()[0]["warning"].is_string());
    assert_eq!(outcome.json()["access_token"], KEPT_ACCESS_TOKEN);

    run(&mut token(&home, &["work", "--min-ttl", "60"]))
        .expect_error(2)
        .says(&["--min-ttl", "90s"]);
}

#[test]
fn without_a_session_it_says_which_login_to_run() {
    let home = Home::new();
    configured(&home, "");
    run(&mut token(&home, &["work"]))
        .expect_error(4)
        .says(&["\"work\"", "hint: Run: oauth login work\n"]);
    let error = run(&mut token(&home, &["work", "--json"])).json_error(4);
    assert_eq!(error["name"], "login_required");
    assert_eq!(error["hints"], json!(["Run: oauth login work"]));

    home.keep("work", &ending_in(-1, session(ISSUER)));
    run(&mut token(&home, &["work"]))
        .expect_error(4)
        .says(&["expired", "hint: Run: oauth login work\n"]);

    let mut dead = refreshable(ISSUER);
    dead.dead = Some(SessionEnd {
        at: UnixSeconds(now()),
        error: Some("invalid_grant".to_owned()),
        description: None,
    });
    home.keep("work", &dead);
    run(&mut token(&home, &["work"]))
        .expect_error(4)
        .says(&["invalid_grant", "hint: Run: oauth login work\n"]);

    home.keep("work", &session(ISSUER));
    run(&mut token(&home, &["work", "--store", "none"]))
        .expect_error(4)
        .says(&["none", "oauth login work"]);
}

#[test]
fn an_unknown_profile_is_met_with_the_names_that_there_are() {
    let home = Home::new();
    run(&mut token(&home, &["nosuch"]))
        .expect_error(2)
        .says(&["\"nosuch\"", "oauth login"]);
    assert_eq!(home.files(), Vec::<std::path::PathBuf>::new(), "asking leaves no trace");

    home.configure("[profile.work]\nclient_id = \"a\"\n[profile.play]\nclient_id = \"b\"\n");
    run(&mut token(&home, &["nosuch"]))
        .expect_error(2)
        .says(&["\"nosuch\"", "work", "play"]);
    for bad in ["a b", "-x", ".hidden", "a/b", ""] {
        run(token(&home, &["--"]).arg(bad)).expect_error(2);
    }
}

#[test]
fn a_session_of_another_server_client_or_wish_is_never_handed_out() {
    let home = Home::new();
    let mut full = session(ISSUER);
    full.requested.scope = scope("a b");
    full.requested.resource = vec![resource("https://one.example"), resource("https://two.example")];
    full.requested.audience = Some("https://api.example".to_owned());
    home.keep("work", &full);
    let with = |key: &str, value: &str| {
        let mut lines = vec![
            ("issuer", format!("\"{ISSUER}\"")),
            ("client_id", "\"desktop\"".to_owned()),
            ("scope", "[\"a\", \"b\"]".to_owned()),
            (
                "resource",
                "[\"https://one.example\", \"https://two.example\"]".to_owned(),
            ),
            ("audience", "\"https://api.example\"".to_owned()),
        ];
        for (name, text) in &mut lines {
            if *name == key {
                value.clone_into(text);
            }
        }
        lines.retain(|(_, text)| !text.is_empty());
        let lines: Vec<String> = lines.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
        home.configure(&format!("[profile.work]\n{}", lines.concat()));
        run(&mut token(&home, &["work"]))
    };
    assert_eq!(with("", "").expect_code(0).stdout, format!("{KEPT_ACCESS_TOKEN}\n"));
    // in another order it is the same wish
    with("scope", "[\"b\", \"a\"]").expect_code(0);
    for (key, value) in [
        ("issuer", "\"https://id.example.com/\""),
        ("issuer", "\"https://evil.example\""),
        ("client_id", "\"other\""),
        ("scope", "[\"a\"]"),
        ("scope", "[\"a\", \"b\", \"c\"]"),
        ("scope", ""),
        ("resource", "[\"https://one.example\"]"),
        ("resource", ""),
        ("audience", "\"https://other.example\""),
        ("audience", ""),
    ] {
        let outcome = with(key, value);
        let error = outcome.labelled("error:").concat();
        assert!(error.contains(&format!(" {key} ")), "{key} = {value}: {error}");
        outcome.expect_error(4).says(&["hint: ", "oauth login work"]);
    }
}

#[test]
fn a_reader_that_has_gone_did_not_get_the_token() {
    let home = Home::new();
    home.keep("default", &session(ISSUER));
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let child = token(&home, &[])
        .stdin(Stdio::null())
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn()
        .expect("starting it");
    finish(child).expect_error(1).says(&[match cfg!(windows) {
        true => "standard output cannot be written",
        false => "Broken pipe",
    }]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error() {
    let home = Home::new();
    home.keep("default", &session(ISSUER));
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .expect("/dev/full");
    let child = token(&home, &[])
        .stdin(Stdio::null())
        .stdout(full)
        .stderr(Stdio::piped())
        .spawn()
        .expect("starting it");
    finish(child)
        .expect_code(1)
        .says(&["error: standard output", "caused by: "]);
}

#[test]
fn it_never_speaks_with_a_server_and_never_asks_a_person() {
    let server = LiteralServer::start();
    let home = Home::new();
    for (name, session) in [
        ("valid", session(&server.origin())),
        ("expired", ending_in(-9, session(&server.origin()))),
        ("short", ending_in(9, session(&server.origin()))),
    ] {
        home.keep(name, &session);
    }
    for name in ["valid", "expired", "short", "nosuch"] {
        // a standard input that stays open: whoever read it would wait for ever
        let mut child = token(&home, &[name])
            .env("BROWSER", home.path().join("no-such-browser"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starting it");
        let held = child.stdin.take();
        let outcome = finish(child);
        drop(held);
        let failure = if name == "nosuch" { 2 } else { 4 };
        assert_eq!(outcome.stdout.is_empty(), outcome.code == Some(failure), "{outcome:?}");
        assert!(!outcome.stderr.contains("http://"), "{outcome:?}");
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn the_profile_is_that_of_the_argument_the_option_the_environment_or_the_file() {
    let home = Home::new();
    for name in ["argued", "optional", "environment", "configured", "default"] {
        let mut own = session(ISSUER);
        own.tokens[0].access_token = Secret::new(format!("token-of-{name}"));
        home.keep(name, &own);
    }
    let printed = |arguments: &[&str], variable: Option<&str>| {
        let mut command = token(&home, arguments);
        command.envs(variable.map(|name| ("OAUTH_PROFILE", name)));
        run(&mut command).expect_code(0).stdout
    };
    assert_eq!(printed(&[], None), "token-of-default\n");
    home.configure("default_profile = \"configured\"\n");
    assert_eq!(printed(&[], None), "token-of-configured\n");
    assert_eq!(printed(&[], Some("environment")), "token-of-environment\n");
    assert_eq!(printed(&[], Some("")), "token-of-configured\n");
    for option in [
        &["-p", "optional"][..],
        &["--profile", "optional"],
        &["--profile=optional"],
    ] {
        assert_eq!(printed(option, Some("environment")), "token-of-optional\n");
    }
    assert_eq!(printed(&["argued"], Some("environment")), "token-of-argued\n");
    // two that agree or not: one of them is too many
    run(&mut token(&home, &["argued", "-p", "optional"])).expect_error(2);
}

#[test]
fn the_only_profile_is_used_and_a_default_that_names_nothing_is_told() {
    let home = Home::new();
    home.keep("work", &session(ISSUER));
    let work = format!("[profile.work]\nissuer = \"{ISSUER}\"\n");
    home.configure(&work);
    run(&mut token(&home, &[])).expect_code(0);
    // another one, and nothing says which is meant
    home.configure(&format!("{work}[profile.play]\nissuer = \"{ISSUER}\"\n"));
    run(&mut token(&home, &[]))
        .expect_error(4)
        .says(&["no default", "oauth profile use work"]);
    home.configure(&format!("default_profile = \"gone\"\n{work}"));
    run(&mut token(&home, &[]))
        .expect_error(2)
        .says(&["default_profile is \"gone\"", "oauth profile use work"]);
    // named nowhere but in the store
    home.keep("gone", &session(ISSUER));
    run(&mut token(&home, &[])).expect_code(0);
}

#[cfg(unix)]
#[test]
fn an_unknown_profile_is_told_where_the_store_cannot_be_read() {
    let home = Home::new();
    let keyring = ["--store", "keyring"];
    home.configure("[profile.work]\nissuer = \"https://id.example.com\"\n");
    let outcome = run(token(&home, &["wrok"]).args(keyring)).expect_error(2);
    outcome.says(&["there is no profile \"wrok\"", "Known profiles: work."]);
    home.configure("");
    let outcome = run(token(&home, &[]).args(keyring)).expect_error(4);
    outcome.says(&[
        "no profile is saved",
        "oauth --store keyring login https://id.example.com",
    ]);
}

#[test]
fn the_command_of_a_hint_is_about_the_files_that_were_named() {
    let home = Home::new();
    let file = home.path().join("my app.toml");
    std::fs::write(&file, "[profile.app]\nissuer = \"https://id.example.com\"\n").expect("a file");
    let in_folder = |arguments: &[&str]| run(token(&home, arguments).current_dir(home.path())).expect_error(4);
    let outcome = in_folder(&["app", "--config", "my app.toml"]);
    assert_eq!(outcome.hints(), "Run: oauth --config 'my app.toml' login app");
    let outcome = in_folder(&["app", "--config", "my app.toml", "--store", "file"]);
    assert_eq!(
        outcome.hints(),
        "Run: oauth --config 'my app.toml' --store file login app"
    );
    // the next command has the same environment
    let outcome = run(token(&home, &["app"]).env("OAUTH_CONFIG", &file)).expect_error(4);
    assert_eq!(outcome.hints(), "Run: oauth login app");
}

#[test]
fn a_url_names_the_profile_that_its_login_made() {
    let home = Home::new();
    let server = authorization_server::start();
    log_in(
        &home,
        &server,
        &[&server.origin(), "--client-id=desktop", "--no-browser"],
    );
    let outcome = run(&mut token(&home, &[&server.origin(), "--json"])).expect_code(0);
    assert_eq!(outcome.json()["profile"], format!("127.0.0.1-{}", server.port()));
}

#[test]
fn another_configuration_file_has_sessions_of_its_own() {
    let home = Home::new();
    let server = authorization_server::start();
    let other = home.path().join("other.toml");
    let arguments = [
        &server.origin(),
        "--client-id=desktop",
        "--profile=work",
        "--no-browser",
    ];
    for (number, config) in [None, Some(&other)].into_iter().enumerate() {
        let answer = format!(r#"{{"access_token":"token-{number}","token_type":"Bearer","expires_in":600}}"#);
        server.on("POST", "/token", json(200, &answer));
        let mut command = home.oauth();
        command.args(config.map(|path| format!("--config={}", path.display())));
        command.arg("login").args(arguments);
        super::support::sessions::log_in_with(&mut command, &server).expect_code(0);
    }
    assert!(home.config_file().exists() && other.exists());

    let printed = |command: &mut Command| run(command).expect_code(0).stdout;
    assert_eq!(printed(&mut token(&home, &["work"])), "token-0\n");
    assert_eq!(
        printed(token(&home, &["work"]).arg("--config").arg(&other)),
        "token-1\n"
    );
    assert_eq!(
        printed(token(&home, &["work"]).env("OAUTH_CONFIG", &other)),
        "token-1\n"
    );
    // its absolute path counts, not how it was written
    assert_eq!(
        printed(&mut token(&home, &["work", "--config", "other.toml"])),
        "token-1\n"
    );
    // the flag wins
    let mut both = token(&home, &["work", "--config", "other.toml"]);
    assert_eq!(printed(both.env("OAUTH_CONFIG", "/nonexistent")), "token-1\n");

    // NAME@ and 8 hex digits of the SHA-256 of the file's absolute path
    use sha2::Digest;
    let digest = sha2::Sha256::digest(other.as_os_str().as_encoded_bytes());
    let digits: String = digest[..4].iter().map(|byte| format!("{byte:02x}")).collect();
    let item = format!("work@{digits}");
    assert!(
        home.files().iter().any(|file| file.ends_with(&item)),
        "no {item} in {:#?}",
        home.files()
    );
}

#[test]
fn a_server_that_was_forgotten_is_not_asked_who_it_was() {
    // the issuer's server has long gone
    let home = Home::new();
    let gone = LiteralServer::start().origin();
    home.keep("default", &session(&gone));
    let outcome = run(&mut token(&home, &["-vvv"])).expect_code(0);
    assert_eq!(outcome.stdout, format!("{KEPT_ACCESS_TOKEN}\n"));
    assert!(!outcome.stderr.contains(KEPT_ACCESS_TOKEN));
}

#[test]
fn a_url_hands_out_the_token_of_that_server_and_of_no_other() {
    let home = Home::new();
    home.keep("id.example.com-a", &session("https://id.example.com/a"));
    let good = run(&mut token(&home, &["https://id.example.com/a"])).expect_code(0);
    assert_eq!(good.stdout, format!("{KEPT_ACCESS_TOKEN}\n"));
    for other in [
        "http://id.example.com/a",
        "https://id.example.com/a/",
        "https://id.example.com-a",
    ] {
        let outcome = run(&mut token(&home, &[other])).expect_code(4);
        assert_eq!(outcome.stdout, "", "{other}");
    }
}

#[test]
fn a_profile_of_endpoints_is_compared_with_its_session_too() {
    let home = Home::new();
    let mut of_endpoints = session("https://id.example.com");
    of_endpoints.issuer = None;
    home.keep("work", &of_endpoints);
    let profile =
        "[profile.work]\nclient_id = \"desktop\"\nauthorization_endpoint = \"https://id.example.com/authorize\"\n";
    home.configure(&format!("{profile}token_endpoint = \"https://id.example.com/token\"\n"));
    run(&mut token(&home, &["work"])).expect_code(0);
    home.configure(&format!("{profile}token_endpoint = \"https://other.example/token\"\n"));
    let outcome = run(&mut token(&home, &["work"])).expect_code(4);
    assert!(outcome.stderr.contains("token_endpoint"), "{outcome:?}");
}

// only the Secret Service has a bus that can be missing
#[cfg(all(unix, not(target_os = "macos")))]
#[test]
fn a_keyring_that_cannot_be_read_is_told_only_to_those_who_logged_in_once() {
    let home = Home::new();
    let ask = || {
        let mut command = token(&home, &["--store", "keyring"]);
        command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
        run(&mut command).expect_error(4)
    };
    let outcome = ask();
    outcome.does_not_say("D-Bus").does_not_say("--no-save");
    let locks = home.path().join(".local/share/oauth/locks");
    std::fs::create_dir_all(&locks).expect("a folder");
    std::fs::write(locks.join("default.lock"), "").expect("a lock");
    let outcome = ask();
    assert!(outcome.hints().contains("--no-save"), "{outcome:?}");
}
