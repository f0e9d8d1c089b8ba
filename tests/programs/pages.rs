//! The pages under `docs/`: every block of shell on them is run, with the
//! addresses of servers of the tests in the place of those of example.com.

use crate::aws::{Moto, has_aws};
use crate::git_server::GitServer;
use crate::kubectl::{ApiServer, has_kubectl, speaks_v1};
use crate::mail::{Dovecot, has_mail_programs, start_relay};
use crate::place::program;
use crate::support::binary::Home;
use crate::support::development_server::DevelopmentServer;
use crate::support::installed;
use crate::support::literal_server::PATIENCE;
use crate::support::outcome::{Outcome, run};
use std::path::{Path, PathBuf};

/// Addresses that no program of a page may reach from a test.
const FOREIGN: &str = "example.com";

/// What stands on a page all the same: a recipient and a sender.
const MAIL_ADDRESSES: [&str; 2] = ["somebody@example.com", "demo@example.com"];

/// The secret of the client that logs in, where it has one.
const CLIENT_SECRET: &str = "a-secret-of-the-tests";

/// The fenced blocks of a page, each with its language.
struct Page {
    blocks: Vec<(String, String)>,
}

impl Page {
    fn read(name: &str) -> Self {
        Page::of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name))
    }

    fn of(file: &Path) -> Self {
        let text = std::fs::read_to_string(file).expect("the page");
        let mut blocks: Vec<(String, String)> = Vec::new();
        let mut is_open = false;
        for line in text.lines() {
            match (line.strip_prefix("```"), is_open) {
                (Some(language), false) => blocks.push((language.to_owned(), String::new())),
                (Some(_), true) => {}
                (None, true) => {
                    let (_, block) = blocks.last_mut().expect("an open block");
                    *block += line;
                    block.push('\n');
                }
                (None, false) => continue,
            }
            if line.starts_with("```") {
                is_open = !is_open;
            }
        }
        Page { blocks }
    }

    /// The one block in this language.
    fn block(&self, language: &str) -> &str {
        let mut blocks = self.blocks.iter().filter(|(own, _)| own == language);
        let (_, block) = blocks.next().expect("a block");
        assert!(blocks.next().is_none(), "several blocks in {language}");
        block
    }

    /// One script of all that a shell runs, each block for itself.
    fn script(&self) -> String {
        let blocks = self
            .blocks
            .iter()
            .filter(|(language, _)| ["sh", "bash"].contains(&language.as_str()));
        let blocks = blocks.map(|(_, block)| format!("(\n{block})\n"));
        format!("set -eu -o pipefail\n{}", blocks.collect::<String>())
    }
}

/// A home in which a page is run, and the server to log in to.
struct Reader {
    home: Home,
    issuer: DevelopmentServer,
    replacements: Vec<(String, String)>,
}

impl Reader {
    fn new() -> Self {
        let home = Home::new();
        let secret = home.path().join("client-secret");
        std::fs::write(&secret, CLIENT_SECRET).expect("writing it");
        let client = format!("my-cli:{}", secret.display());
        let issuer = DevelopmentServer::start(&["--client", &client, "--approve", "auto"]);
        let browser = "curl --silent --location --output /dev/null \"$1\"\n";
        std::fs::write(home.path().join("browser"), browser).expect("writing it");
        let replacements = vec![("https://id.example.com".to_owned(), issuer.issuer())];
        Reader {
            home,
            issuer,
            replacements,
        }
    }

    fn replace(&mut self, on_the_page: &str, in_the_test: &str) {
        self.replacements.push((on_the_page.to_owned(), in_the_test.to_owned()));
    }

    fn replaced(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (from, to) in &self.replacements {
            text = text.replace(from.as_str(), to);
        }
        let mut rest = text.clone();
        for address in MAIL_ADDRESSES {
            rest = rest.replace(address, "");
        }
        assert!(!rest.contains(FOREIGN), "an address without a stand-in: {text}");
        text
    }

    fn write(&self, file: &str, text: &str) -> PathBuf {
        let file = self.home.path().join(file);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("making it");
        std::fs::write(&file, self.replaced(text)).expect("writing it");
        file
    }

    /// Runs the page's shell blocks.
    #[track_caller]
    fn run(&self, page: &Page, variables: &[(&str, &str)]) -> Outcome {
        let browser = format!("sh {} %s", self.home.path().join("browser").display());
        let mut command = program(&self.home, "bash");
        let path = std::env::join_paths(
            std::iter::once(self.home.path().join(".local/bin")).chain(std::env::split_paths(&crate::place::path())),
        );
        command
            .env("PATH", path.expect("a PATH"))
            .env("BROWSER", browser)
            .env("OAUTH_CLIENT_SECRET", CLIENT_SECRET)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0");
        for (name, value) in variables {
            command.env(name, value);
        }
        run(command.arg("-c").arg(self.replaced(&page.script()))).expect_code(0)
    }
}

#[test]
fn readme() {
    let (mut page, mut reader) = (
        Page::of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")),
        Reader::new(),
    );
    if !installed::all(&["git", "curl"], "git curl") {
        return;
    }
    // what builds the program, and the server, which does not end
    page.blocks
        .retain(|(_, block)| !["cargo run", "oauth serve"].iter().any(|other| block.contains(other)));
    let profiles = ["work", "cluster", "mail"]
        .map(|profile| format!("oauth login https://id.example.com --client-id my-cli --profile {profile}\n"));
    page.blocks.insert(0, ("sh".to_owned(), profiles.concat()));
    let issuer = reader.issuer.issuer();
    reader.replace("openid offline_access", "openid offline_access hello");
    reader.replace("https://mcp.example.com/mcp", &format!("{issuer}/mcp"));
    reader.replace("https://api.example.com/me", &format!("{issuer}/api/hello"));
    reader.replace("https://api.example.com", &format!("{issuer}/api"));
    reader.replace("https://git.example.com", "https://git.invalid");
    reader.replace("me@example.com", "me@mail.invalid");
    reader.replace("./deploy.sh", "true");
    let outcome = reader.run(&page, &[]);
    assert_eq!(outcome.stdout.matches("Hello, demo!").count(), 3, "{outcome:?}");
}

#[test]
fn scripts() {
    let (page, mut reader) = (Page::read("scripts.md"), Reader::new());
    if !installed::all(&["curl"], "curl") {
        return;
    }
    let api = format!("{}/api/hello", reader.issuer.issuer());
    reader.replace("https://api.example.com/me", &api);
    let outcome = reader.run(&page, &[]);
    assert_eq!(
        outcome.stdout.matches("Hello, demo!").count(),
        2,
        "the API answered twice: {outcome:?}"
    );
    if installed::all(&["fish"], "fish") {
        let script = format!("{}test -n \"$OAUTH_ACCESS_TOKEN\"", page.block("fish"));
        run(program(&reader.home, "fish").args(["--no-config", "-c", &script])).expect_code(0);
    }
}

#[test]
fn programs() {
    let (page, reader) = (Page::read("programs.md"), Reader::new());
    let outcome = reader.run(&page, &[("CI", "")]);
    let tokens = outcome.stdout.lines().filter(|line| line.starts_with("ey"));
    assert_eq!(tokens.count(), 2, "{outcome:?}");
    let objects: Vec<serde_json::Value> = outcome
        .stdout
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    assert_eq!(objects.len(), 3, "the login, the token, the error: {outcome:?}");
    assert_eq!(objects[1]["token_type"], "Bearer");
    assert_eq!(objects[2]["error"]["exit_code"], 2);
    if installed::all(&["python3"], "python3") {
        let mut command = program(&reader.home, "python3");
        let ran = run(command.args(["-c", page.block("python")])).expect_code(0);
        assert_eq!(ran.stdout, "True\n");
    }
}

#[test]
fn git() {
    if !installed::all(&["git"], "git") {
        return;
    }
    let (page, mut reader) = (Page::read("git.md"), Reader::new());
    let git = GitServer::start(reader.home.path(), &[]);
    git.accept_every_token();
    run(program(&reader.home, "git").args(["init", "--quiet", "--bare", "repo.git"])).expect_code(0);
    reader.replace("https://git.example.com", &format!("http://{}", git.host()));
    reader.replace(
        "credential.http://git.example.com",
        &format!("credential.http://{}", git.host()),
    );
    reader.replace(
        "protocol=https\\nhost=git.example.com",
        &format!("protocol=http\\nhost={}", git.host()),
    );
    reader.replace("git.example.com", &git.host());
    let outcome = reader.run(&page, &[]);
    assert!(outcome.stdout.contains("username=oauth2\npassword=ey"), "{outcome:?}");
    assert!(git.credentials().iter().any(|sent| sent.starts_with("oauth2:ey")));
}

#[test]
fn kubernetes() {
    if !has_kubectl() {
        return;
    }
    let (page, mut reader) = (Page::read("kubernetes.md"), Reader::new());
    let server = ApiServer::start(reader.home.path(), None);
    if !speaks_v1(&reader.home) {
        reader.replace(
            "client.authentication.k8s.io/v1",
            "client.authentication.k8s.io/v1beta1",
        );
        reader.replace("      interactiveMode: IfAvailable\n", "");
    }
    let kubeconfig = reader.write("kubeconfig", &server.kubeconfig(page.block("yaml")));
    let outcome = reader.run(&page, &[("KUBECONFIG", kubeconfig.to_str().expect("a path"))]);
    assert!(outcome.stdout.contains("\"kind\":\"ExecCredential\""), "{outcome:?}");
    assert!(outcome.stdout.contains("v1.32.0"), "{outcome:?}");
}

#[test]
fn docker() {
    let (page, mut reader) = (Page::read("docker.md"), Reader::new());
    reader.replace("registry.example.com", "127.0.0.1:5000");
    let outcome = reader.run(&page, &[]);
    assert!(
        outcome.stdout.contains("\"ServerURL\":\"127.0.0.1:5000\""),
        "{outcome:?}"
    );
    assert!(
        outcome.stdout.ends_with("{\"127.0.0.1:5000\":\"oauth2\"}\n"),
        "{outcome:?}"
    );
    let configuration: serde_json::Value = serde_json::from_str(&reader.replaced(page.block("json"))).expect("JSON");
    assert_eq!(configuration["credHelpers"]["127.0.0.1:5000"], "oauth");
}

#[test]
fn aws() {
    if !has_aws() {
        return;
    }
    let (page, mut reader) = (Page::read("aws.md"), Reader::new());
    let moto = Moto::start(&reader.home);
    let endpoint = moto.origin();
    reader.replace("role/Deploy", &format!("role/Deploy --sts-endpoint {endpoint}"));
    reader.write(".aws/config", page.block("ini"));
    let outcome = reader.run(&page, &[("AWS_ENDPOINT_URL", &endpoint)]);
    assert!(outcome.stdout.contains("assumed-role/Deploy/oauth-work"), "{outcome:?}");
}

#[test]
fn mail() {
    if !has_mail_programs() {
        return;
    }
    let (page, mut reader) = (Page::read("mail.md"), Reader::new());
    let (relay_port, sent) = start_relay();
    let introspection = format!(
        "http://my-cli:{CLIENT_SECRET}@127.0.0.1:{}/introspect",
        reader.issuer.port()
    );
    let dovecot = Dovecot::start(&introspection, relay_port);
    reader.replace(
        "imaps://mail.example.com/",
        &format!("imap://127.0.0.1:{}/", dovecot.imap_port),
    );
    reader.replace("mail.example.com", "127.0.0.1");
    reader.replace("port 587", &format!("port {}", dovecot.submission_port));
    reader.replace("tls on", "tls off");
    reader.replace("SSLType IMAPS", &format!("Port {}\nSSLType None", dovecot.imap_port));
    reader.write(".msmtprc", page.block(""));
    reader.write(".mbsyncrc", page.block("conf"));
    dovecot.deliver("a mail to fetch");
    let outcome = reader.run(&page, &[]);
    let fetched = std::fs::read_dir(reader.home.path().join("Mail/INBOX/new")).expect("the mailbox");
    assert_eq!(fetched.count(), 1);
    assert!(outcome.stdout.contains("INBOX"), "{outcome:?}");
    let mail = sent.recv_timeout(PATIENCE).expect("the mail is relayed");
    assert!(mail.contains("It works."), "{mail}");
}

#[test]
fn agents() {
    let (page, mut reader) = (Page::read("agents.md"), Reader::new());
    let issuer = reader.issuer.issuer();
    reader.replace("https://api.example.com", &issuer);
    reader.replace("https://mcp.example.com", &issuer);
    let outcome = reader.run(&page, &[]);
    for answer in [
        "Hello, demo!",
        "\"text\":\"milk\"",
        "\"protocolVersion\":\"2025-11-25\"",
        "{\"Authorization\":\"Bearer ey",
    ] {
        assert!(outcome.stdout.contains(answer), "{answer}: {outcome:?}");
    }
    let configuration: serde_json::Value = serde_json::from_str(&reader.replaced(page.block("json"))).expect("JSON");
    let server = &configuration["mcpServers"]["example"];
    assert_eq!(
        (&server["command"], &server["args"][0]),
        (&"oauth".into(), &"mcp".into())
    );
}

#[test]
fn ssh() {
    let (page, mut reader) = (Page::read("ssh.md"), Reader::new());
    reader.replace("--port 8400,8401", "--port 0");
    let outcome = reader.run(&page, &[]);
    let tokens: Vec<&str> = outcome.stdout.lines().filter(|line| line.starts_with("ey")).collect();
    assert_eq!(tokens.len(), 2, "{outcome:?}");
}

#[test]
fn debugging() {
    let (page, reader) = (Page::read("debugging.md"), Reader::new());
    let outcome = reader.run(&page, &[]);
    assert!(outcome.stdout.contains("pkce.wrong-verifier"), "{outcome:?}");
    for trace in ["login.html", "login.har", "login.json"] {
        assert!(reader.home.path().join(trace).exists(), "{trace}");
    }
}

#[test]
fn checking() {
    let (page, mut reader) = (Page::read("checking.md"), Reader::new());
    let api = reader.issuer.issuer();
    reader.replace("https://api.example.com", &api);
    let outcome = reader.run(&page, &[]);
    assert!(outcome.stdout.contains("resource.audience"), "{outcome:?}");
    for report in ["report.xml", "report.sarif"] {
        assert!(reader.home.path().join(report).exists(), "{report}");
    }
}

#[test]
fn login() {
    let (page, mut reader) = (Page::read("login.md"), Reader::new());
    let api = format!("{}/mcp", reader.issuer.issuer());
    reader.replace("https://api.example.com/mcp", &api);
    reader.replace("--port 8400,8401", "--port 0");
    let outcome = reader.run(&page, &[]);
    assert!(outcome.stdout.contains("https://github.com/settings"), "{outcome:?}");
    assert!(outcome.stdout.lines().any(|line| line.starts_with("ey")), "{outcome:?}");
}

#[test]
fn stores() {
    let (page, reader) = (Page::read("stores.md"), Reader::new());
    let outcome = reader.run(&page, &[]);
    assert!(outcome.stdout.lines().any(|line| line.starts_with("ey")), "{outcome:?}");
    let sessions = std::fs::read_dir(reader.home.path().join(".local/share/oauth/sessions")).expect("the folder");
    let left: Vec<_> = sessions.map(|entry| entry.expect("an entry").file_name()).collect();
    assert_eq!(left, [""; 0], "{outcome:?}");
}

#[test]
fn configuration() {
    let (page, mut reader) = (Page::read("configuration.md"), Reader::new());
    let issuer = reader.issuer.issuer();
    reader.replace("https://mcp.example.com/mcp", &format!("{issuer}/mcp"));
    reader.replace("api.example.com", "127.0.0.1");
    reader.write(".config/oauth/config.toml", page.block("toml"));
    let outcome = reader.run(&page, &[]);
    assert!(outcome.stdout.contains("email"), "{outcome:?}");
    let written = std::fs::read_to_string(reader.home.path().join(".config/oauth/config.toml")).expect("the file");
    assert!(
        written.contains("[profile.tools]") && !written.contains("scope"),
        "{written}"
    );
}

#[test]
fn serving() {
    let (page, mut reader) = (Page::read("serving.md"), Reader::new());
    let issuer = reader.issuer.issuer();
    reader.replace("http://127.0.0.1:9000", &issuer);
    let outcome = reader.run(&page, &[]);
    assert!(outcome.stdout.contains("Hello, demo!"), "{outcome:?}");
    assert!(outcome.stdout.contains("pkce.wrong-verifier"), "{outcome:?}");
    let setup = reader.write("company.toml", page.block("toml")).display().to_string();
    DevelopmentServer::start(&["--setup", &setup]);
}
