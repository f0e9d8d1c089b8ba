//! `oauth decode`: what is in a JWT, and whether its issuer signed it.
//!
//! A token says itself who its issuer is, so that name alone makes nobody ask
//! for anything: keys are fetched from the session's server, from the issuer
//! of a saved profile, or from the one that `--issuer` names.

use crate::app::context::{Context, caller};
use crate::app::login_required::LoginRequired;
use crate::app::session::ProfileRecord;
use crate::app::signals::interruptible;
use crate::app::token_input::{load_session, profile_choice, read_token_argument};
use crate::args::cli::DecodeOptions;
use crate::args::config::{Config, Profile};
use crate::args::settings::{self, SettingsError};
use crate::error::Error;
use crate::exit::{Diagnosis, ExitCode};
use crate::flow::issuer_keys::{IssuerKeysError, KeySource, issuer_keys};
use crate::foreign_text::{Quoted, sanitize, sanitize_json};
use crate::output::causes::error_chain;
use crate::output::json_table::render_members;
use crate::output::report;
use crate::protocol::abnf::from_base64url;
use crate::protocol::endpoint::{HttpPolicy, Issuer};
use crate::protocol::jose::{JwtError, UnverifiedJwt};
use crate::protocol::jwks::{JwkSet, SignatureError, VerifiedBy};
use crate::protocol::pasted_jwt::PastedJwt;
use crate::secret::Secret;
use crate::store::{Interaction, ProfileName, Session};
use crate::system;
use crate::trace::ordered_json::{OrderedJson, object};
use crate::trace::{Event, Observer};
use serde_json::Value;

/// A token that could not be decoded or verified.
#[derive(Debug, thiserror::Error)]
enum DecodeError {
    #[error("the token is not a JWT that can be read")]
    NotAJwt {
        #[source]
        source: JwtError,
        /// Whether the session of this profile names an introspection endpoint.
        introspected_by: Option<ProfileName>,
    },
    #[error("the token is not what its issuer signed")]
    Signature(#[source] SignatureError),
    #[error("the token is not verified, because its issuer's keys cannot be used")]
    Keys(#[source] Box<IssuerKeysError>),
}

impl Diagnosis for DecodeError {
    fn exit_code(&self) -> ExitCode {
        match self {
            DecodeError::NotAJwt { .. } => ExitCode::Usage,
            DecodeError::Signature(_) => ExitCode::Protocol,
            DecodeError::Keys(source) => source.exit_code(),
        }
    }

    fn hints(&self) -> Vec<String> {
        let hint = match self {
            DecodeError::Keys(source) => {
                let mut hints = source.hints();
                hints.push("To show the token without its issuer's keys, add --no-verify.".to_owned());
                return hints;
            }
            DecodeError::NotAJwt {
                introspected_by: Some(profile),
                ..
            } => {
                return vec![format!(
                    "Access tokens may be opaque; ask the server about this one: oauth introspect --profile {profile}"
                )];
            }
            DecodeError::NotAJwt { .. } => {
                "Access tokens may be opaque: then only their server and its APIs can read them."
            }
            DecodeError::Signature(_) => "Do not trust its claims: it was changed, or another party made it.",
        };
        vec![hint.to_owned()]
    }
}

/// Whose keys may be asked for.
enum KeyChoice {
    /// These; and how a person knows their owner.
    Issuer(KeySource, String),
    None(String),
}

/// What became of the signature.
enum SignatureCheck {
    Verified {
        algorithm: &'static str,
        key_id: Option<String>,
        issuer: String,
    },
    Unverified(String),
    /// By this `alg`.
    Unsigned(String),
    /// The keys of the issuer, which the user knows, could not be had.
    WithoutKeys(IssuerKeysError),
    Broken(SignatureError),
}

/// A token that was taken apart.
struct Decoded {
    token: Secret,
    jwt: UnverifiedJwt,
    padded_signing_input: Option<Secret>,
}

impl Decoded {
    /// `introspected_by` is asked where the token is not a JWT.
    fn read(
        text: &Secret,
        context: &Context,
        introspected_by: impl FnOnce() -> Option<ProfileName>,
    ) -> Result<Self, DecodeError> {
        let pasted = PastedJwt::read(text.expose());
        let jwt = UnverifiedJwt::decode(pasted.token.expose()).map_err(|source| DecodeError::NotAJwt {
            source,
            introspected_by: introspected_by(),
        })?;
        if !pasted.removed.is_empty() {
            let note = format!("removed from the token: {}", pasted.removed.join(", "));
            context.observer().observe(&Event::Note(&note));
        }
        Ok(Decoded {
            token: pasted.token,
            jwt,
            padded_signing_input: pasted.padded_signing_input,
        })
    }

    fn issuer(&self) -> Option<&str> {
        self.jwt.claims.get("iss").and_then(Value::as_str)
    }

    /// The `alg` of a token without a signature (RFC 7515 appendix A.5).
    fn unsigned_algorithm(&self) -> Option<&str> {
        let algorithm = self.jwt.header.get("alg").and_then(Value::as_str)?;
        algorithm.eq_ignore_ascii_case("none").then_some(algorithm)
    }

    /// What the keys prove; with the padding first, where there was some.
    fn verify<'k>(&self, keys: &'k JwkSet) -> Result<VerifiedBy<'k>, SignatureError> {
        if let Some(input) = &self.padded_signing_input {
            let padded = UnverifiedJwt {
                signing_input: input.expose().clone(),
                ..self.jwt.clone()
            };
            if let Ok(by) = keys.verify(&padded) {
                return Ok(by);
            }
        }
        keys.verify(&self.jwt)
    }
}

pub(super) fn run(context: &Context, options: &DecodeOptions) -> Result<(), Error> {
    let given = read_token_argument(context, &options.input)?;
    let config;
    let profile;
    let (decoded, keys) = match given {
        Some(text) => {
            config = context.config()?;
            let decoded = Decoded::read(&text, context, || introspecting_profile(context, options, &config))?;
            let (keys, of) = keys_for_given(context, options, &config, decoded.issuer())?;
            profile = of;
            (decoded, keys)
        }
        None => {
            let stored = load_session(context, &options.input)?;
            let token = token_of(&stored.session, options)
                .ok_or_else(|| LoginRequired::no_id_token(&stored.name, &stored.session))?;
            let decoded = Decoded::read(&token, context, || {
                let knows = stored.session.endpoints.introspection.is_some();
                knows.then(|| stored.name.clone())
            })?;
            let keys = keys_of_session(&stored.session);
            warn_of_another_issuer(context, &decoded, &stored.session);
            config = stored.config;
            profile = config.profile(&stored.name);
            (decoded, keys)
        }
    };
    let verdict = match keys {
        _ if let Some(algorithm) = decoded.unsigned_algorithm() => SignatureCheck::Unsigned(algorithm.to_owned()),
        _ if options.no_verify => SignatureCheck::Unverified("--no-verify was given".to_owned()),
        KeyChoice::None(why) => SignatureCheck::Unverified(why),
        KeyChoice::Issuer(source, issuer) => verify(context, profile, &decoded, &source, issuer)?,
    };
    if context.style.json {
        report::print(as_json(&decoded.token, &verdict).as_bytes())?;
    } else {
        report::print_lines(&as_text(&decoded.token, &verdict))?;
    }
    match verdict {
        SignatureCheck::Broken(error) => Err(DecodeError::Signature(error).into()),
        SignatureCheck::WithoutKeys(error) => Err(DecodeError::Keys(Box::new(error)).into()),
        SignatureCheck::Verified { .. } | SignatureCheck::Unverified(_) | SignatureCheck::Unsigned(_) => Ok(()),
    }
}

/// The chosen profile, where its stored session can be asked about tokens. No
/// prompt is shown for it.
fn introspecting_profile(context: &Context, options: &DecodeOptions, config: &Config) -> Option<ProfileName> {
    let chosen = settings::choose_profile(&profile_choice(&options.input), &context.environment, config).ok()?;
    let mut found = ProfileRecord::load(context, config, &chosen, Interaction::Forbidden).ok()?;
    let session = found.take_session(&chosen.name, config).ok()?;
    session.endpoints.introspection.map(|_| chosen.name)
}

fn token_of(session: &Session, options: &DecodeOptions) -> Option<Secret> {
    if options.id_token {
        return session.id_token.clone();
    }
    session.tokens.first().map(|token| token.access_token.clone())
}

/// Some servers sign access tokens under another name; a person should see it.
fn warn_of_another_issuer(context: &Context, decoded: &Decoded, session: &Session) {
    if let (Some(named), Some(issuer)) = (decoded.issuer(), &session.issuer)
        && named != issuer.as_str()
    {
        let warning = format!(
            "the token says that it is from {}, but the session is at \"{issuer}\"",
            Quoted::name(named)
        );
        context.observer().observe(&Event::Warning(&warning));
    }
}

/// The session was made with this server, so its keys may be asked for.
fn keys_of_session(session: &Session) -> KeyChoice {
    match (&session.endpoints.jwks_uri, &session.issuer) {
        (Some(endpoint), issuer) => {
            let whose = issuer.as_ref().map_or_else(|| endpoint.to_string(), Issuer::to_string);
            KeyChoice::Issuer(KeySource::JwksUri(endpoint.clone()), whose)
        }
        (None, Some(issuer)) => {
            let source = KeySource::Issuer(issuer.clone(), HttpPolicy::Everywhere);
            KeyChoice::Issuer(source, issuer.to_string())
        }
        (None, None) => KeyChoice::None("the session knows neither the issuer nor its keys".to_owned()),
    }
}

/// The keys of the issuer that a given token names, if the user knows it.
fn keys_for_given<'a>(
    context: &Context,
    options: &DecodeOptions,
    config: &'a Config,
    named: Option<&str>,
) -> Result<(KeyChoice, Option<&'a Profile>), Error> {
    let asked = settings::issuer("--issuer", options.issuer.as_deref())?;
    let chosen = match &options.input.profile {
        Some(_) => {
            let name = settings::choose_profile(&profile_choice(&options.input), &context.environment, config)?.name;
            let profile = config.profile(&name);
            Some(profile.ok_or_else(|| SettingsError::unknown_profile(&name, config))?)
        }
        None => None,
    };
    let Some(named) = named else {
        return Ok((KeyChoice::None("it does not name its issuer (iss)".to_owned()), None));
    };
    if let Some(asked) = asked {
        if asked.as_str() != named {
            let why = format!("its issuer is {}, not \"{asked}\"", Quoted::name(named));
            return Ok((KeyChoice::None(why), None));
        }
        let source = KeySource::Issuer(asked, HttpPolicy::LoopbackOnly);
        return Ok((KeyChoice::Issuer(source, named.to_owned()), chosen));
    }
    let is_its_issuer = |profile: &&Profile| profile.text("issuer") == Some(named);
    let of_issuer = match chosen {
        Some(chosen) => Some(chosen).filter(is_its_issuer),
        None => config.profiles().map(|(_, profile)| profile).find(is_its_issuer),
    };
    let Some(profile) = of_issuer else {
        return Ok((KeyChoice::None(unknown_issuer(named)), None));
    };
    let allowance = if profile.bool("allow_http") {
        HttpPolicy::Everywhere
    } else {
        HttpPolicy::LoopbackOnly
    };
    let issuer = settings::issuer_of("issuer", named, allowance)?;
    let source = KeySource::Issuer(issuer, allowance);
    Ok((KeyChoice::Issuer(source, named.to_owned()), Some(profile)))
}

/// The author of the token chose this name, and a person may paste it into a shell.
fn unknown_issuer(named: &str) -> String {
    let why = format!(
        "no profile has its issuer {}, and keys are not fetched from an issuer that only the token names",
        Quoted::name(named)
    );
    match Issuer::parse(named, HttpPolicy::LoopbackOnly) {
        Ok(_) => format!(
            "{why}; if you trust that server, add --issuer {}",
            shell_words::quote(named)
        ),
        Err(_) => why,
    }
}

fn verify(
    context: &Context,
    profile: Option<&Profile>,
    decoded: &Decoded,
    source: &KeySource,
    issuer: String,
) -> Result<SignatureCheck, Error> {
    let vetted_before = matches!(
        source,
        KeySource::JwksUri(_) | KeySource::Issuer(_, HttpPolicy::Everywhere)
    );
    let transport = context.transport(profile, vetted_before)?;
    let mut observer = context.observer();
    let fetched = context.runtime()?.block_on(interruptible(issuer_keys(
        source,
        &mut caller(&transport, &mut observer),
    )))?;
    let set = match fetched {
        Ok(set) => set,
        // Nothing went wrong: such a server just publishes none.
        Err(error @ IssuerKeysError::NoAddress(_)) => return Ok(SignatureCheck::Unverified(error.to_string())),
        Err(error) => return Ok(SignatureCheck::WithoutKeys(error)),
    };
    Ok(match decoded.verify(&set) {
        Ok(by) => SignatureCheck::Verified {
            algorithm: by.algorithm,
            key_id: by.key_id.map(str::to_owned),
            issuer,
        },
        Err(SignatureError::Mismatch { .. }) if decoded.jwt.header.contains_key("nonce") => {
            SignatureCheck::Unverified(ONLY_FOR_RESOURCE_SERVER.to_owned())
        }
        Err(error @ SignatureError::Mismatch { .. }) => SignatureCheck::Broken(error),
        Err(error) => SignatureCheck::Unverified(error.to_string()),
    })
}

/// Microsoft signs tokens for its own APIs over a header with the hash of the nonce.
const ONLY_FOR_RESOURCE_SERVER: &str = "its header has a nonce, as Microsoft's tokens for its own APIs (Microsoft Graph) have: only the resource server that it is for can verify it";

fn unsigned(algorithm: &str) -> String {
    format!("not signed (alg {algorithm}): anyone can have made it")
}

/// Header and claims with their members in order.
fn parts(token: &Secret) -> [OrderedJson; 2] {
    let mut segments = token.expose().split('.');
    let mut next = || {
        let bytes = segments.next().and_then(from_base64url);
        bytes
            .and_then(|bytes| OrderedJson::parse(&bytes))
            .unwrap_or(OrderedJson::Null)
    };
    [next(), next()]
}

fn as_json(token: &Secret, verdict: &SignatureCheck) -> String {
    let text = |text: Option<&str>| text.map_or(OrderedJson::Null, OrderedJson::from);
    let bool = OrderedJson::Bool;
    let (verified, algorithm, key_id, issuer, reason) = match verdict {
        SignatureCheck::Verified {
            algorithm,
            key_id,
            issuer,
        } => (
            bool(true),
            Some(*algorithm),
            key_id.as_deref(),
            Some(issuer.as_str()),
            None,
        ),
        SignatureCheck::Unverified(reason) => (OrderedJson::Null, None, None, None, Some(reason.clone())),
        SignatureCheck::WithoutKeys(error) => {
            let reason = error_chain(&error.to_string(), error);
            (OrderedJson::Null, None, None, None, Some(reason))
        }
        SignatureCheck::Unsigned(algorithm) => (OrderedJson::Null, None, None, None, Some(unsigned(algorithm))),
        SignatureCheck::Broken(error) => (bool(false), None, None, None, Some(error.to_string())),
    };
    let [header, claims] = parts(token);
    let result = object([
        ("header", header),
        ("claims", claims),
        (
            "signature",
            object([
                ("verified", verified),
                ("algorithm", text(algorithm)),
                ("key_id", text(key_id)),
                ("issuer", text(issuer)),
                ("reason", text(reason.as_deref())),
            ]),
        ),
    ]);
    sanitize_json(&result.line()) + "\n"
}

fn as_text(token: &Secret, verdict: &SignatureCheck) -> String {
    let now = system::now();
    let [header, claims] = parts(token);
    let signature = match verdict {
        SignatureCheck::Verified {
            algorithm,
            key_id,
            issuer,
        } => {
            let key = key_id.as_ref().map(|key_id| format!(", key {}", Quoted::name(key_id)));
            format!(
                "verified: {algorithm}{}, published by {issuer}",
                key.unwrap_or_default()
            )
        }
        SignatureCheck::Unverified(reason) => format!("not verified, because {reason}"),
        SignatureCheck::WithoutKeys(error) => {
            format!("not verified, because {}", error_chain(&error.to_string(), error))
        }
        SignatureCheck::Unsigned(algorithm) => unsigned(algorithm),
        SignatureCheck::Broken(error) => format!("DOES NOT HOLD: {error}"),
    };
    format!(
        "header\n{}claims\n{}signature\n  {}\n",
        render_members(&header, now),
        render_members(&claims, now),
        sanitize(&signature)
    )
}
