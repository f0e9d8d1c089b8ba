//! Mail programs against a real Dovecot that asks `oauth serve` about each
//! token (RFC 7662): SASL XOAUTH2 and OAUTHBEARER.

use crate::place::program;
use crate::support::binary::Home;
use crate::support::development_server::DevelopmentServer;
use crate::support::installed;
use crate::support::literal_server::PATIENCE;
use crate::support::outcome::{Outcome, run, run_with_input};
use std::fs::Permissions;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Instant;
use tempfile::TempDir;

/// A mail server with an account `demo`, and a home that is logged in to it.
struct Place {
    home: Home,
    dovecot: Dovecot,
    /// The mails that were sent, one text each.
    sent: Receiver<String>,
    _issuer: DevelopmentServer,
}

impl Place {
    fn new() -> Option<Self> {
        if !has_mail_programs() {
            return None;
        }
        let home = Home::new();
        let secret = home.path().join("client-secret");
        std::fs::write(&secret, "mail-secret-of-the-tests").expect("writing it");
        let client = format!("mail:{}", secret.display());
        let issuer = DevelopmentServer::start(&["--client", &client, "--approve", "auto"]);
        let browser = home.path().join("browser");
        std::fs::write(&browser, "curl --silent --location --output /dev/null \"$1\"\n").expect("writing it");
        let mut login = program(&home, "oauth");
        login.args([
            "login",
            &issuer.issuer(),
            "--client-id",
            "mail",
            "--scope",
            "openid",
            "--profile",
            "mail",
        ]);
        login.arg("--client-secret-file").arg(&secret);
        login.arg("--browser").arg(format!("sh {} %s", browser.display()));
        run(&mut login).expect_code(0);
        let (relay_port, sent) = start_relay();
        let introspection = format!(
            "http://mail:mail-secret-of-the-tests@127.0.0.1:{}/introspect",
            issuer.port()
        );
        let dovecot = Dovecot::start(&introspection, relay_port);
        Some(Place {
            home,
            dovecot,
            sent,
            _issuer: issuer,
        })
    }

    fn token(&self, arguments: &[&str]) -> String {
        let mut command = program(&self.home, "oauth");
        let outcome = run(command.args(["token", "mail"]).args(arguments)).expect_code(0);
        outcome.stdout.trim_end().to_owned()
    }

    /// What the IMAP server says to this SASL message.
    fn authenticate(&self, mechanism: &str, message: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.dovecot.imap_port)).expect("Dovecot listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        let mut answers = BufReader::new(stream.try_clone().expect("a second handle")).lines();
        let mut answer = || answers.next().expect("a line").expect("text");
        assert!(answer().starts_with("* OK"));
        write!(stream, "a AUTHENTICATE {mechanism} {message}\r\n").expect("sending");
        let mut line = answer();
        if line.starts_with('+') {
            // RFC 7628 §3.2.3: the client answers the error, and the server then refuses
            stream.write_all(b"AQ==\r\n").expect("sending");
            line = answer();
        }
        line
    }

    fn send_mail(&self, mechanism: &str, text: &str) -> Outcome {
        let configuration = format!(
            "defaults\nauth {mechanism}\ntls off\n\naccount work\nhost 127.0.0.1\nport {}\nfrom demo@example.com\nuser demo\npasswordeval \"oauth token mail\"\n\naccount default : work\n",
            self.dovecot.submission_port
        );
        std::fs::write(self.home.path().join(".msmtprc"), configuration).expect("writing it");
        let mail = format!("Subject: test\n\n{text}\n");
        run_with_input(
            program(&self.home, "msmtp").arg("somebody@example.com"),
            mail.as_bytes(),
        )
    }
}

/// A Dovecot in the foreground, which ends with the test.
pub struct Dovecot {
    child: Child,
    folder: TempDir,
    pub imap_port: u16,
    pub submission_port: u16,
}

impl Dovecot {
    pub fn start(introspection: &str, relay_port: u16) -> Self {
        // not in the home of the test: Dovecot's processes have other users, where root starts it
        let folder = tempfile::tempdir().expect("a folder");
        let own = folder.path().to_owned();
        std::fs::set_permissions(&own, Permissions::from_mode(0o755)).expect("its mode");
        std::fs::create_dir(own.join("mail")).expect("a folder");
        let owner = mail_owner();
        run(Command::new("chown").arg(&owner).arg(own.join("mail"))).expect_code(0);
        let oauth2 = own.join("oauth2.conf");
        let lines = format!(
            "introspection_mode = post\nintrospection_url = {introspection}\nactive_attribute = active\nactive_value = true\nusername_attribute = username\n"
        );
        std::fs::write(&oauth2, lines).expect("writing it");
        let (imap_port, submission_port) = (free_port(), free_port());
        let configuration = configuration(&own, imap_port, submission_port, relay_port);
        let file = own.join("dovecot.conf");
        std::fs::write(&file, configuration).expect("writing it");
        let child = Command::new("dovecot")
            .arg("-F")
            .arg("-c")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("starting Dovecot");
        let mut dovecot = Dovecot {
            child,
            folder,
            imap_port,
            submission_port,
        };
        dovecot.wait_until_it_listens(&own);
        dovecot
    }

    /// Puts a mail into the mailbox of `demo`.
    pub fn deliver(&self, text: &str) {
        let mailbox = self.folder.path().join("mail/demo");
        for folder in ["cur", "new", "tmp"] {
            std::fs::create_dir_all(mailbox.join(folder)).expect("a folder");
        }
        std::fs::write(mailbox.join("new/1"), format!("Subject: test\n\n{text}\n")).expect("writing it");
        run(Command::new("chown").arg("-R").arg(mail_owner()).arg(&mailbox)).expect_code(0);
    }

    fn wait_until_it_listens(&mut self, folder: &Path) {
        let began = Instant::now();
        let listens = |port| TcpStream::connect(("127.0.0.1", port)).is_ok();
        while !(listens(self.imap_port) && listens(self.submission_port)) {
            let log = || std::fs::read_to_string(folder.join("log")).unwrap_or_default();
            assert!(
                self.child.try_wait().expect("its state").is_none(),
                "Dovecot ended: {}",
                log()
            );
            assert!(began.elapsed() < PATIENCE, "Dovecot does not listen: {}", log());
            std::thread::yield_now();
        }
    }
}

/// Whether Dovecot and the programs that speak with it are there.
pub fn has_mail_programs() -> bool {
    installed::all(
        &["dovecot", "msmtp", "mbsync", "curl"],
        "dovecot-imapd dovecot-submissiond msmtp isync curl",
    )
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        // SIGTERM, so that it ends its own children
        let pid = rustix::process::Pid::from_child(&self.child);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.child.wait();
    }
}

fn configuration(folder: &Path, imap_port: u16, submission_port: u16, relay_port: u16) -> String {
    let folder = folder.display();
    let owner = mail_owner();
    let (user, group) = owner.split_once(':').expect("a user and a group");
    // without root, its processes cannot change their user or root folder
    let unprivileged = match is_root() {
        true => String::new(),
        false => format!(
            "default_internal_user = {user}\ndefault_internal_group = {group}\ndefault_login_user = {user}\nservice anvil {{\n chroot =\n}}\nservice imap-login {{\n chroot =\n}}\nservice submission-login {{\n chroot =\n}}\n"
        ),
    };
    format!(
        "protocols = imap submission
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
ssl = no
disable_plaintext_auth = no
auth_mechanisms = xoauth2 oauthbearer
mail_location = maildir:{folder}/mail/%u
mail_uid = {user}
mail_gid = {group}
first_valid_uid = 1
submission_relay_host = 127.0.0.1
submission_relay_port = {relay_port}
passdb {{
 driver = oauth2
 mechanisms = xoauth2 oauthbearer
 args = {folder}/oauth2.conf
}}
userdb {{
 driver = static
 args = uid={user} gid={group} home={folder}/mail/%u
}}
service imap-login {{
 inet_listener imap {{
  port = {imap_port}
 }}
 inet_listener imaps {{
  port = 0
 }}
}}
service submission-login {{
 inet_listener submission {{
  port = {submission_port}
 }}
}}
{unprivileged}"
    )
}

/// `USER:GROUP` of the mailboxes.
fn mail_owner() -> String {
    match is_root() {
        true => "mail:mail".to_owned(),
        false => format!("{}:{}", account("-un"), account("-gn")),
    }
}

fn is_root() -> bool {
    account("-u") == "0"
}

/// `id` with this option.
fn account(option: &str) -> String {
    run(Command::new("id").arg(option))
        .expect_code(0)
        .stdout
        .trim()
        .to_owned()
}

/// A port that was free a moment ago: Dovecot takes 0 for "none".
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// An SMTP server that takes every mail; its port, and the mails.
pub fn start_relay() -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("its address").port();
    let (sender, mails) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = take_mail(stream.expect("a connection"), &sender);
        }
    });
    (port, mails)
}

fn take_mail(mut stream: TcpStream, mails: &mpsc::Sender<String>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    stream.write_all(b"220 relay ESMTP\r\n")?;
    while let Some(line) = lines.next() {
        let line = line?.to_ascii_uppercase();
        match line.split(' ').next().unwrap_or_default() {
            "EHLO" => stream.write_all(b"250-relay\r\n250 8BITMIME\r\n")?,
            "DATA" => {
                stream.write_all(b"354 go on\r\n")?;
                let mail: Result<Vec<String>, _> = lines
                    .by_ref()
                    .take_while(|line| line.as_ref().is_ok_and(|line| line != "."))
                    .collect();
                let _ = mails.send(mail?.join("\n"));
                stream.write_all(b"250 taken\r\n")?;
            }
            "QUIT" => return stream.write_all(b"221 bye\r\n"),
            _ => stream.write_all(b"250 fine\r\n")?,
        }
    }
    Ok(())
}

#[test]
fn dovecot_takes_the_messages_of_both_formats() {
    let Some(place) = Place::new() else { return };
    let port = place.dovecot.imap_port.to_string();
    let xoauth2 = place.token(&["--format", "xoauth2", "--user", "demo"]);
    let oauthbearer = place.token(&[
        "--format",
        "oauthbearer",
        "--user",
        "demo",
        "--host",
        "127.0.0.1",
        "--port",
        &port,
    ]);
    let without_host = place.token(&["--format", "oauthbearer", "--user", "demo"]);
    for (mechanism, message) in [
        ("XOAUTH2", &xoauth2),
        ("OAUTHBEARER", &oauthbearer),
        ("OAUTHBEARER", &without_host),
    ] {
        let answer = place.authenticate(mechanism, message);
        assert!(answer.starts_with("a OK"), "{mechanism}: {answer}");
    }
    // the token is not another person's
    let other = place.token(&["--format", "xoauth2", "--user", "mallory"]);
    assert!(place.authenticate("XOAUTH2", &other).starts_with("a NO"));
    // and none at all after a logout
    run(program(&place.home, "oauth").args(["logout", "mail"])).expect_code(0);
    assert!(place.authenticate("OAUTHBEARER", &oauthbearer).starts_with("a NO"));
}

#[test]
fn curl_reads_the_mailbox_with_the_token_off_its_command_line() {
    let Some(place) = Place::new() else { return };
    let url = format!("imap://127.0.0.1:{}/", place.dovecot.imap_port);
    for mechanism in ["XOAUTH2", "OAUTHBEARER"] {
        // as docs/mail.md has it
        let line = format!(
            "printf 'user = \"demo\"\\noauth2-bearer = \"%s\"\\n' \"$(oauth token mail)\" | curl --silent --show-error --config - --login-options AUTH={mechanism} {url}"
        );
        let outcome = run(program(&place.home, "sh").args(["-c", &line])).expect_code(0);
        assert!(outcome.stdout.contains("INBOX"), "{mechanism}: {outcome:?}");
    }
}

#[test]
fn msmtp_sends_mail_with_the_token_as_its_password() {
    let Some(place) = Place::new() else { return };
    for mechanism in ["oauthbearer", "xoauth2"] {
        place.send_mail(mechanism, mechanism).expect_code(0);
        let mail = place.sent.recv_timeout(PATIENCE).expect("the mail is relayed");
        assert!(mail.contains(mechanism), "{mail}");
    }
}

const MBSYNCRC: &str = "IMAPAccount mail
Host 127.0.0.1
Port PORT
User demo
PassCmd \"oauth token mail\"
AuthMechs XOAUTH2
SSLType None

IMAPStore remote
Account mail

MaildirStore local
Path ~/Mail/
Inbox ~/Mail/INBOX

Channel mail
Far :remote:
Near :local:
";

#[test]
fn mbsync_fetches_mail_with_the_token_as_its_password() {
    let Some(place) = Place::new() else { return };
    place.dovecot.deliver("a mail to fetch");
    let configuration = MBSYNCRC.replace("PORT", &place.dovecot.imap_port.to_string());
    std::fs::write(place.home.path().join(".mbsyncrc"), configuration).expect("writing it");
    std::fs::create_dir(place.home.path().join("Mail")).expect("a folder");
    run(program(&place.home, "mbsync").arg("--quiet").arg("mail")).expect_code(0);
    let outcome = run(program(&place.home, "sh").args(["-c", "cat Mail/INBOX/new/*"])).expect_code(0);
    assert!(outcome.stdout.contains("a mail to fetch"), "{outcome:?}");
}
