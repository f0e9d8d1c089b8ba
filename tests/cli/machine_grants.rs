//! Grants that stand on a token of somebody else: token exchange (RFC 8693) and
//! assertions (RFC 7523 §2.1), with every source of such tokens. `oauth token`
//! repeats them under the lock.

use super::support::binary::Home;
use super::support::literal_server::{LiteralServer, Reply, json, redirect};
use super::support::outcome::{Outcome, finish, run, run_with_input};
use super::support::sessions::{ending_in, refreshable, session};
use oauth::secret::Secret;
use oauth::store::Renewal;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const JWT: &str = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln";
const EXCHANGED: &str = r#"{"access_token":"exchanged","issued_token_type":"urn:ietf:params:oauth:token-type:access_token","token_type":"Bearer","expires_in":3600}"#;
const ANSWER: &str = r#"{"access_token":"first","token_type":"Bearer","expires_in":3600}"#;
const NEXT: &str = r#"{"access_token":"next","token_type":"Bearer","expires_in":3600}"#;
const EXCHANGE: &str = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange";
const BEARER: &str = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";
const TYPE: &str = "urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3A";

fn server(answer: &str) -> LiteralServer {
    let server = LiteralServer::start();
    let origin = server.origin();
    let metadata = format!(r#"{{"issuer":"{origin}","token_endpoint":"{origin}/token"}}"#);
    server.on("GET", "/.well-known/oauth-authorization-server", json(200, &metadata));
    server.on("POST", "/token", json(200, answer));
    server
}

/// `oauth login -p ci` at this server with these arguments.
fn login(home: &Home, server: &LiteralServer, arguments: &[&str]) -> Command {
    let mut command = home.oauth();
    let issuer = server.origin();
    command.args(["login", "-p", "ci", "--issuer", &issuer]).args(arguments);
    command
}

fn jwt_bearer(home: &Home, server: &LiteralServer, source: &str) -> Command {
    login(home, server, &["--grant", "jwt-bearer", "--assertion", source])
}

fn token(home: &Home) -> Command {
    let mut command = home.oauth();
    command.args(["token", "ci"]);
    command
}

fn expire(home: &Home, profile: &str) {
    let session = home.kept(profile).expect("the session");
    home.keep(profile, &ending_in(-10, session));
}

fn start(mut command: Command) -> Child {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().expect("starting the program")
}

#[track_caller]
fn assert_printed(outcome: &Outcome, token: &str) {
    let expected = (Some(0), format!("{token}\n"));
    assert_eq!((outcome.code, outcome.stdout.clone()), expected, "{outcome:?}");
}

fn write(home: &Home, name: &str, content: &str) -> String {
    let path = home.path().join(name);
    std::fs::write(&path, content).expect("writing the file");
    format!("file:{}", path.display())
}

/// The assertion of the last token request.
fn assertion_sent(server: &LiteralServer) -> String {
    let requests = server.requests_to("/token");
    let body = requests.last().expect("a token request").body_text();
    let value = body.split('&').find_map(|pair| pair.strip_prefix("assertion="));
    value.expect("an assertion").to_owned()
}

#[test]
fn the_exchange_of_rfc_8693_section_2_3_as_it_stands_there() {
    let (home, server) = (Home::new(), server(EXCHANGED));
    let arguments = [
        "--grant",
        "token-exchange",
        "--client-id",
        "rs08",
        "--client-auth",
        "client_secret_basic",
        "--resource",
        "https://backend.example.com/api",
        "--subject-token",
        "env:SUBJECT",
        "--subject-token-type",
        "access_token",
    ];
    let mut command = login(&home, &server, &arguments);
    command
        .env("OAUTH_CLIENT_SECRET", "long-secure-random-secret")
        .env("SUBJECT", "accVkjcJyb4BWCxGsndESCJQbdFMogUC5PbRDqceLTC");
    run(&mut command).expect_code(0);
    let request = server.only_request_to("/token");
    assert_eq!(
        request.body_text(),
        format!(
            "grant_type={EXCHANGE}&subject_token=accVkjcJyb4BWCxGsndESCJQbdFMogUC5PbRDqceLTC&subject_token_type={TYPE}access_token&resource=https%3A%2F%2Fbackend.example.com%2Fapi"
        )
    );
    assert_eq!(
        request.header("authorization"),
        Some("Basic cnMwODpsb25nLXNlY3VyZS1yYW5kb20tc2VjcmV0")
    );
    let kept = home.kept("ci").expect("the session").tokens.remove(0);
    assert_eq!(
        kept.issued_token_type.as_deref(),
        Some("urn:ietf:params:oauth:token-type:access_token")
    );
}

#[test]
fn an_exchange_with_an_actor_names_both_types_and_what_is_wanted() {
    let (home, server) = (Home::new(), server(EXCHANGED));
    let actor = write(&home, "actor", JWT);
    let arguments = [
        "--grant",
        "urn:ietf:params:oauth:grant-type:token-exchange",
        "--client-id",
        "c",
        "--scope",
        "a b",
        "--audience",
        "urn:example:co",
        "--subject-token",
        "env:SUBJECT",
        "--subject-token-type",
        "urn:ietf:params:oauth:token-type:saml2",
        "--actor-token",
        &actor,
        "--requested-token-type",
        "jwt",
    ];
    run(login(&home, &server, &arguments).env("SUBJECT", "PHNhbWw-")).expect_code(0);
    assert_eq!(
        server.only_request_to("/token").body_text(),
        format!(
            "grant_type={EXCHANGE}&subject_token=PHNhbWw-&subject_token_type={TYPE}saml2&actor_token={JWT}&actor_token_type={TYPE}jwt&client_id=c&requested_token_type={TYPE}jwt&scope=a+b&audience=urn%3Aexample%3Aco"
        )
    );
    let configuration = home.configuration();
    for line in [
        "grant = \"token-exchange\"",
        "subject_token = \"env:SUBJECT\"",
        "subject_token_type = \"saml2\"",
        "requested_token_type = \"jwt\"",
    ] {
        assert!(configuration.contains(line), "{line}: {configuration}");
    }
    assert!(!configuration.contains(JWT) && !configuration.contains("PHNhbWw"));
    // The type was of that source.
    let mut again = home.oauth();
    again.args(["login", "ci", "--subject-token", &actor]);
    run(&mut again).expect_code(0);
    let last = server.requests_to("/token").pop().expect("the exchange");
    let form = last.form();
    let sent: Vec<&str> = form
        .iter()
        .filter(|(name, _)| name == "subject_token_type")
        .map(|(_, value)| value.as_str())
        .collect();
    assert_eq!(sent, ["urn:ietf:params:oauth:token-type:jwt"]);
    assert!(!home.configuration().contains("subject_token_type"));
}

#[test]
fn an_assertion_alone_gets_a_token_and_a_client_is_named_only_where_there_is_one() {
    let (home, server) = (Home::new(), server(ANSWER));
    run(jwt_bearer(&home, &server, "env:ASSERTION").env("ASSERTION", JWT)).expect_code(0);
    let expected = format!("grant_type={BEARER}&assertion={JWT}");
    assert_eq!(server.only_request_to("/token").body_text(), expected);
    let row = run(home.oauth().args(["status", "ci", "--json"])).expect_code(0).json();
    assert_eq!(
        (&row[0]["client_id"], &row[0]["refreshable"]),
        (&serde_json::Value::Null, &true.into())
    );

    let mut command = jwt_bearer(&home, &server, "env:ASSERTION");
    command.args(["--client-id", "c", "--scope", "x"]).env("ASSERTION", JWT);
    run(&mut command).expect_code(0);
    let bodies: Vec<String> = server
        .requests_to("/token")
        .iter()
        .map(|request| request.body_text().to_owned())
        .collect();
    assert_eq!(
        bodies[1],
        format!("grant_type={BEARER}&assertion={JWT}&client_id=c&scope=x")
    );
    // Nobody proves anything without a name.
    let other = Home::new();
    let mut command = jwt_bearer(&other, &server, "env:ASSERTION");
    command.env("ASSERTION", JWT).env("OAUTH_CLIENT_SECRET", "s3cret");
    run(&mut command).expect_error(2).says(&["client_id"]);
}

#[test]
fn a_source_is_read_again_for_each_token_and_twenty_processes_send_one_request() {
    let (home, server) = (Home::new(), server(ANSWER));
    let source = write(&home, "assertion", &format!("{JWT}\n"));
    run(&mut jwt_bearer(&home, &server, &source)).expect_code(0);
    write(&home, "assertion", "second.of.them\r\n");
    expire(&home, "ci");
    server.on_each(
        "POST",
        "/token",
        vec![
            json(200, NEXT).after(Duration::from_millis(200)),
            json(400, r#"{"error":"invalid_request"}"#),
        ],
    );
    let processes: Vec<Child> = (0..20).map(|_| start(token(&home))).collect();
    for outcome in processes.into_iter().map(finish) {
        assert_printed(&outcome, "next");
    }
    assert_eq!(
        server.requests_to("/token").len(),
        2,
        "one at the login, one for all of them"
    );
    assert_eq!(assertion_sent(&server), "second.of.them");
}

#[test]
fn with_no_store_and_nothing_but_the_source_a_token_is_printed() {
    let (home, server) = (Home::new(), server(EXCHANGED));
    let origin = server.origin();
    home.configure(&format!(
        "[profile.ci]\nissuer = \"{origin}\"\ngrant = \"token-exchange\"\nsubject_token = \"env:CI_ID_TOKEN\"\n"
    ));
    for _ in 0..2 {
        let outcome = run(token(&home).env("OAUTH_STORE", "none").env("CI_ID_TOKEN", JWT));
        assert_printed(&outcome, "exchanged");
    }
    let expected = format!("grant_type={EXCHANGE}&subject_token={JWT}&subject_token_type={TYPE}jwt");
    assert_eq!(server.requests_to("/token")[1].body_text(), expected);
    let files: Vec<_> = home.files();
    assert_eq!(files, [home.config_file()], "nothing is left");
    // Windows has no `sh`
    #[cfg(unix)]
    {
        let mut exec = home.oauth();
        exec.args(["exec", "ci", "--", "sh", "-c", "printf %s \"$OAUTH_ACCESS_TOKEN\""]);
        let outcome = run(exec.env("OAUTH_STORE", "none").env("CI_ID_TOKEN", JWT)).expect_code(0);
        assert_eq!(outcome.stdout, "exchanged");
    }
}

#[test]
fn a_refusal_is_final_and_ends_nothing_and_the_source_is_named() {
    let (home, server) = (Home::new(), server(ANSWER));
    let source = write(&home, "assertion", JWT);
    run(&mut jwt_bearer(&home, &server, &source)).expect_code(0);
    expire(&home, "ci");
    server.on("POST", "/token", json(400, r#"{"error":"invalid_grant"}"#));
    let outcome = run(&mut token(&home)).expect_error(4);
    assert!(outcome.hints().contains(&source), "{outcome:?}");
    assert_eq!(server.requests_to("/token").len(), 2, "no second try");
    assert!(home.kept("ci").expect("the session").dead.is_none());
    server.on("POST", "/token", json(200, NEXT));
    assert_printed(&run(&mut token(&home)), "next");

    let refused = Home::new();
    server.on("POST", "/token", json(400, r#"{"error":"invalid_grant"}"#));
    let source = write(&refused, "assertion", JWT);
    run(&mut jwt_bearer(&refused, &server, &source)).expect_error(5);
    assert!(refused.kept("ci").is_none() && !refused.config_file().exists());
}

#[test]
fn what_users_would_be_given_is_dropped_with_a_note() {
    let home = Home::new();
    let server = server(r#"{"access_token":"a","token_type":"Bearer","expires_in":3600,"refresh_token":"r"}"#);
    run(jwt_bearer(&home, &server, "env:A").env("A", JWT))
        .expect_code(0)
        .says(&["the server sent a refresh token, which this grant does not use: it is not kept"]);
    assert!(home.kept("ci").expect("the session").refresh_token.is_none());
}

#[test]
fn what_is_no_access_token_is_kept_and_never_handed_out_as_one() {
    let answer = r#"{"access_token":"a.b.c","issued_token_type":"urn:ietf:params:oauth:token-type:id-jag","token_type":"N_A","expires_in":300}"#;
    let (home, server) = (Home::new(), server(answer));
    let arguments = [
        "--grant",
        "token-exchange",
        "--subject-token",
        "env:S",
        "--requested-token-type",
        "id-jag",
    ];
    run(login(&home, &server, &arguments).env("S", JWT)).expect_code(0);
    let formats: [&[&str]; 5] = [
        &[],
        &["--format", "header"],
        &["--format", "env"],
        &["--format", "headers"],
        &["--format", "exec-credential"],
    ];
    for format in formats {
        let outcome = run(token(&home).args(format)).expect_error(2);
        outcome.does_not_say("a.b.c");
    }
    run(home.oauth().args(["exec", "ci", "--", "true"])).expect_error(2);
    let object = run(token(&home).arg("--json")).expect_code(0).json();
    assert_eq!(
        (
            &object["access_token"],
            &object["token_type"],
            &object["issued_token_type"]
        ),
        (
            &"a.b.c".into(),
            &"N_A".into(),
            &"urn:ietf:params:oauth:token-type:id-jag".into()
        )
    );
    // Another grant does not bring one.
    let strict = Home::new();
    run(jwt_bearer(&strict, &server, "env:S").env("S", JWT)).expect_error(6);

    // As an assertion it is what it is for.
    let api = self::server(ANSWER);
    let mut command = home.oauth();
    let issuer = api.origin();
    command.args([
        "login",
        "-p",
        "api",
        "--issuer",
        &issuer,
        "--grant",
        "jwt-bearer",
        "--assertion",
        "profile:ci",
    ]);
    run(&mut command).expect_code(0);
    assert_eq!(assertion_sent(&api), "a.b.c");
}

#[test]
fn standard_input_gives_its_token_once() {
    let (home, server) = (Home::new(), server(ANSWER));
    let outcome = run_with_input(&mut jwt_bearer(&home, &server, "stdin"), format!("{JWT}\n").as_bytes());
    outcome.expect_code(0);
    assert_eq!(home.kept("ci").expect("the session").renewal, Renewal::None);
    assert_printed(&run(&mut token(&home)), "first");
    expire(&home, "ci");
    run(&mut token(&home)).expect_error(4).says(&["oauth login ci"]);
    run(token(&home).env("OAUTH_STORE", "none")).expect_error(4);
    assert_eq!(server.requests_to("/token").len(), 1);
}

#[cfg(unix)]
#[test]
fn a_command_is_run_without_a_shell_and_without_our_environment() {
    let (home, server) = (Home::new(), server(ANSWER));
    let script = home.path().join("print token");
    std::fs::write(
        &script,
        "#!/bin/sh\necho \"for $1\" >&2\necho \"x.$1.$(env | grep -c ^OAUTH_)$(cat | wc -c | tr -d ' ')\"\n",
    )
    .expect("the script");
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).expect("its mode");
    let source = format!("command:'{}' '$HOME;a'", script.display());
    let mut command = jwt_bearer(&home, &server, &source);
    let outcome = run_with_input(command.env("OAUTH_CLIENT_ID", "c"), b"not for the command").expect_code(0);
    assert!(outcome.stderr.contains("for $HOME;a"), "{outcome:?}");
    assert_eq!(assertion_sent(&server), "x.%24HOME%3Ba.00");
    for (text, problem) in [
        ("printf 'a b'", "printable ASCII"),
        ("printf 'a\nb'", "one line"),
        ("true", "empty"),
        ("sh -c 'cat canary; exit 3'", "exit status: 3"),
        ("no-such-program-here", "cannot be run"),
        ("sh -c 'yes | head -c 140000 | tr -d \"\\n\"'", "64 KiB"),
    ] {
        let fresh = Home::new();
        write(&fresh, "canary", "secret-in-output");
        let outcome = run(&mut jwt_bearer(&fresh, &server, &format!("command:{text}"))).expect_error(2);
        assert!(outcome.stderr.contains(problem), "{text}: {outcome:?}");
        outcome.does_not_say("secret-in-output");
    }
    assert_eq!(server.requests_to("/token").len(), 1);
}

#[test]
fn a_token_given_as_a_source_is_refused_and_not_repeated() {
    let (home, server) = (Home::new(), server(ANSWER));
    for flag in ["--subject-token", "--actor-token"] {
        let arguments = ["--grant", "token-exchange", "--subject-token", "env:S", flag, JWT];
        run(&mut login(&home, &server, &arguments))
            .expect_error(2)
            .does_not_say("eyJ");
    }
    for arguments in [
        ["--grant", "jwt-bearer", "--assertion", JWT],
        ["--client-id", "c", "--client-assertion", JWT],
    ] {
        run(&mut login(&home, &server, &arguments))
            .expect_error(2)
            .does_not_say("eyJ");
    }
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn flags_of_another_grant_and_missing_sources_are_refused_before_any_request() {
    let (home, server) = (Home::new(), server(ANSWER));
    for (arguments, part) in [
        (&["--grant", "jwt-bearer"][..], "there is no assertion"),
        (&["--grant", "token-exchange"][..], "there is no subject token"),
        (
            &["--grant", "id-jag", "--client-id", "c"][..],
            "there is no identity provider",
        ),
        (
            &[
                "--grant",
                "jwt-bearer",
                "--assertion",
                "env:A",
                "--subject-token",
                "env:A",
            ][..],
            "--grant token-exchange",
        ),
        (&["--client-id", "c", "--assertion", "env:A"][..], "--grant jwt-bearer"),
        (
            &["--grant", "jwt-bearer", "--assertion", "env:A", "--paste"][..],
            "--paste",
        ),
    ] {
        let outcome = run(&mut login(&home, &server, arguments)).expect_error(2);
        assert!(outcome.stderr.contains(part), "{arguments:?}: {outcome:?}");
    }
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn a_source_that_fails_is_2_at_a_login_and_4_later_and_a_valid_token_is_still_printed() {
    let (home, server) = (Home::new(), server(ANSWER));
    let source = write(&home, "assertion", JWT);
    run(&mut jwt_bearer(&home, &server, &source)).expect_code(0);
    std::fs::remove_file(home.path().join("assertion")).expect("removing the file");
    let session = home.kept("ci").expect("the session");
    home.keep("ci", &ending_in(20, session));
    let outcome = run(token(&home).args(["--min-ttl", "60s"]));
    assert_printed(&outcome, "first");
    outcome.says(&["the old token is still valid and is used"]);
    run(token(&home).arg("--force-refresh")).expect_error(4);
    expire(&home, "ci");
    run(&mut token(&home)).expect_error(4).says(&["assertion"]);
    run(home.oauth().args(["login", "ci"])).expect_error(2);
    run(token(&home).env("OAUTH_STORE", "none")).expect_error(4);
    assert_eq!(server.requests_to("/token").len(), 1);
}

/// The ID token service of GitHub Actions.
#[test]
fn github_actions_gives_an_id_token_for_the_audience() {
    let (home, server, github) = (Home::new(), server(ANSWER), LiteralServer::start());
    github.on(
        "GET",
        "/token",
        json(200, &format!(r#"{{"count":1857,"value":"{JWT}"}}"#)),
    );
    let url = format!("{}?api-version=2.0", github.url("/token"));
    let mut command = jwt_bearer(&home, &server, "github-actions:https://as.example/a b");
    command
        .env("ACTIONS_ID_TOKEN_REQUEST_URL", &url)
        .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "request-token-canary");
    let outcome = run(command.args(["-vvv"])).expect_code(0);
    outcome.does_not_say("request-token-canary").does_not_say(JWT);
    let request = github.only_request_to("/token");
    assert_eq!(request.header("authorization"), Some("Bearer request-token-canary"));
    assert!(
        request
            .target
            .ends_with("?api-version=2.0&audience=https%3A%2F%2Fas.example%2Fa+b"),
        "{}",
        request.target
    );
    assert_eq!(assertion_sent(&server), JWT);

    let other = Home::new();
    let outcome = run(&mut jwt_bearer(&other, &server, "github-actions")).expect_error(2);
    assert!(outcome.hints().contains("id-token: write"), "{outcome:?}");
    for (url, code) in [
        ("http://actions.example/token", 2),
        ("ftp://127.0.0.1/", 2),
        ("http://127.0.0.1:9/x", 3),
    ] {
        let mut command = jwt_bearer(&other, &server, "github-actions");
        command
            .env("ACTIONS_ID_TOKEN_REQUEST_URL", url)
            .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "t");
        run(&mut command).expect_error(code);
    }
}

/// The metadata server of Google Cloud.
#[test]
fn gcp_asks_the_metadata_server_past_every_proxy_and_redirect() {
    let (home, server, google) = (Home::new(), server(ANSWER), LiteralServer::start());
    const PATH: &str = "/computeMetadata/v1/instance/service-accounts/default/identity";
    let identity = |body: &str| Reply::http(200, &["Metadata-Flavor: Google"], body);
    google.on("GET", PATH, identity(JWT));
    let host = google.origin().trim_start_matches("http://").to_owned();
    let gcp = |home: &Home, host: &str| {
        let mut command = jwt_bearer(home, &server, "gcp://iam.googleapis.com/x");
        command
            .env("GCE_METADATA_HOST", host)
            .env("http_proxy", "http://127.0.0.1:9")
            .env("ALL_PROXY", "http://127.0.0.1:9");
        command
    };
    run(&mut gcp(&home, &host)).expect_code(0);
    let request = google.only_request_to(PATH);
    assert_eq!(request.header("metadata-flavor"), Some("Google"));
    assert!(
        request
            .target
            .ends_with("?audience=%2F%2Fiam.googleapis.com%2Fx&format=full"),
        "{}",
        request.target
    );
    assert_eq!(assertion_sent(&server), JWT);
    // The service fails: later it may work.
    expire(&home, "ci");
    google.on("GET", PATH, json(503, "{}"));
    run(token(&home).env("GCE_METADATA_HOST", &host)).expect_error(3);
    // Another service at that address, a redirect, another host.
    let other = Home::new();
    google.on("GET", PATH, Reply::http(200, &[], JWT));
    run(&mut gcp(&other, &host)).expect_error(3).says(&["Metadata-Flavor"]);
    google.on("GET", PATH, redirect(302, &server.url("/token")));
    assert_ne!(run(&mut gcp(&other, &host)).code, Some(0));
    for elsewhere in [
        "metadata.example",
        "192.0.2.1",
        "10.0.0.1:80",
        "127.0.0.1/x",
        "a@127.0.0.1",
    ] {
        run(&mut gcp(&other, elsewhere)).expect_error(2);
    }
    assert_eq!(server.requests_to("/token").len(), 1);
}

/// The three ways to an identity in Azure.
#[test]
fn azure_takes_the_federated_file_first_then_the_platform_then_the_machine() {
    let (home, server, azure) = (Home::new(), server(ANSWER), LiteralServer::start());
    azure.on(
        "GET",
        "/msi/token",
        json(200, &format!(r#"{{"access_token":"{JWT}","expires_in":"3600"}}"#)),
    );
    let endpoint = azure.url("/msi/token");
    let mut command = jwt_bearer(&home, &server, "azure:api://x");
    command
        .env("IDENTITY_ENDPOINT", &endpoint)
        .env("IDENTITY_HEADER", "identity-header-canary")
        .env("AZURE_CLIENT_ID", "5678")
        .env("http_proxy", "http://127.0.0.1:9");
    let outcome = run(command.arg("-vvv")).expect_code(0);
    outcome.does_not_say("identity-header-canary").does_not_say(JWT);
    let request = azure.only_request_to("/msi/token");
    assert_eq!(request.header("x-identity-header"), Some("identity-header-canary"));
    assert!(
        request
            .target
            .ends_with("?api-version=2019-08-01&resource=api%3A%2F%2Fx&client_id=5678"),
        "{}",
        request.target
    );
    let path = home.path().join("federated");
    std::fs::write(&path, "from.the.file").expect("the file");
    run(command.env("AZURE_FEDERATED_TOKEN_FILE", &path)).expect_code(0);
    assert_eq!(assertion_sent(&server), "from.the.file");
    assert_eq!(azure.requests().len(), 1);
    let other = Home::new();
    let mut command = jwt_bearer(&other, &server, "azure");
    command
        .env("IDENTITY_ENDPOINT", "http://id.example/")
        .env("IDENTITY_HEADER", "h");
    run(&mut command).expect_error(2);
}

#[cfg(unix)]
#[test]
fn a_projected_token_of_kubernetes_is_read_through_its_links_each_time() {
    use std::os::unix::fs::symlink;
    let (home, server) = (Home::new(), server(ANSWER));
    let volume = home.path().join("serviceaccount");
    std::fs::create_dir_all(volume.join("..2026_01")).expect("the volume");
    std::fs::write(volume.join("..2026_01/token"), JWT).expect("the token");
    symlink("..2026_01", volume.join("..data")).expect("a link");
    symlink("..data/token", volume.join("token")).expect("a link");
    let source = format!("file:{}", volume.join("token").display());
    run(&mut jwt_bearer(&home, &server, &source)).expect_code(0);
    assert_eq!(assertion_sent(&server), JWT);
    // The kubelet writes the next token beside it, and turns the link.
    for (folder, token) in [("..2026_02", "second.of.them"), ("..2026_03", "third.of.them")] {
        std::fs::create_dir(volume.join(folder)).expect("the next volume");
        std::fs::write(volume.join(folder).join("token"), token).expect("the next token");
        symlink(folder, volume.join("..data_tmp")).expect("a link");
        std::fs::rename(volume.join("..data_tmp"), volume.join("..data")).expect("turning the link");
        expire(&home, "ci");
        run(&mut self::token(&home)).expect_code(0);
        assert_eq!(assertion_sent(&server), token);
    }
    // Where there is no service account, its usual place is named.
    let other = Home::new();
    let outcome = run(&mut jwt_bearer(&other, &server, "kubernetes")).expect_error(2);
    assert!(outcome.stderr.contains("from kubernetes"), "{outcome:?}");
}

#[test]
fn a_token_of_another_session_is_fresh_and_goes_only_where_it_may() {
    let (home, server, other) = (Home::new(), server(ANSWER), self::server(NEXT));
    let mut source = refreshable(&other.origin());
    source.id_token = Some(Secret::from(JWT));
    home.keep("src", &ending_in(-10, source));
    run(&mut jwt_bearer(&home, &server, "profile:src")).expect_code(0);
    assert_eq!(assertion_sent(&server), "next", "refreshed first");
    assert_eq!(other.requests_to("/token").len(), 1);
    // Its refresh token goes to its own server alone.
    let exchange = |issuer: &str| {
        let mut command = home.oauth();
        command.args(["login", "-p", "x", "--issuer", issuer, "--no-save"]);
        command.args(["--grant", "token-exchange", "--subject-token", "profile:src:refresh"]);
        command
    };
    run(&mut exchange(&server.origin()))
        .expect_error(2)
        .says(&["its own authorization server only"]);
    other.on("POST", "/token", json(200, EXCHANGED));
    run(&mut exchange(&other.origin())).expect_code(0);
    let requests = other.requests_to("/token");
    assert!(
        requests[1]
            .body_text()
            .contains(&format!("subject_token_type={TYPE}refresh_token"))
    );
    assert_eq!(server.requests_to("/token").len(), 1);
    // The secret in the environment is of this client, not of that one.
    expire(&home, "src");
    let mut command = home.oauth();
    let issuer = server.origin();
    command.args(["login", "-p", "y", "--issuer", &issuer, "--client-id", "c", "--no-save"]);
    command.args(["--grant", "jwt-bearer", "--assertion", "profile:src"]);
    other.on("POST", "/token", json(200, NEXT));
    run(command.env("OAUTH_CLIENT_SECRET", "secret-of-ours")).expect_code(0);
    let last = other.requests_to("/token").pop().expect("a refresh");
    assert!(!last.body_text().contains("secret-of-ours") && last.header("authorization").is_none());
}

#[test]
fn profiles_that_take_tokens_from_each_other_are_refused_before_anything_is_asked() {
    let (home, server) = (Home::new(), server(ANSWER));
    let origin = server.origin();
    let profile = |name: &str, from: &str| {
        format!("[profile.{name}]\nissuer = \"{origin}\"\ngrant = \"jwt-bearer\"\nassertion = \"profile:{from}\"\n")
    };
    home.configure(&(profile("ci", "b") + &profile("b", "c") + &profile("c", "ci")));
    for name in ["ci", "b", "c"] {
        home.keep(
            name,
            &ending_in(-10, repeating(&origin, &format!("profile:{}", next_of(name)))),
        );
        let outcome = run(home.oauth().args(["token", name])).expect_error(2);
        assert!(outcome.stderr.contains("in a circle"), "{outcome:?}");
    }
    run(home.oauth().args(["login", "ci"])).expect_error(2);
    assert_eq!(server.requests().len(), 0);
    // By the sessions alone, too.
    let unsaved = Home::new();
    for name in ["ci", "b", "c"] {
        unsaved.keep(
            name,
            &ending_in(-10, repeating(&origin, &format!("profile:{}", next_of(name)))),
        );
    }
    run(&mut token(&unsaved)).expect_error(2).says(&["in a circle"]);
}

fn next_of(name: &str) -> &'static str {
    match name {
        "ci" => "b",
        "b" => "c",
        _ => "ci",
    }
}

/// A session that an assertion of this source renews.
fn repeating(issuer: &str, source: &str) -> oauth::store::Session {
    oauth::store::Session {
        renewal: Renewal::JwtBearer {
            assertion: source.parse().expect("a source"),
        },
        ..session(issuer)
    }
}

#[test]
fn a_bound_token_is_no_source() {
    let (home, server) = (Home::new(), server(ANSWER));
    let mut bound = session(&server.origin());
    bound.tokens[0].token_type = "DPoP".to_owned();
    home.keep("src", &bound);
    run(&mut jwt_bearer(&home, &server, "profile:src"))
        .expect_error(2)
        .says(&["DPoP"]);
}

#[test]
fn an_assertion_of_somebody_else_authenticates_the_client_of_every_grant() {
    let (home, server) = (Home::new(), server(ANSWER));
    let source = write(&home, "svid", JWT);
    let arguments = [
        "--grant",
        "client-credentials",
        "--client-id",
        "c",
        "--client-assertion",
        &source,
    ];
    run(&mut login(&home, &server, &arguments)).expect_code(0);
    const PROOF: &str = "client_id=c&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=";
    let request = server.only_request_to("/token");
    assert_eq!(
        request.body_text(),
        format!("grant_type=client_credentials&{PROOF}{JWT}")
    );
    write(&home, "svid", "next.of.it");
    expire(&home, "ci");
    run(&mut token(&home)).expect_code(0);
    let renewed = server.requests_to("/token").pop().expect("the renewal");
    assert_eq!(
        renewed.body_text(),
        format!("grant_type=client_credentials&{PROOF}next.of.it")
    );
    // in the other quotes where a path has backslashes
    let kept = home.configuration().replace('\'', "\"");
    assert!(kept.contains("client_assertion = \"file:"), "{kept}");

    // A refresh of a session that a person began, too.
    let mut by_person = refreshable(&server.origin());
    by_person.client.method = oauth::protocol::client::ClientAuthenticationMethod::PrivateKeyJwt;
    by_person.client.assertion_source = Some(source.parse().expect("a source"));
    home.keep("person", &ending_in(-10, by_person));
    run(home.oauth().args(["token", "person"])).expect_code(0);
    let refresh = server.requests_to("/token").pop().expect("the refresh");
    assert!(
        refresh.body_text().contains("client_assertion=next.of.it"),
        "{}",
        refresh.body_text()
    );
}

#[test]
fn secrets_of_the_sources_are_nowhere_but_in_the_request() {
    let (home, server) = (Home::new(), server(EXCHANGED));
    const CANARIES: [&str; 3] = ["canary-subject-token", "canary-actor-token", "canary-client-assertion"];
    let trace = home.path().join("trace.har");
    let arguments = [
        "--grant",
        "token-exchange",
        "--client-id",
        "c",
        "--subject-token",
        "env:S",
        "--actor-token",
        "env:A",
        "--client-assertion",
        "env:C",
        "-vvv",
        "--trace",
        trace.to_str().expect("a path"),
    ];
    let mut command = login(&home, &server, &arguments);
    command
        .env("S", CANARIES[0])
        .env("A", CANARIES[1])
        .env("C", CANARIES[2]);
    let outcome = run(&mut command).expect_code(0);
    let request = server.only_request_to("/token");
    let sent = request.body_text();
    for canary in CANARIES {
        assert!(sent.contains(canary), "{sent}");
        outcome.does_not_say(canary);
        for file in home.files() {
            let content = std::fs::read(&file).expect("a file");
            let is_there = content.windows(canary.len()).any(|part| part == canary.as_bytes());
            assert!(!is_there, "{canary} in {}", file.display());
        }
        assert!(!home.kept("ci").expect("the session").encode().expose().contains(canary));
    }
}

const ID_JAG: &str = "urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aid-jag";

/// An unsigned assertion for this audience; nobody here looks at its signature.
fn identity_assertion(audience: &str, number: u32) -> String {
    let encode = |text: &str| base64_url(text.as_bytes());
    let header = encode(r#"{"alg":"ES256","typ":"oauth-id-jag+jwt"}"#);
    let claims = encode(&format!(r#"{{"aud":"{audience}","jti":"{number}"}}"#));
    format!("{header}.{claims}.c2ln")
}

fn base64_url(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

fn assertion_answer(assertion: &str) -> Reply {
    let body = format!(
        r#"{{"access_token":"{assertion}","issued_token_type":"urn:ietf:params:oauth:token-type:id-jag","token_type":"N_A","expires_in":300}}"#
    );
    json(200, &body)
}

/// A session at an identity provider with this ID token.
fn identity_session(issuer: &str, id_token: Option<&str>) -> oauth::store::Session {
    let mut session = refreshable(issuer);
    session.id_token = id_token.map(Secret::from);
    session.requested.scope = super::support::sessions::scope("openid");
    session
}

/// An ID token that is valid until 2099.
fn living_id_token() -> String {
    let encode = |text: &str| base64_url(text.as_bytes());
    format!(
        "{}.{}.c2ln",
        encode(r#"{"alg":"RS256"}"#),
        encode(r#"{"sub":"a","exp":4070908800}"#)
    )
}

fn id_jag(home: &Home, server: &LiteralServer) -> Command {
    login(
        home,
        server,
        &[
            "--grant",
            "id-jag",
            "--client-id",
            "app",
            "--from",
            "idp",
            "--scope",
            "chat.read",
            "--resource",
            "https://api.example/",
        ],
    )
}

#[test]
fn an_identity_assertion_takes_two_requests_and_no_browser() {
    let (home, server, provider) = (Home::new(), server(ANSWER), self::server(ANSWER));
    let assertion = identity_assertion(&server.origin(), 1);
    provider.on("POST", "/token", assertion_answer(&assertion));
    let id_token = living_id_token();
    home.keep("idp", &identity_session(&provider.origin(), Some(&id_token)));
    let mut command = id_jag(&home, &server);
    let outcome = run(command.env("OAUTH_CLIENT_SECRET", "secret-of-the-app").arg("-vvv")).expect_code(0);
    outcome.does_not_say(&assertion).does_not_say(&id_token);
    let audience = server.origin().replace(':', "%3A").replace('/', "%2F");
    let asked = provider.only_request_to("/token");
    assert_eq!(
        asked.body_text(),
        format!(
            "grant_type={EXCHANGE}&subject_token={id_token}&subject_token_type={TYPE}id_token&client_id=desktop&requested_token_type={ID_JAG}&scope=chat.read&resource=https%3A%2F%2Fapi.example%2F&audience={audience}"
        )
    );
    assert_eq!(asked.header("authorization"), None, "the secret is of the other client");
    let presented = server.only_request_to("/token");
    assert_eq!(
        presented.body_text(),
        format!("grant_type={BEARER}&assertion={assertion}&scope=chat.read&resource=https%3A%2F%2Fapi.example%2F")
    );
    assert!(
        presented
            .header("authorization")
            .is_some_and(|header| header.starts_with("Basic "))
    );
    assert_printed(&run(&mut token(&home)), "first");

    // The next token in the same way, with an assertion of its own.
    expire(&home, "ci");
    provider.on(
        "POST",
        "/token",
        assertion_answer(&identity_assertion(&server.origin(), 2)),
    );
    server.on("POST", "/token", json(200, NEXT));
    let processes: Vec<Child> = (0..5).map(|_| start(token(&home))).collect();
    for outcome in processes.into_iter().map(finish) {
        assert_printed(&outcome, "next");
    }
    assert_eq!(
        (provider.requests_to("/token").len(), server.requests_to("/token").len()),
        (2, 2)
    );
    assert_eq!(assertion_sent(&server), identity_assertion(&server.origin(), 2));
}

#[test]
fn without_a_living_id_token_the_session_is_refreshed_or_its_refresh_token_stands_for_the_person() {
    let (home, server, provider) = (Home::new(), server(ANSWER), self::server(ANSWER));
    let assertion = assertion_answer(&identity_assertion(&server.origin(), 1));
    // The refresh brings no ID token.
    provider.on_each("POST", "/token", vec![json(200, NEXT), assertion]);
    home.keep("idp", &ending_in(-10, identity_session(&provider.origin(), None)));
    run(&mut id_jag(&home, &server)).expect_code(0);
    let requests = provider.requests_to("/token");
    assert!(requests[0].body_text().starts_with("grant_type=refresh_token&"));
    assert!(
        requests[1].body_text().contains(&format!(
            "subject_token=kept-refresh-token-91d2&subject_token_type={TYPE}refresh_token"
        )),
        "{}",
        requests[1].body_text()
    );
}

#[test]
fn an_assertion_for_another_server_or_of_another_kind_is_sent_to_nobody() {
    let (home, server, provider) = (Home::new(), server(ANSWER), self::server(ANSWER));
    home.keep("idp", &identity_session(&provider.origin(), Some(&living_id_token())));
    for (answer, code) in [
        (assertion_answer(&identity_assertion("https://other.example", 1)), 6),
        (assertion_answer("opaque"), 6),
        (json(200, EXCHANGED), 6),
        (json(400, r#"{"error":"invalid_target"}"#), 5),
        (json(503, "{}"), 3),
    ] {
        provider.on("POST", "/token", answer);
        run(&mut id_jag(&home, &server)).expect_error(code);
        assert!(home.kept("ci").is_none());
    }
    assert_eq!(server.requests_to("/token").len(), 0);
}
