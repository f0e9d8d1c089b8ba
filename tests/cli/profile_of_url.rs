//! Which profile's token a URL means: one that has a session, the closest one,
//! and none where several are equally close.

use super::support::binary::Home;
use super::support::literal_server::{LiteralServer, json};
use super::support::outcome::{Outcome, run};
use super::support::sessions::{endpoint, resource, session};
use oauth::protocol::endpoint::{HttpPolicy, Issuer};

fn token(home: &Home, arguments: &[&str]) -> Outcome {
    run(home.oauth().arg("token").args(arguments))
}

/// A home with these profiles, each of the URL; those that are named have a session.
fn with_profiles(url: &str, key: &str, profiles: &[(&str, bool)]) -> Home {
    let home = Home::new();
    let mut file = String::new();
    for (name, has_session) in profiles {
        file += &format!("[profile.\"{name}\"]\n{key} = \"{url}\"\n");
        if *has_session {
            let mut kept = session("https://id.example.com");
            kept.tokens[0].access_token = format!("token-of-{name}").as_str().into();
            kept.api = (key == "api").then(|| endpoint(url));
            kept.issuer = match key {
                "issuer" => Issuer::parse(url, HttpPolicy::Everywhere).ok(),
                _ => kept.issuer,
            };
            if key == "api" {
                kept.requested.resource = vec![resource(url)];
            }
            home.keep(name, &kept);
        }
    }
    home.configure(&file);
    home
}

#[test]
fn the_token_for_a_url_comes_from_a_profile_that_has_a_session() {
    for (key, url, named) in [
        ("api", "https://api.example.com/mcp", "api.example.com-mcp"),
        ("issuer", "https://id.example.com", "id.example.com"),
    ] {
        // the one that is named after the URL is logged out
        let home = with_profiles(url, key, &[(named, false), ("other", true)]);
        let outcome = token(&home, &[url]).expect_code(0);
        assert_eq!(outcome.stdout, "token-of-other\n");
        let note = format!("profile \"{named}\" is not logged in; \"other\" is for this URL too, and is used");
        assert!(outcome.stderr.contains(&note), "{outcome:?}");
        // it is not there at all
        let home = with_profiles(url, key, &[("other", true), ("third", false)]);
        let outcome = token(&home, &[url]).expect_code(0);
        assert_eq!(
            (outcome.stdout.as_str(), outcome.stderr.as_str()),
            ("token-of-other\n", "")
        );
        // it has a session itself
        let home = with_profiles(url, key, &[(named, true), ("other", true)]);
        let outcome = token(&home, &[url]).expect_code(0);
        assert_eq!(
            (outcome.stdout, outcome.stderr.as_str()),
            (format!("token-of-{named}\n"), "")
        );
        // none has one: it is said which is logged out
        let home = with_profiles(url, key, &[("other", false)]);
        let outcome = token(&home, &[url]).expect_error(4);
        assert_eq!(outcome.error(), "profile \"other\" is not logged in");
        assert!(outcome.hints().contains("oauth login other"), "{outcome:?}");
        // two have one
        let home = with_profiles(url, key, &[(named, false), ("one", true), ("two", true)]);
        let outcome = token(&home, &[url]).expect_error(2);
        for part in ["\"one\" and \"two\"", "oauth token -p one"] {
            assert!(outcome.stderr.contains(part), "{outcome:?}");
        }
    }
}

#[test]
fn the_token_for_a_url_below_an_api_is_that_of_the_api() {
    let api = "https://api.example.com/v1";
    let home = with_profiles(api, "api", &[("near", true)]);
    assert_eq!(
        token(&home, &["https://api.example.com/v1/notes?max=5"])
            .expect_code(0)
            .stdout,
        "token-of-near\n"
    );
    for beside in [
        "https://api.example.com/v10",
        "https://api.example.com/",
        "https://other.example/v1",
    ] {
        token(&home, &[beside]).expect_error(2);
    }
}

#[test]
fn of_equally_close_profiles_a_request_takes_the_one_with_a_session() {
    let server = LiteralServer::start();
    server.on("GET", "/v1/notes", json(200, "{}"));
    let api = server.url("/v1");
    let request = |home: &Home| run(home.oauth().args(["request", &server.url("/v1/notes")]));
    request(&with_profiles(&api, "api", &[("out", false), ("in", true)])).expect_code(0);
    let sent = server.only_request_to("/v1/notes");
    assert_eq!(sent.header("authorization"), Some("Bearer token-of-in"));
    request(&with_profiles(&api, "api", &[("one", true), ("two", true)])).expect_error(2);
    request(&with_profiles(&api, "api", &[("one", false), ("two", false)])).expect_error(2);
}

#[test]
fn the_issuer_of_a_login_to_an_api_names_its_profile_where_that_is_the_only_one() {
    let (api, issuer) = ("https://api.example.com/mcp", "https://id.example.com");
    let home = with_profiles(api, "api", &[("notes", true)]);
    assert_eq!(token(&home, &[issuer]).expect_code(0).stdout, "token-of-notes\n");
    token(&home, &["https://other.example"]).expect_error(2);
    // a profile of the server itself is meant first, logged in or not
    let file = home.configuration() + "[profile.own]\nissuer = \"https://id.example.com\"\n";
    home.configure(&file);
    let outcome = token(&home, &[issuer]).expect_error(4);
    assert_eq!(outcome.error(), "profile \"own\" is not logged in");
    // of several none is chosen
    let home = with_profiles(api, "api", &[("notes", true), ("tasks", true)]);
    let outcome = token(&home, &[issuer]).expect_error(2);
    for part in ["\"notes\" and \"tasks\"", "oauth token -p notes"] {
        assert!(outcome.stderr.contains(part), "{outcome:?}");
    }
}

#[test]
fn of_several_profiles_without_a_session_none_is_chosen_and_all_are_named() {
    let url = "https://id.example.com";
    let home = with_profiles(url, "issuer", &[("one", false), ("two", false)]);
    for command in ["token", "status", "logout"] {
        let outcome = run(home.oauth().args([command, url])).expect_error(2);
        assert!(outcome.error().contains("\"one\" and \"two\""), "{outcome:?}");
    }
}

#[test]
fn status_and_logout_find_the_only_profile_of_a_server_too() {
    let url = "https://id.example.com";
    let home = with_profiles(url, "issuer", &[("other", true)]);
    let outcome = run(home.oauth().args(["status", url])).expect_code(0);
    assert!(outcome.stdout.contains("other"), "{outcome:?}");
    run(home.oauth().args(["logout", url, "--local"])).expect_code(0);
    assert!(home.kept("other").is_none());
    // the profile that is named after the URL is meant, even where it has no session
    let home = with_profiles(url, "issuer", &[("id.example.com", false), ("other", true)]);
    run(home.oauth().args(["logout", url, "--local"])).expect_code(0);
    assert!(home.kept("other").is_some());
}
