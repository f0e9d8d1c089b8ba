//! Homes in which somebody is logged in: by the binary against a scripted
//! server, or, where a test needs a session that takes hours to come about,
//! by the store itself.

use super::authorization_server;
use super::binary::Home;
use super::literal_server::LiteralServer;
use super::outcome::{Outcome, finish};
use oauth::protocol::client::{Client, ClientId};
use oauth::protocol::endpoint::{Endpoint, HttpPolicy, Issuer};
use oauth::protocol::resource::Resource;
use oauth::protocol::scope::Scope;
use oauth::protocol::time::UnixSeconds;
use oauth::secret::Secret;
use oauth::store::{
    CredentialStore, FileKey, Interaction, ProfileName, Renewal, Session, SessionClient, StoreKind, StoreSettings,
    StoredToken,
};
use std::io::{BufReader, Read};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

/// The access token of [`session`].
pub const KEPT_ACCESS_TOKEN: &str = "kept-access-token-7c1f";
/// The refresh token of [`refreshable`].
pub const KEPT_REFRESH_TOKEN: &str = "kept-refresh-token-91d2";

/// Now, in seconds since 1970.
pub fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970");
    i64::try_from(now.as_secs()).expect("a time before the year 292 billion")
}

/// Logs in with the binary: `arguments` follow `oauth login`. The resource
/// owner consents at once. Returns what the login wrote; it must have worked.
#[track_caller]
pub fn log_in(home: &Home, server: &LiteralServer, arguments: &[&str]) -> Outcome {
    let mut command = home.oauth();
    command.arg("login").args(arguments);
    log_in_with(&mut command, server).expect_code(0)
}

/// The same for a command of the test's own, which must print the URL; however it ends.
pub fn log_in_with(command: &mut Command, server: &LiteralServer) -> Outcome {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starting the login");
    let mut stderr = BufReader::new(child.stderr.take().expect("its stderr"));
    let (url, mut lines) = authorization_server::url_from(&mut stderr);
    // the page that comes back is not this helper's concern; a login that gave up has none
    let _ = super::callback::get_url(&authorization_server::callback_url(&url, &server.origin()));
    lines.push(url);
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).expect("the rest of stderr");
    let mut outcome = finish(child);
    outcome.stderr = lines.join("\n") + "\n" + &rest;
    outcome
}

/// A session at `issuer` whose access token is good for another hour, without a refresh token.
pub fn session(issuer: &str) -> Session {
    let client = SessionClient::from(&Client::public(ClientId::parse("desktop").expect("a client ID")));
    let token_endpoint = endpoint(&format!("{issuer}/token"));
    let issuer = Issuer::parse(issuer, HttpPolicy::Everywhere).expect("an issuer");
    Session {
        generation: 1,
        tokens: vec![StoredToken {
            narrowed_to: Scope::default(),
            resource: Vec::new(),
            scope: None,
            access_token: Secret::from(KEPT_ACCESS_TOKEN),
            token_type: "Bearer".to_owned(),
            issued_token_type: None,
            expires_at: Some(UnixSeconds(now() + 3600)),
            issued_at: Some(UnixSeconds(now())),
        }],
        ..Session::new(Some(issuer), client, token_endpoint)
    }
}

pub fn endpoint(text: &str) -> Endpoint {
    Endpoint::parse(text, HttpPolicy::Everywhere).expect("an endpoint")
}

pub fn resource(text: &str) -> Resource {
    Resource::parse(text).expect("a resource")
}

pub fn scope(text: &str) -> Scope {
    Scope::parse(text).expect("a scope")
}

/// The same with a refresh token.
pub fn refreshable(issuer: &str) -> Session {
    Session {
        renewal: Renewal::RefreshToken,
        refresh_token: Some(Secret::from(KEPT_REFRESH_TOKEN)),
        ..session(issuer)
    }
}

/// The same session with an access token that ends in so many seconds (or
/// has ended before so many) and began an hour before that.
pub fn ending_in(seconds: i64, mut session: Session) -> Session {
    for token in &mut session.tokens {
        token.expires_at = Some(UnixSeconds(now() + seconds));
        token.issued_at = Some(UnixSeconds(now() + seconds - 3600));
    }
    session
}

impl Home {
    /// Puts a session where the binary looks for it.
    pub fn keep(&self, profile: &str, session: &Session) {
        self.keep_with(FileKey::Generated, profile, session);
    }

    /// The same under this key.
    pub fn keep_with(&self, key: FileKey, profile: &str, session: &Session) {
        self.file_store(key).save(&name(profile), session).expect("storing");
    }

    /// The session that is stored, if one is.
    pub fn kept(&self, profile: &str) -> Option<Session> {
        self.file_store(FileKey::Generated)
            .load(&name(profile))
            .expect("reading the store")
    }

    /// Writes the configuration file.
    pub fn configure(&self, text: &str) {
        let file = self.config_file();
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("making the folder");
        std::fs::write(file, text).expect("writing the configuration file");
    }

    /// The text of the configuration file.
    pub fn configuration(&self) -> String {
        std::fs::read_to_string(self.config_file()).expect("the configuration file")
    }

    fn file_store(&self, file_key: FileKey) -> Box<dyn CredentialStore> {
        oauth::store::open(StoreSettings {
            kind: StoreKind::File,
            interaction: Interaction::Forbidden,
            keyring_session: None,
            session_bus: None,
            item_suffix: None,
            data_folder: self.path().join(".local/share"),
            config_folder: self.path().join(".config"),
            runtime_folder: None,
            file_key,
            ask_passphrase: None,
            child_environment: Vec::new(),
        })
        .expect("the file store")
    }

    /// Every file below this home, sorted.
    pub fn files(&self) -> Vec<std::path::PathBuf> {
        let mut files = Vec::new();
        let mut folders = vec![self.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let entry = entry.expect("an entry");
                match entry.file_type().expect("its type").is_dir() {
                    true => folders.push(entry.path()),
                    false => files.push(entry.path()),
                }
            }
        }
        files.sort();
        files
    }
}

fn name(profile: &str) -> ProfileName {
    ProfileName::parse(profile).expect("a profile name")
}
