//! Which client, and how it shows that it is the one.

use super::questions::Questions;
use super::server::Server;
use crate::args::login::{ClientOptions, DEFAULT_REDIRECT_URI};
use crate::error::Error;
use crate::foreign_text::Quoted;
use crate::protocol::client::ClientId;
use crate::providers::{ClientKind, Provider};
use crate::system::files::named;
use std::path::{Path, PathBuf};

/// The file name that stands for standard input in the tools of Unix.
const TYPED: &str = "-";

/// What a client proves itself with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Credential {
    Nothing,
    OptionalSecret,
    Secret,
    Key,
    CertificateAndKey,
}

/// The flags for the client; none for what was given already.
///
/// # Errors
/// Where no answer comes.
pub(super) fn ask(
    questions: &mut Questions<'_>,
    server: &Server,
    for_itself: bool,
    given: &ClientOptions,
) -> Result<Vec<String>, Error> {
    let mut words = Vec::new();
    let mut registers = given.register;
    if given.client_id.is_none() && !registers {
        explain_registration(questions, server.provider.as_ref());
        let may_register = !for_itself && !given.no_register && server.registers_clients();
        match client_id(questions, may_register)? {
            Some(client_id) => words.extend(["--client-id".to_owned(), client_id]),
            None => {
                words.push("--register".to_owned());
                registers = true;
            }
        }
    }
    let has_credential =
        given.client_secret_file.is_some() || given.client_secret_stdin || given.client_key_file.is_some();
    if !registers && !has_credential && !questions.context.environment.has("OAUTH_CLIENT_SECRET") {
        words.extend(credential_words(questions, credential(server, for_itself))?);
    }
    if !for_itself {
        words.extend(server.demanded_words());
    }
    Ok(words)
}

fn explain_registration(questions: &mut Questions<'_>, provider: Option<&Provider>) {
    let redirect_uri = provider.and_then(|provider| provider.redirect_uri.as_deref());
    let redirect_uri = redirect_uri.unwrap_or(DEFAULT_REDIRECT_URI).replace(":0", "");
    let Some(provider) = provider else {
        questions.tell(&format!(
            "The server has to know this program as a client: a native (public) one with the redirect URI {redirect_uri}"
        ));
        return;
    };
    questions.tell(&format!(
        "Register a client of {} at {}",
        provider.title, provider.register
    ));
    questions.tell(&format!("with the redirect URI {redirect_uri}"));
    for note in &provider.notes {
        questions.tell(&format!("note: {note}"));
    }
}

/// The id; `None` where the server is to register a client.
fn client_id(questions: &mut Questions<'_>, may_register: bool) -> Result<Option<String>, Error> {
    let of_environment = questions.context.environment.text("OAUTH_CLIENT_ID");
    let may_register = may_register && of_environment.is_none();
    let question = match may_register {
        true => "Client ID (Enter: register one):",
        false => "Client ID:",
    };
    loop {
        let answer = questions.ask(question, of_environment.as_deref())?;
        match ClientId::parse(&answer) {
            _ if answer.is_empty() && may_register => return Ok(None),
            Ok(_) if !answer.is_empty() => return Ok(Some(answer)),
            Ok(_) => {}
            Err(problem) => questions.tell(&problem.to_string()),
        }
    }
}

/// What the server wants of a client that is known by its id.
fn credential(server: &Server, for_itself: bool) -> Credential {
    let kind = server.provider.as_ref().map(|provider| provider.client);
    match kind {
        Some(ClientKind::Secret) => Credential::Secret,
        _ if server.demands_option("--client-cert-file") => Credential::CertificateAndKey,
        _ if server.demands_option("--client-key-file") => Credential::Key,
        _ if server.demands_option("--client-secret-file") || for_itself => Credential::Secret,
        Some(ClientKind::Public) => Credential::Nothing,
        Some(ClientKind::Either) | None => Credential::OptionalSecret,
    }
}

fn credential_words(questions: &mut Questions<'_>, credential: Credential) -> Result<Vec<String>, Error> {
    let secret = |answer: String| match answer.as_str() {
        TYPED => vec!["--client-secret-stdin".to_owned()],
        _ => vec!["--client-secret-file".to_owned(), answer],
    };
    Ok(match credential {
        Credential::Nothing => Vec::new(),
        Credential::OptionalSecret => {
            let question = "The file with the client's secret; - to type it unseen; nothing where the client has none:";
            match file(questions, question, None)? {
                answer if answer.is_empty() => Vec::new(),
                answer => secret(answer),
            }
        }
        Credential::Secret => {
            let question = "This client needs its secret. The file with it, or - to type it unseen:";
            secret(file(questions, question, Some(TYPED))?)
        }
        Credential::Key => key(questions)?,
        Credential::CertificateAndKey => {
            let certificate = required_file(questions, "The file with the client's certificate (PEM):")?;
            let mut words = vec!["--client-cert-file".to_owned(), certificate];
            words.extend(key(questions)?);
            words
        }
    })
}

fn key(questions: &mut Questions<'_>) -> Result<Vec<String>, Error> {
    let key = required_file(questions, "The file with the client's private key (PEM or JWK):")?;
    Ok(vec!["--client-key-file".to_owned(), key])
}

fn required_file(questions: &mut Questions<'_>, question: &str) -> Result<String, Error> {
    loop {
        let answer = file(questions, question, None)?;
        if !answer.is_empty() && answer != TYPED {
            return Ok(answer);
        }
    }
}

/// A file that can be read, as an absolute path, for a command that is run again elsewhere.
fn file(questions: &mut Questions<'_>, question: &str, default: Option<&str>) -> Result<String, Error> {
    loop {
        let answer = questions.ask(question, default)?;
        if answer.is_empty() || answer == TYPED {
            return Ok(answer);
        }
        let path = match (answer.strip_prefix("~/"), questions.context.environment.path("HOME")) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(&answer),
        };
        let path = std::path::absolute(&path).unwrap_or(path);
        match named::read(&path) {
            Ok(_) => return Ok(text(&path)),
            Err(problem) => questions.tell(&format!("{} cannot be read: {problem}", Quoted::name(&answer))),
        }
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
