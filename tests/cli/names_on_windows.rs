//! Names of profiles on Windows: its credential manager knows no case, and
//! some names are devices in every folder.

use super::support::binary::Home;
use super::support::development_server::DevelopmentServer;
use super::support::outcome::run;
use std::process::Command;

const SECRET: &str = "secret-of-the-client";

/// A server with a client that speaks for itself.
fn server(home: &Home) -> DevelopmentServer {
    let file = home.path().join("secret");
    std::fs::write(&file, SECRET).expect("the secret");
    DevelopmentServer::start(&["--client", &format!("ci:{}", file.display())])
}

/// `oauth` with this store, whose items have a name that no other home has.
fn oauth(home: &Home, store: &str) -> Command {
    let mut command = home.oauth();
    command
        .env("OAUTH_STORE", store)
        .env("OAUTH_CONFIG", home.config_file())
        .env("OAUTH_CLIENT_SECRET", SECRET);
    command
}

fn log_in(home: &Home, server: &DevelopmentServer, store: &str, profile: &str) {
    let mut command = oauth(home, store);
    run(command.args(["login", &server.issuer(), "--profile", profile]).args([
        "--grant",
        "client-credentials",
        "--client-id",
        "ci",
    ]))
    .expect_code(0);
}

#[test]
fn names_that_differ_in_case_alone_are_two_sessions_in_the_credential_manager() {
    let home = Home::new();
    let server = server(&home);
    let token = |profile: &str| {
        run(oauth(&home, "keyring").args(["token", profile]))
            .expect_code(0)
            .stdout
    };
    log_in(&home, &server, "keyring", "work");
    let first = token("work");
    log_in(&home, &server, "keyring", "WORK");
    assert_eq!(token("work"), first);
    assert_ne!(token("WORK"), first);
    run(oauth(&home, "keyring").args(["logout", "WORK"])).expect_code(0);
    assert_eq!(token("work"), first);
    run(oauth(&home, "keyring").args(["logout", "work"])).expect_code(0);
}

#[test]
fn a_profile_may_have_the_name_of_a_device() {
    let home = Home::new();
    let server = server(&home);
    for profile in ["nul", "con", "AUX", "com1", "lpt1.work"] {
        log_in(&home, &server, "file", profile);
        let token = run(oauth(&home, "file").args(["token", profile])).expect_code(0);
        assert!(!token.stdout.trim_end().is_empty());
        run(oauth(&home, "file").args(["logout", profile])).expect_code(0);
    }
}
