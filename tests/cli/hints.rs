//! Each command in a hint is one that the parser takes: the hints of errors
//! that can be provoked are collected, and their commands are run. Where a hint
//! promises an outcome at a server, it is followed at `oauth serve`, and the
//! command that failed is run again.

use super::support::binary::Home;
use super::support::callback;
use super::support::development_server::DevelopmentServer;
use super::support::outcome::{Outcome, run};
use super::support::plain_browser::PlainBrowser;
use super::support::running::Running;
use super::support::sessions::{ending_in, refreshable, scope, session};

const ISSUER: &str = "https://id.example.com";
const PROFILES: &str = "default_profile = \"work\"\n\n[profile.work]\nissuer = \"https://id.example.com\"\n\
    client_id = \"desktop\"\n[profile.play]\nissuer = \"https://play.example.com\"\nclient_id = \"toy\"\n";

/// Command lines that fail, each in a home of its own.
const PROVOKING: &[&[&str]] = &[
    &["token"],
    &["token", "wrok"],
    &["token", "play"],
    &["token", "work", "--id-token"],
    &["token", "work", "--force-refresh"],
    &["token", "work", "--resource", "https://api.example.com"],
    &["token", "expired"],
    &["token", "work", "--store", "keyring"],
    &["token", "work", "--store", "none"],
    &["token", "eyJhbGciOiJub25lIn0.e30.x"],
    &["token", "--format", "xml"],
    &["status", "wrok"],
    &["status", "play"],
    &["status", "work", "--store", "keyring"],
    &["logout", "wrok"],
    &["logout", "work", "--store", "keyring"],
    &["profile", "show", "wrok"],
    &["profile", "use", "wrok"],
    &["profile", "remove", "wrok"],
    &["profile", "set", "work", "issuerr=x"],
    &["profile", "set", "work", "param=x"],
    &["profile", "set", "work", "store=shoebox"],
    &["profile", "set", "work", "store=none"],
    &["decode", "-p", "work"],
    &["decode", "-p", "wrok"],
    &["decode", "nosuchfile"],
    &["decode", "work"],
    &["userinfo", "-p", "play"],
    &["introspect", "-p", "play"],
    &["revoke", "-p", "play"],
    &["login"],
    &["login", "id.example.com"],
    &["login", "https://new.example.com"],
    &["login", "--issuer", "https://new.example.com", "--client-id", "x"],
    &["login", "-p", "new", "--client-id", "x"],
    &["login", "-p", "new", "--issuer", "https://new.example.com"],
    &["login", "http://id.example.com", "--client-id", "x"],
    &["login", "work", "--store", "keyring"],
    &["login", "work", "--client-auth", "client_secret_basic"],
    &["login", "work", "--redirect-uri", "https://app.example.com/cb"],
    &["login", "work", "--param", "state=x"],
    &["login", "http://127.0.0.1:9", "--client-id", "x"],
    &["login", "--device"],
    &["logn"],
    &["discover", "id.example.com"],
    &["discover", "http://127.0.0.1:9"],
    &["check", "http://127.0.0.1:9", "--client-id", "x"],
    &["serve", "--client", "x:nosuchfile"],
    &["token", "work", "--trace", "trace.txt"],
    &["token", "work", "--proxy", "http://me:pw@proxy.example"],
];

fn provoke(arguments: &[&str], configuration: &str, ci: bool) -> Outcome {
    let home = Home::new();
    home.keep("work", &session(ISSUER));
    home.keep("expired", &ending_in(-9, refreshable("http://127.0.0.1:9")));
    home.configure(configuration);
    let mut command = home.oauth();
    command.env("OAUTH_DEADLINE", "1s");
    if ci {
        command.env("CI", "true");
    }
    run(command.args(arguments))
}

/// The `oauth …` commands of a text. A command ends its hint, or a sign that
/// no argument has does.
fn commands(text: &str) -> Vec<String> {
    let starts = text.match_indices("oauth ").filter(|(start, _)| {
        // behind a colon, a quote, a backtick or a comma, or first of all
        text[..*start].trim_end().ends_with([':', '`', '"', ',']) || text[..*start].trim_end().is_empty()
    });
    let ends = |rest: &str| rest.find(['`', '\n', ',', ';', '(']).unwrap_or(rest.len());
    starts
        .map(|(start, _)| text[start..start + ends(&text[start..])].trim().to_owned())
        .collect()
}

/// The command with something in place of each placeholder.
fn filled(command: &str) -> Vec<String> {
    let words = shell_words::split(command).unwrap_or_else(|error| panic!("{command}: {error}"));
    words
        .into_iter()
        .skip(1)
        .map(|word| match word.as_str() {
            "NAME" | "PROFILE" => "work".to_owned(),
            "ID" => "desktop".to_owned(),
            "URL" | "URI" | "ISSUER" => ISSUER.to_owned(),
            "TIME" => "5s".to_owned(),
            "CMD" | "FILE" => "true".to_owned(),
            _ => word,
        })
        .collect()
}

#[test]
fn each_command_in_a_hint_is_one_that_the_parser_takes() {
    let mut seen = std::collections::BTreeSet::new();
    for arguments in PROVOKING {
        for (configuration, ci) in [(PROFILES, false), ("", false), (PROFILES, true)] {
            let outcome = provoke(arguments, configuration, ci);
            for hint in outcome.labelled("hint:") {
                seen.extend(commands(&hint));
            }
        }
    }
    assert!(seen.len() > 8, "{seen:#?}");
    for command in &seen {
        assert!(!command.contains('…'), "a command that cannot be typed: {command}");
        let arguments = filled(command);
        let home = Home::new();
        home.configure(PROFILES);
        let parsed = run(home.oauth().args(&arguments).args(["--deadline", "200ms"]));
        let refused = [
            "unexpected argument",
            "unrecognized subcommand",
            "invalid value",
            "required arguments",
        ];
        let usage = refused.iter().any(|text| parsed.stderr.contains(text));
        assert!(!usage, "{command}: {}", parsed.stderr);
    }
}

#[test]
fn the_hint_for_cron_names_the_profile_and_works() {
    let home = Home::new();
    home.configure("[profile.work]\nissuer = \"https://id.example.com\"\nstore = \"file\"\n");
    let mut command = home.oauth();
    // what a session of cron has: no bus; and a variable that overrides the profile
    let outcome = run(command.env("OAUTH_STORE", "keyring").args(["token", "work"])).expect_error(8);
    outcome.says(&["OAUTH_STORE=keyring overrides the profile's store = \"file\""]);
    home.configure("[profile.work]\nissuer = \"https://id.example.com\"\nstore = \"keyring\"\n");
    let outcome = run(home.oauth().env_remove("OAUTH_STORE").args(["token", "work"])).expect_error(8);
    outcome.says(&["cron", "oauth profile set work store=file"]);
}

/// A person who does what the hint says, at a server that agrees to everything.
struct Follower {
    server: DevelopmentServer,
    home: Home,
}

impl Follower {
    fn new() -> Self {
        let server = DevelopmentServer::start(&["--approve", "auto"]);
        let home = Home::new();
        home.configure(&format!(
            "[profile.work]\nissuer = \"{}\"\nclient_id = \"oauth-cli\"\nscope = [\"hello\"]\n",
            server.issuer()
        ));
        Follower { server, home }
    }

    /// Runs a command; a login is completed in the browser.
    fn run(&self, arguments: &[&str]) -> Outcome {
        let mut command = self.home.oauth();
        command.args(arguments);
        if arguments.first() != Some(&"login") {
            return run(&mut command);
        }
        let running = Running::start(command.arg("--no-browser"));
        let back = PlainBrowser::new().go_to(&running.authorization_url()).elsewhere();
        // the page that comes back is not this test's concern
        let _ = callback::get_url(back.as_str());
        running.end()
    }

    /// Runs the one command of the hints, which must work.
    #[track_caller]
    fn follow(&self, failed: &Outcome) {
        let hints = failed.labelled("hint:");
        let commands: Vec<String> = hints.iter().flat_map(|hint| commands(hint)).collect();
        assert_eq!(commands.len(), 1, "{failed:?}");
        let words = shell_words::split(&commands[0]).expect("words");
        let words: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
        self.run(&words).expect_code(0);
    }

    /// A command fails with this code, and works once its hint was followed.
    #[track_caller]
    fn fails_and_works_after_the_hint(&self, arguments: &[&str], code: i32) {
        let failed = self.run(arguments).expect_error(code);
        self.follow(&failed);
        assert_ne!(self.run(arguments).expect_code(0).stdout, "", "{failed:?}");
    }
}

#[test]
fn a_login_that_a_hint_asks_for_brings_what_was_missing() {
    let follower = Follower::new();
    // nobody is logged in yet
    follower.fails_and_works_after_the_hint(&["token", "work"], 4);
    follower.fails_and_works_after_the_hint(&["token", "work", "--id-token"], 4);
    follower.fails_and_works_after_the_hint(&["token", "work", "--scope", "profile"], 4);
    // the session still has all that it was given
    follower.run(&["userinfo", "-p", "work"]).expect_code(0);
}

#[test]
fn a_session_that_the_server_has_ended_is_begun_again_by_its_hint() {
    let follower = Follower::new();
    follower.run(&["login", "work"]).expect_code(0);
    let kept = follower.home.kept("work").expect("the session");
    let spent = follower.run(&["token", "work", "--force-refresh"]).expect_code(0);
    assert_ne!(spent.stdout, "");
    // the spent refresh token again: the server ends the whole session
    follower.home.keep("work", &kept);
    follower.fails_and_works_after_the_hint(&["token", "work", "--force-refresh"], 4);
}

#[test]
fn a_session_that_no_longer_fits_its_profile_is_made_to_fit_by_its_hint() {
    let follower = Follower::new();
    follower.run(&["login", "work"]).expect_code(0);
    let changed = follower
        .home
        .configuration()
        .replace("[\"hello\"]", "[\"hello\", \"profile\"]");
    follower.home.configure(&changed);
    follower.fails_and_works_after_the_hint(&["token", "work"], 4);
}

/// A client that gets tokens for itself, at a server that gives it less than people.
struct Machine {
    server: DevelopmentServer,
    home: Home,
}

impl Machine {
    fn new() -> Self {
        let home = Home::new();
        let secret = home.path().join("secret");
        std::fs::write(&secret, "secret-of-the-machine").expect("the secret");
        let client = format!("machine:{}", secret.display());
        let server = DevelopmentServer::start(&["--approve", "auto", "--client", &client]);
        Machine { server, home }
    }

    fn log_in(&self, path: &str, more: &[&str]) -> Outcome {
        let url = format!("{}{path}", self.server.issuer());
        let secret = self.home.path().join("secret").display().to_string();
        let client = ["--client-id", "machine", "--client-secret-file", &secret];
        let login = ["login", &url, "--grant", "client-credentials", "--profile", "ci"];
        run(self.home.oauth().args(login).args(client).args(more))
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        run(self.home.oauth().args(arguments))
    }
}

#[test]
fn a_scope_that_a_client_may_not_have_leads_to_one_that_it_may_have_and_not_back() {
    let machine = Machine::new();
    // what the API names is too much, and what is given may be: neither is the way out of the other
    for more in [&[][..], &["--scope", "nonsense"]] {
        let failed = machine.log_in("/api", more).expect_error(5);
        let hints = failed.hints();
        assert!(
            hints.contains("Ask for less with --scope") && hints.contains("operator"),
            "{hints}"
        );
        assert!(!hints.contains("Without --scope"), "{hints}");
    }
    machine.log_in("/api", &["--scope", "hello"]).expect_code(0);
}

#[test]
fn what_only_a_person_brings_is_not_to_be_asked_for_by_a_client_for_itself() {
    let machine = Machine::new();
    machine.log_in("", &[]).expect_code(0);
    for arguments in [
        &["token", "ci", "--id-token"][..],
        &["decode", "-p", "ci", "--id-token"],
        &["userinfo", "-p", "ci"],
    ] {
        let failed = machine.run(arguments);
        let hints = failed.hints();
        assert!(
            hints.contains("oauth login ci --grant authorization-code --scope"),
            "{arguments:?}: {failed:?}"
        );
        let told = hints.matches("oauth login").count();
        assert_eq!(told, 1, "{hints}");
    }
    // the server chose the scope: the next login keeps it
    let failed = machine.run(&["token", "ci", "--scope", "introspect notes"]);
    assert!(failed.hints().contains("\"hello introspect notes\""), "{failed:?}");
}

#[test]
fn what_the_last_login_asked_for_in_vain_is_not_to_be_asked_for_in_the_same_way() {
    let home = Home::new();
    home.configure(&format!(
        "[profile.work]\nissuer = \"{ISSUER}\"\nscope = [\"openid\", \"offline_access\", \"notes\"]\n"
    ));
    let mut kept = session(ISSUER);
    kept.requested.scope = scope("openid offline_access notes");
    kept.tokens[0].scope = Some(scope("openid offline_access"));
    home.keep("work", &kept);
    for (arguments, hint) in [
        (&["token", "--id-token"][..], "oauth discover https://id.example.com"),
        (&["token", "--force-refresh"], "oauth login work --param prompt=consent"),
        (&["token", "--scope", "notes"], "its operator has to allow it"),
    ] {
        let failed = run(home.oauth().args(arguments)).expect_error(4);
        assert!(failed.hints().contains(hint), "{arguments:?}: {failed:?}");
        assert!(!failed.hints().contains("--scope"), "{arguments:?}: {failed:?}");
    }
}

#[test]
fn a_default_that_a_hint_names_is_used_from_then_on() {
    let follower = Follower::new();
    follower.run(&["login", "work"]).expect_code(0);
    let two = format!(
        "{}\n[profile.play]\nissuer = \"https://play.example.com\"\n",
        follower.home.configuration()
    );
    follower
        .home
        .configure(&two.replace("default_profile = \"work\"\n", ""));
    let failed = follower.run(&["token"]).expect_error(4);
    assert!(failed.hints().contains("oauth profile use "), "{failed:?}");
    follower.run(&["profile", "use", "work"]).expect_code(0);
    assert_ne!(follower.run(&["token"]).expect_code(0).stdout, "");
}

#[test]
fn the_corrected_issuer_of_a_hint_is_the_right_one() {
    let follower = Follower::new();
    let with_slash = format!("{}/", follower.server.issuer());
    let failed = run(follower.home.oauth().args([
        "login",
        "-p",
        "other",
        "--issuer",
        &with_slash,
        "--client-id",
        "oauth-cli",
    ]));
    let failed = failed.expect_error(6);
    let commands: Vec<String> = failed
        .labelled("hint:")
        .iter()
        .flat_map(|hint| commands(hint))
        .collect();
    let words = shell_words::split(&commands[0]).expect("words");
    let mut words: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
    words.extend(["-p", "other", "--client-id", "oauth-cli"]);
    follower.run(&words).expect_code(0);
    assert_ne!(follower.run(&["token", "other"]).expect_code(0).stdout, "");
}
