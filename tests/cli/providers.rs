//! `--provider` and `oauth providers`: what a provider's entry adds to a login,
//! what wins over it, and what is kept of it. The endpoints are those of a
//! server of the tests.

use super::support::authorization_server::{ACCESS_TOKEN, parameters, token_answer};
use super::support::binary::Home;
use super::support::literal_server::{LiteralServer, Request, json, value_of};
use super::support::login::{assert_nothing_kept, complete, complete_seeing_url, listener_of, parameter};
use super::support::outcome::{Outcome, members, run};
use super::support::running::Running;
use std::process::Command;

/// A server with a token endpoint and no metadata.
fn server() -> LiteralServer {
    let server = LiteralServer::start();
    server.on("POST", "/token", json(200, &token_answer()));
    server
}

/// `oauth login --provider PROVIDER` at the endpoints of this server.
fn login(home: &Home, server: &LiteralServer, provider: &str, arguments: &[&str]) -> Command {
    let mut command = home.oauth();
    command
        .args(["login", "--provider", provider, "--client-id", "mine", "--no-browser"])
        .args(["--authorization-endpoint", &server.url("/authorize")])
        .args(["--token-endpoint", &server.url("/token")])
        .args(arguments);
    command
}

const GOOGLE: &str = "https://accounts.google.com";
const TENANT: &str = "11111111-2222-3333-4444-555555555555";

#[test]
fn a_provider_without_metadata_says_how_its_client_authenticates() {
    let (home, server) = (Home::new(), server());
    let mut command = login(&home, &server, "github", &["--scope", "repo gist"]);
    let (outcome, url) = complete_seeing_url(command.env("OAUTH_CLIENT_SECRET", "hush"), &server.origin());
    outcome.expect_code(0).does_not_say("requires a client secret");
    let names: Vec<String> = parameters(&url).into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [
            "response_type",
            "client_id",
            "state",
            "scope",
            "redirect_uri",
            "code_challenge",
            "code_challenge_method"
        ]
    );
    assert_eq!(parameter(&url, "scope"), "repo gist");
    assert!(listener_of(&url).starts_with("127.0.0.1:"), "{url}");
    let request = server.only_request_to("/token");
    assert_eq!(request.header("authorization"), None);
    assert_eq!(value_of(&request.form(), "client_secret"), Some("hush"));
    let configuration = home.configuration();
    assert!(
        configuration.contains("[profile.github]\nprovider = \"github\"\n"),
        "{configuration}"
    );
}

#[test]
fn parameters_of_a_provider_come_behind_those_that_were_given_and_give_way_to_them() {
    let (home, google) = (Home::new(), server());
    let extra = |url: &str| -> Vec<(String, String)> {
        let all = parameters(url);
        let end = all
            .iter()
            .position(|(name, _)| name == "code_challenge_method")
            .expect("PKCE");
        all[end + 1..].to_vec()
    };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let (outcome, url) = complete_seeing_url(&mut login(&home, &google, "google", &["--scope", "a"]), GOOGLE);
    outcome.expect_code(0);
    assert_eq!(extra(&url), [pair("access_type", "offline"), pair("prompt", "consent")]);
    let given = [
        "--scope",
        "a",
        "--param",
        "login_hint=me",
        "--param",
        "prompt=select_account",
    ];
    let (outcome, url) = complete_seeing_url(&mut login(&home, &google, "google", &given), GOOGLE);
    outcome.expect_code(0);
    assert_eq!(
        extra(&url),
        [
            pair("login_hint", "me"),
            pair("prompt", "select_account"),
            pair("access_type", "offline")
        ]
    );
    assert!(
        !home.configuration().contains("access_type"),
        "{}",
        home.configuration()
    );
}

#[test]
fn the_issuer_of_a_provider_is_checked_as_any_other() {
    let (home, google) = (Home::new(), server());
    complete(
        &mut login(&home, &google, "google", &["--scope", "a"]),
        &google.origin(),
    )
    .expect_error(6)
    .says(&["accounts.google.com"]);
    assert_eq!(google.requests_to("/token").len(), 0);
    assert_nothing_kept(&home);
}

/// Logs in, then asks for the token, which compares the session with the profile.
fn token_after(home: &Home, command: &mut Command, issuer: &str, profile: &str) -> String {
    let (outcome, url) = complete_seeing_url(command, issuer);
    outcome.expect_code(0);
    let token = run(home.oauth().args(["token", profile])).expect_code(0);
    assert_eq!(token.stdout.trim_end(), ACCESS_TOKEN);
    url
}

#[test]
fn the_scope_for_a_refresh_token_is_asked_for_and_saved() {
    let (home, microsoft) = (Home::new(), server());
    let provider = format!("microsoft:{TENANT}");
    let issuer = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    let mut command = login(
        &home,
        &microsoft,
        &provider,
        &["--scope", "User.Read", "--scope", "Mail.Read"],
    );
    let url = token_after(&home, &mut command, &issuer, "microsoft");
    assert_eq!(parameter(&url, "scope"), "User.Read Mail.Read offline_access");
    assert!(listener_of(&url).starts_with("localhost:"), "{url}");
    let configuration = home.configuration();
    assert!(
        configuration.contains(r#"scope = ["User.Read", "Mail.Read", "offline_access"]"#),
        "{configuration}"
    );
    // what is asked for already is asked for once
    let mut command = login(&home, &microsoft, &provider, &["--scope", "offline_access User.Read"]);
    let url = token_after(&home, &mut command, &issuer, "microsoft");
    assert_eq!(parameter(&url, "scope"), "offline_access User.Read");
}

#[test]
fn a_provider_that_wants_commas_gets_them() {
    let (home, slack) = (Home::new(), server());
    let given = ["--scope", "chat:write users:read", "--scope", "im:read", "--port", "0"];
    let mut command = login(&home, &slack, "slack", &given);
    let url = token_after(&home, &mut command, &slack.origin(), "slack");
    assert_eq!(parameter(&url, "scope"), "chat:write,users:read,im:read");
    let configuration = home.configuration();
    assert!(
        configuration.contains(r#"scope = ["chat:write", "users:read", "im:read"]"#),
        "{configuration}"
    );
}

#[test]
fn an_audience_of_a_provider_is_sent_and_saved() {
    let (home, atlassian) = (Home::new(), server());
    let mut command = login(&home, &atlassian, "atlassian", &["--scope", "read:me", "--port", "0"]);
    let url = token_after(
        &home,
        command.env("OAUTH_CLIENT_SECRET", "hush"),
        &atlassian.origin(),
        "atlassian",
    );
    assert_eq!(parameter(&url, "audience"), "api.atlassian.com");
    assert_eq!(parameter(&url, "prompt"), "consent");
    assert_eq!(parameter(&url, "scope"), "read:me offline_access");
}

#[test]
fn a_redirect_uri_with_a_port_of_its_own_gives_way_to_the_users() {
    let (home, anywhere) = (Home::new(), server());
    let redirect_uri_at = |provider: &str, arguments: &[&str]| {
        let arguments = [arguments, &["--paste"]].concat();
        let running = Running::start_with_open_input(&mut login(&home, &anywhere, provider, &arguments));
        let url = running.authorization_url();
        drop(running);
        parameter(&url, "redirect_uri")
    };
    let redirect_uri = |arguments: &[&str]| redirect_uri_at("dropbox", arguments);
    assert_eq!(redirect_uri_at("yahoo", &[]), "https://localhost:8765/callback");
    assert_eq!(
        redirect_uri_at("yahoo", &["--port", "9"]),
        "https://localhost:9/callback"
    );
    assert_eq!(redirect_uri(&[]), "http://127.0.0.1:8765/callback");
    assert_eq!(redirect_uri(&["--port", "9099"]), "http://127.0.0.1:9099/callback");
    assert_eq!(
        redirect_uri(&["--redirect-uri", "http://localhost:9/x"]),
        "http://localhost:9/x"
    );
    home.configure("[profile.dropbox]\nprovider = \"dropbox\"\nredirect_uri = \"http://[::1]:7/y\"\n");
    assert_eq!(redirect_uri(&[]), "http://[::1]:7/y");
    home.configure("[profile.dropbox]\nprovider = \"dropbox\"\nport = 7000\n");
    assert_eq!(redirect_uri(&[]), "http://127.0.0.1:7000/callback");
}

#[test]
fn a_saved_provider_holds_for_the_next_login() {
    let (home, google) = (Home::new(), server());
    home.configure(&format!(
        "[profile.work]\nprovider = \"google\"\nclient_id = \"mine\"\nscope = [\"a\"]\nparam = {{ access_type = \"online\" }}\nauthorization_endpoint = \"{}\"\ntoken_endpoint = \"{}\"\n",
        google.url("/authorize"),
        google.url("/token")
    ));
    let mut command = home.oauth();
    command.args(["login", "work", "--no-browser"]);
    let url = token_after(&home, &mut command, GOOGLE, "work");
    assert_eq!(
        parameter(&url, "access_type"),
        "online",
        "the profile wins over the provider"
    );
    assert_eq!(parameter(&url, "prompt"), "consent");
}

fn device_request(home: &Home, server: &LiteralServer, provider: &str) -> Request {
    server.on(
        "POST",
        "/codes",
        json(
            200,
            r#"{"device_code":"d","user_code":"u","verification_uri":"https://example.com/d","expires_in":900,"interval":0}"#,
        ),
    );
    let mut command = home.oauth();
    command
        .args([
            "login",
            "--provider",
            provider,
            "--client-id",
            "mine",
            "--device",
            "--scope",
            "a",
        ])
        .args(["--device-authorization-endpoint", &server.url("/codes")])
        .args(["--token-endpoint", &server.url("/token")]);
    run(&mut command)
        .expect_code(0)
        .does_not_say("requires a client secret");
    server.only_request_to("/codes")
}

#[test]
fn the_device_grant_gets_what_is_for_it_and_nothing_of_the_authorization_request() {
    let (home, github) = (Home::new(), server());
    let request = device_request(&home, &github, "github");
    assert_eq!(request.body_text(), "client_id=mine&scope=a");
    let (home, google) = (Home::new(), server());
    let request = device_request(&home, &google, "google");
    assert_eq!(request.body_text(), "client_id=mine&scope=a");
}

#[test]
fn a_secret_that_the_provider_wants_is_missed_before_the_browser_opens() {
    let (home, google) = (Home::new(), server());
    let outcome = complete(&mut login(&home, &google, "google", &["--scope", "a"]), GOOGLE).expect_code(0);
    assert!(
        outcome.warnings().contains("Google requires a client secret"),
        "{outcome:#?}"
    );
    assert!(outcome.warnings().contains("--client-secret-file"), "{outcome:#?}");
}

fn refused(arguments: &[&str]) -> Outcome {
    let home = Home::new();
    let outcome = run(home
        .oauth()
        .args(["login", "--client-id", "mine", "--no-browser"])
        .args(arguments));
    assert_nothing_kept(&home);
    outcome.expect_error(2)
}

#[test]
fn a_provider_that_cannot_be_found_or_used_is_refused_with_the_way_out() {
    refused(&["--provider", "gogle"]).says(&[
        "there is no provider \"gogle\"",
        "Did you mean google?",
        "oauth providers",
    ]);
    refused(&["--provider", "nothing-like-it"]).says(&["oauth providers", "--issuer URL"]);
    refused(&["--provider", "okta"]).says(&["okta:ISSUER", "--issuer URL"]);
    refused(&["--provider", "google:x"]).says(&["takes nothing after a colon"]);
    refused(&["--provider", "gitlab:https://git.example.com"]).says(&["is not a host", "git.example.com"]);
    refused(&["--provider", "microsoft:a/../b"]).says(&["is not a tenant"]);
    refused(&["--provider", "apple"]).says(&["https address of your own", "--redirect-uri", "--paste"]);
}

#[test]
fn a_login_without_a_client_id_is_told_where_to_register_one() {
    let home = Home::new();
    run(home
        .oauth()
        .args(["login", "--provider", "gitlab:git.example.com", "--no-browser"]))
    .expect_error(2)
    .says(&[
        "https://git.example.com/-/user_settings/applications",
        "oauth providers gitlab",
        "--client-id ID",
    ]);
}

/// A server with metadata, too.
fn server_with_metadata() -> LiteralServer {
    super::support::authorization_server::start()
}

#[test]
fn an_issuer_replaces_where_a_provider_is_and_keeps_what_it_wants() {
    let (home, okta) = (Home::new(), server_with_metadata());
    let mut command = home.oauth();
    command
        .args([
            "login",
            "--provider",
            "okta",
            "--issuer",
            &okta.origin(),
            "--client-id",
            "mine",
        ])
        .args(["--no-browser", "--scope", "openid2", "--port", "0"]);
    let url = token_after(&home, &mut command, &okta.origin(), "okta");
    assert!(url.starts_with(&okta.url("/authorize")), "{url}");
    assert_eq!(parameter(&url, "scope"), "openid2 offline_access");

    // and the profile with both logs in again
    let mut command = home.oauth();
    command.args(["login", "okta", "--no-browser", "--port", "0"]);
    let url = token_after(&home, &mut command, &okta.origin(), "okta");
    assert_eq!(parameter(&url, "scope"), "openid2 offline_access");
}

#[test]
fn a_url_replaces_where_a_provider_is_as_an_issuer_does() {
    let (home, okta) = (Home::new(), server_with_metadata());
    let mut command = home.oauth();
    command
        .args([
            "login",
            &okta.origin(),
            "--provider",
            "okta",
            "-p",
            "work",
            "--client-id",
            "mine",
        ])
        .args(["--no-browser", "--scope", "openid2", "--port", "0"]);
    let url = token_after(&home, &mut command, &okta.origin(), "work");
    assert!(url.starts_with(&okta.url("/authorize")), "{url}");
    assert_eq!(parameter(&url, "scope"), "openid2 offline_access");
    let configuration = home.configuration();
    for saved in [
        "provider = \"okta\"".to_owned(),
        format!("issuer = \"{}\"", okta.origin()),
    ] {
        assert!(configuration.contains(&saved), "{configuration}");
    }

    let mut command = home.oauth();
    command.args(["login", "work", "--no-browser", "--port", "0"]);
    let url = token_after(&home, &mut command, &okta.origin(), "work");
    assert_eq!(parameter(&url, "scope"), "openid2 offline_access");
}

#[test]
fn another_server_takes_the_place_of_a_provider_and_the_other_way_round() {
    let (home, other) = (Home::new(), server_with_metadata());
    home.configure(
        "[profile.work]\nprovider = \"atlassian\"\nclient_id = \"mine\"\naudience = \"api.atlassian.com\"\n",
    );
    let mut command = home.oauth();
    command
        .args(["login", "-p", "work", "--issuer", &other.origin(), "--no-browser"])
        .args(["--redirect-uri", "http://127.0.0.1:0/callback"]);
    let url = token_after(&home, &mut command, &other.origin(), "work");
    assert!(
        !parameters(&url)
            .iter()
            .any(|(name, _)| name == "audience" || name == "prompt"),
        "{url}"
    );
    let configuration = home.configuration();
    assert!(
        !configuration.contains("provider") && !configuration.contains("audience"),
        "{configuration}"
    );

    let slack = server();
    let mut command = login(&home, &slack, "slack", &["-p", "work", "--scope", "a b"]);
    let url = token_after(&home, &mut command, &slack.origin(), "work");
    assert_eq!(parameter(&url, "scope"), "a,b");
    let configuration = home.configuration();
    assert!(
        configuration.contains("provider = \"slack\"") && !configuration.contains("issuer"),
        "{configuration}"
    );
}

#[test]
fn a_profile_of_another_server_is_not_taken_for_a_provider_that_names_none() {
    let home = Home::new();
    home.configure("[profile.gitlab]\nprovider = \"gitlab:a.example\"\nclient_id = \"mine\"\n");
    run(home
        .oauth()
        .args(["login", "--provider", "gitlab:b.example", "--no-browser"]))
    .expect_error(2)
    .says(&["\"gitlab\"", "gitlab:a.example", "--profile NAME"]);
}

#[test]
fn a_provider_is_set_in_a_profile_only_if_it_is_known() {
    let home = Home::new();
    run(home.oauth().args(["profile", "set", "work", "provider=gogle"]))
        .expect_error(2)
        .says(&["Did you mean google?"]);
    run(home.oauth().args(["profile", "set", "work", "provider=google"])).expect_code(0);
    assert!(home.configuration().contains("provider = \"google\""));
}

#[test]
fn the_list_has_a_line_for_each_and_the_same_as_json() {
    let home = Home::new();
    let list = run(home.oauth().arg("providers")).expect_code(0).stdout;
    assert!(list.starts_with("NAME "), "{list}");
    let lines: Vec<&str> = list.lines().skip(1).collect();
    assert!(lines.len() >= 25, "{list}");
    let json = run(home.oauth().args(["providers", "--json"])).expect_code(0).json();
    let entries = json.as_array().expect("a list");
    assert_eq!(entries.len(), lines.len());
    for (line, entry) in lines.iter().zip(entries) {
        let name = entry["name"].as_str().expect("a name");
        assert!(line.starts_with(name), "{line}: {name}");
        assert_eq!(entry["tried"], false, "{name}");
        let one = run(home.oauth().args(["providers", name, "--json"]))
            .expect_code(0)
            .json();
        assert_eq!(members(&one), members(entry), "{name}");
    }
    assert!(home.files().is_empty());
}

#[test]
fn one_provider_is_shown_whole() {
    let home = Home::new();
    let google = run(home.oauth().args(["providers", "google"])).expect_code(0).stdout;
    for part in [
        "https://console.cloud.google.com/apis/credentials",
        "access_type=offline",
        "http://127.0.0.1/callback",
        "needs a secret",
        "imap.gmail.com:993",
        "https://mail.google.com/",
        "no: these facts are from the documentation",
        "https://developers.google.com/",
    ] {
        assert!(google.contains(part), "{part} is not in:\n{google}");
    }
    let gitlab = run(home.oauth().args(["providers", "gitlab:git.example.com"]))
        .expect_code(0)
        .stdout;
    assert!(gitlab.contains("https://git.example.com\n"), "{gitlab}");
    let okta = run(home.oauth().args(["providers", "okta"])).expect_code(0).stdout;
    assert!(okta.contains("https://{issuer}"), "{okta}");
    run(home.oauth().args(["providers", "gogle"]))
        .expect_error(2)
        .says(&["Did you mean google?"]);
}
