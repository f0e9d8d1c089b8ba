//! An API on the public network whose words lead into a private one by names
//! (RFC 9728 §7.7): nothing is sent there. In a network of its own, where public
//! addresses are on this machine and the names are the test's.

use super::support::authorization_server::{self, consent, token_answer};
use super::support::binary::Home;
use super::support::certificates::{Authority, start_tls_on};
use super::support::literal_server::{LiteralServer, json, status};
use super::support::login::assert_nothing_kept;
use super::support::outcome::{Outcome, run};
use super::support::running::Running;
use serde_json::{Value, json as value};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command;
use std::thread;

const PUBLIC: &str = "8.8.8.8";
const PRIVATE: &str = "10.0.0.7";
const HOSTS: &str = "127.0.0.1 localhost\n\
                     8.8.8.8 api.example server.example moving.example\n\
                     10.0.0.7 internal.example login.internal.example\n";
const INSIDE: &str = "OAUTH_TEST_NAMES";

/// Runs this test again in a network where these addresses and names are this
/// machine. Whether this is that run; where none is permitted, it is told.
fn in_a_network_of_its_own(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    const SCRIPT: &str = "ip link set lo up && ip address add 8.8.8.8/32 dev lo && \
                          ip address add 10.0.0.7/32 dev lo && mount --bind \"$1\" /etc/hosts || exit 77; \
                          exec \"$0\" --exact \"$2\" --nocapture";
    let folder = tempfile::tempdir().expect("a folder");
    let hosts = folder.path().join("hosts");
    std::fs::write(&hosts, HOSTS).expect("the names");
    let output = Command::new("unshare")
        .args(["--map-root-user", "--net", "--mount", "sh", "-c", SCRIPT])
        .arg(std::env::current_exe().expect("this program"))
        .arg(&hosts)
        .arg(test)
        .env(INSIDE, &hosts)
        .output();
    let began = |output: &std::process::Output| String::from_utf8_lossy(&output.stdout).contains("running 1 test");
    match output.as_ref().ok().filter(|output| began(output)) {
        Some(output) => {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            assert!(
                output.status.success(),
                "{}{}",
                text(&output.stdout),
                text(&output.stderr)
            );
        }
        None => {
            // not `eprintln!`, which the test harness keeps to itself
            let _ = writeln!(
                std::io::stderr(),
                "\n*** SKIPPED: {test}: no network of its own is permitted: {output:?} ***"
            );
        }
    }
    false
}

/// A server of this name at this address, by https.
fn host(authority: &Authority, name: &str, address: &str) -> (LiteralServer, String) {
    let listener = TcpListener::bind((address, 0)).expect("an address of this network");
    let server = start_tls_on(listener, &authority.issue(&[name]));
    let origin = format!("https://{name}:{}", server.port());
    (server, origin)
}

/// An API and its authorization server on the public network, and a server in
/// a private one that any of them may name.
struct Place {
    home: Home,
    authority: Authority,
    api: (LiteralServer, String),
    server: (LiteralServer, String),
    internal: (LiteralServer, String),
}

impl Place {
    fn new() -> Self {
        let authority = Authority::new();
        let place = Place {
            home: Home::new(),
            api: host(&authority, "api.example", PUBLIC),
            server: host(&authority, "server.example", PUBLIC),
            internal: host(&authority, "internal.example", PRIVATE),
            authority,
        };
        let api = place.api.1.clone();
        place.describe(&place.api, &api, &place.server.1);
        place.announce(&place.server, &value!({}));
        place.announce(&place.internal, &value!({}));
        place
    }

    /// The metadata of an API at `/mcp`, whose server is this issuer.
    fn describe(&self, at: &(LiteralServer, String), origin: &str, issuer: &str) {
        let document = value!({ "resource": format!("{origin}/mcp"), "authorization_servers": [issuer] });
        let path = "/.well-known/oauth-protected-resource/mcp";
        at.0.on("GET", path, json(200, &document.to_string()));
    }

    /// The metadata of an authorization server, with these members.
    fn announce(&self, (server, origin): &(LiteralServer, String), members: &Value) {
        let document = authorization_server::metadata(origin);
        let mut document: Value = serde_json::from_str(&document).expect("JSON");
        for (member, value) in members.as_object().expect("an object") {
            document[member] = value.clone();
        }
        let path = "/.well-known/oauth-authorization-server";
        server.on("GET", path, json(200, &document.to_string()));
        server.on("POST", "/token", json(200, &token_answer()));
    }

    fn oauth(&self) -> Command {
        let mut command = self.home.oauth();
        command.arg("--cacert").arg(self.authority.write(self.home.path()));
        command
    }

    fn login(&self, arguments: &[&str]) -> Command {
        let mut command = self.oauth();
        command.arg("login").args(arguments).arg("--no-browser");
        command
    }

    fn url(&self) -> String {
        format!("{}/mcp", self.api.1)
    }

    /// A login to its end, with a person who consents at this issuer.
    fn complete(&self, command: &mut Command, issuer: &str) -> Outcome {
        let running = Running::start(command);
        let url = running.authorization_url();
        assert!(url.starts_with(issuer), "{url}");
        consent(&url, issuer);
        running.end()
    }

    /// The command ends with 6 and sends nothing into the private network.
    fn refused(&self, arguments: &[&str]) -> Outcome {
        let outcome = run(&mut self.login(arguments)).expect_error(6);
        let outcome = outcome.says(&[PRIVATE, "which is not a public address"]);
        assert_eq!(self.internal.0.connections(), 0, "{outcome:?}");
        assert_nothing_kept(&self.home);
        outcome
    }
}

#[test]
fn nothing_that_a_public_api_names_is_asked_for_at_a_private_address() {
    if !in_a_network_of_its_own("private_addresses::nothing_that_a_public_api_names_is_asked_for_at_a_private_address")
    {
        return;
    }
    let place = Place::new();
    let (url, issuer, internal) = (place.url(), place.server.1.clone(), place.internal.1.clone());
    let known = [&url[..], "--client-id", "mine"];

    // its authorization server
    place.describe(&place.api, &place.api.1, &internal);
    let hint = format!("oauth login --issuer {internal} --resource {url} --client-id ID");
    place.refused(&known).says(&[&hint]);
    for command in ["discover", "check"] {
        let mut command = {
            let mut oauth = place.oauth();
            oauth.args([command, &url]);
            oauth
        };
        if command.get_args().any(|argument| argument == "check") {
            command.args(["--client-id", "mine", "--browser", "false"]);
        }
        let outcome = run(&mut command);
        assert_ne!(outcome.code, Some(0), "{outcome:?}");
        assert_eq!(place.internal.0.connections(), 0, "{outcome:?}");
    }

    // its metadata
    let challenge = format!("WWW-Authenticate: Bearer resource_metadata=\"{internal}/metadata\"");
    let unauthorized = super::support::literal_server::Reply::http(401, &[&challenge], "");
    place.api.0.on("GET", "/mcp", unauthorized);
    place.refused(&known).says(&["oauth login --issuer URL"]);
    place.api.0.on("GET", "/mcp", status(404));

    // what its authorization server names
    place.describe(&place.api, &place.api.1, &issuer);
    let registration = value!({ "registration_endpoint": format!("{internal}/register") });
    place.announce(&place.server, &registration);
    place.refused(&[&url]);
    let token = value!({ "token_endpoint": format!("{internal}/token") });
    place.announce(&place.server, &token);
    let outcome = place.complete(&mut place.login(&known), &issuer).expect_code(6);
    outcome.says(&[PRIVATE, "which is not a public address"]);
    assert_eq!(place.internal.0.connections(), 0);
    assert_nothing_kept(&place.home);
}

#[test]
fn the_address_that_is_judged_is_the_one_that_is_connected_to() {
    if !in_a_network_of_its_own("private_addresses::the_address_that_is_judged_is_the_one_that_is_connected_to") {
        return;
    }
    let place = Place::new();
    let moving = host(&place.authority, "moving.example", PUBLIC);
    place.announce(&moving, &value!({}));
    place.describe(&place.api, &place.api.1, &moving.1);
    let running = Running::start(&mut place.login(&[&place.url(), "--client-id", "mine"]));
    let url = running.authorization_url();
    // It was public for its metadata, and has moved when the code is to be redeemed.
    let hosts = std::env::var_os(INSIDE).expect("the file of names");
    let moved = HOSTS.replace(" moving.example", "") + "10.0.0.7 moving.example\n";
    std::fs::write(hosts, moved).expect("the names");
    let private = TcpListener::bind((PRIVATE, moving.0.port())).expect("its port");
    private.set_nonblocking(true).expect("a listener that does not wait");
    consent(&url, &moving.1);
    running
        .end()
        .expect_code(6)
        .says(&[PRIVATE, "which is not a public address"]);
    assert!(private.accept().is_err(), "it was connected to");
    assert_eq!(moving.0.requests_to("/token").len(), 0);
    assert_nothing_kept(&place.home);
}

#[test]
fn private_apis_servers_that_are_named_and_proxies_work_as_before() {
    if !in_a_network_of_its_own("private_addresses::private_apis_servers_that_are_named_and_proxies_work_as_before") {
        return;
    }
    // A person who means the server says so.
    let place = Place::new();
    let internal = place.internal.1.clone();
    place.describe(&place.api, &place.api.1, &internal);
    let named = [
        "-p",
        "named",
        "--issuer",
        &internal,
        "--resource",
        &place.url(),
        "--client-id",
        "mine",
    ];
    place.complete(&mut place.login(&named), &internal).expect_code(0);

    // The API of a company, whose server is there as well.
    let login = host(&place.authority, "login.internal.example", PRIVATE);
    place.announce(&login, &value!({}));
    place.describe(&place.internal, &internal, &login.1);
    place
        .internal
        .0
        .on("GET", "/.well-known/oauth-authorization-server", status(404));
    let url = format!("{internal}/mcp");
    let private = [&url[..], "-p", "private", "--client-id", "mine"];
    place.complete(&mut place.login(&private), &login.1).expect_code(0);

    // A proxy looks the names up, so that nobody here knows where they lead.
    place.describe(&place.api, &place.api.1, &login.1);
    let mut command = place.login(&[&place.url(), "-p", "proxied", "--client-id", "mine"]);
    command.env("HTTPS_PROXY", proxy());
    place.complete(&mut command, &login.1).expect_code(0);
}

/// A proxy for https, which looks names up itself (RFC 9110 §9.3.6).
fn proxy() -> String {
    let listener = TcpListener::bind((PRIVATE, 0)).expect("a free port");
    let address = listener.local_addr().expect("its address");
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            thread::spawn(move || tunnel(client));
        }
    });
    format!("http://{address}")
}

fn tunnel(mut client: TcpStream) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte)?;
        head.extend(byte);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let authority = head.split(' ').nth(1).unwrap_or_default();
    let mut server = TcpStream::connect(authority)?;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let (mut from_server, mut to_client) = (server.try_clone()?, client.try_clone()?);
    thread::spawn(move || {
        let copied = std::io::copy(&mut from_server, &mut to_client);
        let _ = to_client.shutdown(Shutdown::Write);
        copied
    });
    std::io::copy(&mut client, &mut server)?;
    server.shutdown(Shutdown::Write)
}
