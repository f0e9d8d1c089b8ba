//! Canaries of clients that prove more than a secret does: client key, DPoP
//! key, assertions, proofs, request objects, device code and user code are in
//! no message, trace, command line, environment or file outside the store, also
//! where a server repeats them in its errors.

use super::secrets::{VOICES, assert_clean, assert_home_clean, assert_outcome_clean};
use super::support::authorization_server;
use super::support::binary::Home;
use super::support::callback;
use super::support::literal_server::{LiteralServer, PATIENCE, Reply, Request, json, value_of};
use super::support::outcome::{Outcome, run};
use super::support::running::Running;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

const KEY: &str = include_str!("../../src/protocol/signing/test_keys/p256.pkcs8.pem");
/// The private part of the key (RFC 7515 §A.3.1).
const KEY_D: &str = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";
const CODE: &str = "canaryCode-8h2Lw0";
const ACCESS_TOKEN: &str = "canaryAccessToken-5tRb";
const REFRESH_TOKEN: &str = "canaryRefreshToken-x0Zp";
const DEVICE_CODE: &str = "canaryDeviceCode-q7Vn";
const USER_CODE: &str = "CNRY-USER";
const TRACES: [&str; 4] = ["json", "har", "html", "mmd"];

fn tokens() -> String {
    format!(
        r#"{{"access_token":"{ACCESS_TOKEN}","token_type":"DPoP","expires_in":3600,"refresh_token":"{REFRESH_TOKEN}"}}"#
    )
}

/// A refusal that repeats everything secret of the request.
fn echo(request: &Request) -> Reply {
    let form = request.form();
    let secrets = ["client_assertion", "request", "refresh_token", "device_code", "code"];
    let mut said: Vec<&str> = secrets.iter().filter_map(|name| value_of(&form, name)).collect();
    said.extend(request.header("dpop"));
    let description = serde_json::json!(said.join(" "));
    json(
        400,
        &format!(r#"{{"error":"invalid_request","error_description":{description}}}"#),
    )
}

struct Stage {
    home: Home,
    beside: tempfile::TempDir,
    server: LiteralServer,
}

impl Stage {
    fn new() -> Self {
        let server = LiteralServer::start();
        let origin = server.origin();
        let members = format!(
            r#"{{"pushed_authorization_request_endpoint":"{origin}/par","revocation_endpoint":"{origin}/revoke","introspection_endpoint":"{origin}/introspect","device_authorization_endpoint":"{origin}/device","#
        );
        let metadata = authorization_server::metadata(&origin).replacen('{', &members, 1);
        server.on("GET", "/.well-known/oauth-authorization-server", json(200, &metadata));
        server.on(
            "POST",
            "/par",
            json(201, r#"{"request_uri":"urn:pushed:1","expires_in":60}"#),
        );
        server.on("POST", "/token", json(200, &tokens()));
        let device = format!(
            r#"{{"device_code":"{DEVICE_CODE}","user_code":"{USER_CODE}","verification_uri":"{origin}/enter","expires_in":900,"interval":0}}"#
        );
        server.on("POST", "/device", json(200, &device));
        server.on("POST", "/introspect", json(200, r#"{"active":true}"#));
        server.on("POST", "/revoke", json(200, "{}"));
        server.on("GET", "/api", json(200, "{}"));
        let beside = tempfile::tempdir().expect("a folder");
        std::fs::write(beside.path().join("key.pem"), KEY).expect("the key");
        let script = format!(
            "#!/bin/sh\n{{ printf '%s\\n' \"$0\" \"$@\"; env; }} > '{}'\nprintf done > '{}'\n",
            beside.path().join("dump").display(),
            beside.path().join("pipe").display()
        );
        let made = Command::new("mkfifo").arg(beside.path().join("pipe")).status();
        assert!(made.expect("mkfifo").success());
        let browser = beside.path().join("browser");
        std::fs::write(&browser, script).expect("the browser");
        std::fs::set_permissions(&browser, std::fs::Permissions::from_mode(0o755)).expect("its mode");
        Stage {
            home: Home::new(),
            beside,
            server,
        }
    }

    fn oauth(&self, voice: &[&str]) -> Command {
        let mut command = self.home.oauth();
        for ending in TRACES {
            command
                .arg("--trace")
                .arg(self.home.path().join(format!("trace.{ending}")));
        }
        command.args(voice);
        command
    }

    fn login(&self, voice: &[&str]) -> Command {
        let mut command = self.oauth(voice);
        command
            .args([
                "login",
                "-p",
                "work",
                "--issuer",
                &self.server.origin(),
                "--client-id",
                "desktop",
            ])
            .args(["--dpop", "--resource", &self.server.url("/api"), "--client-key-file"])
            .arg(self.beside.path().join("key.pem"));
        command
    }

    /// A login whose browser comes back at once.
    fn browser_login(&self, voice: &[&str]) -> Outcome {
        let mut command = self.login(voice);
        command.args(["--request-object", "--par", "always", "--browser"]);
        let running = Running::start(command.arg(self.beside.path().join("browser")));
        self.wait_for_browser();
        let arguments = std::fs::read(format!("/proc/{}/cmdline", running.id())).expect("its argv");
        assert_clean("the command line", &arguments, &self.secrets(), &[]);
        let asked = self.request_object();
        let text = |name: &str| asked[name].as_str().expect("a text").to_owned();
        let back = format!(
            "{}?code={CODE}&state={}&iss={}",
            text("redirect_uri"),
            text("state"),
            self.server.origin()
        );
        callback::get_url(&back).expect("a page");
        running.end().expect_code(0)
    }

    /// Until the browser has written down what it saw.
    fn wait_for_browser(&self) {
        let (sender, receiver) = std::sync::mpsc::channel();
        let pipe = self.beside.path().join("pipe");
        std::thread::spawn(move || sender.send(std::fs::read_to_string(pipe)));
        let said = receiver.recv_timeout(PATIENCE).expect("the browser runs");
        assert_eq!(said.expect("reading the pipe"), "done");
    }

    /// The claims of the request object that was pushed.
    fn request_object(&self) -> Value {
        let form = self.server.only_request_to("/par").form();
        let object = value_of(&form, "request").expect("a request object");
        let claims = object.split('.').nth(1).expect("claims");
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).expect("base64url")).expect("JSON")
    }

    /// Everything secret, as far as it is known yet.
    fn secrets(&self) -> Vec<(&'static str, String)> {
        let line = KEY.lines().nth(1).expect("base64").to_owned();
        let mut secrets = vec![("the client key", KEY_D.to_owned()), ("the client key as PEM", line)];
        for (name, secret) in [
            ("the code", CODE),
            ("the access token", ACCESS_TOKEN),
            ("the refresh token", REFRESH_TOKEN),
            ("the device code", DEVICE_CODE),
        ] {
            secrets.push((name, secret.to_owned()));
        }
        let signature = |jwt: &str| jwt.rsplit('.').next().expect("a signature").to_owned();
        for request in self.server.requests() {
            let form = request.form();
            for (name, parameter) in [("an assertion", "client_assertion"), ("a request object", "request")] {
                secrets.extend(value_of(&form, parameter).map(|jwt| (name, signature(jwt))));
            }
            secrets.extend(request.header("dpop").map(|proof| ("a proof", signature(proof))));
        }
        let kept = self.home.kept("work").and_then(|session| session.dpop_key);
        secrets.extend(kept.map(|key| {
            let key: Value = serde_json::from_str(key.expose()).expect("a JWK");
            ("the DPoP key", key["d"].as_str().expect("the private part").to_owned())
        }));
        secrets
    }

    #[track_caller]
    fn assert_clean(&self, outcome: &Outcome, allowed_on_stdout: &[&str]) {
        let secrets = self.secrets();
        assert_outcome_clean(outcome, &secrets, allowed_on_stdout);
        assert_home_clean(&self.home, &secrets);
        for ending in TRACES {
            assert!(self.home.path().join(format!("trace.{ending}")).exists(), "{ending}");
        }
    }
}

#[test]
fn a_login_with_keys_and_every_command_after_it_show_no_secret() {
    for voice in VOICES {
        let stage = Stage::new();
        let outcome = stage.browser_login(voice);
        stage.assert_clean(&outcome, &[]);
        let seen = std::fs::read(stage.beside.path().join("dump")).expect("what the browser saw");
        assert_clean("the browser's view", &seen, &stage.secrets(), &[]);
        let names: Vec<&str> = stage.secrets().iter().map(|(name, _)| *name).collect();
        for name in ["an assertion", "a request object", "a proof", "the DPoP key"] {
            assert!(names.contains(&name), "{names:?}");
        }
        let api = stage.server.url("/api");
        let dump = stage.beside.path().join("dump").display().to_string();
        let child = format!("{{ printf '%s\\n' \"$0\" \"$@\"; env; }} > '{dump}'");
        for (arguments, allowed) in [
            (&["token", "work", "--force-refresh"][..], &["the access token"][..]),
            (&["request", &api, "-p", "work"], &[]),
            (&["introspect", "-p", "work"], &[]),
            (&["status", "work"], &[]),
            (&["profile", "show", "work"], &[]),
            (&["exec", "work", "--", "sh", "-c", &child], &[]),
            (&["logout", "work"], &[]),
        ] {
            let is_json = arguments[0] == "request" || arguments[0] == "exec";
            let voice = if is_json && voice.contains(&"--json") {
                &["-vvv"][..]
            } else {
                voice
            };
            let mut command = stage.oauth(voice);
            let outcome = run(command.args(arguments)).expect_code(0);
            stage.assert_clean(&outcome, allowed);
            if arguments[0] == "exec" {
                let seen = std::fs::read(&dump).expect("what the child saw");
                assert_clean("the child's view", &seen, &stage.secrets(), &["the access token"]);
            }
        }
    }
}

#[test]
fn what_a_server_repeats_of_assertions_proofs_and_request_objects_is_not_shown() {
    for voice in VOICES {
        let stage = Stage::new();
        stage.server.on_call("POST", "/par", echo);
        let mut command = stage.login(voice);
        command.args(["--request-object", "--par", "always", "--no-browser"]);
        let outcome = run(&mut command).expect_code(5);
        assert!(outcome.stderr.contains("invalid_request"), "{outcome:?}");
        stage.assert_clean(&outcome, &[]);

        let stage = Stage::new();
        stage.browser_login(&[]);
        for path in ["/token", "/introspect", "/revoke"] {
            stage.server.on_call("POST", path, echo);
        }
        for arguments in [
            &["token", "work", "--force-refresh"][..],
            &["introspect", "-p", "work"],
            &["logout", "work"],
        ] {
            let outcome = run(stage.oauth(voice).args(arguments));
            assert!(outcome.stderr.contains("invalid_request"), "{outcome:?}");
            stage.assert_clean(&outcome, &["the access token"]);
        }
    }
}

#[test]
fn device_code_and_user_code_are_shown_to_the_person_alone() {
    for voice in VOICES {
        for is_refused in [false, true] {
            let stage = Stage::new();
            if is_refused {
                stage.server.on_call("POST", "/token", echo);
            }
            let outcome = run(stage.login(voice).arg("--device"));
            assert_eq!(outcome.code, Some(if is_refused { 5 } else { 0 }), "{outcome:?}");
            stage.assert_clean(&outcome, &[]);
            assert_eq!(outcome.stderr.matches(USER_CODE).count(), 1, "{outcome:?}");
            assert!(!outcome.stdout.contains(USER_CODE), "{outcome:?}");
            let user_code = [("the user code", USER_CODE.to_owned())];
            assert_home_clean(&stage.home, &user_code);
        }
    }
}

/// What shows that the tests above would see them.
#[test]
fn with_show_secrets_they_are_found_but_for_the_keys() {
    let stage = Stage::new();
    let outcome = stage.browser_login(&["-vvv", "--show-secrets"]);
    for (name, secret) in stage.secrets() {
        let is_shown = outcome.stderr.contains(&secret);
        let is_key = name.contains("key");
        let is_of_devices = name == "the device code";
        assert_eq!(is_shown, !is_key && !is_of_devices, "{name}: {}", outcome.stderr);
    }
}
