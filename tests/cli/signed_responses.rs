//! `--response-mode jwt`, `query.jwt` and `form_post.jwt` (JARM): a signed
//! response that does not hold counts as one without state. The FAPI 2.0
//! modules of the OpenID conformance suite stand here under their names.

use super::support::authorization_server::{self, CODE};
use super::support::binary::Home;
use super::support::callback;
use super::support::literal_server::{LiteralServer, json, status};
use super::support::login::{MarkingBrowser, assert_nothing_kept, listener_of, login, parameter};
use super::support::outcome::run;
use super::support::running::Running;
use super::support::sessions::now;
use super::support::signing::{Signer, unsigned};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use serde_json::{Value, json as value};

const SECRET: &str = "a-shared-secret-of-32-bytes-or-more!";

fn issuer_key() -> Signer {
    Signer::new("issuer")
}

fn server() -> LiteralServer {
    let server = authorization_server::start();
    let metadata = authorization_server::metadata(&server.origin());
    let members = format!(r#"{{"jwks_uri":"{}","#, server.url("/jwks"));
    server.on(
        "GET",
        "/.well-known/oauth-authorization-server",
        json(200, &metadata.replacen('{', &members, 1)),
    );
    server.on("GET", "/jwks", json(200, &issuer_key().jwks()));
    server
}

/// A login that waits for a signed response.
struct Waiting<'s> {
    server: &'s LiteralServer,
    running: Running,
    url: String,
}

impl<'s> Waiting<'s> {
    fn start(home: &Home, server: &'s LiteralServer, arguments: &[&str]) -> Self {
        let mut command = login(home, server, &["-p", "signed", "--no-browser"]);
        let running = Running::start(command.args(arguments));
        let url = running.authorization_url();
        Waiting { server, running, url }
    }

    /// The claims of a response that holds.
    fn claims(&self) -> Value {
        value!({
            "iss": self.server.origin(),
            "aud": "desktop",
            "exp": now() + 300,
            "code": CODE,
            "state": parameter(&self.url, "state"),
        })
    }

    /// The browser comes back with these parameters; gives the status of the page.
    fn come_back(&self, parameters: &[(&str, &str)]) -> u16 {
        let url = authorization_server::callback_url_with(&self.url, parameters);
        callback::get_url(&url).expect("an answer of the listener").status
    }

    fn come_back_with(&self, response: &str) -> u16 {
        self.come_back(&[("response", response)])
    }

    /// The same response, unless this claim is changed or taken out, is an answer.
    #[track_caller]
    fn finishes(self) {
        assert_eq!(self.come_back_with(&issuer_key().token(&self.claims())), 200);
        self.running.end().expect_code(0);
        assert_eq!(self.server.requests_to("/token").len(), 1);
    }
}

#[test]
fn a_signed_response_in_the_query_is_taken_and_its_mode_is_saved() {
    for mode in ["jwt", "query.jwt"] {
        let (home, server) = (Home::new(), server());
        let waiting = Waiting::start(&home, &server, &["--response-mode", mode]);
        assert_eq!(parameter(&waiting.url, "response_mode"), mode);
        assert_eq!(server.requests_to("/jwks").len(), 1, "before the browser opens");
        waiting.finishes();
        assert_eq!(server.requests_to("/jwks").len(), 1);
        let saved = format!("response_mode = \"{mode}\"");
        assert!(home.configuration().contains(&saved), "{}", home.configuration());
    }
}

/// A server that publishes another key from the second time on.
fn server_with_new_key() -> (LiteralServer, Signer) {
    let (server, new_key) = (server(), Signer::new("new"));
    let key_sets = vec![json(200, &issuer_key().jwks()), json(200, &new_key.jwks())];
    server.on_each("GET", "/jwks", key_sets);
    (server, new_key)
}

#[test]
fn keys_are_fetched_once_more_for_a_response_that_names_an_unknown_one() {
    let (home, (server, new_key)) = (Home::new(), server_with_new_key());
    let waiting = Waiting::start(&home, &server, &["--response-mode", "jwt"]);
    assert_eq!(server.requests_to("/jwks").len(), 1);
    assert_eq!(waiting.come_back_with(&new_key.token(&waiting.claims())), 200);
    waiting.running.end().expect_code(0);
    assert_eq!(server.requests_to("/jwks").len(), 2);
    assert_eq!(server.requests_to("/token").len(), 1);
}

#[test]
fn a_stranger_cannot_have_the_keys_fetched_and_an_unknown_key_has_it_done_once() {
    let (home, server) = (Home::new(), server());
    let waiting = Waiting::start(&home, &server, &["--response-mode", "jwt"]);
    let stranger = Signer::new("stranger");
    let mut claims = waiting.claims();
    claims["state"] = value!("of-another-login");
    assert_ne!(waiting.come_back_with(&stranger.token(&claims)), 200);
    assert_eq!(server.requests_to("/jwks").len(), 1);
    for _ in 0..2 {
        assert_ne!(waiting.come_back_with(&stranger.token(&waiting.claims())), 200);
        assert_eq!(server.requests_to("/jwks").len(), 2);
    }
    waiting.finishes();
    assert_eq!(server.requests_to("/jwks").len(), 2);
}

#[test]
fn keys_are_fetched_once_where_an_id_token_is_asked_for_too() {
    let (home, server) = (Home::new(), server());
    let waiting = Waiting::start(&home, &server, &["--response-mode", "jwt", "--scope", "openid"]);
    waiting.finishes();
    assert_eq!(server.requests_to("/jwks").len(), 1);
}

#[test]
fn keys_are_fetched_once_more_for_a_response_and_an_id_token_of_one_new_key() {
    let (home, (server, new_key)) = (Home::new(), server_with_new_key());
    let waiting = Waiting::start(&home, &server, &["--response-mode", "jwt", "--scope", "openid"]);
    assert_eq!(server.requests_to("/jwks").len(), 1);
    let id_token = new_key.token(&value!({
        "iss": server.origin(), "sub": "alice", "aud": "desktop",
        "iat": now(), "exp": now() + 300, "nonce": parameter(&waiting.url, "nonce"),
    }));
    let answer = format!(r#"{{"access_token":"a","token_type":"Bearer","id_token":"{id_token}"}}"#);
    server.on("POST", "/token", json(200, &answer));
    assert_eq!(waiting.come_back_with(&new_key.token(&waiting.claims())), 200);
    waiting.running.end().expect_code(0).says(&["signed in as alice"]);
    assert_eq!(server.requests_to("/jwks").len(), 2);
}

/// Keycloak 26 writes `iss` twice.
#[test]
fn a_claim_may_stand_twice_with_the_same_value_and_not_with_another() {
    for (more, is_taken) in [
        (r#""aud":"desktop","#, true),
        (r#""aud":"other","#, false),
        (r#""state":"other","#, false),
    ] {
        let (home, server) = (Home::new(), server());
        let waiting = Waiting::start(&home, &server, &["--response-mode", "jwt"]);
        let claims = waiting.claims().to_string();
        let twice = claims.replacen('{', &format!("{{{more}"), 1);
        let status = waiting.come_back_with(&issuer_key().token_of_text(&twice));
        assert_eq!(status == 200, is_taken, "{more}");
        if is_taken {
            waiting.running.end().expect_code(0);
        } else {
            assert_eq!(server.requests_to("/token").len(), 0, "{more}");
            waiting.finishes();
        }
    }
}

#[test]
fn a_signed_response_in_a_form_is_taken() {
    let (home, server) = (Home::new(), server());
    let waiting = Waiting::start(&home, &server, &["--response-mode", "form_post.jwt"]);
    let form = format!("response={}", issuer_key().token(&waiting.claims()));
    let page = callback::post(&listener_of(&waiting.url), "/callback", &[], &form).expect("a page");
    assert_eq!(page.status, 200);
    waiting.running.end().expect_code(0);
}

#[test]
fn a_signed_error_ends_the_login_with_the_servers_words() {
    let (home, server) = (Home::new(), server());
    let waiting = Waiting::start(&home, &server, &["--response-mode", "jwt"]);
    let mut claims = waiting.claims();
    claims.as_object_mut().expect("claims").remove("code");
    claims["error"] = value!("access_denied");
    claims["error_description"] = value!("the person said no");
    waiting.come_back_with(&issuer_key().token(&claims));
    waiting
        .running
        .end()
        .expect_error(5)
        .says(&["access_denied", "the person said no"]);
    assert_nothing_kept(&home);
}

/// The login ignores the response and waits on, for the one that holds.
#[track_caller]
fn assert_ignored(response: impl Fn(&Waiting<'_>) -> String, why: &str) {
    let (home, server) = (Home::new(), server());
    let waiting = Waiting::start(&home, &server, &["--response-mode", "jwt", "-v"]);
    let response = response(&waiting);
    assert_eq!(waiting.come_back_with(&response), 400, "{why}");
    waiting.running.line_with(why);
    assert!(server.requests_to("/token").is_empty(), "{why}");
    waiting.finishes();
}

fn with_claim(waiting: &Waiting<'_>, name: &str, claim: Option<Value>) -> String {
    let mut claims = waiting.claims();
    match claim {
        Some(claim) => claims[name] = claim,
        None => {
            claims.as_object_mut().expect("claims").remove(name);
        }
    }
    issuer_key().token(&claims)
}

#[test]
fn fapi2_security_profile_final_client_test_ensure_jarm_signature_is_not_none() {
    assert_ignored(
        |waiting| format!("{}.", unsigned(&value!({"alg": "none"}), &waiting.claims())),
        "its signature does not hold",
    );
}

#[test]
fn fapi2_security_profile_final_client_test_ensure_jarm_without_iss_fails() {
    assert_ignored(|waiting| with_claim(waiting, "iss", None), "it is from another server");
}

#[test]
fn fapi2_security_profile_final_client_test_ensure_jarm_with_invalid_iss_fails() {
    for wrong in ["https://attacker.example", ""] {
        assert_ignored(
            |waiting| with_claim(waiting, "iss", Some(value!(wrong))),
            "it is from another server",
        );
    }
    assert_ignored(
        |waiting| with_claim(waiting, "iss", Some(value!(format!("{}/", waiting.server.origin())))),
        "it is from another server",
    );
}

#[test]
fn fapi2_security_profile_final_client_test_ensure_jarm_without_aud_fails() {
    assert_ignored(|waiting| with_claim(waiting, "aud", None), "it is for another client");
}

#[test]
fn fapi2_security_profile_final_client_test_ensure_jarm_with_invalid_aud_fails() {
    for wrong in [
        value!("other"),
        value!([]),
        value!(["other"]),
        value!(["desktop", "other"]),
        value!(7),
    ] {
        assert_ignored(
            |waiting| with_claim(waiting, "aud", Some(wrong.clone())),
            "it is for another client",
        );
    }
}

#[test]
fn fapi2_security_profile_final_client_test_ensure_jarm_without_exp_fails() {
    for wrong in [None, Some(value!("soon")), Some(value!(-1))] {
        assert_ignored(|waiting| with_claim(waiting, "exp", wrong.clone()), "it has no exp");
    }
}

#[test]
fn fapi2_security_profile_final_client_test_ensure_jarm_with_expired_exp_fails() {
    assert_ignored(
        |waiting| with_claim(waiting, "exp", Some(value!(now() - 120))),
        "it has expired",
    );
}

#[test]
fn fapi2_security_profile_final_client_test_ensure_jarm_with_invalid_sig_fails() {
    assert_ignored(
        |waiting| {
            let input = issuer_key().input(&waiting.claims());
            Signer::new("attacker").signed(&input)
        },
        "its signature does not hold",
    );
    assert_ignored(
        |waiting| Signer::new("attacker").token(&waiting.claims()),
        "the server publishes no key that it is signed with",
    );
}

#[test]
fn a_signed_response_with_a_foreign_state_or_none_is_ignored() {
    for state in [Some(value!("foreign")), None] {
        let (home, server) = (Home::new(), server());
        let waiting = Waiting::start(&home, &server, &["--response-mode", "jwt"]);
        assert_eq!(waiting.come_back_with(&with_claim(&waiting, "state", state)), 400);
        assert!(server.requests_to("/token").is_empty());
        waiting.finishes();
    }
}

#[test]
fn plain_parameters_are_no_answer_even_with_the_right_state() {
    let (home, server) = (Home::new(), server());
    let waiting = Waiting::start(&home, &server, &["--response-mode", "jwt"]);
    let state = parameter(&waiting.url, "state");
    let issuer = server.origin();
    assert_eq!(
        waiting.come_back(&[("code", CODE), ("state", &state), ("iss", &issuer)]),
        400
    );
    // The first one that carries an error is told at once, by its registered code alone.
    let error = [
        ("error", "invalid_request"),
        ("error_description", "a lie"),
        ("state", &state),
    ];
    assert_eq!(waiting.come_back(&error), 400);
    let line = waiting.running.line_with("invalid_request");
    assert!(!line.contains("a lie"), "{line}");
    assert!(server.requests_to("/token").is_empty());
    waiting.finishes();
}

#[test]
fn two_responses_and_a_response_that_is_no_jwt_are_ignored() {
    let (home, server) = (Home::new(), server());
    let waiting = Waiting::start(&home, &server, &["--response-mode", "jwt"]);
    let right = issuer_key().token(&waiting.claims());
    assert_eq!(waiting.come_back(&[("response", &right), ("response", &right)]), 400);
    for wrong in ["", "x", "a.b.c", "a.b.c.d.e"] {
        assert_eq!(waiting.come_back_with(wrong), 400, "{wrong}");
    }
    waiting.finishes();
}

#[test]
fn an_hmac_holds_with_the_clients_secret_alone() {
    let token = |key: &[u8], claims: &Value| {
        let input = unsigned(&value!({"alg": "HS256"}), claims);
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), input.as_bytes());
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag))
    };
    // A public client: what everybody knows is not a key.
    let (home, server) = (Home::new(), server());
    let waiting = Waiting::start(&home, &server, &["--response-mode", "jwt"]);
    for key in [issuer_key().jwks().as_bytes(), b"", b"desktop"] {
        assert_eq!(waiting.come_back_with(&token(key, &waiting.claims())), 400);
    }
    waiting.finishes();

    let (home, server) = (Home::new(), self::server());
    let secret = home.path().join("secret");
    std::fs::write(&secret, SECRET).expect("writing");
    let waiting = Waiting::start(
        &home,
        &server,
        &[
            "--response-mode",
            "jwt",
            "--client-secret-file",
            &secret.display().to_string(),
        ],
    );
    assert_eq!(
        waiting.come_back_with(&token(b"another secret", &waiting.claims())),
        400
    );
    assert_eq!(
        waiting.come_back_with(&token(SECRET.as_bytes(), &waiting.claims())),
        200
    );
    waiting.running.end().expect_code(0);
}

#[test]
fn keys_that_cannot_be_fetched_end_the_login_before_the_browser_opens() {
    for (reply, code) in [
        (status(503), 3),
        (status(404), 6),
        (json(200, "[]"), 6),
        (super::support::literal_server::Reply::reset(), 3),
    ] {
        let (home, server) = (Home::new(), server());
        server.on("GET", "/jwks", reply);
        let browser = MarkingBrowser::new(home.path());
        let mut command = login(
            &home,
            &server,
            &["--response-mode", "jwt", "--browser", &browser.command],
        );
        run(&mut command).expect_error(code).says(&["keys"]);
        assert!(!browser.was_run());
        assert_nothing_kept(&home);
    }
}

#[test]
fn without_issuer_or_keys_nothing_could_be_verified() {
    let (home, server) = (Home::new(), server());
    let browser = MarkingBrowser::new(home.path());
    let (authorize, token) = (server.url("/authorize"), server.url("/token"));
    let endpoints = ["--authorization-endpoint", &authorize, "--token-endpoint", &token];
    let mut command = home.oauth();
    command.args(["login", "--client-id", "desktop", "--response-mode", "jwt", "-p", "x"]);
    command.args(endpoints).args(["--browser", &browser.command]);
    run(&mut command).expect_error(2).says(&["--issuer URL"]);
    let mut command = login(
        &home,
        &server,
        &["--response-mode", "jwt", "--browser", &browser.command],
    );
    run(command.args(endpoints)).expect_error(2).says(&["--jwks-uri URL"]);
    assert!(!browser.was_run());
    assert!(server.requests().is_empty());
}

#[test]
fn a_pasted_address_with_a_signed_response_is_checked_in_the_same_way() {
    let (home, server) = (Home::new(), server());
    let mut command = login(&home, &server, &["--response-mode", "jwt", "--paste"]);
    let mut running = Running::start_with_open_input(&mut command);
    let url = running.authorization_url();
    let claims = value!({
        "iss": server.origin(), "aud": "desktop", "exp": now() + 300, "code": CODE, "state": parameter(&url, "state"),
    });
    let response = issuer_key().token(&claims);
    let line = authorization_server::callback_url_with(&url, &[("response", &response)]);
    running.type_line(&line);
    running.end().expect_code(0);
}

#[test]
fn the_trace_shows_no_code_of_a_signed_response() {
    let (home, server) = (Home::new(), server());
    let trace = home.path().join("trace.json");
    let arguments = [
        "--response-mode",
        "jwt",
        "-vvv",
        "--trace",
        &trace.display().to_string(),
    ];
    let waiting = Waiting::start(&home, &server, &arguments);
    let state = parameter(&waiting.url, "state");
    let response = issuer_key().token(&waiting.claims());
    assert_eq!(waiting.come_back_with(&response), 200);
    let outcome = waiting.running.end().expect_code(0).says(&["JARM §2.4"]);
    let trace = std::fs::read_to_string(trace).expect("the trace");
    for secret in [CODE, &response, &state] {
        assert!(!trace.contains(secret), "in the trace");
    }
    for secret in [CODE, response.as_str()] {
        assert!(!outcome.stderr.contains(secret), "on stderr");
    }
}
