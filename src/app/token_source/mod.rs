//! Where tokens come from that no session keeps: one file a source. Tokens of
//! other sessions are read before our lock is taken, everything else under it,
//! so that one process of many reads it.

mod azure;
mod circle;
mod command;
mod environment;
mod error;
mod file;
mod gcp;
mod github_actions;
mod identity;
mod kubernetes;
mod profile;
mod service;
mod stdin;
mod text;

pub(crate) use error::{Purpose, SourceError};

use crate::app::context::{Context, caller};
use crate::app::signals::interruptible;
use crate::args::config::{Config, Profile};
use crate::error::Error;
use crate::exit::Diagnosis;
use crate::flow::caller::Caller;
use crate::flow::grant_inputs::{GrantInputs, ReadingSources, SourceReader};
use crate::protocol::grant::token_exchange::TypedToken;
use crate::protocol::token_type_uri::TokenTypeUri;
use crate::secret::Secret;
use crate::store::{FreshCredentials, ProfileName, Renewal, Session, SessionClient, SourcedToken, TokenSource};
use crate::transport::Transport;
use error::SourceProblem;
use identity::IdentitySession;
use profile::{NoTokenOfSession, TokenOfSession};

/// The sources of a session, with the tokens of other sessions read.
pub(crate) struct Sources<'a> {
    reading: Reading<'a>,
    subject: Option<PreparedToken>,
    actor: Option<PreparedToken>,
    assertion: Option<PreparedToken>,
    client_assertion: Option<PreparedToken>,
    identity: Option<PreparedIdentity>,
}

/// What all sources are read with.
struct Reading<'a> {
    context: &'a Context,
    purpose: Purpose,
    metadata_transport: Transport,
}

/// A token that was read already, or where to read it.
struct PreparedToken {
    source: TokenSource,
    token_type: Option<TokenTypeUri>,
    read: Option<TokenOfSession>,
}

/// The session at an identity provider, and the source of its client's assertions.
struct PreparedIdentity {
    session: IdentitySession,
    client_assertion: Option<PreparedToken>,
}

/// Prepares the sources of a stored session. See [`Context::prepare_sources`].
///
/// # Errors
/// [`SourceError`], or that of another session.
pub(crate) fn prepare<'a>(
    context: &'a Context,
    config: &Config,
    name: &ProfileName,
    session: &Session,
) -> Result<Box<dyn SourceReader + 'a>, Error> {
    let client_assertion = session.client.assertion_source.as_ref();
    let preparing = Preparing {
        context,
        config,
        name,
        purpose: Purpose::Renewal,
    };
    Ok(Box::new(preparing.sources(&session.renewal, client_assertion)?))
}

/// Prepares the sources of a login by this grant. The client's own assertion is read before.
///
/// # Errors
/// As [`prepare`].
pub(crate) fn prepare_login<'a>(
    context: &'a Context,
    config: &Config,
    name: &ProfileName,
    (renewal, purpose): (&Renewal, Purpose),
) -> Result<Sources<'a>, Error> {
    let preparing = Preparing {
        context,
        config,
        name,
        purpose,
    };
    preparing.sources(renewal, None)
}

/// The assertion of a client that someone else makes.
///
/// # Errors
/// As [`prepare`].
pub(crate) fn read_client_assertion(
    context: &Context,
    name: &ProfileName,
    profile: Option<&Profile>,
    (source, purpose): (&TokenSource, Purpose),
) -> Result<Secret, Error> {
    let config = context.config()?;
    let preparing = Preparing {
        context,
        config: &config,
        name,
        purpose,
    };
    circle::check(&config, name, &Vec::from_iter(source.profile().cloned()))
        .map_err(|problem| preparing.error(source, problem))?;
    let prepared = preparing.token(source, None)?;
    let reading = preparing.reading()?;
    let transport = context.transport(profile, true)?;
    let mut observer = context.observer();
    let mut caller = caller(&transport, &mut observer);
    let read = context
        .runtime()?
        .block_on(interruptible(prepared.read(&reading, None, &mut caller)))?;
    Ok(read?.token)
}

/// What the client of a session proves itself with now, beside what the session keeps.
///
/// # Errors
/// As [`prepare`].
pub(crate) fn fresh_credentials(
    context: &Context,
    name: &ProfileName,
    profile: Option<&Profile>,
    client: &SessionClient,
) -> Result<FreshCredentials, Error> {
    let assertion = client
        .assertion_source
        .as_ref()
        .map(|source| read_client_assertion(context, name, profile, (source, Purpose::Renewal)));
    Ok(FreshCredentials {
        secret: context.client_secret_of_environment(),
        assertion: assertion.transpose()?,
    })
}

/// What is prepared, and for which purpose.
struct Preparing<'a, 'c> {
    context: &'a Context,
    config: &'c Config,
    name: &'c ProfileName,
    purpose: Purpose,
}

impl<'a> Preparing<'a, '_> {
    fn sources(&self, renewal: &Renewal, client_assertion: Option<&TokenSource>) -> Result<Sources<'a>, Error> {
        let mut behind: Vec<ProfileName> = renewal.profiles().into_iter().cloned().collect();
        behind.extend(client_assertion.and_then(TokenSource::profile).cloned());
        // Before any lock is taken.
        circle::check(self.config, self.name, &behind).map_err(|problem| self.circle_error(&behind, problem))?;
        let typed = |sourced: &SourcedToken| self.token(&sourced.source, sourced.token_type.clone());
        let untyped = |source: &TokenSource| self.token(source, None);
        let (mut subject, mut actor, mut assertion, mut identity) = (None, None, None, None);
        match renewal {
            Renewal::TokenExchange(exchange) => {
                subject = Some(typed(&exchange.subject)?);
                actor = exchange.actor.as_ref().map(typed).transpose()?;
            }
            Renewal::JwtBearer { assertion: source } => assertion = Some(untyped(source)?),
            Renewal::IdJag(id_jag) => {
                let session = identity::read(&self.context.for_source(self.name), self.config, id_jag)
                    .map_err(|error| self.session_error(&id_jag.from, error))?;
                let source = session.session().client.assertion_source.clone();
                let client_assertion = source.map(|source| untyped(&source)).transpose()?;
                identity = Some(PreparedIdentity {
                    session,
                    client_assertion,
                });
            }
            Renewal::None | Renewal::RefreshToken | Renewal::ClientCredentials => {}
        }
        Ok(Sources {
            reading: self.reading()?,
            subject,
            actor,
            assertion,
            client_assertion: client_assertion.map(untyped).transpose()?,
            identity,
        })
    }

    fn reading(&self) -> Result<Reading<'a>, Error> {
        Ok(Reading {
            context: self.context,
            purpose: self.purpose,
            metadata_transport: service::metadata_transport(self.context)?,
        })
    }

    /// Reads the token now where it is of another session.
    fn token(&self, source: &TokenSource, token_type: Option<TokenTypeUri>) -> Result<PreparedToken, Error> {
        let read = match source {
            TokenSource::Profile(of) => {
                let token = profile::read(&self.context.for_source(self.name), self.config, of);
                Some(token.map_err(|error| self.session_error(&of.profile, error))?)
            }
            _ => None,
        };
        Ok(PreparedToken {
            source: source.clone(),
            token_type,
            read,
        })
    }

    fn error(&self, source: &TokenSource, problem: SourceProblem) -> Error {
        Error::from(SourceError {
            source_of_token: source.clone(),
            purpose: self.purpose,
            problem,
        })
    }

    fn circle_error(&self, behind: &[ProfileName], problem: SourceProblem) -> Error {
        let first = behind.first().unwrap_or(self.name);
        self.error(&TokenSource::of_profile(first.clone()), problem)
    }

    fn session_error(&self, profile: &ProfileName, error: NoTokenOfSession) -> Error {
        match error {
            NoTokenOfSession::Problem(problem) => self.error(&TokenSource::of_profile(profile.clone()), problem),
            NoTokenOfSession::Session(error) => error,
        }
    }
}

impl SourceReader for Sources<'_> {
    fn read<'a>(&'a mut self, session: &'a Session, caller: &'a mut Caller<'_>) -> ReadingSources<'a> {
        Box::pin(async move {
            let boxed = |error: SourceError| Box::new(error) as Box<dyn Diagnosis>;
            let reading = &self.reading;
            let mut inputs = GrantInputs::default();
            if let Some(subject) = &self.subject {
                inputs.subject = Some(subject.read(reading, Some(session), caller).await.map_err(boxed)?);
            }
            if let Some(actor) = &self.actor {
                inputs.actor = Some(actor.read(reading, Some(session), caller).await.map_err(boxed)?);
            }
            if let Some(assertion) = &self.assertion {
                let read = assertion.read(reading, Some(session), caller).await;
                inputs.assertion = Some(read.map_err(boxed)?.token);
            }
            if let Some(assertion) = &self.client_assertion {
                let read = assertion.read(reading, Some(session), caller).await;
                inputs.client_assertion = Some(read.map_err(boxed)?.token);
            }
            if let Some(identity) = &self.identity {
                let assertion = match &identity.client_assertion {
                    Some(assertion) => Some(assertion.read(reading, None, caller).await.map_err(boxed)?.token),
                    None => None,
                };
                let request = identity.session.request(session, assertion, caller).await;
                inputs.assertion = Some(request.map_err(|error| Box::new(error) as Box<dyn Diagnosis>)?);
            }
            Ok(inputs)
        })
    }
}

impl PreparedToken {
    /// The token, for a request of this session. What is not known to be of
    /// another kind is a JWT: that is what these sources give.
    async fn read(
        &self,
        reading: &Reading<'_>,
        session: Option<&Session>,
        caller: &mut Caller<'_>,
    ) -> Result<TypedToken, SourceError> {
        let error = |problem| SourceError {
            source_of_token: self.source.clone(),
            purpose: reading.purpose,
            problem,
        };
        let (token, token_type) = match &self.read {
            Some(TokenOfSession { token, bound_for }) => {
                let is_there = |session: &Session| Some(&session.token_endpoint) == bound_for.as_ref();
                if bound_for.is_some() && !session.is_some_and(is_there) {
                    let profile = self.source.profile().cloned();
                    return Err(error(
                        profile.map_or(SourceProblem::UsedUp, SourceProblem::AnotherServer),
                    ));
                }
                (token.token.clone(), token.token_type.clone())
            }
            None => {
                let read = read(&self.source, reading, caller).await;
                (read.map_err(error)?, TokenTypeUri::jwt())
            }
        };
        Ok(TypedToken {
            token,
            token_type: self.token_type.clone().unwrap_or(token_type),
        })
    }
}

/// The token that a source gives now, which is not of another session.
async fn read(source: &TokenSource, reading: &Reading<'_>, caller: &mut Caller<'_>) -> Result<Secret, SourceProblem> {
    let environment = &reading.context.environment;
    let mut metadata_caller = Caller {
        transport: &reading.metadata_transport,
        randomness: &mut *caller.randomness,
        observer: &mut *caller.observer,
        ..*caller
    };
    match source {
        TokenSource::File(path) => file::read(path),
        TokenSource::Environment(name) => environment::read(environment, name),
        TokenSource::Stdin if reading.purpose == Purpose::Login => stdin::read(),
        TokenSource::Stdin | TokenSource::Profile(_) => Err(SourceProblem::UsedUp),
        TokenSource::Command(command) => command::read(environment, command),
        TokenSource::GithubActions { audience } => github_actions::read(environment, audience.as_deref(), caller).await,
        TokenSource::Kubernetes => kubernetes::read(),
        TokenSource::Gcp { audience } => gcp::read(environment, audience, &mut metadata_caller).await,
        TokenSource::Azure { resource } => azure::read(environment, resource.as_deref(), &mut metadata_caller).await,
    }
}
