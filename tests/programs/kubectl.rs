//! kubectl with `oauth token --format exec-credential` as its credential plugin.

use crate::place::program;
use crate::support::binary::Home;
use crate::support::certificates::{Authority, start_tls};
use crate::support::installed;
use crate::support::literal_server::{LiteralServer, Reply, json};
use crate::support::outcome::{Outcome, run};
use crate::support::sessions::{KEPT_ACCESS_TOKEN, ending_in, refreshable, session};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

const V1: &str = "client.authentication.k8s.io/v1";
const V1BETA1: &str = "client.authentication.k8s.io/v1beta1";
const NEW: &str = r#"{"access_token":"new-access","token_type":"Bearer","expires_in":3600}"#;

/// Whether kubectl is there.
pub fn has_kubectl() -> bool {
    installed::all(&["kubectl"], "kubernetes-client")
}

/// An API server that wants a token.
pub struct ApiServer {
    server: LiteralServer,
    authority: PathBuf,
}

impl ApiServer {
    /// It accepts this token, or any. Its certificate authority is in a file of the folder.
    pub fn start(folder: &Path, accepted: Option<&'static str>) -> Self {
        let authority = Authority::new();
        let server = start_tls(&authority.issue(&["127.0.0.1"]));
        server.on_call("GET", "/version", move |request| {
            let token = request.header("authorization").and_then(|header| header.strip_prefix("Bearer "));
            match token.is_some_and(|token| accepted.is_none_or(|accepted| token == accepted)) {
                true => json(200, r#"{"major":"1","minor":"32","gitVersion":"v1.32.0"}"#),
                false => Reply::http(
                    401,
                    &["Content-Type: application/json"],
                    r#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"Unauthorized","reason":"Unauthorized","code":401}"#,
                ),
            }
        });
        ApiServer {
            server,
            authority: authority.write(folder),
        }
    }

    /// A kubeconfig for this server with this user, an item of YAML whose name is `oauth`.
    pub fn kubeconfig(&self, user: &str) -> String {
        format!(
            "apiVersion: v1
kind: Config
current-context: here
clusters:
- name: here
  cluster:
    server: {}
    certificate-authority: {}
contexts:
- name: here
  context:
    cluster: here
    user: oauth
users:
{user}",
            self.server.origin(),
            self.authority.display()
        )
    }
}

/// A home with a session for an API server.
struct Place {
    home: Home,
    server: ApiServer,
    /// Where tokens are refreshed.
    issuer: LiteralServer,
}

impl Place {
    /// The server accepts this token.
    fn new(accepted: &'static str) -> Option<Self> {
        if !has_kubectl() {
            return None;
        }
        let home = Home::new();
        let server = ApiServer::start(home.path(), Some(accepted));
        let issuer = LiteralServer::start();
        issuer.on("POST", "/token", json(200, NEW));
        home.configure(&format!(
            "[profile.cluster]\nissuer = \"{}\"\nclient_id = \"desktop\"\n",
            issuer.origin()
        ));
        home.keep("cluster", &refreshable(&issuer.origin()));
        Some(Place { home, server, issuer })
    }

    /// `kubectl get --raw /version` with a plugin of this version.
    fn version(&self, api_version: &str, provides_cluster: bool) -> Outcome {
        let mode = match api_version {
            V1 => "      interactiveMode: IfAvailable\n",
            _ => "",
        };
        let user = format!(
            "- name: oauth
  user:
    exec:
      apiVersion: {api_version}
      command: oauth
      args: [token, cluster, --format, exec-credential]
      provideClusterInfo: {provides_cluster}
{mode}"
        );
        let file = self.home.path().join("kubeconfig");
        std::fs::write(&file, self.server.kubeconfig(&user)).expect("writing it");
        let mut command = program(&self.home, "kubectl");
        run(command
            .env("KUBECONFIG", &file)
            .args(["get", "--raw", "/version", "--request-timeout", "20s"]))
    }
}

/// Whether this kubectl speaks v1 of the plugin interface, which came with 1.22.
pub fn speaks_v1(home: &Home) -> bool {
    let mut command: Command = program(home, "kubectl");
    let outcome = run(command.args(["version", "--client", "--output=json"])).expect_code(0);
    let version: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    let minor = version["clientVersion"]["minor"].as_str().expect("its minor version");
    let digits: String = minor.chars().take_while(char::is_ascii_digit).collect();
    digits.parse::<u32>().expect("a number") >= 22
}

#[test]
fn the_token_goes_to_the_api_server_in_each_version_of_the_plugin_interface() {
    let Some(place) = Place::new(KEPT_ACCESS_TOKEN) else {
        return;
    };
    let versions = match speaks_v1(&place.home) {
        true => vec![V1, V1BETA1],
        false => vec![V1BETA1],
    };
    for version in versions {
        for provides_cluster in [false, true] {
            let outcome = place.version(version, provides_cluster).expect_code(0);
            assert!(outcome.stdout.contains("v1.32.0"), "{version} {outcome:?}");
            assert_eq!(outcome.stderr, "", "{version}");
        }
    }
    assert_eq!(place.issuer.requests().len(), 0);
}

#[test]
fn an_expired_token_is_refreshed_first() {
    let Some(place) = Place::new("new-access") else { return };
    let expired = ending_in(-5, refreshable(&place.issuer.origin()));
    place.home.keep("cluster", &expired);
    place.version(V1BETA1, true).expect_code(0);
    assert_eq!(place.issuer.requests_to("/token").len(), 1);
}

#[test]
fn without_a_session_the_person_reads_what_to_do() {
    let Some(place) = Place::new("new-access") else { return };
    place
        .home
        .keep("cluster", &ending_in(-5, session(&place.issuer.origin())));
    let outcome = place.version(V1BETA1, false);
    assert_ne!(outcome.code, Some(0));
    outcome.says(&["hint: Run: oauth login cluster"]);
}
