//! A container registry, and a home whose clients of registries have
//! `docker-credential-oauth` as their credential helper.

use crate::place::{binary, path, program};
use crate::support::binary::Home;
use crate::support::literal_server::{LiteralServer, Reply};
use crate::support::sessions::{KEPT_ACCESS_TOKEN, session};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::process::Command;

pub const MANIFEST: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":2,"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},"layers":[]}"#;

/// A registry that wants the token as a password, and a home whose docker
/// configuration names `oauth` for it.
pub struct Place {
    pub home: Home,
    pub registry: LiteralServer,
}

impl Place {
    pub fn new(registry: LiteralServer) -> Self {
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
        std::os::unix::fs::symlink(binary(), folder.join("docker-credential-oauth")).expect("a link");
        let docker = home.path().join(".docker");
        std::fs::create_dir(&docker).expect("a folder");
        let configuration = format!("{{ \"credHelpers\": {{ \"{host}\": \"oauth\" }} }}");
        std::fs::write(docker.join("config.json"), configuration).expect("writing it");
        Place { home, registry }
    }

    pub fn program(&self, name: &str) -> Command {
        let mut command = program(&self.home, name);
        let folders = std::iter::once(self.home.path().join("bin"));
        let path = std::env::join_paths(folders.chain(std::env::split_paths(&path()))).expect("a PATH");
        command.env("PATH", path);
        command
    }

    /// The image as docker names it.
    pub fn image(&self) -> String {
        format!("127.0.0.1:{}/app:latest", self.registry.port())
    }
}
