//! The pages, traces and reports that no other test shows in a browser are
//! looked at here; `docs/pictures/look` writes a picture of each page.

use crate::in_a_browser::{ALLOW, DENY, SIGN_IN, SIGNED_IN, Stage, sign_in};
use crate::pictures::traced_login;
use crate::support::binary::Home;
use crate::support::chromium::Chromium;
use crate::support::development_server::DevelopmentServer;
use crate::support::outcome::run;
use std::path::Path;

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";

#[test]
fn a_person_signs_in_and_consents_with_the_keyboard_alone() {
    let Some(chromium) = Chromium::start() else { return };
    let stage = Stage::set(&[]);
    let login = stage.login(&["--scope", "hello"]);
    chromium.go_to(&login.url);
    chromium.wait_for_heading("Sign in");
    chromium.press("demo");
    assert_focus_is_seen(&chromium, "#username");
    chromium.press(TAB);
    assert_focus_is_seen(&chromium, "#password");
    chromium.press("demo");
    chromium.press(TAB);
    assert_focus_is_seen(&chromium, SIGN_IN);
    chromium.press(ENTER);
    chromium.wait_for_heading("Allow oauth-cli access?");
    for selector in [".account a", DENY, ALLOW] {
        chromium.press(TAB);
        assert_focus_is_seen(&chromium, selector);
    }
    chromium.press(ENTER);
    chromium.wait_for_heading(SIGNED_IN);
    login.end().expect_code(0);
}

/// This element has the focus, and a ring that shows it.
#[track_caller]
fn assert_focus_is_seen(chromium: &Chromium, selector: &str) {
    let seen = chromium.run(&format!(
        "const focused = document.activeElement; const style = getComputedStyle(focused); \
         return focused.matches('{selector}') && style.outlineStyle === 'solid' && parseFloat(style.outlineWidth) >= 2 \
         ? '' : focused.outerHTML + ' ' + style.outline"
    ));
    assert_eq!(seen, "", "{selector}");
}

#[test]
fn long_names_stay_on_their_pages() {
    let Some(chromium) = Chromium::start() else { return };
    let client = "a-client-whose-name-goes-on-and-on".repeat(6);
    let user = "someone.with.a.very.long.name@department.of.long.names.example.org";
    let stage = Stage::set(&["--client", &client, "--user", &format!("{user}:demo")]);
    let login = stage.login_as(&client, &["--scope", "openid hello"]);
    chromium.go_to(&login.url);
    chromium.wait_for_heading("Sign in");
    chromium.look("long-1-sign-in");
    chromium.fill_in("#username", user);
    chromium.fill_in("#password", "demo");
    chromium.click(SIGN_IN);
    chromium.wait_until("the consent page", || chromium.shows(ALLOW));
    chromium.look("long-2-consent");
    chromium.click(ALLOW);
    chromium.wait_for_heading(SIGNED_IN);
    login.end().expect_code(0);
}

#[test]
fn pages_about_what_went_wrong_are_readable() {
    let Some(chromium) = Chromium::start() else { return };
    let stage = Stage::set(&[]);
    let login = stage.login(&["--scope", "hello", "--stop-before", "exchange", "--no-save"]);
    chromium.go_to(&format!("{}/consent?request=none", stage.server.issuer()));
    chromium.wait_for_heading("Please start again");
    chromium.look("error-start-again");
    chromium.go_to(&login.url);
    sign_in(&chromium);
    chromium.run("document.querySelector('[name=csrf]').value = 'guess'");
    chromium.click(ALLOW);
    chromium.wait_for_heading("This form is not valid");
    chromium.look("error-form");
    chromium.go_to(&login.url);
    chromium.wait_for_heading("Allow oauth-cli access?");
    chromium.click(ALLOW);
    chromium.wait_for_heading("The login was stopped before the exchange");
    chromium.look("callback-stopped");
    login.end().expect_code(0);
}

#[test]
fn the_page_of_a_failed_login_is_readable() {
    let Some(chromium) = Chromium::start() else { return };
    let stage = Stage::set(&["--break", "token.token-type"]);
    let login = stage.login(&["--scope", "hello"]);
    chromium.go_to(&login.url);
    sign_in(&chromium);
    chromium.click(ALLOW);
    chromium.wait_for_heading("The login failed");
    chromium.look("callback-failure");
    login.end().expect_code(6);
}

#[test]
fn whoever_refuses_a_device_is_shown_its_code_and_the_result() {
    let Some(chromium) = Chromium::start() else { return };
    let server = DevelopmentServer::start(&[]);
    let codes = server.post(
        "/device_authorization",
        &[],
        "client_id=oauth-cli&scope=openid%20profile%20email%20offline_access%20hello%20introspect",
    );
    let codes: serde_json::Value = serde_json::from_str(&codes.body_text()).expect("JSON");
    chromium.go_to(codes["verification_uri_complete"].as_str().expect("an address"));
    chromium.click("button[value=continue]");
    sign_in(&chromium);
    chromium.look("device-5-consent-long");
    // the list is long, and the person has to compare the code all the same
    chromium.resize(1000, 660);
    let in_sight = chromium.run(
        "const code = document.querySelector('.choices code').getBoundingClientRect(); \
         return code.top >= 0 && code.bottom <= innerHeight && document.querySelector('.choices code').textContent",
    );
    assert_eq!(in_sight, codes["user_code"]);
    chromium.click(DENY);
    chromium.wait_for_heading("Access denied");
    chromium.look("device-6-denied");
    let address = codes["verification_uri"].as_str().expect("an address");
    while chromium.heading() != "Please wait" {
        chromium.go_to(address);
        chromium.fill_in("#user_code", "bbbb bbbb");
        chromium.click("button[value=continue]");
        chromium.wait_until("the next page", || {
            chromium.heading() == "Please wait" || chromium.text().contains("No device is waiting")
        });
    }
    chromium.look("device-7-too-many");
}

/// Looks at a file as it opens, and with everything in it open.
fn look_at_file(chromium: &Chromium, file: &Path, name: &str) {
    chromium.go_to(&format!("file://{}", file.display()));
    chromium.look(name);
    chromium.run("document.querySelectorAll('details').forEach(closed => { closed.open = true })");
    chromium.look(&format!("{name}-open"));
}

#[test]
fn traces_of_logins_are_readable() {
    let Some(chromium) = Chromium::start() else { return };
    for (name, broken) in [("success", None), ("failure", Some("token.token-type"))] {
        let home = Home::new();
        let mut options = vec!["--approve", "auto"];
        options.extend(broken.iter().flat_map(|rule| ["--break", rule]));
        let server = DevelopmentServer::start(&options);
        look_at_file(&chromium, &traced_login(&home, &server), &format!("trace-{name}"));
    }
}

#[test]
fn traces_without_a_person_are_readable() {
    let Some(chromium) = Chromium::start() else { return };
    let home = Home::new();
    let secret = home.path().join("secret");
    std::fs::write(&secret, "a secret of the bot, which is long").expect("writing");
    let bot = format!("bot:{}", secret.display());
    let server = DevelopmentServer::start(&["--client", &bot]);
    let issuer = server.issuer();
    let trace = home.path().join("trace.html");
    let look = |arguments: &[&str], exit_code: i32, name: &str| {
        run(home.oauth().args(arguments).arg("--trace").arg(&trace)).expect_code(exit_code);
        look_at_file(&chromium, &trace, name);
    };
    let grant = ["login", &issuer, "--client-id", "bot", "--grant", "client-credentials"];
    let secret = secret.display().to_string();
    let with_secret = [&grant[..], &["--client-secret-file", &secret, "--profile", "bot"]].concat();
    look(&with_secret, 0, "trace-client-credentials");
    // before any step
    look(&[&grant[..], &["--browser", "firefox"]].concat(), 2, "trace-usage");
    look(
        &["token", "bot", "--force-refresh", "--show-secrets"],
        0,
        "trace-secrets",
    );
}

#[test]
fn the_report_of_a_check_is_readable() {
    let Some(chromium) = Chromium::start() else { return };
    let home = Home::new();
    let mut options = vec!["--approve", "auto"];
    for rule in ["pkce.wrong-verifier", "metadata.no-plain"] {
        options.extend(["--break", rule]);
    }
    let server = DevelopmentServer::start(&options);
    let report = home.path().join("report.html");
    let mut command = home.oauth();
    command.args([
        "check",
        &server.issuer(),
        "--client-id",
        "oauth-cli",
        "--scope",
        "openid",
    ]);
    for rule in [
        "pkce.wrong-verifier",
        "metadata.no-plain",
        "pkce.plain",
        "refresh.subject",
        "mtls.bearer",
    ] {
        command.args(["--rule", rule]);
    }
    run(command.arg("--html").arg(&report)).expect_code(9);
    let page = std::fs::read_to_string(&report).expect("the page");
    assert!(page.contains("With <code>plain</code> the challenge"), "{page}");
    look_at_file(&chromium, &report, "check-report");
}
