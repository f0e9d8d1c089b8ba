//! `oauth login` that asks: each path of its questions at a pseudo-terminal,
//! and the command that it prints, which gives the same session.

use super::support::binary::Home;
use super::support::callback;
use super::support::development_server::DevelopmentServer;
use super::support::https_server::Stage;
use super::support::literal_server::{LiteralServer, json};
use super::support::outcome::{run, run_with_input};
use super::support::plain_browser::PlainBrowser;
use super::support::running::Running;
use super::support::terminal::Terminal;
use serde_json::{Value, json as value};
use std::process::{Child, Command};

const WHERE: &str = "Where do you want to log in?";
const WAY: &str = "How do you want to sign in?";
const CLIENT_ID: &str = "Client ID";
const REGISTER: &str = "(Enter: register one):";
const SECRET: &str = "The file with the client's secret;";
const SCOPES: &str = "Their numbers or names";
const STORE: &str = "Where is the session to be kept?";
const NAME: &str = "A name for this login";
const COMMAND: &str = "The same without questions:";

/// A wizard at a terminal wide enough for every line.
struct Wizard {
    terminal: Terminal,
    child: Child,
    shown: String,
}

impl Wizard {
    fn start(command: &mut Command) -> Self {
        Wizard::start_on(2000, command)
    }

    /// On a terminal of so many columns.
    fn start_on(columns: u16, command: &mut Command) -> Self {
        let terminal = Terminal::with_columns(columns);
        let child = terminal.start(command);
        Wizard {
            terminal,
            child,
            shown: String::new(),
        }
    }

    /// Waits for the question and the mark behind it, and types this.
    #[track_caller]
    fn answers(&mut self, question: &str, answer: &str) {
        let asked = |shown: &str| shown.rsplit_once(question).is_some_and(|(_, rest)| rest.contains("> "));
        let before = self.shown.len();
        while !asked(&self.shown[before..]) {
            self.shown += &self.terminal.screen_until("> ");
        }
        self.terminal.types(&format!("{answer}\r"));
    }

    /// Signs in at the URL that is printed.
    fn signs_in(&mut self) {
        let is_request = |line: &str| line.contains("code_challenge=") || line.contains("request_uri=");
        let is_url = |line: &&str| line.trim().starts_with("http://") && is_request(line);
        loop {
            let lines = self.shown.replace('\r', "");
            if let Some(url) = lines
                .split_inclusive('\n')
                .filter(|line| line.ends_with('\n'))
                .find(is_url)
            {
                let back = PlainBrowser::new().go_to(url.trim()).elsewhere();
                // the page that comes back is not this test's concern
                let _ = callback::get_url(back.as_str());
                return;
            }
            self.shown += &self.terminal.screen_until("\n");
        }
    }

    /// Waits for its end; what was shown.
    #[track_caller]
    fn ends(mut self, code: i32) -> String {
        let status = self.child.wait().expect("its end");
        let shown = self.shown + &self.terminal.last_screen();
        assert_eq!(status.code(), Some(code), "{shown}");
        shown.replace('\r', "")
    }
}

/// The words of the command that was printed, without `oauth`.
#[track_caller]
fn printed_command(shown: &str) -> Vec<String> {
    let line = shown.split_once(COMMAND).expect("the command").1.trim().lines().next();
    let mut words = shell_words::split(line.expect("the command")).expect("words of a shell");
    assert_eq!(words.remove(0), "oauth", "{shown}");
    words
}

/// `oauth` where no store is chosen; there is no keyring in this environment.
fn oauth(home: &Home) -> Command {
    let mut command = home.oauth();
    command.env_remove("OAUTH_STORE");
    command
}

/// Runs a login to its end, signing in where it says.
#[track_caller]
fn log_in(command: &mut Command) {
    let running = Running::start(command);
    let back = PlainBrowser::new().go_to(&running.authorization_url()).elsewhere();
    let _ = callback::get_url(back.as_str());
    running.end().expect_code(0);
}

/// What `status` says of the sessions, but for when they end.
fn sessions(home: &Home) -> Vec<Value> {
    let outcome = run(oauth(home).args(["status", "--json"])).expect_code(0);
    let mut sessions: Vec<Value> = serde_json::from_str(&outcome.stdout).expect("JSON");
    for session in &mut sessions {
        let members = session.as_object_mut().expect("an object");
        members.remove("expires_at");
        members.remove("expires_in");
    }
    sessions
}

#[test]
fn a_login_with_nothing_saved_asks_and_prints_the_command_that_gives_the_same_session() {
    let server = DevelopmentServer::start(&["--approve", "auto"]);
    let home = Home::new();
    let mut wizard = Wizard::start(oauth(&home).args(["login", "--no-browser"]));
    wizard.answers(WHERE, &server.authority);
    wizard.answers(WAY, "");
    wizard.answers(CLIENT_ID, "oauth-cli");
    wizard.answers(SECRET, "");
    wizard.answers(SCOPES, "openid hello");
    wizard.answers(STORE, "1");
    wizard.answers(NAME, "dev");
    wizard.signs_in();
    let shown = wizard.ends(0);
    let words = printed_command(&shown);
    let issuer = server.issuer();
    assert_eq!(
        words,
        [
            "login",
            "--no-browser",
            &issuer,
            "--client-id",
            "oauth-cli",
            "--scope",
            "openid hello",
            "--store",
            "file",
            "--profile",
            "dev"
        ]
    );
    let kept = sessions(&home);
    assert_eq!(kept[0]["profile"], "dev");
    assert_eq!(kept[0]["scope"], "openid hello", "{kept:?}");
    let again = Home::new();
    log_in(oauth(&again).args(&words));
    assert_eq!(sessions(&again), kept);
    // something is saved now, and no login asks any more
    let running = Running::start(oauth(&home).args(["login", "--no-browser"]));
    running.authorization_url();
}

#[test]
fn a_choice_that_is_longer_than_a_row_goes_on_in_its_column() {
    let server = DevelopmentServer::start(&["--approve", "auto"]);
    let home = Home::new();
    let mut wizard = Wizard::start_on(60, oauth(&home).args(["login", "--no-browser"]));
    wizard.answers(WHERE, &server.authority);
    wizard.answers(WAY, "");
    wizard.answers(CLIENT_ID, "oauth-cli");
    wizard.answers(SECRET, "");
    wizard.answers(SCOPES, "");
    wizard.answers(STORE, "\u{4}");
    let shown = wizard.ends(2);
    let rows = shown
        .split_once(STORE)
        .expect("the question")
        .1
        .lines()
        .map(str::trim_end);
    let choices: Vec<&str> = rows.skip(1).take_while(|row| !row.starts_with("Choose")).collect();
    assert!(choices.len() > 2, "{shown}");
    assert!(choices[1].starts_with("   2 in the keyring"), "{shown}");
    assert!(choices[2..].iter().all(|row| row.rfind("     ") == Some(0)), "{shown}");
}

#[test]
fn the_scopes_that_most_logins_want_and_the_name_of_the_server_are_the_default() {
    let server = DevelopmentServer::start(&["--approve", "auto"]);
    let home = Home::new();
    let mut wizard = Wizard::start(home.oauth().args(["login", "--wizard", "--no-browser"]));
    wizard.answers(WHERE, &server.issuer());
    wizard.answers(WAY, "1");
    wizard.answers(CLIENT_ID, "oauth-cli");
    wizard.answers(SECRET, "");
    wizard.answers(SCOPES, "");
    wizard.answers(NAME, "");
    wizard.signs_in();
    let words = printed_command(&wizard.ends(0));
    let issuer = server.issuer();
    assert_eq!(
        words[..5],
        ["login", "--no-browser", &issuer, "--client-id", "oauth-cli"]
    );
    assert!(
        words.iter().any(|word| word.split(' ').any(|scope| scope == "openid")),
        "{words:?}"
    );
    assert_eq!(
        sessions(&home)[0]["profile"],
        server.authority.replace(':', "-"),
        "OAUTH_STORE chooses the store, and nobody is asked"
    );
}

#[test]
fn a_client_that_speaks_for_itself_types_its_secret_unseen() {
    let home = Home::new();
    let secret = home.path().join("secret");
    std::fs::write(&secret, "s3cr3t-of-ci-91c").expect("the secret");
    let server = DevelopmentServer::start(&["--client", &format!("ci:{}", secret.display())]);
    let mut wizard = Wizard::start(home.oauth().args(["login"]));
    wizard.answers(WHERE, &server.issuer());
    wizard.answers(WAY, "3");
    wizard.answers(CLIENT_ID, "ci");
    wizard.answers("needs its secret", "-");
    wizard.answers(SCOPES, "-");
    wizard.answers(NAME, "ci");
    wizard.shown += &wizard.terminal.screen_until("then Enter:");
    wizard.terminal.types("s3cr3t-of-ci-91c\r");
    let shown = wizard.ends(0);
    assert!(!shown.contains("s3cr3t"), "{shown}");
    let words = printed_command(&shown);
    let expected = [
        "--grant",
        "client-credentials",
        "--client-id",
        "ci",
        "--client-secret-stdin",
        "--profile",
        "ci",
    ];
    assert_eq!(words[2..], expected);
    let again = Home::new();
    run_with_input(again.oauth().args(&words), b"s3cr3t-of-ci-91c\n").expect_code(0);
    assert_eq!(sessions(&again), sessions(&home));
}

#[test]
fn a_file_with_the_secret_is_named_by_its_whole_path_and_one_that_is_not_there_is_asked_for_again() {
    let home = Home::new();
    let secret = home.path().join("secret");
    std::fs::write(&secret, "s3cr3t-of-ci-91c").expect("the secret");
    let server = DevelopmentServer::start(&["--client", &format!("ci:{}", secret.display())]);
    let mut wizard = Wizard::start(home.oauth().args(["login"]));
    wizard.answers(WHERE, &server.issuer());
    wizard.answers(WAY, "3");
    wizard.answers(CLIENT_ID, "ci");
    wizard.answers("needs its secret", "no-such-file");
    wizard.answers("\"no-such-file\" cannot be read", "~/secret");
    wizard.answers(SCOPES, "-");
    wizard.answers(NAME, "ci");
    let words = printed_command(&wizard.ends(0));
    let path = secret.display().to_string();
    let at = words.iter().position(|word| word == "--client-secret-file");
    assert_eq!(words[at.expect("the flag") + 1], path);
}

#[test]
fn a_login_on_another_device_is_a_choice_where_the_server_has_it() {
    let server = DevelopmentServer::start(&["--approve", "auto"]);
    let home = Home::new();
    let mut wizard = Wizard::start(home.oauth().args(["login"]));
    wizard.answers(WHERE, &server.issuer());
    wizard.answers(WAY, "2");
    wizard.answers(CLIENT_ID, "oauth-cli");
    wizard.answers(SECRET, "");
    wizard.answers(SCOPES, "openid");
    wizard.answers(NAME, "tv");
    let words = printed_command(&wizard.ends(0));
    assert!(words.contains(&"--device".to_owned()), "{words:?}");
    let again = Home::new();
    run(again.oauth().args(&words)).expect_code(0);
    assert_eq!(sessions(&again), sessions(&home));
}

#[test]
fn the_url_of_an_api_leads_to_its_authorization_server_and_its_scopes() {
    let server = DevelopmentServer::start(&["--approve", "auto"]);
    let home = Home::new();
    let mut wizard = Wizard::start(home.oauth().args(["login", "--no-browser"]));
    wizard.answers(WHERE, &format!("{}/api", server.authority));
    wizard.answers(WAY, "");
    wizard.answers(CLIENT_ID, "oauth-cli");
    wizard.answers(SECRET, "");
    wizard.answers(SCOPES, "hello");
    wizard.answers(NAME, "api");
    wizard.signs_in();
    let words = printed_command(&wizard.ends(0));
    let kept = sessions(&home);
    assert_eq!(
        kept[0]["resource"],
        value!([format!("{}/api", server.issuer())]),
        "{kept:?}"
    );
    let again = Home::new();
    log_in(again.oauth().args(&words));
    assert_eq!(sessions(&again), kept);
}

#[test]
fn a_server_that_registers_clients_gives_one_where_no_id_is_typed() {
    let server = DevelopmentServer::start(&["--approve", "auto"]);
    let home = Home::new();
    let mut wizard = Wizard::start(home.oauth().args(["login", "--no-browser"]));
    wizard.answers(WHERE, &server.issuer());
    wizard.answers(WAY, "");
    wizard.answers(REGISTER, "");
    wizard.answers(SCOPES, "openid hello");
    wizard.answers(NAME, "mine");
    wizard.signs_in();
    let words = printed_command(&wizard.ends(0));
    let issuer = server.issuer();
    let asked = ["--register", "--scope", "openid hello", "--profile", "mine"];
    assert_eq!(words, [&["login", "--no-browser", &issuer], &asked[..]].concat());
    let again = Home::new();
    log_in(again.oauth().args(&words));
    // each registration is another client
    let [first, second] = [&home, &again].map(|home| {
        let mut session = sessions(home).remove(0);
        let client_id = session["client_id"].take();
        (client_id, session)
    });
    assert_eq!(first.1, second.1);
    assert_ne!(first.0, second.0);
    // an id of the environment is the default, and nothing is registered
    let elsewhere = Home::new();
    let mut command = elsewhere.oauth();
    let mut wizard = Wizard::start(command.arg("login").env("OAUTH_CLIENT_ID", "oauth-cli"));
    wizard.answers(WHERE, &server.issuer());
    wizard.answers(WAY, "");
    wizard.answers("Client ID [oauth-cli]:", "");
    wizard.answers(SECRET, "\u{4}");
    wizard.ends(2);
}

#[test]
fn a_provider_with_a_value_of_its_own_is_asked_for_it() {
    let other = value!({ "client_id": "other", "token_endpoint_auth_method": "none", "redirect_uris": ["http://127.0.0.1/callback"] });
    let stage = Stage::set(&other);
    let mut wizard = Wizard::start(stage.oauth().arg("login"));
    wizard.answers(WHERE, "keycloak");
    wizard.answers("of keycloak?", &stage.server.authority);
    wizard.answers(WAY, "2");
    wizard.answers(CLIENT_ID, "oauth-cli");
    wizard.answers(SECRET, "");
    wizard.answers(SCOPES, "openid");
    wizard.answers(NAME, "tv");
    let shown = wizard.ends(0);
    assert!(shown.contains("Register a client of Keycloak at "), "{shown}");
    let words = printed_command(&shown);
    let provider = format!("keycloak:{}", stage.server.authority);
    assert!(
        words.windows(2).any(|pair| pair == ["--provider", &provider]),
        "{words:?}"
    );
    let again = Home::new();
    run(again.oauth().args(&words)).expect_code(0);
    assert_eq!(sessions(&again), sessions(&stage.home));
}

/// A server that knows clients by these methods alone, and gives tokens for themselves.
fn server_that_wants(method: &str) -> LiteralServer {
    let server = LiteralServer::start();
    let metadata = value!({
        "issuer": server.origin(),
        "authorization_endpoint": server.url("/authorize"),
        "token_endpoint": server.url("/token"),
        "response_types_supported": ["code"],
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": [method],
    });
    server.on(
        "GET",
        "/.well-known/oauth-authorization-server",
        json(200, &metadata.to_string()),
    );
    let answer = r#"{"access_token":"of-the-client","token_type":"Bearer","expires_in":3600}"#;
    server.on("POST", "/token", json(200, answer));
    server
}

#[test]
fn a_client_with_a_key_is_asked_for_its_file() {
    let (home, server) = (Home::new(), server_that_wants("private_key_jwt"));
    let key = home.path().join("key.pem");
    let pem = include_str!("../../src/protocol/signing/test_keys/p256.pkcs8.pem");
    std::fs::write(&key, pem).expect("the key");
    let mut wizard = Wizard::start(home.oauth().arg("login"));
    wizard.answers(WHERE, &server.origin());
    wizard.answers(WAY, "2");
    wizard.answers(CLIENT_ID, "ci");
    wizard.answers("private key (PEM or JWK):", "");
    wizard.answers("private key (PEM or JWK):", "key.pem");
    wizard.answers("The scopes to ask for", "read");
    wizard.answers(NAME, "ci");
    let words = printed_command(&wizard.ends(0));
    let file = key.display().to_string();
    assert!(
        words.windows(2).any(|pair| pair == ["--client-key-file", &file]),
        "{words:?}"
    );
    let again = Home::new();
    run(again.oauth().args(&words)).expect_code(0);
    assert_eq!(sessions(&again), sessions(&home));
    for request in server.requests_to("/token") {
        assert!(request.body_text().contains("client_assertion="), "{request:?}");
    }
}

#[test]
fn a_client_with_a_certificate_is_asked_for_it_and_its_key() {
    let (home, server) = (Home::new(), server_that_wants("tls_client_auth"));
    for name in ["client.pem", "client.key.pem"] {
        std::fs::write(home.path().join(name), "-----BEGIN").expect("a file");
    }
    let mut wizard = Wizard::start(home.oauth().arg("login"));
    wizard.answers(WHERE, &server.origin());
    wizard.answers(WAY, "2");
    wizard.answers(CLIENT_ID, "ci");
    wizard.answers("certificate (PEM):", "client.pem");
    wizard.answers("private key (PEM or JWK):", "client.key.pem");
    wizard.answers("The scopes to ask for", "\u{4}");
    wizard.ends(2);
    assert!(server.requests_to("/token").is_empty());
}

#[test]
fn of_an_e_mail_address_only_the_domain_leaves_the_machine() {
    let (home, proxy) = (Home::new(), LiteralServer::start());
    let mut wizard = Wizard::start(home.oauth().args(["login"]).env("HTTPS_PROXY", proxy.origin()));
    wizard.answers(WHERE, "ada.lovelace@engine.example");
    wizard.answers(WHERE, "ada.lovelace@gmail.com");
    wizard.answers(CLIENT_ID, "mail");
    wizard.answers("needs its secret", "-");
    wizard.answers("https://mail.google.com/", "\u{4}");
    wizard.ends(2);
    let requests = proxy.requests();
    let lines: Vec<String> = requests.iter().map(|request| format!("{request:?}")).collect();
    assert!(
        lines.iter().any(|line| line.contains("engine.example:443")),
        "{lines:#?}"
    );
    assert!(lines.iter().all(|line| !line.contains("lovelace")), "{lines:#?}");
}

#[test]
fn an_answer_that_makes_no_sense_is_explained_and_asked_for_again() {
    let server = DevelopmentServer::start(&["--registration", "off"]);
    let home = Home::new();
    home.configure("[profile.taken]\nissuer = \"https://id.example.com\"\nclient_id = \"x\"\n");
    let mut wizard = Wizard::start(home.oauth().args(["login", "--wizard"]));
    wizard.answers(WHERE, "");
    wizard.answers(WHERE, "githup");
    wizard.answers("did you mean github?", "ftp://id.example.com");
    wizard.answers(WHERE, "127.0.0.1:1");
    wizard.answers(WHERE, &server.issuer());
    wizard.answers(WAY, "7");
    wizard.answers("there is no 7: type a number from 1 to 3", "1");
    wizard.answers(CLIENT_ID, "");
    wizard.answers(CLIENT_ID, "oauth-cli");
    wizard.answers(SECRET, "");
    wizard.answers(SCOPES, "openid 99");
    wizard.answers("\"99\" is neither a number of the list nor a scope", "openid");
    wizard.answers(NAME, "not a name");
    wizard.answers("`not a name` cannot be the name of a profile", "taken");
    wizard.answers("there is a profile \"taken\" already", "\u{4}");
    let shown = wizard.ends(2);
    assert!(
        shown.contains("the terminal ended before all questions were answered"),
        "{shown}"
    );
}

#[test]
fn a_server_that_calls_itself_otherwise_is_taken_by_its_own_name_when_the_person_agrees() {
    let (home, server) = (Home::new(), LiteralServer::start());
    let own_name = format!("http://localhost:{}", server.port());
    let metadata = value!({
        "issuer": own_name,
        "authorization_endpoint": format!("{own_name}/authorize"),
        "token_endpoint": format!("{own_name}/token"),
        "response_types_supported": ["code"],
    });
    server.on(
        "GET",
        "/.well-known/oauth-authorization-server",
        json(200, &metadata.to_string()),
    );
    let mut wizard = Wizard::start(home.oauth().args(["login"]));
    wizard.answers(WHERE, &server.origin());
    wizard.answers("Is that the server that you mean?", "1");
    wizard.answers(CLIENT_ID, "\u{4}");
    let shown = wizard.ends(2);
    assert!(shown.contains(&format!("looking at \"{own_name}")), "{shown}");
}

#[test]
fn nobody_is_asked_without_a_terminal_and_ctrl_c_ends_the_questions() {
    let home = Home::new();
    let outcome = run(home.oauth().args(["login", "--wizard"])).expect_error(2);
    assert!(outcome.error().contains("there is no terminal"), "{outcome:#?}");
    run(home.oauth().args(["login"])).expect_error(2);
    let wizard = Wizard::start(home.oauth().args(["login"]));
    wizard.terminal.screen_until("> ");
    let id = rustix::process::Pid::from_child(&wizard.child);
    rustix::process::kill_process(id, rustix::process::Signal::INT).expect("the signal");
    let shown = wizard.ends(130);
    // behind the mark of the question
    assert!(shown.starts_with('\n'), "{shown:?}");
    assert!(!home.config_file().exists());
}
