//! `oauth status`: what stands in the table and in the JSON, the exit codes of
//! one profile, and that nobody is asked and nothing secret is shown.

use super::support::binary::Home;
use super::support::literal_server::LiteralServer;
use super::support::outcome::{Outcome, members, run};
use super::support::sessions::{KEPT_ACCESS_TOKEN, KEPT_REFRESH_TOKEN, ending_in, now, refreshable, scope, session};
use super::support::signing::unsigned;
use oauth::protocol::time::UnixSeconds;
use oauth::store::{Renewal, Session, SessionEnd};
use serde_json::{Value, json};

const ISSUER: &str = "https://id.example.com";

fn status(home: &Home, arguments: &[&str]) -> Outcome {
    run(home.oauth().arg("status").args(arguments))
}

fn dead() -> Session {
    Session {
        dead: Some(SessionEnd {
            at: UnixSeconds(now()),
            error: Some("invalid_grant".to_owned()),
            description: None,
        }),
        ..refreshable(ISSUER)
    }
}

/// One profile for each way to be: `valid`, `expired`, `renewable`, `dead`, `none`.
fn every_state() -> Home {
    let home = Home::new();
    let mut file = String::new();
    for name in ["valid", "expired", "renewable", "dead", "none"] {
        file += &format!("[profile.{name}]\nissuer = \"{ISSUER}\"\nclient_id = \"desktop\"\n");
    }
    home.configure(&file);
    let mut valid = session(ISSUER);
    valid.subject = Some("alice".to_owned());
    valid.tokens[0].scope = Some(scope("openid email"));
    home.keep("valid", &valid);
    home.keep("expired", &ending_in(-10, session(ISSUER)));
    home.keep("renewable", &ending_in(-10, refreshable(ISSUER)));
    home.keep("dead", &dead());
    home
}

#[test]
fn json_is_an_array_of_objects_with_the_members_of_the_contract() {
    let home = every_state();
    let outcome = status(&home, &["--json"]).expect_code(0);
    assert_eq!(outcome.stderr, "");
    let array = outcome.json();
    let rows = array.as_array().expect("an array");
    for row in rows {
        assert_eq!(
            members(row),
            [
                "client_id",
                "expires_at",
                "expires_in",
                "issuer",
                "profile",
                "refresh_expires_at",
                "refreshable",
                "resource",
                "scope",
                "state",
                "store",
                "subject",
                "token_type"
            ]
        );
        assert_eq!((&row["issuer"], &row["client_id"]), (&json!(ISSUER), &json!("desktop")));
        assert_eq!(row["store"], "file");
        assert!(row["resource"].is_array());
    }
    let seen: Vec<(&Value, &Value, &Value)> = rows
        .iter()
        .map(|row| (&row["profile"], &row["state"], &row["refreshable"]))
        .collect();
    assert_eq!(
        json!(seen),
        json!([
            ["valid", "valid", false],
            ["expired", "expired", false],
            ["renewable", "expired", true],
            ["dead", "dead", false],
            ["none", "none", false],
        ])
    );
    let valid = &rows[0];
    assert_eq!(
        (&valid["subject"], &valid["scope"]),
        (&json!("alice"), &json!("openid email"))
    );
    let expires_in = valid["expires_in"].as_i64().expect("seconds");
    assert!((3500..=3600).contains(&expires_in), "{expires_in}");
    let expires_at = valid["expires_at"].as_str().expect("a time");
    let expires_at: jiff::Timestamp = expires_at.parse().expect("RFC 3339");
    assert!((expires_at.as_second() - now() - expires_in).abs() <= 2);
    assert!(rows[1]["expires_in"].as_i64().expect("seconds") <= 0);
    for member in ["subject", "scope", "expires_at", "expires_in"] {
        assert_eq!(rows[4][member], Value::Null, "{member}");
    }
}

#[test]
fn the_table_has_a_line_for_each_profile() {
    let home = every_state();
    let outcome = status(&home, &[]).expect_code(0);
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert_eq!(lines.len(), 6, "{}", outcome.stdout);
    let titles: Vec<&str> = lines[0].split_whitespace().collect();
    assert_eq!(
        titles,
        ["PROFILE", "WHO", "ISSUER", "SCOPE", "EXPIRES", "REFRESHABLE", "STORE"]
    );
    for (line, parts) in lines[1..].iter().zip([
        &["valid", "alice", ISSUER, "openid email", " in ", "no", "file"][..],
        &["expired", ISSUER, "expired", "no"],
        &["renewable", ISSUER, "expired", "yes"],
        &["dead", ISSUER, "no"],
        &["none", ISSUER, "not logged in", "no"],
    ]) {
        for part in parts {
            assert!(line.contains(part), "{line:?} lacks {part:?}");
        }
    }
    // the columns stand below their titles
    let issuer = lines[0].find("ISSUER").expect("a title");
    assert!(lines[1..].iter().all(|line| line[issuer..].starts_with(ISSUER)));
}

#[test]
fn the_table_has_the_name_that_the_login_told() {
    let home = every_state();
    let subject = "8d0c2c3e-0b5c-4d5a-9d3b-6f1f2a1b3c4d";
    let who = |claims: &Value| {
        let mut kept = session(ISSUER);
        kept.subject = Some(subject.to_owned());
        let header = json!({"alg": "none"});
        kept.id_token = Some(format!("{}.", unsigned(&header, claims)).into());
        home.keep("valid", &kept);
        let table = status(&home, &["valid"]).expect_code(0).stdout;
        let array = status(&home, &["valid", "--json"]).expect_code(0).json();
        assert_eq!(array[0]["subject"], subject);
        let line = table.lines().nth(1).expect("a line").to_owned();
        line.split_whitespace().nth(1).expect("who").to_owned()
    };
    let mail = "alice@example.com";
    assert_eq!(who(&json!({"sub": subject, "email": mail, "name": "Alice"})), mail);
    assert_eq!(who(&json!({"sub": subject, "preferred_username": "alice"})), "alice");
    assert_eq!(who(&json!({"sub": subject})), subject);
    assert_eq!(who(&json!({"sub": "another", "email": mail})), subject);
    assert_eq!(
        who(&json!({"sub": subject, "email": "a\u{1b}[2J\nb"})),
        "a\\u{1b}[2J\\u{a}b"
    );
}

#[test]
fn nothing_saved_is_an_empty_array() {
    let home = Home::new();
    assert_eq!(status(&home, &["--json"]).expect_code(0).stdout, "[]\n");
    let outcome = status(&home, &[]).expect_code(0);
    assert_eq!(outcome.stdout, "");
    assert!(outcome.stderr.contains("oauth login"), "{outcome:?}");
    assert_eq!(home.files().len(), 0, "asking leaves no trace");

    // even where there is no keyring to look into
    let mut keyring = home.oauth();
    keyring
        .env_remove("OAUTH_STORE")
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
    assert_eq!(run(keyring.args(["status", "--json"])).expect_code(0).stdout, "[]\n");
}

#[test]
fn the_code_of_one_profile_says_whether_a_token_can_be_had() {
    let home = every_state();
    home.keep("unsaved", &session(ISSUER));
    for (name, code, state) in [
        ("valid", 0, "valid"),
        ("renewable", 0, "expired"),
        ("unsaved", 0, "valid"),
        ("expired", 4, "expired"),
        ("dead", 4, "dead"),
        ("none", 4, "none"),
    ] {
        let outcome = status(&home, &[name, "--json"]).expect_code(code);
        let array = outcome.json();
        assert_eq!(array.as_array().expect("an array").len(), 1);
        assert_eq!(
            (&array[0]["profile"], &array[0]["state"]),
            (&json!(name), &json!(state))
        );
        if code == 4 {
            let error = outcome.json_error(4);
            assert!(
                error["hints"].to_string().contains(&format!("oauth login {name}")),
                "{error}"
            );
        }
        for option in ["-p", "--profile"] {
            status(&home, &[option, name]).expect_code(code);
        }
    }
    status(&home, &["nosuch"])
        .expect_error(2)
        .says(&["\"nosuch\"", "valid", "renewable"]);
}

#[test]
fn a_session_that_no_longer_fits_its_profile_is_told() {
    let home = Home::new();
    home.configure(&format!(
        "[profile.work]\nissuer = \"{ISSUER}\"\nclient_id = \"desktop\"\nscope = [\"email\"]\n"
    ));
    home.keep("work", &session(ISSUER));
    status(&home, &["work"])
        .expect_code(4)
        .says(&["scope", "email", "oauth login work"]);
    // the list of all goes on
    status(&home, &[]).expect_code(0);
}

#[test]
fn no_secret_no_network_no_browser() {
    let server = LiteralServer::start();
    let home = Home::new();
    home.configure(&format!("[profile.work]\nissuer = \"{}\"\n", server.origin()));
    let mut session = refreshable(&server.origin());
    session.id_token = Some("kept.id.token".to_owned().into());
    session.client.secret = Some("kept-client-secret".to_owned().into());
    for session in [session.clone(), ending_in(-5, session)] {
        home.keep("work", &session);
        for arguments in [
            &["-vvv"][..],
            &["-vvv", "--json"],
            &["-vvv", "--show-secrets"],
            &["work", "-vvv", "--show-secrets"],
        ] {
            let mark = home.path().join("browser-was-here");
            let mut command = home.oauth();
            command
                .env("DISPLAY", ":99")
                .env("BROWSER", format!("touch {}", mark.display()))
                .arg("status");
            let outcome = run(command.args(arguments)).expect_code(0);
            for secret in [
                KEPT_ACCESS_TOKEN,
                KEPT_REFRESH_TOKEN,
                "kept.id.token",
                "kept-client-secret",
            ] {
                assert!(!outcome.stdout.contains(secret), "{outcome:?}");
                assert!(!outcome.stderr.contains(secret), "{outcome:?}");
            }
            assert!(!mark.exists());
        }
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn verbose_says_where_everything_is() {
    let home = every_state();
    let outcome = status(&home, &["-v"]).expect_code(0);
    for path in [
        ".config/oauth/config.toml",
        ".local/share/oauth",
        ".local/share/oauth/locks",
    ] {
        let path = path.replace('/', std::path::MAIN_SEPARATOR_STR);
        let path = home.path().join(path).display().to_string();
        assert!(outcome.stderr.contains(&path), "{path} is not told: {outcome:?}");
    }
    assert!(outcome.stderr.contains("encrypted file"), "{outcome:?}");
    // the result is the same
    assert_eq!(outcome.stdout.lines().count(), 6);
    let other = home.path().join("other.toml").display().to_string();
    status(&home, &["-v", "--config", &other])
        .expect_code(0)
        .says(&[&other]);
}

// only the Secret Service has a bus that can be missing
#[cfg(all(unix, not(target_os = "macos")))]
#[test]
fn verbose_says_why_a_store_cannot_be_used() {
    let home = Home::new();
    let mut command = home.oauth();
    command
        .env_remove("OAUTH_STORE")
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
        .args(["status", "-v"]);
    run(&mut command)
        .expect_code(0)
        .says(&["keyring", "cannot be used", "/nonexistent/bus"]);
}

// only the Secret Service has a bus that can be missing
#[cfg(all(unix, not(target_os = "macos")))]
#[test]
fn a_keyring_that_a_profile_needs_and_that_is_not_there_is_an_error() {
    let home = Home::new();
    home.configure("[profile.work]\nissuer = \"https://id.example.com\"\nstore = \"keyring\"\n");
    for arguments in [
        &["status"][..],
        &["status", "work"],
        &["token", "work"],
        &["logout", "work"],
        &["logout", "--all"],
        &["profile", "remove", "work"],
        &["profile", "set", "work", "store=file"],
    ] {
        let mut command = home.oauth();
        command
            .env_remove("OAUTH_STORE")
            .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
            .args(arguments);
        let outcome = run(&mut command).expect_code(8).says(&["desktop session"]);
        // another store does not have the session
        for advice_for_a_login in ["use `--store file`", "OAUTH_STORE=file", "token response"] {
            outcome.does_not_say(advice_for_a_login);
        }
        // what runs where no desktop is, and what leaves the keyring for that
        let wants_advice_for_cron = matches!(arguments, ["token", ..] | ["status"] | [_, "set", ..]);
        assert_eq!(
            outcome.stderr.contains("cron"),
            wants_advice_for_cron,
            "{arguments:?}: {outcome:?}"
        );
    }
}

// only the Secret Service has a bus that can be missing
#[cfg(all(unix, not(target_os = "macos")))]
#[test]
fn a_keyring_that_cannot_be_read_is_marked_beside_the_other_profiles() {
    let home = Home::new();
    home.configure(&format!(
        "[profile.play]\nissuer = \"{ISSUER}\"\nstore = \"file\"\n[profile.work]\nissuer = \"{ISSUER}\"\nstore = \"keyring\"\n"
    ));
    home.keep("play", &session(ISSUER));
    let status = |arguments: &[&str]| {
        let mut command = home.oauth();
        command
            .env_remove("OAUTH_STORE")
            .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
            .arg("status");
        run(command.args(arguments)).expect_code(8)
    };
    let outcome = status(&[]);
    let line_of = |name: &str| outcome.stdout.lines().find(|line| line.contains(name)).expect("a line");
    assert!(line_of("play").contains("in 60 min"), "{outcome:?}");
    assert!(line_of("work").contains("its store cannot be read"), "{outcome:?}");
    for way_out in [
        "oauth login work --store file",
        "oauth profile set work store=file",
        "oauth profile remove work --store none",
    ] {
        assert!(outcome.hints().contains(way_out), "{way_out}: {outcome:?}");
    }
    // as `docs/json.md` says it
    let outcome = status(&["--json"]);
    let profiles = outcome.json();
    let names: Vec<_> = profiles
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| &row["profile"])
        .collect();
    assert_eq!(names, ["play"], "{profiles}");
    assert_eq!(outcome.json_error(8)["name"], "store");
    let warned = outcome.stderr.lines().filter(|line| line.contains("\"warning\""));
    assert_eq!(warned.filter(|line| line.contains("work")).count(), 1, "{outcome:?}");
}

// only the Secret Service has a bus that can be missing
#[cfg(all(unix, not(target_os = "macos")))]
#[test]
fn a_profile_whose_keyring_is_gone_is_removed_as_the_hint_says() {
    let home = Home::new();
    home.configure("[profile.work]\nissuer = \"https://id.example.com\"\nstore = \"keyring\"\n");
    let remove = |more: &[&str]| {
        let mut command = home.oauth();
        command
            .env_remove("OAUTH_STORE")
            .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
            .args(["profile", "remove", "work"])
            .args(more);
        run(&mut command)
    };
    remove(&[])
        .expect_error(8)
        .says(&["oauth profile remove work --store none"]);
    assert!(home.configuration().contains("[profile.work]"));
    remove(&["--store", "none"]).expect_code(0);
    assert!(!home.configuration().contains("[profile.work]"));
}

#[test]
fn what_a_server_called_somebody_reaches_the_terminal_harmless() {
    let home = Home::new();
    let mut odd = session(ISSUER);
    odd.subject = Some("\u{1b}]0;x\u{7}\u{202e}eve\n".to_owned());
    home.keep("default", &odd);
    let outcome = status(&home, &[]).expect_code(0);
    assert_eq!(outcome.stdout.lines().count(), 2, "{}", outcome.stdout);
    assert!(outcome.stdout.contains("\\u{1b}") && outcome.stdout.contains("\\u{202e}"));
    assert!(!outcome.stdout.contains('\u{1b}') && !outcome.stdout.contains('\u{202e}'));

    let outcome = status(&home, &["--json"]).expect_code(0);
    assert!(!outcome.stdout.contains(['\u{1b}', '\u{202e}']), "{outcome:?}");
    assert_eq!(outcome.json()[0]["subject"], "\u{1b}]0;x\u{7}\u{202e}eve\n");
}

#[test]
fn who_signed_in_is_not_known_for_a_reason_that_is_said() {
    let of = |change: &dyn Fn(&mut Session)| {
        let home = Home::new();
        home.configure(&format!("[profile.work]\nissuer = \"{ISSUER}\"\n"));
        let mut kept = session(ISSUER);
        change(&mut kept);
        home.keep("work", &kept);
        status(&home, &[]).expect_code(0).stdout
    };
    let asked = |kept: &mut Session| kept.requested.scope = scope("openid hello");
    for (change, reason) in [
        (
            &(|_: &mut Session| {}) as &dyn Fn(&mut Session),
            "openid was not asked for",
        ),
        (&asked, "no ID token came"),
        // asked for by the login that the refresh token is of
        (
            &|kept| kept.tokens[0].scope = Some(scope("openid hello")),
            "no ID token came",
        ),
        (
            &|kept| {
                asked(kept);
                kept.tokens[0].scope = Some(scope("hello"));
            },
            "openid was not granted",
        ),
        (
            &|kept| {
                let source = "env:ASSERTION".parse().expect("a source");
                kept.renewal = Renewal::JwtBearer { assertion: source };
            },
            "no person signed in",
        ),
    ] {
        let said = of(change);
        assert!(said.contains(&format!("not known ({reason})")), "{reason}: {said}");
    }
}
