//! What the client of a login proves itself with, and whether that fits the
//! authentication method.

use crate::app::context::Context;
use crate::app::input::read_secret_from_stdin;
use crate::app::token_source::{Purpose, read_client_assertion};
use crate::args::login::LoginOptions;
use crate::args::login_grant::LoginGrant;
use crate::args::settings::{self, ResolvedLogin, SettingsError};
use crate::error::Error;
use crate::flow::server::ClientChoice;
use crate::foreign_text::WordOrQuoted;
use crate::protocol::client::{ClientAuthenticationMethod, ClientCredentials, ClientId};
use crate::protocol::tls_identity::CertifiedKeyFiles;
use crate::secret::Secret;
use crate::store::{Registration, Session};
use crate::trace::{Event, Observer};

/// What was given: the secret of the environment, else of standard input or a
/// file; key and certificate of files. Read before anything is made: one that
/// is empty or missing leaves nothing behind.
///
/// # Errors
/// [`SettingsError::Value`].
pub(crate) fn given_client_credentials(
    context: &Context,
    options: &LoginOptions,
    (resolved, purpose): (&ResolvedLogin, Purpose),
) -> Result<ClientCredentials, Error> {
    let files = &resolved.credential_files;
    let secret = match (&files.secret, context.client_secret_of_environment()) {
        (_, Some(secret)) => Some(secret),
        (_, None) if options.client.client_secret_stdin => {
            Some(read_secret_from_stdin(context, "--client-secret-stdin")?)
        }
        (Some(path), None) => Some(settings::secret_from_file("--client-secret-file", path)?),
        (None, None) => None,
    };
    let key = files.key.as_deref().map(settings::signing_key_from_file).transpose()?;
    let certificate = files.certificate.as_deref().map(settings::certificate_from_file);
    Ok(ClientCredentials {
        secret,
        key: key.map(|key| files.named(key)),
        certificate: certificate.transpose()?,
        certified_key_files: files
            .certificate
            .clone()
            .zip(files.key.clone())
            .map(|(certificate, key)| CertifiedKeyFiles { certificate, key }),
        assertion: given_assertion(context, resolved, purpose)?,
    })
}

/// What someone else says for the client, from its source.
fn given_assertion(context: &Context, resolved: &ResolvedLogin, purpose: Purpose) -> Result<Option<Secret>, Error> {
    let Some(source) = &resolved.request.client.assertion_source else {
        return Ok(None);
    };
    let name = &resolved.profile;
    let config = context.config()?;
    read_client_assertion(context, name, config.profile(name), (source, purpose)).map(Some)
}

/// What was given, else what the last login of this client kept. A secret that
/// was kept does not stand in the way of a key that was given, nor the other
/// way round; a certificate belongs to its key.
pub(crate) fn client_credentials(
    given: ClientCredentials,
    resolved: &ResolvedLogin,
    earlier: Option<&Session>,
) -> ClientCredentials {
    let kept = kept_credentials(resolved, earlier);
    let method = resolved.request.client.method;
    let is_public = method == Some(ClientAuthenticationMethod::None);
    let uses_kept_secret = !is_public && given.key.is_none() || method.is_some_and(|method| method.takes_secret());
    let kept_certificate = kept.certificate.filter(|_| given.key.is_none());
    ClientCredentials {
        assertion: given.assertion,
        secret: given.secret.or(kept.secret.filter(|_| uses_kept_secret)),
        certificate: given.certificate.or(kept_certificate),
        certified_key_files: given.certified_key_files,
        key: given
            .key
            .or_else(|| kept.key.map(|key| resolved.credential_files.named(key))),
    }
}

/// Takes the client that this program registered at an earlier login, and
/// says so.
pub(crate) fn use_registered_client(
    client: &mut ClientChoice,
    session: &Session,
    registration: &Registration,
    observer: &mut dyn Observer,
) {
    observer.observe(&Event::Note(&format!(
        "the client is {}, which was registered earlier",
        WordOrQuoted(session.client.id.as_str())
    )));
    client.id = Some(session.client.id.clone());
    client.method = client.method.or(Some(session.client.method));
    client.registration = Some(registration.clone());
}

fn kept_credentials(resolved: &ResolvedLogin, earlier: Option<&Session>) -> ClientCredentials {
    let server = &resolved.request.server;
    let same_client = |session: &&Session| {
        Some(&session.client.id) == resolved.request.client.id.as_ref()
            && session.issuer == server.issuer
            && server
                .token_endpoint
                .as_ref()
                .is_none_or(|endpoint| *endpoint == session.token_endpoint)
    };
    let client = earlier.filter(same_client).map(|session| &session.client);
    // What is damaged counts as absent: the login asks for it.
    client.and_then(|client| client.credentials().ok()).unwrap_or_default()
}

/// Whether the credentials are what the method takes.
///
/// # Errors
/// [`SettingsError::Missing`], [`SettingsError::Contradiction`].
pub(crate) fn check_client_authentication(context: &Context, resolved: &ResolvedLogin) -> Result<(), SettingsError> {
    let has_transport_certificate = context.global.cert.is_some();
    let client = &resolved.request.client;
    let credentials = &client.credentials;
    let by_client_alone = resolved.grant == LoginGrant::ClientCredentials;
    let is_unnamed = client.id.as_ref().is_some_and(ClientId::is_unnamed);
    if is_unnamed && (client.method.is_some() || credentials.secret.is_some() || credentials.key.is_some()) {
        return Err(SettingsError::Missing {
            what: "client_id",
            profile: resolved.profile.to_string(),
            hint: "Only a client that proves nothing needs no name: give it with --client-id ID.".to_owned(),
        });
    }
    let needs_key = resolved.request.request_object || credentials.certificate.is_some();
    if needs_key && credentials.key.is_none() {
        return Err(missing("client key", resolved));
    }
    if let (Some(certificate), Some(key)) = (&credentials.certificate, &credentials.key)
        && !key.public_jwk().is_certified_by(certificate)
    {
        return Err(SettingsError::Contradiction {
            one: "--client-cert-file".to_owned(),
            other: "--client-key-file".to_owned(),
            problem: "the certificate is of another key".to_owned(),
        });
    }
    let missing_credential = |method| credentials.missing_for(method);
    let shows_certificate = matches!(
        client.method,
        Some(ClientAuthenticationMethod::TlsClientAuth | ClientAuthenticationMethod::SelfSignedTlsClientAuth)
    );
    if shows_certificate && has_transport_certificate {
        return Err(SettingsError::Contradiction {
            one: "--cert".to_owned(),
            other: "the certificate of the client (--client-cert-file)".to_owned(),
            problem: "only one can be shown to a host".to_owned(),
        });
    }
    match client.method {
        Some(ClientAuthenticationMethod::None) if by_client_alone => Err(SettingsError::Contradiction {
            one: "--client-auth none".to_owned(),
            other: format!("--grant {}", resolved.grant.as_str()),
            problem: "only a client that authenticates gets a token for itself (RFC 6749 §4.4)".to_owned(),
        }),
        Some(ClientAuthenticationMethod::None) if credentials.secret.is_some() => Err(SettingsError::Contradiction {
            one: "--client-auth none".to_owned(),
            other: "the client secret".to_owned(),
            problem: "a public client has no secret".to_owned(),
        }),
        Some(method) => match missing_credential(method) {
            Some(credential) => Err(missing(credential, resolved)),
            None => Ok(()),
        },
        None if by_client_alone && !credentials.prove_something() => Err(missing("client secret", resolved)),
        None => Ok(()),
    }
}

fn missing(what: &'static str, resolved: &ResolvedLogin) -> SettingsError {
    let hint = match what {
        "client secret" => "Give it with --client-secret-file FILE, --client-secret-stdin or OAUTH_CLIENT_SECRET.",
        "client certificate" => "Give it with --client-cert-file FILE.",
        _ => "Give it with --client-key-file FILE.",
    };
    SettingsError::Missing {
        what,
        profile: resolved.profile.to_string(),
        hint: hint.to_owned(),
    }
}
