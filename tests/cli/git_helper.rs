//! `oauth credential git`: exact protocol, the right profile, and nothing for a
//! host that no profile names.

use super::support::binary::Home;
use super::support::literal_server::{LiteralServer, json};
use super::support::outcome::{Outcome, run_with_input};
use super::support::sessions::{KEPT_ACCESS_TOKEN, ending_in, refreshable, session};
use oauth::protocol::time::UnixSeconds;
use std::process::Command;

const ISSUER: &str = "https://id.example.com";
const NEW: &str = r#"{"access_token":"new-access","token_type":"Bearer","expires_in":3600}"#;
const HOST: &str = "protocol=https\nhost=git.example\n\n";

/// 2033-05-18T03:33:20Z
const EXPIRES_AT: UnixSeconds = UnixSeconds(2_000_000_000);

/// A home with the profile `work`, with more lines of the test's own.
fn home(lines: &str) -> Home {
    let home = Home::new();
    home.configure(&format!(
        "[profile.work]\nissuer = \"{ISSUER}\"\nclient_id = \"desktop\"\n{lines}"
    ));
    let mut session = session(ISSUER);
    session.tokens[0].expires_at = Some(EXPIRES_AT);
    home.keep("work", &session);
    home
}

fn helper(home: &Home, arguments: &[&str]) -> Command {
    let mut command = home.oauth();
    command.args(["credential", "git"]).args(arguments);
    command
}

fn get(home: &Home, request: &str) -> Outcome {
    run_with_input(&mut helper(home, &["get"]), request.as_bytes())
}

fn answer(username: &str) -> String {
    format!("username={username}\npassword={KEPT_ACCESS_TOKEN}\npassword_expiry_utc=2000000000\n")
}

#[track_caller]
fn assert_silent(outcome: &Outcome) {
    assert_eq!(
        (outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()),
        (Some(0), "", "")
    );
}

#[test]
fn a_host_of_the_profile_gets_user_name_token_and_its_end() {
    let home = home("allow_host = [\"git.example\", \"127.0.0.1:3000\", \"*.forge.example\"]\n");
    for request in [
        HOST,
        "protocol=https\nhost=git.example\npath=a/b.git\nfuture[]=x\n\n",
        "protocol=https\nhost=a.forge.example\n",
        "protocol=http\nhost=127.0.0.1:3000\n\n",
    ] {
        let outcome = get(&home, request).expect_code(0);
        assert_eq!(
            (outcome.stdout, outcome.stderr),
            (answer("oauth2"), String::new()),
            "{request}"
        );
    }
    let outcome = get(&home, "protocol=https\nhost=git.example\nusername=alice\n\n");
    assert_eq!(outcome.stdout, answer("alice"));
}

#[test]
fn a_token_without_a_known_end_has_no_expiry() {
    let home = home("allow_host = [\"git.example\"]\n");
    let mut session = session(ISSUER);
    session.tokens[0].expires_at = None;
    home.keep("work", &session);
    assert_eq!(
        get(&home, HOST).stdout,
        format!("username=oauth2\npassword={KEPT_ACCESS_TOKEN}\n")
    );
}

#[test]
fn a_host_that_no_profile_names_gets_nothing_and_git_asks_the_next_helper() {
    let home = home("allow_host = [\"git.example\"]\n");
    for request in [
        "protocol=https\nhost=github.com\n\n",
        // the issuer's own host is not named either
        "protocol=https\nhost=id.example.com\n\n",
        "protocol=http\nhost=git.example\n\n",
        "protocol=https\nhost=git.example:8443\n\n",
        "protocol=https\nhost=x.git.example\n\n",
        "protocol=https\nhost=evil.test/git.example\n\n",
        "protocol=ssh\nhost=git.example\n\n",
        "protocol=https\n\n",
        "",
    ] {
        assert_silent(&get(&home, request));
    }
}

#[test]
fn without_a_session_git_asks_the_next_helper_and_the_person_is_told() {
    let home = home("allow_host = [\"git.example\"]\n");
    home.keep("work", &ending_in(-5, session(ISSUER)));
    let outcome = get(&home, HOST).expect_code(0);
    assert_eq!(outcome.stdout, "");
    outcome.says(&["warning: ", "git.example", "oauth login work"]);
    // --login has no terminal here
    let outcome = run_with_input(&mut helper(&home, &["--login", "get"]), HOST.as_bytes()).expect_code(0);
    assert_eq!(outcome.stdout, "");
    let fresh = Home::new();
    assert_silent(&get(&fresh, HOST));
}

#[test]
fn a_resource_covers_whole_segments_of_the_path() {
    let home = home("resource = [\"https://git.example/team\"]\n");
    let mut session = session(ISSUER);
    session.requested.resource =
        vec![oauth::protocol::resource::Resource::parse("https://git.example/team").expect("a resource")];
    session.tokens[0].expires_at = Some(EXPIRES_AT);
    home.keep("work", &session);
    let get = |path: &str| get(&home, &format!("protocol=https\nhost=git.example\npath={path}\n\n"));
    assert_eq!(get("team/a.git").stdout, answer("oauth2"));
    for other in ["teams/a.git", "a.git", "team/../other.git"] {
        assert_silent(&get(other));
    }
    // git says no path unless credential.useHttpPath is set
    assert_silent(&self::get(&home, HOST));
}

/// Two profiles for one host; the second with more lines of the test's own.
fn two_profiles(lines: &str) -> Home {
    let home = home("allow_host = [\"git.example\"]\ngit_username = \"alice\"\n");
    let config = home.configuration();
    home.configure(&format!(
        "{config}[profile.other]\nissuer = \"{ISSUER}\"\nclient_id = \"desktop\"\n{lines}"
    ));
    let mut other = session(ISSUER);
    other.tokens[0].access_token = "other-token".into();
    other.tokens[0].expires_at = None;
    home.keep("other", &other);
    home
}

#[test]
fn of_two_profiles_the_closer_one_answers_and_equal_ones_are_named() {
    let home = two_profiles("allow_host = [\"*.example\"]\n");
    assert_eq!(
        get(&home, HOST).expect_code(2).stdout,
        "",
        "*.example is refused as too wide"
    );

    let home = two_profiles("allow_host = [\"git.example\"]\n");
    get(&home, HOST)
        .expect_error(2)
        .says(&["\"work\" and \"other\"", "git.example", "-p NAME"]);
    let named = run_with_input(&mut helper(&home, &["-p", "other", "get"]), HOST.as_bytes());
    assert_eq!(named.stdout, "username=oauth2\npassword=other-token\n");
    let named = run_with_input(helper(&home, &["get"]).env("OAUTH_PROFILE", "work"), HOST.as_bytes());
    assert_eq!(named.stdout, answer("alice"));

    let home = two_profiles("allow_host = [\"git.example:443\"]\n");
    assert_eq!(get(&home, HOST).stdout, "username=oauth2\npassword=other-token\n");
}

#[test]
fn the_user_name_of_the_url_chooses_among_profiles() {
    let home = two_profiles("allow_host = [\"git.example\"]\ngit_username = \"bob\"\n");
    let get = |name: &str| get(&home, &format!("protocol=https\nhost=git.example\nusername={name}\n\n"));
    assert_eq!(get("alice").stdout, answer("alice"));
    assert_eq!(get("bob").stdout, "username=bob\npassword=other-token\n");
    assert_silent(&get("carol"));
}

#[test]
fn a_named_profile_must_cover_the_host() {
    let home = home("allow_host = [\"git.example\", \"*.forge.example\"]\n");
    let request = "protocol=https\nhost=github.com\n\n".as_bytes();
    let outcome = run_with_input(&mut helper(&home, &["-p", "work", "get"]), request).expect_error(2);
    outcome.says(&[
        "\"work\" may not go to github.com",
        "oauth profile set work 'allow_host=git.example *.forge.example github.com'",
    ]);
    run_with_input(helper(&home, &["get"]).env("OAUTH_PROFILE", "work"), request).expect_error(2);
    let outcome = run_with_input(
        &mut helper(&home, &["get", "-p", "work", "--allow-host", "github.com"]),
        request,
    );
    assert_eq!(outcome.stdout, answer("oauth2"));
    // what the hint says helps
    super::support::outcome::run(home.oauth().args([
        "profile",
        "set",
        "work",
        "allow_host=git.example *.forge.example github.com",
    ]))
    .expect_code(0);
    assert_eq!(
        get(&home, "protocol=https\nhost=github.com\n\n").stdout,
        answer("oauth2")
    );
}

#[test]
fn hosts_and_user_names_that_cannot_be_are_refused_when_they_are_set() {
    let home = home("");
    for bad in [
        "allow_host=https://git.example",
        "allow_host=*",
        "allow_host=*.com",
        "allow_host=git.example/x",
        "git_username=a:b",
    ] {
        super::support::outcome::run(home.oauth().args(["profile", "set", "work", bad])).expect_error(2);
    }
    run_with_input(&mut helper(&home, &["get", "--allow-host", "a/b"]), HOST.as_bytes())
        .expect_error(2)
        .says(&["--allow-host"]);
}

#[test]
fn store_and_actions_of_a_newer_git_do_nothing() {
    let home = home("allow_host = [\"git.example\"]\n");
    let request = format!("protocol=https\nhost=git.example\nusername=a\npassword={KEPT_ACCESS_TOKEN}\n\n");
    for action in ["store", "capability", "future"] {
        assert_silent(&run_with_input(&mut helper(&home, &[action]), request.as_bytes()));
    }
    assert_eq!(get(&home, HOST).stdout, answer("oauth2"));
}

#[test]
fn input_without_end_and_bytes_that_are_no_text_are_refused() {
    let home = home("allow_host = [\"git.example\"]\n");
    let long = "x=y\n".repeat(1 << 19);
    run_with_input(&mut helper(&home, &["get"]), long.as_bytes()).expect_error(2);
    run_with_input(&mut helper(&home, &["get"]), b"protocol=https\nhost=\xff\n").expect_error(2);
}

/// A home whose token can be refreshed at the server.
fn home_at(server: &LiteralServer) -> Home {
    let home = Home::new();
    home.configure(&format!(
        "[profile.work]\nissuer = \"{}\"\nclient_id = \"desktop\"\nallow_host = [\"git.example\"]\n",
        server.origin()
    ));
    home.keep("work", &refreshable(&server.origin()));
    home
}

fn erase(home: &Home, password: &str) -> Outcome {
    let request = format!("protocol=https\nhost=git.example\nusername=oauth2\npassword={password}\n\n");
    run_with_input(&mut helper(home, &["erase"]), request.as_bytes())
}

#[test]
fn after_our_token_was_erased_the_next_get_refreshes() {
    let server = LiteralServer::start();
    server.on("POST", "/token", json(200, NEW));
    let home = home_at(&server);
    let request = HOST;
    for foreign in ["", "somebody-elses", "kept-access-token"] {
        assert_silent(&erase(&home, foreign));
        assert!(get(&home, request).stdout.contains(KEPT_ACCESS_TOKEN));
    }
    assert_silent(&run_with_input(
        &mut helper(&home, &["erase"]),
        format!("protocol=https\nhost=other.example\npassword={KEPT_ACCESS_TOKEN}\n\n").as_bytes(),
    ));
    assert!(get(&home, request).stdout.contains(KEPT_ACCESS_TOKEN));
    assert_eq!(server.requests().len(), 0);

    assert_silent(&erase(&home, KEPT_ACCESS_TOKEN));
    let outcome = get(&home, request).expect_code(0);
    assert!(
        outcome
            .stdout
            .starts_with("username=oauth2\npassword=new-access\npassword_expiry_utc="),
        "{outcome:?}"
    );
    assert!(!outcome.stdout.contains("refresh"));
    assert_eq!(server.requests_to("/token").len(), 1);
    // the old token is nobody's now
    assert_silent(&erase(&home, KEPT_ACCESS_TOKEN));
    assert!(get(&home, request).stdout.contains("new-access"));
}

#[test]
fn a_token_that_cannot_be_refreshed_survives_an_erase() {
    let home = home("allow_host = [\"git.example\"]\n");
    let outcome = erase(&home, KEPT_ACCESS_TOKEN).expect_code(0);
    outcome.says(&["warning: ", "oauth login work"]);
    assert_eq!(get(&home, HOST).stdout, answer("oauth2"));
}

#[test]
fn a_refresh_that_fails_for_reasons_that_pass_is_an_error_with_its_code() {
    let server = LiteralServer::start();
    server.on("POST", "/token", super::support::literal_server::status(503));
    let home = home_at(&server);
    home.keep("work", &ending_in(-5, refreshable(&server.origin())));
    get(&home, HOST).expect_error(3);
}

#[test]
fn bearer_goes_to_a_server_that_takes_nothing_else_from_a_git_that_can() {
    let home = home("allow_host = [\"git.example\"]\n");
    let request = "capability[]=authtype\nprotocol=https\nhost=git.example\nwwwauth[]=Bearer realm=\"git\"\n\n";
    assert_eq!(
        get(&home, request).stdout,
        format!(
            "capability[]=authtype\nauthtype=Bearer\ncredential={KEPT_ACCESS_TOKEN}\nephemeral=1\npassword_expiry_utc=2000000000\n"
        )
    );
}

#[test]
fn a_bound_token_and_one_that_the_protocol_cannot_write_are_not_given() {
    let home = home("allow_host = [\"git.example\"]\n");
    let mut bound = session(ISSUER);
    bound.tokens[0].token_type = "DPoP".to_owned();
    home.keep("work", &bound);
    get(&home, HOST).expect_error(2).says(&["DPoP", "oauth credential git"]);
    let mut broken = session(ISSUER);
    broken.tokens[0].access_token = "a\nquit=1".into();
    home.keep("work", &broken);
    get(&home, HOST).expect_error(6).does_not_say("quit");
}

#[test]
fn for_a_host_beside_the_issuer_it_is_said_what_to_set_and_for_others_nothing() {
    let home = home("");
    for (host, is_related) in [
        ("git.example.com", true),
        ("id.example.com", true),
        ("example.com", true),
        ("git.example", false),
        ("github.com", false),
        ("127.0.0.1:3000", false),
    ] {
        let outcome = get(&home, &format!("protocol=https\nhost={host}\n\n"));
        if !is_related {
            assert_silent(&outcome);
            continue;
        }
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), ""), "{outcome:?}");
        let command = format!("oauth profile set work 'allow_host={host}'");
        assert!(outcome.stderr.contains(&command), "{outcome:?}");
    }
}
