//! Who may show a prompt of the keyring: `login`, `demo` and `token --login`
//! always, other commands only with a terminal and a display, `status` never.

#[path = "../support/fake_secret_service.rs"]
mod fake_secret_service;

use super::support::binary::Home;
use super::support::keyring_session::{Activation, KeyringSession};
use super::support::literal_server::LiteralServer;
use super::support::outcome::run;
use super::support::sessions::{ending_in, refreshable};
use super::support::terminal::Terminal;
use fake_secret_service::{Behaviour, FakeSecretService, Person};
use std::process::Command;
use std::time::Duration;

/// A profile `work` whose valid session is in a keyring.
struct Place {
    session: KeyringSession,
    service: FakeSecretService,
    home: Home,
    server: LiteralServer,
}

impl Place {
    fn new(behaviour: Behaviour) -> Option<Self> {
        let session = KeyringSession::start(Activation::Off)?;
        let server = LiteralServer::start();
        let mut kept = ending_in(3000, refreshable(&server.origin()));
        kept.endpoints.revocation = None;
        let behaviour = Behaviour {
            items: vec![kept.encode().expose().clone()],
            ..behaviour
        };
        let home = Home::new();
        home.configure(&format!(
            "[profile.work]\nissuer = \"{}\"\nclient_id = \"desktop\"\nstore = \"keyring\"\n",
            server.origin()
        ));
        Some(Place {
            service: FakeSecretService::on_bus(session.address(), behaviour),
            session,
            home,
            server,
        })
    }

    fn locked() -> Option<Self> {
        Place::new(Behaviour {
            locked: true,
            person: Person::ConfirmsAfter(Duration::ZERO),
            ..Behaviour::default()
        })
    }

    fn oauth(&self, arguments: &[&str]) -> Command {
        let mut command = self.home.oauth();
        command
            .envs(self.session.environment())
            .env("HOME", self.home.path())
            .env_remove("OAUTH_STORE")
            .args(arguments);
        command
    }

    fn prompts(&self) -> usize {
        self.service.count("Prompt")
    }
}

/// Runs it at a terminal, to its end; its exit code.
fn run_at_terminal(command: &mut Command) -> Option<i32> {
    let terminal = Terminal::open();
    let mut process = terminal.start(command);
    let status = process.wait().expect("its end");
    status.code()
}

#[test]
fn without_a_terminal_no_command_shows_a_prompt_but_those_that_log_in() {
    let Some(place) = Place::locked() else { return };
    for command in [
        &["token", "work"][..],
        &["userinfo", "-p", "work"],
        &["logout", "work"],
        &["logout", "work", "--local"],
        &["profile", "remove", "work"],
    ] {
        // A display alone does not make anybody look at it
        let outcome = run(place.oauth(command).env("DISPLAY", ":0")).expect_error(8);
        assert!(
            outcome.error().contains("the keyring is locked"),
            "{command:?}: {outcome:?}"
        );
        assert_eq!(place.prompts(), 0, "{command:?}");
    }
    let outcome = run(&mut place.oauth(&["token", "work", "--login"])).expect_code(0);
    assert_ne!(outcome.stdout, "");
    assert_eq!(place.prompts(), 1);
}

#[test]
fn a_login_may_show_a_prompt_without_a_terminal() {
    let Some(place) = Place::locked() else { return };
    let issuer = place.server.origin();
    // the server has no metadata: it ends after the keyring is found usable
    run(&mut place.oauth(&[
        "login",
        &issuer,
        "--client-id",
        "desktop",
        "--profile",
        "work",
        "--no-browser",
    ]))
    .expect_error(6);
    assert_eq!(place.prompts(), 1);
}

#[test]
fn a_prompt_needs_a_terminal_and_a_display_and_status_never_shows_one() {
    let Some(place) = Place::locked() else { return };
    assert_eq!(run_at_terminal(&mut place.oauth(&["token", "work"])), Some(8));
    for variable in ["DISPLAY", "WAYLAND_DISPLAY"] {
        run_at_terminal(place.oauth(&["status", "work"]).env(variable, "somewhere"));
    }
    assert_eq!(place.prompts(), 0);
    let mut with_display = place.oauth(&["token", "work"]);
    assert_eq!(
        run_at_terminal(with_display.env("WAYLAND_DISPLAY", "wayland-0")),
        Some(0)
    );
    assert_eq!(place.prompts(), 1);
}

#[test]
fn a_logout_that_the_keyring_wants_confirmed_is_confirmed_or_changes_nothing() {
    let asking = || Behaviour {
        asks_before_deleting: true,
        person: Person::ConfirmsAfter(Duration::ZERO),
        ..Behaviour::default()
    };
    let Some(place) = Place::new(asking()) else { return };
    let outcome = run(&mut place.oauth(&["logout", "work", "--local"])).expect_error(8);
    assert!(outcome.error().contains("asks for a confirmation"), "{outcome:?}");
    assert!(
        outcome.hints().contains("in a terminal of the desktop session"),
        "{outcome:?}"
    );
    assert_eq!(place.prompts(), 0);
    run(&mut place.oauth(&["token", "work"])).expect_code(0);
    let mut at_desktop = place.oauth(&["logout", "work", "--local"]);
    assert_eq!(run_at_terminal(at_desktop.env("DISPLAY", ":0")), Some(0));
    assert_eq!((place.prompts(), place.service.names()), (1, Vec::new()));
}

#[test]
fn a_keyring_that_unlocks_without_a_prompt_serves_scripts() {
    let opened_by_the_desktop = Behaviour {
        locked: true,
        unlocks_without_prompt: true,
        ..Behaviour::default()
    };
    let Some(place) = Place::new(opened_by_the_desktop) else {
        return;
    };
    let outcome = run(&mut place.oauth(&["token", "work"])).expect_code(0);
    assert_ne!(outcome.stdout, "");
    assert_eq!((place.service.count("Unlock 1"), place.prompts()), (1, 0));
}
