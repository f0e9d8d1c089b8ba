//! Clients of container registries with `docker-credential-oauth` as their
//! credential helper: skopeo, and docker where it is there.

use crate::place::{path, program};
use crate::support::binary::Home;
use crate::support::certificates::{Authority, start_tls};
use crate::support::installed;
use crate::support::literal_server::{LiteralServer, Reply};
use crate::support::outcome::{Outcome, run};
use crate::support::sessions::{KEPT_ACCESS_TOKEN, session};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::path::PathBuf;
use std::process::Command;

const MANIFEST: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":2,"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},"layers":[]}"#;

/// A registry that wants the token as a password, and a home whose docker
/// configuration names `oauth` for it.
struct Place {
    home: Home,
    registry: LiteralServer,
}

impl Place {
    fn new(registry: LiteralServer) -> Self {
        let home = Home::new();
        let wanted = format!("Basic {}", STANDARD.encode(format!("oauth2:{KEPT_ACCESS_TOKEN}")));
        for target in ["/v2/", "/v2/app/manifests/latest"] {
            for method in ["GET", "HEAD"] {
                let wanted = wanted.clone();
                registry.on_call(method, target, move |request| {
                    match request.header("authorization") == Some(wanted.as_str()) {
                        true => Reply::http(
                            200,
                            &["Content-Type: application/vnd.docker.distribution.manifest.v2+json"],
                            MANIFEST,
                        ),
                        false => Reply::http(401, &["WWW-Authenticate: Basic realm=\"registry\""], "{}"),
                    }
                });
            }
        }
        let host = format!("127.0.0.1:{}", registry.port());
        home.configure(&format!(
            "[profile.work]\nissuer = \"https://id.example.com\"\nclient_id = \"desktop\"\nallow_host = [\"{host}\"]\n"
        ));
        home.keep("work", &session("https://id.example.com"));
        let folder = home.path().join("bin");
        std::fs::create_dir(&folder).expect("a folder");
        let binary = PathBuf::from(assert_cmd::cargo::cargo_bin!("oauth"));
        std::os::unix::fs::symlink(binary, folder.join("docker-credential-oauth")).expect("a link");
        let docker = home.path().join(".docker");
        std::fs::create_dir(&docker).expect("a folder");
        let configuration = format!("{{ \"credHelpers\": {{ \"{host}\": \"oauth\" }} }}");
        std::fs::write(docker.join("config.json"), configuration).expect("writing it");
        Place { home, registry }
    }

    fn program(&self, name: &str) -> Command {
        let mut command = program(&self.home, name);
        let folders = std::iter::once(self.home.path().join("bin"));
        let path = std::env::join_paths(folders.chain(std::env::split_paths(&path()))).expect("a PATH");
        command.env("PATH", path);
        command
    }

    fn skopeo(&self) -> Outcome {
        let image = format!("docker://127.0.0.1:{}/app:latest", self.registry.port());
        let mut command = self.program("skopeo");
        run(command.args(["inspect", "--raw", "--tls-verify=false", &image]))
    }
}

#[test]
fn skopeo_reads_an_image_with_the_token() {
    if !installed::all(&["skopeo"], "skopeo") {
        return;
    }
    let place = Place::new(LiteralServer::start());
    let outcome = place.skopeo().expect_code(0);
    assert_eq!(outcome.stdout.trim_end(), MANIFEST);
    // without a session it goes on without a password
    run(place.program("oauth").args(["logout", "--local", "work"])).expect_code(0);
    assert_ne!(place.skopeo().code, Some(0));
}

#[test]
fn docker_reads_an_image_with_the_token() {
    // Debian's package is the whole engine: this is for machines that have it already
    if Command::new("docker").arg("--version").output().is_err() {
        return;
    }
    // docker speaks https first, and waits for an answer
    let place = Place::new(start_tls(&Authority::new().issue(&["127.0.0.1"])));
    let image = format!("127.0.0.1:{}/app:latest", place.registry.port());
    let mut command = place.program("docker");
    // what it says of an image without layers does not matter here
    run(command.args(["manifest", "inspect", "--insecure", &image]));
    let requests = place.registry.requests_to("/v2/app/manifests/latest");
    assert!(
        requests.iter().any(|request| request.header("authorization").is_some()),
        "{requests:?}"
    );
}
