//! Chromium signs in and consents on the pages of `oauth serve`, and comes
//! back to the listener of `oauth login`. Each page is looked at.

use super::support::authorization_server::{FakeBrowser, parameters};
use super::support::binary::Home;
use super::support::chromium::{Chromium, OTHER_SITE};
use super::support::development_server::DevelopmentServer;
use super::support::literal_server::{LiteralServer, html, value_of};
use super::support::outcome::{Outcome, run};
use super::support::running::Running;
use url::Url;

pub(crate) const SIGN_IN: &str = "button[value=sign-in]";
const CANCEL: &str = "button[value=cancel]";
pub(crate) const ALLOW: &str = "button[value=allow]";
pub(crate) const DENY: &str = "button[value=deny]";
const CONSENT: &str = "Allow oauth-cli access?";
pub(crate) const SIGNED_IN: &str = "You are signed in";
const REFUSED: &str = "Access was refused";
const NOT_THE_ANSWER: &str = "This is not the response the login is waiting for";

/// `oauth serve` and the home of somebody who logs in there.
pub(crate) struct Stage {
    pub(crate) home: Home,
    browser: FakeBrowser,
    pub(crate) server: DevelopmentServer,
}

impl Stage {
    pub(crate) fn set(options: &[&str]) -> Self {
        let home = Home::new();
        Stage {
            browser: FakeBrowser::new(home.path()),
            server: DevelopmentServer::start(options),
            home,
        }
    }

    /// `oauth login` as the client that is there by default, with a browser that does nothing.
    pub(crate) fn login(&self, options: &[&str]) -> Login {
        self.login_as("oauth-cli", options)
    }

    /// The same as another client.
    pub(crate) fn login_as(&self, client_id: &str, options: &[&str]) -> Login {
        let command = &mut self.home.oauth();
        command.args(["login", &self.server.issuer(), "--client-id", client_id]);
        command.args(["--profile", "mine"]);
        // So that the test sees the request in the URL.
        command.args(["--par", "never"]);
        command.args(["--browser", &self.browser.command()]).args(options);
        let running = Running::start(command);
        Login {
            url: self.browser.wait_for_url(),
            running,
        }
    }

    /// `oauth token` for what that login stored.
    fn token(&self) -> Outcome {
        run(self.home.oauth().args(["token", "mine"]))
    }
}

/// `oauth login` that waits for a browser to come back.
pub(crate) struct Login {
    running: Running,
    pub(crate) url: String,
}

impl Login {
    pub(crate) fn redirect_uri(&self) -> Url {
        let params = parameters(&self.url);
        Url::parse(value_of(&params, "redirect_uri").expect("a redirect URI")).expect("a URL")
    }

    pub(crate) fn end(self) -> Outcome {
        self.running.end()
    }
}

pub(crate) fn sign_in_and_allow(chromium: &Chromium, login: &Login) {
    chromium.go_to(&login.url);
    sign_in(chromium);
    chromium.click(ALLOW);
    chromium.wait_for_heading(SIGNED_IN);
}

/// From the sign-in page to the consent page.
pub(crate) fn sign_in(chromium: &Chromium) {
    send_password(chromium, "demo");
    chromium.wait_for_heading(CONSENT);
}

fn send_password(chromium: &Chromium, password: &str) {
    chromium.wait_for_heading("Sign in");
    chromium.fill_in("#username", "demo");
    chromium.fill_in("#password", password);
    chromium.click(SIGN_IN);
}

#[test]
fn a_person_signs_in_consents_and_a_script_has_a_token() {
    let Some(chromium) = Chromium::start() else { return };
    let stage = Stage::set(&[]);
    let login = stage.login(&["--scope", "openid hello offline_access"]);

    chromium.go_to(&login.url);
    chromium.wait_for_heading("Sign in");
    chromium.look("1-sign-in");
    send_password(&chromium, "a wrong one");
    chromium.wait_until("the complaint", || {
        chromium.text().contains("Wrong user name or password")
    });
    chromium.look("2-wrong-password");
    sign_in(&chromium);

    let page = chromium.text();
    let destination = login.redirect_uri().origin().ascii_serialization();
    for expected in ["demo", "openid", "hello", "offline_access", &destination] {
        assert!(
            page.contains(expected),
            "{expected} is not on the consent page:\n{page}"
        );
    }
    chromium.look("3-consent");
    chromium.click(ALLOW);
    chromium.wait_for_heading(SIGNED_IN);
    chromium.look("4-success");

    let ended = login.end().expect_code(0);
    assert_eq!(ended.stdout, "");
    ended.says(&["signed in as demo"]);
    let token = stage.token().expect_code(0);
    let token = token.stdout.strip_suffix('\n').expect("a line");
    let hello = stage
        .server
        .get("/api/hello", &[&format!("Authorization: Bearer {token}")]);
    assert_eq!(hello.status, 200);
    assert!(hello.body_text().contains("demo"), "{}", hello.body_text());
}

#[test]
fn the_browser_comes_back_to_the_ipv6_loopback_address() {
    let Some(chromium) = Chromium::start() else { return };
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        return;
    }
    let stage = Stage::set(&[]);
    let login = stage.login(&["--redirect-uri", "http://[::1]:0/callback"]);
    assert_eq!(login.redirect_uri().host_str(), Some("[::1]"));
    sign_in_and_allow(&chromium, &login);
    assert!(chromium.url().starts_with("http://[::1]:"), "{}", chromium.url());
    login.end().expect_code(0);
}

#[test]
fn the_browser_comes_back_to_localhost() {
    let Some(chromium) = Chromium::start() else { return };
    let port = free_port();
    let redirect_uri = format!("http://localhost:{port}/callback");
    let stage = Stage::set(&["--redirect-uri", &redirect_uri]);
    let login = stage.login(&["--redirect-uri", &redirect_uri]);
    sign_in_and_allow(&chromium, &login);
    assert!(chromium.url().starts_with(&redirect_uri), "{}", chromium.url());
    login.end().expect_code(0);
}

/// Whether the middle of what this selector names is in the window, and nothing lies on it.
fn is_in_sight(chromium: &Chromium, selector: &str) -> bool {
    let seen = chromium.run(&format!(
        "const wanted = document.querySelector('{selector}'); const box = wanted.getBoundingClientRect(); \
         return document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2) === wanted \
         && box.top >= 0 && box.bottom <= innerHeight"
    ));
    seen == true
}

/// Neither a phone nor half of a screen scrolls the page sideways.
fn assert_fits(chromium: &Chromium) {
    for width in [360, 700, 1000] {
        chromium.resize(width, 660);
        let beside = chromium.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth");
        assert_eq!(beside, 0, "at {width} pixels: {}", chromium.text());
    }
}

#[test]
fn the_decision_is_in_sight_however_much_is_asked_for() {
    let Some(chromium) = Chromium::start() else { return };
    let stage = Stage::set(&[]);
    let login = stage.login(&["--scope", "openid profile email offline_access hello introspect"]);
    chromium.go_to(&login.url);
    assert_fits(&chromium);
    assert!(is_in_sight(&chromium, SIGN_IN));
    sign_in(&chromium);
    assert_fits(&chromium);
    for (width, height) in [(1000, 660), (360, 640)] {
        chromium.resize(width, height);
        assert!(
            is_in_sight(&chromium, ALLOW) && is_in_sight(&chromium, DENY),
            "{width} × {height}"
        );
    }
    chromium.look("3-consent-long");
    chromium.click(ALLOW);
    chromium.wait_for_heading(SIGNED_IN);
    assert_fits(&chromium);
    login.end().expect_code(0);
}

#[test]
fn whoever_denies_sees_that_access_was_refused() {
    let Some(chromium) = Chromium::start() else { return };
    let stage = Stage::set(&[]);
    let login = stage.login(&["--scope", "hello"]);
    chromium.go_to(&login.url);
    sign_in(&chromium);
    chromium.click(DENY);
    chromium.wait_for_heading(REFUSED);
    chromium.look("5-failure");
    login.end().expect_code(5).says(&["access_denied"]);
    stage.token().expect_code(2);
}

#[test]
fn whoever_does_not_want_to_sign_in_ends_the_login() {
    let Some(chromium) = Chromium::start() else { return };
    let stage = Stage::set(&[]);
    let login = stage.login(&[]);
    chromium.go_to(&login.url);
    chromium.click(CANCEL);
    chromium.wait_for_heading(REFUSED);
    login.end().expect_code(5);
}

#[test]
fn the_response_comes_back_as_a_form() {
    let Some(chromium) = Chromium::start() else { return };
    let stage = Stage::set(&[]);
    let login = stage.login(&["--response-mode", "form_post"]);
    sign_in_and_allow(&chromium, &login);
    assert_eq!(Url::parse(&chromium.url()).expect("a URL").query(), None);
    login.end().expect_code(0);
}

#[test]
fn nothing_needs_scripts() {
    let Some(chromium) = Chromium::start() else { return };
    let stage = Stage::set(&[]);
    let login = stage.login(&["--response-mode", "form_post"]);
    chromium.forbid_scripts();
    chromium.go_to(&login.url);
    sign_in(&chromium);
    chromium.click(ALLOW);
    chromium.wait_for_heading("Redirecting");
    chromium.look("6-form-post-without-scripts");
    chromium.click("button");
    chromium.wait_for_heading(SIGNED_IN);
    login.end().expect_code(0);
}

#[test]
fn requests_that_cannot_be_answered_by_a_redirect_get_a_page() {
    let Some(chromium) = Chromium::start() else { return };
    let stage = Stage::set(&[]);
    chromium.go_to(&stage.server.issuer());
    chromium.look("7-home");
    let login = stage.login(&[]);
    let foreign = login.url.replace("127.0.0.1%3A", "192.0.2.1%3A");
    assert_ne!(foreign, login.url);
    chromium.go_to(&foreign);
    assert!(chromium.text().contains("192.0.2.1"), "{}", chromium.text());
    assert!(chromium.url().starts_with(&stage.server.issuer()), "{}", chromium.url());
    chromium.look("8-error");

    chromium.go_to(&format!("{}?code=a&state=b", login.redirect_uri()));
    chromium.wait_for_heading(NOT_THE_ANSWER);
    chromium.look("9-ignored");
    sign_in_and_allow(&chromium, &login);
    login.end().expect_code(0);
}

#[test]
fn pages_of_other_origins_cannot_disturb_a_login() {
    let Some(chromium) = Chromium::start() else { return };
    let stage = Stage::set(&[]);
    let login = stage.login(&["-vv"]);
    let callback_url = login.redirect_uri();
    let port = callback_url.port().expect("a port");
    let attacker = LiteralServer::start();
    attacker
        .on("GET", "/attack", html(200, &attack_page(callback_url.as_str())))
        .expected();
    attacker
        .on("GET", "/form", html(200, &form_page(callback_url.as_str())))
        .expected();

    // another port is another origin of the same site; another name is another site
    for origin in [attacker.origin(), format!("http://{OTHER_SITE}:{}", attacker.port())] {
        chromium.go_to(&format!("{origin}/attack"));
        let outcome = chromium.run_to_end("window.attack.then(arguments[0])");
        assert_eq!(
            outcome.as_object().expect("an outcome for each attack").len(),
            6,
            "{outcome}"
        );
        for attack in ["img", "script", "fetch cors"] {
            assert_eq!(outcome[attack], "failed", "{attack} from {origin}: {outcome}");
        }
        // a frame and a `no-cors` answer do not tell their page what is in them
        assert_eq!(outcome["iframe"], "unreadable", "{outcome}");
        assert_eq!(outcome["fetch no-cors"], "opaque", "{outcome}");

        chromium.go_to(&format!("{origin}/form"));
        chromium.run("document.forms[0].submit()");
        chromium.wait_until("the listener's answer to the form", || {
            chromium.url().starts_with(callback_url.as_str())
        });
        assert_eq!(chromium.heading(), NOT_THE_ANSWER);

        // the navigation that anybody can cause
        chromium.go_to(&format!("{origin}/attack"));
        chromium.run(&format!("location.href = '{callback_url}?code=guess&state=guess'"));
        chromium.wait_for_heading(NOT_THE_ANSWER);
    }
    // a name of the attacker that points here (DNS rebinding)
    chromium.go_to(&format!("http://{OTHER_SITE}:{port}/callback?code=guess&state=guess"));
    assert_eq!(chromium.heading(), NOT_THE_ANSWER);

    sign_in_and_allow(&chromium, &login);

    // that they arrived is what makes this a test
    login.end().expect_code(0).says(&[
        "a part of a web page (an image, a frame, a script) requested it",
        "it is a form post, and response_mode=form_post was not requested",
        "its Host is not the one of the redirect URI",
        "state",
    ]);
}

#[test]
fn a_form_of_another_origin_cannot_disturb_a_login_that_waits_for_a_form() {
    let Some(chromium) = Chromium::start() else { return };
    let stage = Stage::set(&[]);
    let login = stage.login(&["--response-mode", "form_post"]);
    let attacker = LiteralServer::start();
    let page = form_page(login.redirect_uri().as_str());
    attacker.on("GET", "/form", html(200, &page)).expected();
    chromium.go_to(&format!("http://{OTHER_SITE}:{}/form", attacker.port()));
    chromium.run("document.forms[0].submit()");
    chromium.wait_for_heading(NOT_THE_ANSWER);
    sign_in_and_allow(&chromium, &login);
    login.end().expect_code(0);
}

/// Tries each way that a page has to make the browser request something, and
/// says what it learned.
fn attack_page(callback_url: &str) -> String {
    format!(
        r#"<!doctype html><title>attack</title><body><script>
const target = '{callback_url}?code=guess&state=guess&via=';
const outcome = {{}};
const element = (name, via) => new Promise(done => {{
  const made = document.createElement(name);
  made.onload = () => done(outcome[via] = 'loaded');
  made.onerror = () => done(outcome[via] = 'failed');
  made.src = target + via;
  document.body.append(made);
}});
const asked = (mode, via) => fetch(target + via, {{ mode }}).then(answer => outcome[via] = answer.type, () => outcome[via] = 'failed');
const framed = () => new Promise(done => {{
  const frame = document.createElement('iframe');
  frame.onload = () => {{
    try {{ outcome.iframe = frame.contentDocument ? 'readable' : 'unreadable'; }} catch {{ outcome.iframe = 'unreadable'; }}
    done();
  }};
  frame.src = target + 'iframe';
  document.body.append(frame);
}});
const posted = () => new Promise(done => {{
  const frame = document.createElement('iframe');
  frame.name = 'posted';
  document.body.append(frame);
  const form = document.createElement('form');
  form.method = 'post'; form.action = '{callback_url}'; form.target = 'posted';
  form.innerHTML = '<input name="code" value="guess"><input name="state" value="guess">';
  document.body.append(form);
  frame.onload = () => done(outcome.form = 'answered');
  form.submit();
}});
window.attack = Promise.all([
  element('img', 'img'), element('script', 'script'), asked('no-cors', 'fetch no-cors'), asked('cors', 'fetch cors'), framed(), posted(),
]).then(() => outcome);
</script>"#
    )
}

/// A form that posts a guess to the listener, in the place of the page.
fn form_page(callback_url: &str) -> String {
    format!(
        r#"<!doctype html><title>attack</title><form method="post" action="{callback_url}">
<input name="code" value="guess"><input name="state" value="guess"></form>"#
    )
}

/// A port that nobody listens on, for a redirect URI that has to be registered
/// with its port before anything listens there.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

#[test]
fn a_callback_by_https_comes_back() {
    let Some(chromium) = Chromium::start_with(&["--ignore-certificate-errors"]) else {
        return;
    };
    let redirect_uri = format!("https://localhost:{}/callback", free_port());
    let stage = Stage::set(&["--client", "oauth-cli", "--redirect-uri", &redirect_uri]);
    let login = stage.login(&["--redirect-uri", &redirect_uri]);
    sign_in_and_allow(&chromium, &login);
    assert!(chromium.url().starts_with(&redirect_uri), "{}", chromium.url());
    login.end().expect_code(0).says(&["made for this login"]);
    stage.token().expect_code(0);
}

/// After a consent form: Chromium applies the `form-action` of its page to
/// every redirect that follows, but not to what the listener's page does.
#[test]
fn the_browser_goes_on_to_the_success_url_and_says_nothing_of_where_it_was() {
    let Some(chromium) = Chromium::start() else { return };
    let stage = Stage::set(&[]);
    let elsewhere = LiteralServer::start();
    elsewhere.on("GET", "/done", html(200, "<!doctype html><h1>Welcome back</h1>"));
    let login = stage.login(&["--success-url", &elsewhere.url("/done?a=1")]);
    chromium.go_to(&login.url);
    sign_in(&chromium);
    chromium.click(ALLOW);
    chromium.wait_for_heading("Welcome back");
    assert_eq!(chromium.url(), elsewhere.url("/done?a=1"));
    let requests = elsewhere.requests();
    let request = requests.iter().find(|request| request.path() == "/done").expect("it");
    assert_eq!(request.header("referer"), None);
    login.end().expect_code(0);
}

#[test]
fn a_person_enters_the_code_of_a_device() {
    let Some(chromium) = Chromium::start() else { return };
    let stage = Stage::set(&[]);
    let ask = |form: &str, path: &str| {
        let answer = stage.server.post(path, &[], form);
        serde_json::from_str::<serde_json::Value>(&answer.body_text()).expect("JSON")
    };
    let codes = ask("client_id=oauth-cli&scope=hello", "/device_authorization");
    let text = |member: &str| codes[member].as_str().expect("a text").to_owned();

    chromium.go_to(&text("verification_uri"));
    chromium.wait_for_heading("Connect a device");
    chromium.look("device-1-code");
    chromium.fill_in("#user_code", "bbbb bbbb");
    chromium.click("button[value=continue]");
    chromium.wait_until("the complaint", || chromium.text().contains("No device is waiting"));
    chromium.look("device-2-wrong-code");
    // The address with the code in it fills the code in, and sends nothing.
    chromium.go_to(&text("verification_uri_complete"));
    chromium.wait_for_heading("Connect a device");
    chromium.click("button[value=continue]");
    sign_in(&chromium);
    let page = chromium.text();
    for shown in [
        text("user_code"),
        "on another device".to_owned(),
        "they would be signed in as you".to_owned(),
    ] {
        assert!(page.contains(&shown), "{shown} in {page}");
    }
    chromium.look("device-3-consent");
    chromium.click(ALLOW);
    chromium.wait_for_heading("Your device is connected");
    chromium.look("device-4-connected");
    let form = format!(
        "grant_type=urn:ietf:params:oauth:grant-type:device_code&client_id=oauth-cli&device_code={}",
        text("device_code")
    );
    assert!(ask(&form, "/token")["access_token"].is_string());
}
