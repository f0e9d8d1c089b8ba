//! The AWS CLI with `oauth credential aws` as its `credential_process`, against
//! the STS and S3 of moto.

use crate::place::program;
use crate::support::binary::Home;
use crate::support::installed;
use crate::support::literal_server::PATIENCE;
use crate::support::outcome::run;
use crate::support::sessions::{now, session};
use base64::Engine;
use oauth::secret::Secret;
use serde_json::{Value, json};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

const ISSUER: &str = "https://id.example.com";
const ARN: &str = "arn:aws:iam::123456789012:role/Deploy";

/// A program of the folder that `./test` makes, else of `PATH`.
fn installed_program(name: &str) -> PathBuf {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/foreign/aws/venv/bin")
        .join(name);
    match own.exists() {
        true => own,
        false => PathBuf::from(name),
    }
}

/// moto's server, which ends with the test.
pub struct Moto {
    child: Child,
    port: u16,
}

impl Moto {
    pub fn start(home: &Home) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        drop(listener);
        let mut command = Command::new(installed_program("moto_server"));
        let mut child = command
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .current_dir(home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("starting moto");
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(child.try_wait().expect("its state").is_none(), "moto ended");
            assert!(began.elapsed() < 3 * PATIENCE, "moto does not listen");
            std::thread::yield_now();
        }
        Moto { child, port }
    }

    pub fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

/// Whether the AWS CLI and moto are there.
pub fn has_aws() -> bool {
    let names = ["aws", "moto_server"].into_iter();
    let missing: Vec<&str> = names.filter(|name| !installed_program(name).is_absolute()).collect();
    installed::all(&missing, "none; PyPI has awscli and moto[server], run ./test")
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Nobody looks at its signature here: moto takes every token.
fn id_token() -> String {
    let encode = |value: Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({ "iss": ISSUER, "aud": "desktop", "sub": "u1", "exp": now() + 3600 });
    format!("{}.{}.c2lnbmF0dXJl", encode(json!({ "alg": "RS256" })), encode(claims))
}

#[test]
fn the_aws_cli_works_with_the_keys_of_the_role() {
    if !has_aws() {
        return;
    }
    let home = Home::new();
    let moto = Moto::start(&home);
    home.configure(&format!(
        "[profile.work]\nissuer = \"{ISSUER}\"\nclient_id = \"desktop\"\n"
    ));
    let mut session = session(ISSUER);
    session.id_token = Some(Secret::from(id_token().as_str()));
    home.keep("work", &session);
    let endpoint = moto.origin();
    let folder = home.path().join(".aws");
    std::fs::create_dir(&folder).expect("a folder");
    // as docs/aws.md has it, but for moto's address
    let configuration = format!(
        "[default]\nregion = eu-central-1\ncredential_process = oauth credential aws work --role-arn {ARN} --sts-endpoint {endpoint}\n"
    );
    std::fs::write(folder.join("config"), configuration).expect("writing it");
    let aws = |line: &str| {
        let mut command = program(&home, installed_program("aws").to_str().expect("a path"));
        command.env("AWS_ENDPOINT_URL", &endpoint).args(line.split(' '));
        run(&mut command)
    };
    let identity = aws("sts get-caller-identity --output json").expect_code(0);
    let identity: Value = serde_json::from_str(&identity.stdout).expect("JSON");
    let arn = identity["Arn"].as_str().expect("an ARN");
    assert!(arn.ends_with("assumed-role/Deploy/oauth-work"), "{arn}");
    aws("s3 mb s3://reports").expect_code(0);
    let buckets = aws("s3 ls").expect_code(0);
    assert!(buckets.stdout.contains("reports"), "{buckets:?}");
    let kept = home.kept("work").expect("the session").role_credentials;
    assert_eq!(kept.len(), 1, "one request to STS for all of them");
}
