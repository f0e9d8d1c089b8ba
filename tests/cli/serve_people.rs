//! What `oauth serve` shows to people: on its pages which client asks, and on
//! its terminal what was looked for and how to log in.

use super::support::binary::Home;
use super::support::callback::{authority, get_url, post};
use super::support::development_server::{CHALLENGE, DevelopmentServer};
use super::support::outcome::run;
use super::support::plain_browser::{PlainBrowser, PlainPage};
use super::support::running::Running;
use serde_json::{Value, json};
use url::Url;

/// Text that would lead, if a page believed it.
const HOSTILE: &str = "<b>Your Bank</b>\"'\u{202e}\n of everybody";

const CLAIM: &str = "the name is its own claim";

/// Registers a client, and gives its id.
fn register(server: &DevelopmentServer, name: &str) -> String {
    let request = json!({
        "client_name": name,
        "application_type": "native",
        "redirect_uris": ["http://127.0.0.1:4711/callback"],
        "token_endpoint_auth_method": "none",
    });
    let url = Url::parse(&server.issuer()).expect("a URL");
    let headers = ["Content-Type: application/json"];
    let answer = post(&authority(&url), "/register", &headers, &request.to_string()).expect("an answer");
    let client: Value = serde_json::from_str(&answer.body_text()).expect("JSON");
    client["client_id"].as_str().expect("an id").to_owned()
}

/// The sign-in page and the consent page for a request of this client.
fn pages(server: &DevelopmentServer, client: &str) -> [PlainPage; 2] {
    let url = format!(
        "{}/authorize?response_type=code&client_id={client}&redirect_uri=http%3A%2F%2F127.0.0.1%3A4711%2Fcallback\
         &state=x&code_challenge={CHALLENGE}&code_challenge_method=S256",
        server.issuer()
    );
    both_pages(&url)
}

fn both_pages(url: &str) -> [PlainPage; 2] {
    let mut browser = PlainBrowser::new();
    let sign_in = browser.go_to(url).page();
    let fields = [("username", "demo"), ("password", "demo"), ("decision", "sign-in")];
    let consent = browser.submit(&sign_in, &fields).page();
    assert!(consent.html.contains("Allow <bdi>"), "{}", consent.html);
    [sign_in, consent]
}

#[test]
fn a_client_that_registered_itself_is_shown_by_its_name_as_its_own_claim_and_by_its_id() {
    let server = DevelopmentServer::start(&[]);
    let client = register(&server, "Notes");
    for page in pages(&server, &client) {
        for part in ["<bdi>Notes</bdi>", &format!("<code>{client}</code>"), CLAIM] {
            assert!(page.html.contains(part), "{part}: {}", page.html);
        }
    }
    // also where the request was pushed, which shows nothing in the browser's address
    let home = Home::new();
    let mut command = home.oauth();
    command.args(["login", &format!("{}/api", server.issuer()), "--no-browser"]);
    let running = Running::start(&mut command);
    let url = running.authorization_url();
    assert!(url.contains("request_uri="), "{url}");
    for page in both_pages(&url) {
        assert!(
            page.html.contains("<bdi>oauth</bdi>") && page.html.contains(CLAIM),
            "{}",
            page.html
        );
    }
    drop(running);
}

#[test]
fn the_name_of_a_client_is_hostile_text() {
    let server = DevelopmentServer::start(&[]);
    let client = register(&server, HOSTILE);
    for page in pages(&server, &client) {
        assert!(page.html.contains("<bdi>&lt;b&gt;Your Bank&lt;/b&gt;"), "{}", page.html);
        assert!(
            !page.html.contains("<b>") && !page.html.contains('\u{202e}'),
            "{}",
            page.html
        );
    }
    let client = register(&server, &"é".repeat(300));
    for page in pages(&server, &client) {
        assert!(
            page.html.contains(&format!("<bdi>{}…</bdi>", "é".repeat(60))),
            "{}",
            page.html
        );
    }
    // nothing to read is no name
    let client = register(&server, "\u{200b} ");
    for page in pages(&server, &client) {
        assert!(page.html.contains(&format!("<bdi>{client}</bdi>")), "{}", page.html);
        assert!(!page.html.contains(CLAIM), "{}", page.html);
    }
}

#[test]
fn a_name_that_the_operator_gave_is_no_claim_and_a_client_without_one_has_its_id() {
    let home = Home::new();
    let file = home.path().join("client.json");
    std::fs::write(
        &file,
        r#"{"client_id":"c1","client_name":"Payroll","token_endpoint_auth_method":"none"}"#,
    )
    .expect("the client");
    let file = file.display().to_string();
    let server = DevelopmentServer::start(&["--client-metadata", &file, "--client", "plain"]);
    for page in pages(&server, "c1") {
        assert!(
            page.html.contains("<bdi>Payroll</bdi>") && page.html.contains("<code>c1</code>"),
            "{}",
            page.html
        );
        assert!(!page.html.contains(CLAIM), "{}", page.html);
    }
    for page in pages(&server, "plain") {
        assert!(
            page.html.contains("<bdi>plain</bdi>") && !page.html.contains(CLAIM),
            "{}",
            page.html
        );
        assert!(!page.html.contains("class=\"note identity\""), "{}", page.html);
    }
}

#[test]
fn what_a_login_by_url_looks_for_is_logged_as_what_it_is() {
    let (home, server) = (Home::new(), DevelopmentServer::start(&["--approve", "auto"]));
    let mut command = home.oauth();
    command.args(["login", &format!("{}/api", server.issuer()), "--no-browser"]);
    let running = Running::start(&mut command);
    let back = PlainBrowser::new().go_to(&running.authorization_url()).elsewhere();
    let _ = get_url(back.as_str());
    running.end().expect_code(0);
    let log = server.whole_log();
    let missing: Vec<&str> = log.lines().filter(|line| line.contains(" 404 ")).collect();
    assert_eq!(missing.len(), 6, "{log}");
    assert!(missing.iter().all(|line| line.contains(" 404 not served: ")), "{log}");
    // another path is still a mistake
    let _ = get_url(&format!("{}/tokn", server.issuer()));
    server.wait_for_log(&["GET /tokn 404 there is nothing at this path"]);
}

#[test]
fn the_command_to_log_in_names_the_files_that_are_known_and_works() {
    let home = Home::new();
    let secret = home.path().join("a secret");
    std::fs::write(&secret, "secret-of-the-client").expect("the secret");
    let client = format!("svc:{}", secret.display());
    let server = DevelopmentServer::start(&["--approve", "auto", "--client", &client]);
    server.wait_for_log(&["log in with: oauth login "]);
    let log = server.log();
    let line = log
        .lines()
        .find_map(|line| line.split_once("log in with: oauth "))
        .expect("a command");
    let words = shell_words::split(line.1).expect("words");
    assert!(words.contains(&secret.display().to_string()), "{words:?}");
    run(home.oauth().args(&words)).expect_code(0);
    run(home.oauth().args(["token"])).expect_code(0);
}

#[test]
fn the_commands_for_the_api_are_printed_and_work() {
    let home = Home::new();
    let server = DevelopmentServer::start(&["--approve", "auto"]);
    server.wait_for_log(&["log in with: oauth login "]);
    let log = server.log();
    let (of_api, of_issuer) = log.split_once("log in with: oauth ").expect("a login");
    assert!(of_api.contains("and then: oauth request"), "the API is first: {log}");
    let (_, commands) = log
        .split_once("to call its API, log in to it: oauth ")
        .expect("commands");
    let (login, request) = commands.split_once("and then: oauth ").expect("two");
    let words = |command: &str| shell_words::split(command.lines().next().unwrap_or_default()).expect("words");
    for login in [login, of_issuer] {
        let mut command = home.oauth();
        command.args(words(login)).arg("--no-browser");
        let running = Running::start(&mut command);
        let back = PlainBrowser::new().go_to(&running.authorization_url()).elsewhere();
        // the page that comes back is not this test's concern
        let _ = get_url(back.as_str());
        running.end().expect_code(0);
    }
    run(home.oauth().args(words(request))).expect_code(0);
    let status = run(home.oauth().arg("status")).expect_code(0).stdout;
    assert!(status.contains("demo") && status.contains("openid hello"), "{status}");
}

#[test]
fn whose_word_the_name_is_stands_between_the_name_and_what_it_asks_for() {
    let server = DevelopmentServer::start(&[]);
    let client = register(&server, "Your Bank");
    for page in pages(&server, &client) {
        let at = |text: &str| {
            page.html
                .find(text)
                .unwrap_or_else(|| panic!("{text} in {}", page.html))
        };
        assert!(
            at("<bdi>Your Bank</bdi>") < at(CLAIM) && at(CLAIM) < at("<form"),
            "{}",
            page.html
        );
    }
}
