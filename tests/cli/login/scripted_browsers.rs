//! Logins whose browser is a script that tells what it was given.

use super::profiles::plain;
use crate::support::authorization_server::{self, ACCESS_TOKEN, REFRESH_TOKEN, consent, parameters};
use crate::support::binary::Home;
use crate::support::literal_server::value_of;
use crate::support::login::{ScriptedBrowser, complete_seeing_url, login, parameter};
use crate::support::running::Running;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::process::Command;

#[test]
fn secrets_appear_nowhere_but_in_the_request() {
    let (home, server) = (Home::new(), authorization_server::start());
    let browser = ScriptedBrowser::new(home.path(), "env; tr '\\0' '\\n' < /proc/$$/cmdline; echo \"$@\"");
    let mut command = login(
        &home,
        &server,
        &["-vvv", "--client-secret-stdin", "--browser", &browser.command],
    );
    let running = Running::start_with_input(&mut command, "canary-client-secret\n");
    let seen_by_browser = browser.output();
    let own_arguments = std::fs::read(format!("/proc/{}/cmdline", running.id())).expect("its argv");
    let url = running.authorization_url();
    authorization_server::consent(&url, &server.origin());
    let finished = running.end().expect_code(0);

    let form = server.only_request_to("/token").form();
    let verifier = value_of(&form, "code_verifier").expect("a verifier").to_owned();
    let encoded_secret = STANDARD.encode("desktop:canary-client-secret");
    let secrets = [
        "canary-client-secret",
        &encoded_secret,
        &verifier,
        ACCESS_TOKEN,
        REFRESH_TOKEN,
        authorization_server::CODE,
    ];
    let mut places: Vec<(String, Vec<u8>)> = vec![
        ("stdout".into(), finished.stdout.into_bytes()),
        ("stderr".into(), finished.stderr.into_bytes()),
        ("the browser".into(), seen_by_browser.into_bytes()),
        ("argv".into(), own_arguments),
    ];
    for file in home.files() {
        // the pipe of the browser would wait for a writer
        if file.metadata().expect("metadata").is_file() {
            places.push((file.display().to_string(), std::fs::read(&file).expect("reading")));
        }
    }
    assert!(places.len() > 6, "session, key, configuration and script are files");
    for (place, bytes) in &places {
        for secret in secrets {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} stands in {place}: {}", String::from_utf8_lossy(bytes));
        }
    }
    // the state is in the URL, which the person needs, and in no file
    let state = parameter(&url, "state");
    assert!(
        places[4..]
            .iter()
            .all(|(_, bytes)| !String::from_utf8_lossy(bytes).contains(&state))
    );
}

#[test]
fn a_profile_repeats_what_was_saved() {
    let (home, server) = (Home::new(), authorization_server::start());
    let browser = ScriptedBrowser::new(home.path(), "echo opened");
    let mut command = login(
        &home,
        &server,
        &[
            "-p",
            "work",
            "--scope",
            "read write",
            "--resource",
            "https://api.example.com",
            "--audience",
            "aud",
            "--param",
            "login_hint=me",
            "--param",
            "prompt=login",
            "--token-param",
            "tenant=x",
            "--redirect-uri",
            "http://127.0.0.1:0/cb",
            "--browser",
            &browser.command,
        ],
    );
    // the browser first: a login that nobody has to be waited for ends sooner than it starts
    let seen_in_the_browser = |command: &mut Command| {
        let running = Running::start(command);
        let url = running.authorization_url();
        assert_eq!(browser.output(), "opened\n");
        consent(&url, &server.origin());
        running.end().expect_code(0);
        url
    };
    let first = seen_in_the_browser(&mut command);
    let before = home.configuration();
    let again = seen_in_the_browser(&mut plain(&home, &["work"]));
    assert_eq!(home.configuration(), before);
    let lasting = |url: &str| -> Vec<(String, String)> {
        let mut parameters = parameters(url);
        parameters.retain(|(name, _)| !["state", "code_challenge", "redirect_uri", "prompt"].contains(&name.as_str()));
        parameters
    };
    assert_eq!(lasting(&first), lasting(&again));
    assert!(parameters(&first).iter().any(|(name, _)| name == "prompt"));
    assert!(
        !parameters(&again).iter().any(|(name, _)| name == "prompt"),
        "prompt is for one time"
    );
    assert!(parameter(&again, "redirect_uri").ends_with("/cb"));
    let forms = server.requests_to("/token");
    assert!(forms.iter().all(|request| request.body_text().contains("tenant=x")));

    // the default profile, without a name; a flag goes before what was saved
    let (finished, third) = complete_seeing_url(&mut plain(&home, &["--audience", "other"]), &server.origin());
    finished.expect_code(0);
    assert_eq!(parameter(&third, "audience"), "other");
    assert!(
        home.configuration().contains("audience = \"other\""),
        "{}",
        home.configuration()
    );
}
