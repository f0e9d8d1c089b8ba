//! Profiles: what a login saves, what it never saves, how the name is chosen,
//! and that the configuration file stays the user's own.

use crate::support::authorization_server::{self, metadata, token_answer};
use crate::support::binary::Home;
use crate::support::certificates::{Authority, start_tls};
use crate::support::literal_server::{LiteralServer, json};
use crate::support::login::{MarkingBrowser, complete, login, sessions, status, stored};
use crate::support::outcome::run;
use crate::support::running::Running;
use std::process::Command;

/// A login by these arguments alone.
pub(super) fn plain(home: &Home, arguments: &[&str]) -> Command {
    let mut command = home.oauth();
    command.arg("login").args(arguments);
    command
}

#[test]
fn what_was_given_on_the_command_line_is_saved() {
    let (home, server) = (Home::new(), authorization_server::start());
    let origin = server.origin();
    let secret = home.path().join("secret");
    std::fs::write(&secret, "s\n").expect("writing the secret");
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.local_addr().expect("its address").port()
    };
    let browser = MarkingBrowser::new(home.path());
    let mut command = login(
        &home,
        &server,
        &[
            "--profile",
            "work",
            "--scope",
            "read write",
            "--resource",
            "https://api.example.com",
            "--resource",
            "urn:x",
            "--audience",
            "aud",
            "--param",
            "login_hint=a=b",
            "--param",
            "prompt=login",
            "--token-param",
            "tenant=x",
            "--redirect-uri",
            "http://127.0.0.1:0/cb",
            "--port",
            &port.to_string(),
            "--response-mode",
            "query",
            "--browser",
            &format!("{} -P work %s", browser.command),
            "--client-secret-file",
            "secret",
            "--client-auth",
            "client_secret_post",
            "--revocation-endpoint",
            &server.url("/revoke"),
            // never saved
            "--timeout",
            "4m",
            "--listen",
            "127.0.0.1",
        ],
    );
    complete(&mut command, &origin).expect_code(0);
    let expected = format!(
        r#"default_profile = "work"

[profile.work]
issuer = "{origin}"
revocation_endpoint = "{origin}/revoke"
client_id = "desktop"
client_auth = "client_secret_post"
audience = "aud"
redirect_uri = "http://127.0.0.1:0/cb"
browser = "{} -P work %s"
client_secret_file = "{}"
scope = ["read", "write"]
resource = ["https://api.example.com", "urn:x"]
port = [{port}]
response_mode = "query"
param = {{ login_hint = "a=b" }}
token_param = {{ tenant = "x" }}
store = "file"
"#,
        browser.command,
        secret.display()
    );
    assert_eq!(sorted_lines(&home.configuration()), sorted_lines(&expected));
}

/// The order of keys is the program's own business.
fn sorted_lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn what_was_not_given_there_is_not_saved() {
    let (home, server) = (Home::new(), authorization_server::start());
    let mut command = plain(
        &home,
        &["--issuer", &server.origin(), "--no-browser", "--timeout", "2m"],
    );
    command
        .env("OAUTH_CLIENT_ID", "from-environment")
        .env("OAUTH_CLIENT_SECRET", "canary")
        .env("BROWSER", "/nonexistent");
    complete(&mut command, &server.origin()).expect_code(0);
    let expected = format!(
        "[profile.default]\nissuer = \"{}\"\nstore = \"file\"\n",
        server.origin()
    );
    assert_eq!(home.configuration(), expected);
}

#[test]
fn the_certificates_that_were_given_are_saved_too() {
    let home = Home::new();
    let authority = Authority::new();
    let server = start_tls(&authority.issue(&["127.0.0.1"]));
    authorization_server::serve_on(&server);
    let file = authority.write(home.path());
    let mut command = login(&home, &server, &["--cacert", "authority.pem"]);
    complete(&mut command, &server.origin()).expect_code(0);
    let saved = format!("cacert = \"{}\"", file.display());
    assert!(home.configuration().contains(&saved), "{}", home.configuration());
    complete(&mut plain(&home, &[]), &server.origin()).expect_code(0);
}

#[test]
fn comments_and_order_of_the_file_survive() {
    let (home, server) = (Home::new(), authorization_server::start());
    let text = "# mine\n\n[profile.other] # keep\nclient_id = 'x'   # so\n\n# the one\n[profile.work]\n# ask for little\nscope = [\n  \"old\", # this one\n]\nclient_id = \"before\" # was\n\n# the end\n";
    home.configure(text);
    complete(&mut login(&home, &server, &["--profile", "work"]), &server.origin()).expect_code(0);
    let changed = home.configuration();
    for comment in [
        "# mine\n",
        "# keep\n",
        "# so\n",
        "# the one\n",
        "# ask for little\n",
        "# this one\n",
        "# was\n",
        "# the end\n",
    ] {
        assert!(changed.contains(comment), "{comment}: {changed}");
    }
    assert!(changed.contains("client_id = \"desktop\" # was"), "{changed}");
    assert!(changed.contains("client_id = 'x'   # so"), "{changed}");
    assert!(changed.find("[profile.other]") < changed.find("[profile.work]"));
    assert!(
        !changed.contains("default_profile"),
        "there were profiles before: {changed}"
    );
    assert_eq!(status(&home)[1]["state"], "valid");
}

#[test]
fn a_url_is_a_server_and_names_its_profile() {
    let (home, server) = (Home::new(), LiteralServer::start());
    let issuer = server.url("/realms/a");
    server.on(
        "GET",
        "/.well-known/oauth-authorization-server/realms/a",
        json(200, &metadata(&issuer)),
    );
    server.on("POST", "/realms/a/token", json(200, &token_answer()));
    complete(&mut plain(&home, &[&issuer, "--client-id", "c"]), &issuer).expect_code(0);
    let name = format!("127.0.0.1-{}-realms-a", server.port());
    assert_eq!(status(&home)[0]["profile"], name.as_str());
    assert!(
        home.configuration()
            .starts_with(&format!("default_profile = \"{name}\"")),
        "{}",
        home.configuration()
    );

    // the same again, by URL and by name
    complete(&mut plain(&home, &[&issuer]), &issuer).expect_code(0);
    complete(&mut plain(&home, &[&name]), &issuer).expect_code(0);
    assert_eq!(status(&home).as_array().expect("rows").len(), 1);

    // --profile goes before the name of the URL; the environment does not
    complete(&mut plain(&home, &[&issuer, "--client-id", "c", "-p", "mine"]), &issuer).expect_code(0);
    let mut command = plain(&home, &[&issuer]);
    complete(command.env("OAUTH_PROFILE", "elsewhere"), &issuer).expect_code(0);
    let names: Vec<String> = status(&home)
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| row["profile"].as_str().expect("a name").to_owned())
        .collect();
    assert_eq!(names, [name.as_str(), "mine"]);
}

#[test]
fn a_name_that_is_used_for_another_issuer_is_not_taken_over() {
    let (home, server) = (Home::new(), authorization_server::start());
    let name = format!("127.0.0.1-{}-a", server.port());
    let text = format!(
        "[profile.\"{name}\"]\nissuer = \"{}\"\nclient_id = \"c\"\n",
        server.url("/other")
    );
    home.configure(&text);
    let finished = run(&mut plain(&home, &[&server.url("/a"), "--client-id", "c"])).expect_code(2);
    assert!(
        finished.error().contains(&name) && finished.error().contains("/other"),
        "{finished:?}"
    );
    assert!(finished.hints().contains("--profile"), "{finished:?}");
    assert_eq!(home.configuration(), text);
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn the_default_profile_of_an_api_is_not_taken_over_by_an_issuer() {
    let (home, server) = (Home::new(), authorization_server::start());
    let text = "[profile.tools]\napi = \"https://mcp.example.com/mcp\"\n";
    home.configure(text);
    let finished = run(&mut plain(&home, &["--issuer", &server.origin(), "--client-id", "c"])).expect_error(2);
    assert!(
        finished
            .error()
            .contains("\"tools\" is already used for https://mcp.example.com/mcp"),
        "{finished:?}"
    );
    assert!(finished.hints().contains("--profile"), "{finished:?}");
    assert_eq!(home.configuration(), text);
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn a_hint_about_a_url_keeps_the_other_options() {
    let finished = run(&mut plain(
        &Home::new(),
        &["127.0.0.1:9000", "--client-id", "c", "-p", "work"],
    ))
    .expect_error(2);
    let command = "Run this, with the other options as before: oauth login http://127.0.0.1:9000 --profile work\n";
    assert!(finished.stderr.contains(command), "{finished:?}");
}

#[test]
fn the_first_login_makes_the_default_profile_and_no_later_one_does() {
    let (home, server) = (Home::new(), authorization_server::start());
    for name in ["first", "second"] {
        complete(&mut login(&home, &server, &["--profile", name]), &server.origin()).expect_code(0);
        assert!(
            home.configuration().starts_with("default_profile = \"first\"\n"),
            "{}",
            home.configuration()
        );
    }
    let printed = run(home.oauth().args(["token", "--json"])).expect_code(0);
    assert!(printed.stdout.contains("\"profile\":\"first\""), "{printed:?}");
}

#[test]
fn a_scope_that_is_no_longer_asked_for_is_named() {
    let (home, server) = (Home::new(), authorization_server::start());
    let first = ["--profile", "work", "--scope", "openid offline_access read"];
    let outcome = complete(&mut login(&home, &server, &first), &server.origin()).expect_code(0);
    outcome.does_not_say("asked for more before");
    let narrower = ["--profile", "work", "--scope", "read write"];
    let outcome = complete(&mut login(&home, &server, &narrower), &server.origin()).expect_code(0);
    outcome.says(&["note: profile \"work\" asked for more before: openid offline_access; --scope names all"]);
    let again = complete(&mut login(&home, &server, &["--profile", "work"]), &server.origin()).expect_code(0);
    again.does_not_say("asked for more before");
}

#[test]
fn names_that_cannot_be_typed_are_refused() {
    let (home, server) = (Home::new(), authorization_server::start());
    let long = "a".repeat(65);
    for name in ["../up", "-x", ".x", "a/b", "", "a b", "caf\u{e9}", &long] {
        let argument = format!("--profile={name}");
        let finished = run(&mut login(&home, &server, &[&argument])).expect_code(2);
        assert!(finished.stderr.contains("--profile"), "{name}: {finished:?}");
    }
    run(&mut plain(&home, &["a/b", "--client-id", "c"])).expect_code(2);
    let mut command = login(&home, &server, &[]);
    run(command.env("OAUTH_PROFILE", "a b"))
        .expect_code(2)
        .says(&["OAUTH_PROFILE"]);
    run(&mut login(&home, &server, &["one", "--profile", "two"])).expect_code(2);
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn what_is_missing_is_asked_for_with_the_command_to_run() {
    let (home, server) = (Home::new(), authorization_server::start());
    let finished = run(&mut plain(&home, &[])).expect_code(2);
    assert!(
        finished.hints().contains("oauth login https://id.example.com"),
        "{finished:?}"
    );
    let finished = run(&mut plain(&home, &["--issuer", &server.origin()])).expect_code(2);
    assert!(finished.hints().contains("--client-id"), "{finished:?}");
    let finished = run(&mut plain(
        &home,
        &["--client-id", "c", "--token-endpoint", "https://id.example.com/t"],
    ))
    .expect_code(2);
    assert!(finished.error().contains("no server is named"), "{finished:?}");
    run(&mut plain(&home, &["work", "--client-id", "c"]))
        .expect_code(2)
        .says(&["work"]);
}

#[test]
fn a_file_that_cannot_be_written_is_found_before_the_browser_opens() {
    let server = authorization_server::start();
    type Prepare<'a> = &'a dyn Fn(&Home) -> Option<String>;
    let unwritable: [(&str, Prepare<'_>); 3] = [
        ("a read-only file", &|home| {
            home.configure("# mine\n");
            let mut permissions = std::fs::metadata(home.config_file()).expect("metadata").permissions();
            permissions.set_readonly(true);
            std::fs::set_permissions(home.config_file(), permissions).expect("changing permissions");
            None
        }),
        ("a folder that cannot be made", &|_| {
            Some("/proc/oauth/config.toml".to_owned())
        }),
        ("a link to nowhere", &|home| {
            let link = home.path().join("link.toml");
            std::os::unix::fs::symlink("/proc/nowhere/config.toml", &link).expect("a link");
            Some(link.display().to_string())
        }),
    ];
    for (what, make) in unwritable {
        let home = Home::new();
        let chosen = make(&home);
        let browser = MarkingBrowser::new(home.path());
        let mut command = login(&home, &server, &["--browser", &browser.command]);
        // the file store keeps its key beside the configuration, which is not the matter here
        command.env("OAUTH_STORE", "none");
        if let Some(file) = &chosen {
            command.env("OAUTH_CONFIG", file);
        }
        let finished = run(&mut command).expect_code(2);
        assert!(finished.hints().contains("--no-save"), "{what}: {finished:?}");
        assert!(
            !browser.was_run() && !finished.stderr.contains("/authorize?"),
            "{what}: {finished:?}"
        );
    }
    assert_eq!(server.requests_to("/token").len(), 0);
}

#[test]
fn a_broken_file_is_named_with_line_and_nearest_key() {
    let (home, server) = (Home::new(), authorization_server::start());
    for (text, line, shown) in [
        ("[profile.a]\nclient_di = 'x'\n", 2, "client_id"),
        ("\n\n[profil.a]\n", 3, "profile"),
        ("[profile.a]\nscope = 7\n", 2, "scope"),
        ("[profile.a\n", 1, "TOML"),
        ("[profile.\"a b\"]\n", 1, "a b"),
        ("[profile.a]\ntimeout = '5m'\n", 2, "timeout"),
    ] {
        home.configure(text);
        let finished = run(&mut login(&home, &server, &[])).expect_code(2);
        let place = format!("{}:{line}", home.config_file().display());
        assert!(
            finished.stderr.contains(&place) && finished.stderr.contains(shown),
            "{text:?}: {finished:?}"
        );
        assert_eq!(home.configuration(), text);
    }
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn no_save_leaves_the_file_alone() {
    let (home, server) = (Home::new(), authorization_server::start());
    complete(&mut login(&home, &server, &["--no-save"]), &server.origin()).expect_code(0);
    assert!(!home.config_file().exists());
    assert_eq!(stored(&home).len(), 1);
    home.configure("# nothing\n");
    complete(
        &mut login(&home, &server, &["--no-save", "-p", "work"]),
        &server.origin(),
    )
    .expect_code(0);
    assert_eq!(home.configuration(), "# nothing\n");
}

#[test]
fn a_login_that_fails_saves_nothing_and_keeps_the_old_session() {
    let (home, server) = (Home::new(), authorization_server::start());
    complete(&mut login(&home, &server, &["--profile", "work"]), &server.origin()).expect_code(0);
    let (before, session) = (
        home.configuration(),
        std::fs::read(sessions(&home).join("work")).expect("a session"),
    );
    server.on("POST", "/token", json(400, r#"{"error":"invalid_grant"}"#));
    let mut command = login(&home, &server, &["--profile", "work", "--audience", "other"]);
    complete(&mut command, &server.origin()).expect_code(5);
    assert_eq!(home.configuration(), before);
    assert_eq!(std::fs::read(sessions(&home).join("work")).expect("a session"), session);
}

#[test]
fn a_new_login_replaces_the_session_and_revokes_nothing() {
    let (home, server) = (Home::new(), authorization_server::start());
    let document = metadata(&server.origin()).replacen(
        '{',
        &format!(r#"{{"revocation_endpoint":"{}","#, server.url("/revoke")),
        1,
    );
    server.on("GET", "/.well-known/oauth-authorization-server", json(200, &document));
    complete(&mut login(&home, &server, &[]), &server.origin()).expect_code(0);
    server.on(
        "POST",
        "/token",
        json(200, r#"{"access_token":"second","token_type":"Bearer"}"#),
    );
    complete(&mut login(&home, &server, &[]), &server.origin()).expect_code(0);
    assert_eq!(run(home.oauth().arg("token")).expect_code(0).stdout, "second\n");
    assert_eq!(status(&home)[0]["refreshable"], false, "the old refresh token is gone");
    assert_eq!(server.requests_to("/revoke").len(), 0);
}

#[test]
fn two_logins_at_once_lose_nothing() {
    let (home, server) = (Home::new(), authorization_server::start());
    home.configure("# mine\n");
    let names = ["a", "b", "c", "d"];
    let running: Vec<Running> = names
        .iter()
        .map(|name| Running::start(&mut login(&home, &server, &["--profile", name])))
        .collect();
    let urls: Vec<String> = running.iter().map(Running::authorization_url).collect();
    std::thread::scope(|scope| {
        for url in &urls {
            scope.spawn(|| authorization_server::consent(url, &server.origin()));
        }
    });
    for running in running {
        running.end().expect_code(0);
    }
    assert!(
        home.configuration().starts_with("# mine\n") || home.configuration().contains("\n# mine\n"),
        "{}",
        home.configuration()
    );
    let rows = status(&home);
    let rows = rows.as_array().expect("rows");
    assert_eq!(rows.len(), 4, "{}", home.configuration());
    assert!(rows.iter().all(|row| row["state"] == "valid"));
}

#[test]
fn another_configuration_file_has_its_own_sessions() {
    let (home, server) = (Home::new(), authorization_server::start());
    let file = home.path().join("elsewhere.toml");
    let path = file.display().to_string();
    complete(&mut login(&home, &server, &["--config", &path]), &server.origin()).expect_code(0);
    assert!(file.exists() && !home.config_file().exists());
    assert_eq!(status(&home), serde_json::json!([]));
    let mut command = home.oauth();
    let printed = run(command.args(["token"]).env("OAUTH_CONFIG", &path)).expect_code(0);
    assert_eq!(printed.stdout, format!("{}\n", authorization_server::ACCESS_TOKEN));
}

#[test]
fn a_damaged_session_is_replaced_by_a_login_as_its_hint_says() {
    let (home, server) = (Home::new(), authorization_server::start());
    complete(&mut login(&home, &server, &["--profile", "work"]), &server.origin()).expect_code(0);
    let session = sessions(&home).join("work");
    let whole = std::fs::read(&session).expect("the session");
    let mut changed = whole.clone();
    *changed.last_mut().expect("a byte") ^= 1;
    for damaged in [&b"garbage"[..], &whole[..40], &changed, b""] {
        std::fs::write(&session, damaged).expect("damaging it");
        let outcome = run(home.oauth().args(["token", "work"])).expect_error(8);
        assert!(outcome.hints().contains("log in again"), "{outcome:?}");
        complete(&mut login(&home, &server, &["--profile", "work"]), &server.origin()).expect_code(0);
        run(home.oauth().args(["token", "work"])).expect_code(0);
    }
}
