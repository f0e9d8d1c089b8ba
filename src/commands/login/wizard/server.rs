//! Which server: the first question, and what the server says that it can do.

use super::place::Place;
use super::questions::Questions;
use crate::app::context::caller;
use crate::app::signals::interruptible;
use crate::args::settings;
use crate::error::Error;
use crate::exit::Diagnosis;
use crate::flow::discovery::DiscoveryError;
use crate::flow::discovery::demands::{Demand, demands};
use crate::flow::discovery::report::{DiscoveryReport, explore};
use crate::flow::discovery::walk::Outcome;
use crate::foreign_text::Quoted;
use crate::protocol::endpoint::{HttpPolicy, Issuer};
use crate::protocol::members::Members;
use crate::protocol::metadata::MetadataError;
use crate::providers::{self, Provider, ProviderError};
use crate::transport::UrlSource;
use serde_json::{Map, Value};
use std::time::Duration;

/// For a look at a server before anything else is asked.
const PATIENCE: Duration = Duration::from_secs(6);

const QUESTION: &str = "Where do you want to log in? Type the URL of an authorization server or of an API, the name of a provider (`oauth providers` lists them), or your e-mail address, of which only the domain is used.";

/// What the first answer turned out to be.
#[derive(Default)]
pub(super) struct Server {
    /// How the command line names it.
    pub(super) words: Vec<String>,
    pub(super) provider: Option<Provider>,
    /// What the server says about itself; empty where it says nothing.
    pub(super) members: Map<String, Value>,
    /// The scopes for what was asked for.
    pub(super) usual_scopes: Vec<String>,
    /// The scopes of the API, where it says which it has.
    pub(super) api_scopes: Vec<String>,
}

impl Server {
    /// What the server says that scopes can be.
    pub(super) fn scopes(&self) -> Vec<&str> {
        let of_api = self.api_scopes.iter().map(String::as_str);
        let of_server = Members(&self.members).list("scopes_supported").unwrap_or_default();
        of_api.chain(of_server).collect()
    }

    /// Whether it makes clients for those who ask (RFC 7591).
    pub(super) fn registers_clients(&self) -> bool {
        Members(&self.members).text("registration_endpoint").is_some()
    }

    /// Whether no client may do without this option.
    pub(super) fn demands_option(&self, option: &str) -> bool {
        let demands = demands(&self.members);
        let mut options = demands.iter().filter_map(Demand::options);
        options.any(|options| options.split(' ').any(|word| word == option))
    }

    /// What no authorization request may do without, beside the client's credentials.
    pub(super) fn demanded_words(&self) -> Vec<String> {
        let options: [&[&str]; 2] = [&["--request-object"], &["--response-mode", "jwt"]];
        let demanded = options.into_iter().filter(|words| self.demands_option(words[0]));
        demanded.flatten().map(|word| (*word).to_owned()).collect()
    }
}

/// Asks until a server is found.
///
/// # Errors
/// Where no answer comes, or nothing can be sent at all.
pub(super) fn ask(questions: &mut Questions<'_>) -> Result<Server, Error> {
    loop {
        let typed = questions.ask_until_answered(QUESTION)?;
        let found = match Place::parse(&typed) {
            Ok(Place::Url(url)) => at_url(questions, &url)?,
            Ok(Place::Provider(name)) => of_provider(questions, &name)?,
            Ok(Place::MailDomain(domain)) => for_mail(questions, &domain)?,
            Err(unclear) => {
                questions.tell(&unclear.to_string());
                None
            }
        };
        if let Some(server) = found {
            return Ok(server);
        }
    }
}

/// The server of a mail address: a provider whose domain it is, else one at the domain itself.
fn for_mail(questions: &mut Questions<'_>, domain: &str) -> Result<Option<Server>, Error> {
    let known = settings::known_providers()?.into_iter().find_map(|provider| {
        let mail = provider.mail.clone()?;
        mail.domains
            .iter()
            .any(|known| known == domain)
            .then_some((provider, mail))
    });
    let Some((provider, mail)) = known else {
        questions.tell(&format!(
            "no known provider has addresses at {domain}; looking for a server there"
        ));
        return at_url(questions, &format!("https://{domain}"));
    };
    questions.tell(&format!("{} has the addresses at {domain}", provider.title));
    let server = of_provider(questions, &provider.name)?;
    Ok(server.map(|server| Server {
        usual_scopes: mail.scope,
        ..server
    }))
}

fn of_provider(questions: &mut Questions<'_>, name: &str) -> Result<Option<Server>, Error> {
    let mut name = name.to_owned();
    let provider = loop {
        let found = providers::find(&name).and_then(|(provider, value)| provider.at(value));
        match found {
            Ok(provider) => break provider,
            Err(ProviderError::NoValue { name: bare, kind }) => {
                let value = questions.ask_until_answered(&format!("Which {kind} of {bare}?"))?;
                name = format!("{bare}:{value}");
            }
            Err(problem) => {
                questions.tell(&problem.to_string());
                return Ok(None);
            }
        }
    };
    let mut members = Map::new();
    if let Some(issuer) = &provider.issuer
        && let Some(mut report) = look(questions, issuer)?
    {
        members = report.usable_members();
        // It is known where the login goes, so that it may be tried all the same
        if let Some(failure) = report.failure(issuer) {
            questions.tell(&failure.to_string());
        }
    }
    Ok(Some(Server {
        words: vec!["--provider".to_owned(), name],
        provider: Some(provider),
        members,
        ..Server::default()
    }))
}

fn at_url(questions: &mut Questions<'_>, url: &str) -> Result<Option<Server>, Error> {
    let Some(mut report) = look(questions, url)? else {
        return Ok(None);
    };
    let Some(issuer) = report.server.as_ref().map(|server| server.asked.clone()) else {
        if let Some(failure) = report.failure(url) {
            tell_failure(questions, &failure);
        }
        return Ok(None);
    };
    if let Some(problem) = refusal(&report) {
        return match other_issuer(problem) {
            Some(other) => {
                questions.tell(&format!("the server there calls itself {}", Quoted::name(&other)));
                match questions.choose("Is that the server that you mean?", &["yes", "no"])? {
                    0 => at_url(questions, &other),
                    _ => Ok(None),
                }
            }
            None => {
                questions.tell(&format!("the server's metadata cannot be used: {problem}"));
                Ok(None)
            }
        };
    }
    let members = report.usable_members();
    let Some(resource) = &report.resource else {
        return Ok(Some(Server {
            words: vec![url.to_owned()],
            members,
            ..Server::default()
        }));
    };
    questions.tell(&format!(
        "that is an API, whose authorization server is {}",
        Quoted::name(&issuer)
    ));
    let members_of_api = Members(&resource.members);
    let api_scopes = members_of_api.list("scopes_supported").unwrap_or_default();
    let identifier = members_of_api.text("resource").unwrap_or(url);
    Ok(Some(Server {
        words: vec![issuer, "--resource".to_owned(), identifier.to_owned()],
        api_scopes: api_scopes.into_iter().map(str::to_owned).collect(),
        members,
        ..Server::default()
    }))
}

/// Looks at all that the URL may publish; `None` where that was told to fail.
fn look(questions: &mut Questions<'_>, url: &str) -> Result<Option<DiscoveryReport>, Error> {
    let context = questions.context;
    let (endpoint, issuer) = match settings::discover_url(url) {
        Ok(found) => found,
        Err(problem) => {
            questions.tell(&problem.to_string());
            return Ok(None);
        }
    };
    let transport = context.transport(None, false)?;
    if let Err(problem) = transport.prepare(endpoint.url(), UrlSource::User) {
        questions.tell(&problem.to_string());
        return Ok(None);
    }
    questions.tell(&format!("looking at {} …", Quoted::name(url)));
    let mut observer = context.observer();
    let mut caller = caller(&transport, &mut observer);
    let exploring = async { tokio::time::timeout(PATIENCE, explore(&endpoint, issuer.as_ref(), &mut caller)).await };
    match context.runtime()?.block_on(interruptible(exploring))? {
        Ok(report) => Ok(Some(report)),
        Err(_) => {
            questions.tell(&format!("it did not answer within {} s", PATIENCE.as_secs()));
            Ok(None)
        }
    }
}

fn tell_failure(questions: &mut Questions<'_>, failure: &DiscoveryError) {
    questions.tell(&failure.to_string());
    for hint in failure.hints() {
        questions.tell(&hint);
    }
}

/// Why the document of the server must not be used, where that is so.
fn refusal(report: &DiscoveryReport) -> Option<&MetadataError> {
    let server = report.server.as_ref()?;
    report.attempts.iter().find_map(|attempt| match &attempt.outcome {
        Outcome::Refused(problem) if attempt.url == server.url => Some(problem),
        _ => None,
    })
}

/// The issuer that the document names, where it is another one.
fn other_issuer(problem: &MetadataError) -> Option<String> {
    let MetadataError::OtherIssuer { found, .. } = problem else {
        return None;
    };
    Issuer::parse(found, HttpPolicy::LoopbackOnly).ok()?;
    Some(found.clone())
}
