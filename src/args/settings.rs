//! What was typed, turned into what holds: flags before environment before
//! the profile in the configuration file before defaults. Text becomes types
//! here, so that nothing below checks it again.

use crate::args::cli::{Colour, GlobalOptions, LoginOptions, ProfileChoice, ResponseModeChoice, TokenOptions};
use crate::args::config::{Config, Profile, Setting};
use crate::exit::{Diagnosis, ExitCode};
use crate::flow::login::{CallbackChoice, ClientChoice, LoginRequest, ServerChoice};
use crate::protocol::authorization::{AuthorizationOptions, RESERVED_PARAMETERS, ResponseMode};
use crate::protocol::client::{ClientAuthenticationMethod, ClientId};
use crate::protocol::endpoint::{Endpoint, EndpointError, HttpPolicy, Issuer};
use crate::protocol::pkce::CodeVerifier;
use crate::protocol::redirect_uri::{LoopbackAddress, RedirectUri};
use crate::protocol::resource::Resource;
use crate::protocol::scope::Scope;
use crate::protocol::token_request::RESERVED_TOKEN_PARAMETERS;
use crate::secret::Secret;
use crate::store::{FileKey, KeyringSession, Part, ProfileName, StoreKind};
use crate::system::environment::Environment;
use crate::transport::{ProxySettings, TransportSettings, check_proxy_without_userinfo};
use crate::user_agent::callback::{ListenSettings, LoopbackHost};
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Keys of a profile that hold for one server only.
const SERVER_SPECIFIC_KEYS: [&str; 4] = [
    "authorization_endpoint",
    "token_endpoint",
    "revocation_endpoint",
    "client_secret_file",
];

/// Where the browser comes back when nothing else is said.
const DEFAULT_REDIRECT_URI: &str = "http://127.0.0.1:0/callback";

/// Arguments, variables or keys that cannot be made sense of: exit code 2.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// One value is wrong.
    #[error("{name}: {problem}")]
    Value {
        /// The flag, variable or key.
        name: String,
        /// What is wrong with its value.
        problem: String,
        /// What to do.
        hint: Option<String>,
    },
    /// Two values exclude each other.
    #[error("{one} and {other} contradict each other: {problem}")]
    Contradiction {
        /// A flag or key.
        one: String,
        /// Another.
        other: String,
        /// Why.
        problem: String,
    },
    /// A value is needed and was not given.
    #[error("there is no {what} for profile \"{profile}\"")]
    Missing {
        /// `issuer`, `client_id`.
        what: &'static str,
        /// For whom.
        profile: String,
        /// What to type.
        hint: String,
    },
    /// A URL's profile name is in use.
    #[error("profile \"{profile}\" is already used for {issuer}")]
    NameTaken {
        /// The name made from the URL.
        profile: String,
        /// What it is used for.
        issuer: String,
    },
}

impl Diagnosis for SettingsError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hints(&self) -> Vec<String> {
        match self {
            SettingsError::Value { hint, .. } => hint.iter().cloned().collect(),
            SettingsError::Contradiction { .. } => vec!["Leave one of them out.".to_owned()],
            SettingsError::Missing { hint, .. } => vec![hint.clone()],
            SettingsError::NameTaken { .. } => vec!["Name the one that you mean with --profile NAME.".to_owned()],
        }
    }
}

fn invalid(name: &str, problem: impl Display) -> SettingsError {
    SettingsError::Value {
        name: name.to_owned(),
        problem: problem.to_string(),
        hint: None,
    }
}

fn invalid_with_hint(name: &str, problem: impl Display, hint: &str) -> SettingsError {
    SettingsError::Value {
        name: name.to_owned(),
        problem: problem.to_string(),
        hint: Some(hint.to_owned()),
    }
}

/// Whether text for a person is coloured.
pub fn colour(choice: Colour, environment: &Environment, is_terminal: bool) -> bool {
    match choice {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto if environment.has("NO_COLOR") => false,
        Colour::Auto => is_terminal || environment.text("CLICOLOR_FORCE").is_some_and(|value| value != "0"),
    }
}

/// The store by flag, `OAUTH_STORE`, the profile, else the keyring.
///
/// # Errors
/// [`SettingsError::Value`] naming where the wrong name stands.
pub fn store_kind(
    global: &GlobalOptions,
    environment: &Environment,
    profile: Option<&Profile>,
) -> Result<StoreKind, SettingsError> {
    let (name, value) = if let Some(value) = &global.store {
        ("--store", value.clone())
    } else if let Some(value) = environment.text("OAUTH_STORE") {
        ("OAUTH_STORE", value)
    } else if let Some(value) = profile.and_then(|profile| profile.text("store")) {
        ("store", value.to_owned())
    } else {
        return Ok(StoreKind::Keyring);
    };
    StoreKind::from_str(&value).map_err(|error| invalid(name, error))
}

/// The kind of Secret Service session, where one was chosen.
///
/// # Errors
/// [`SettingsError::Value`].
pub fn keyring_session(
    global: &GlobalOptions,
    environment: &Environment,
) -> Result<Option<KeyringSession>, SettingsError> {
    let chosen = match &global.keyring_session {
        Some(value) => Some(("--keyring-session", value.clone())),
        None => environment
            .text("OAUTH_KEYRING_SESSION")
            .map(|value| ("OAUTH_KEYRING_SESSION", value)),
    };
    chosen
        .map(|(name, value)| KeyringSession::from_str(&value).map_err(|error| invalid(name, error)))
        .transpose()
}

/// The key of the file store, as the environment names it.
///
/// # Errors
/// [`SettingsError::Contradiction`] for two of them, [`SettingsError::Value`]
/// for a passphrase that is empty or cannot be read.
pub fn file_key(environment: &Environment) -> Result<FileKey, SettingsError> {
    const KEY_FILE: &str = "OAUTH_STORE_KEY_FILE";
    const PASSPHRASE: &str = "OAUTH_STORE_PASSPHRASE";
    const PASSPHRASE_FILE: &str = "OAUTH_STORE_PASSPHRASE_FILE";
    let mut given = [KEY_FILE, PASSPHRASE, PASSPHRASE_FILE]
        .into_iter()
        .filter(|name| environment.has(name));
    if let (Some(one), Some(other)) = (given.next(), given.next()) {
        return Err(SettingsError::Contradiction {
            one: one.to_owned(),
            other: other.to_owned(),
            problem: "each of them gives the key of the encrypted files".to_owned(),
        });
    }
    if let Some(path) = environment.path(KEY_FILE) {
        Ok(FileKey::Named(path))
    } else if let Some(path) = environment.path(PASSPHRASE_FILE) {
        Ok(FileKey::Passphrase(secret_from_file(PASSPHRASE_FILE, &path)?))
    } else if let Some(passphrase) = environment.raw(PASSPHRASE) {
        let passphrase = passphrase
            .to_str()
            .ok_or_else(|| invalid(PASSPHRASE, "that is not UTF-8 text"))?;
        Ok(FileKey::Passphrase(Secret::from(passphrase)))
    } else {
        Ok(FileKey::Own)
    }
}

/// How requests go out.
///
/// # Errors
/// [`SettingsError::Value`] for a proxy URL with userinfo on the command line.
pub fn transport(
    global: &GlobalOptions,
    environment: &Environment,
    profile: Option<&Profile>,
    allow_http: bool,
) -> Result<TransportSettings, SettingsError> {
    let mut proxy = ProxySettings::from_environment(|name| environment.text(name));
    let given = global.proxy.as_deref().map(|url| ("--proxy", url));
    if let Some((name, url)) = given.or_else(|| {
        profile
            .and_then(|profile| profile.text("proxy"))
            .map(|url| ("proxy", url))
    }) {
        without_userinfo(name, url)?;
        proxy = proxy.with_proxy(url);
    }
    let profile_ca_file = || profile.and_then(|profile| profile.text("cacert")).map(PathBuf::from);
    let client_certificate = match (&global.cert, &global.key) {
        (Some(certificate), Some(key)) => Some((certificate.clone(), key.clone())),
        _ => None,
    };
    Ok(TransportSettings {
        http_timeout: global.http_timeout,
        ca_file: global.cacert.clone().or_else(profile_ca_file),
        client_certificate,
        proxy,
        allow_http: allow_http || profile.is_some_and(|profile| profile.switch("allow_http")),
        ssl_cert_file: environment.path("SSL_CERT_FILE"),
        ssl_cert_dir: environment
            .raw("SSL_CERT_DIR")
            .map(|value| std::env::split_paths(value).collect())
            .unwrap_or_default(),
    })
}

/// Neither the command line nor the configuration file may hold a password.
fn without_userinfo(name: &str, url: &str) -> Result<(), SettingsError> {
    check_proxy_without_userinfo(url).map_err(|problem| SettingsError::Value {
        name: name.to_owned(),
        problem: problem.to_string(),
        hint: problem.hints().first().map(|hint| (*hint).to_owned()),
    })
}

/// What is wrong with the global flags, whether or not the command comes to need them.
///
/// # Errors
/// [`SettingsError::Value`].
pub fn check_global(global: &GlobalOptions) -> Result<(), SettingsError> {
    global.proxy.as_deref().map_or(Ok(()), |url| without_userinfo("--proxy", url))
}

/// The profile that is meant: by argument or option, else `OAUTH_PROFILE`,
/// else the configuration's default, else `default`.
///
/// # Errors
/// [`SettingsError::Value`] for a name that cannot be one.
pub fn profile_name(
    choice: &ProfileChoice,
    environment: &Environment,
    config: &Config,
) -> Result<ProfileName, SettingsError> {
    if let Some(argument) = &choice.argument {
        if is_like_a_jwt(argument) || (argument.len() > 64 && !argument.contains("://")) {
            return Err(token_as_argument("PROFILE", "Name the profile whose token you want."));
        }
        return if argument.contains("://") {
            name_of_server(argument, config)
        } else {
            parse_name("PROFILE", argument)
        };
    }
    if let Some(option) = &choice.option {
        return parse_name("--profile", option);
    }
    default_profile(environment, config)
}

/// The URL whose server is looked at, and the issuer that it may be. An issuer
/// has no query (RFC 8414 §2); a protected resource may have one.
///
/// # Errors
/// [`SettingsError::Value`], which never repeats what may be a token.
pub fn discover_url(text: &str) -> Result<(Endpoint, Option<Issuer>), SettingsError> {
    if !text.contains("://") {
        return Err(invalid_with_hint(
            "URL",
            "that is no URL",
            "A server is named by its whole URL, such as https://id.example.com.",
        ));
    }
    let endpoint = Endpoint::parse(text, HttpPolicy::LoopbackOnly).map_err(|problem| invalid("URL", problem))?;
    Ok((endpoint, Issuer::parse(text, HttpPolicy::LoopbackOnly).ok()))
}

fn is_like_a_jwt(argument: &str) -> bool {
    argument.starts_with("eyJ") && argument.matches('.').count() >= 2
}

fn token_as_argument(place: &str, hint: &str) -> SettingsError {
    let problem = "that looks like a token, and a token must not stand on a command line";
    invalid_with_hint(place, problem, hint)
}

/// Refuses a token where the name of a file should be.
///
/// # Errors
/// [`SettingsError::Value`], which does not repeat it.
pub fn reject_token_argument(place: &str, argument: &str) -> Result<(), SettingsError> {
    if is_like_a_jwt(argument) {
        return Err(token_as_argument(
            place,
            "Give it on standard input, with - in its place.",
        ));
    }
    Ok(())
}

/// An issuer that was typed at `place`, if one was.
///
/// # Errors
/// [`SettingsError::Value`].
pub fn issuer(place: &str, text: Option<&str>) -> Result<Option<Issuer>, SettingsError> {
    text.map(|text| issuer_of(place, text, HttpPolicy::LoopbackOnly))
        .transpose()
}

/// The same under a profile's rules.
///
/// # Errors
/// [`SettingsError::Value`].
pub fn issuer_of(place: &str, text: &str, allowance: HttpPolicy) -> Result<Issuer, SettingsError> {
    Issuer::parse(text, allowance).map_err(|problem| invalid(place, problem))
}

/// The profile that is meant when none is named.
///
/// # Errors
/// [`SettingsError::Value`] for an `OAUTH_PROFILE` that cannot be a name.
pub fn default_profile(environment: &Environment, config: &Config) -> Result<ProfileName, SettingsError> {
    match (environment.text("OAUTH_PROFILE"), &config.default_profile) {
        (Some(name), _) => parse_name("OAUTH_PROFILE", &name),
        (None, Some(name)) => Ok(name.clone()),
        (None, None) => parse_name("profile", "default"),
    }
}

/// Reads a profile's name as it was typed at `place`.
///
/// # Errors
/// [`SettingsError::Value`].
pub fn parse_name(place: &str, name: &str) -> Result<ProfileName, SettingsError> {
    ProfileName::parse(name).map_err(|error| SettingsError::Value {
        name: place.to_owned(),
        problem: error.to_string(),
        hint: error.hints().into_iter().next(),
    })
}

/// The profile of a server that is named by its URL. Where another server has
/// that name, nothing may be done to its session.
fn name_of_server(url: &str, config: &Config) -> Result<ProfileName, SettingsError> {
    let name = profile_name_from_url(url)?;
    let used_for = config.profile(&name).and_then(|profile| profile.text("issuer"));
    match used_for {
        Some(issuer) if issuer != url => Err(SettingsError::NameTaken {
            profile: name.to_string(),
            issuer: issuer.to_owned(),
        }),
        _ => Ok(name),
    }
}

/// Host, port and path parts joined by `-`.
fn profile_name_from_url(url: &str) -> Result<ProfileName, SettingsError> {
    let vetted = Endpoint::parse(url, HttpPolicy::Everywhere).map_err(|problem| invalid("URL", problem))?;
    let parsed = vetted.url();
    let host = parsed.host_str().unwrap_or_default().to_owned();
    let port = parsed.port().map(|port| port.to_string());
    let path = parsed.path_segments().into_iter().flatten().map(str::to_owned);
    let parts: Vec<String> = std::iter::once(host)
        .chain(port)
        .chain(path)
        .filter(|part| !part.is_empty())
        .collect();
    let name: String = parts
        .join("-")
        .chars()
        .map(|character| {
            if character.is_ascii_alphanumeric() || "._-".contains(character) {
                character
            } else {
                '-'
            }
        })
        .collect();
    let name: String = name
        .trim_matches(|character: char| !character.is_ascii_alphanumeric())
        .chars()
        .take(64)
        .collect();
    ProfileName::parse(&name).map_err(|error| invalid_with_hint("URL", error, "Name the profile with --profile NAME."))
}

/// What a login is to do, and what of it is to be remembered.
#[derive(Debug)]
pub struct ResolvedLogin {
    /// Under which name.
    pub profile: ProfileName,
    /// The flow's part, but for the client secret, which is read later.
    pub request: LoginRequest,
    /// The browser command of flag or profile.
    pub browser: Option<String>,
    /// What was given on the command line, as keys of the profile.
    pub given: Vec<(String, Setting)>,
    /// Keys of the profile that are removed, since they are of another server.
    pub dropped: Vec<&'static str>,
    /// The file with the client secret.
    pub client_secret_file: Option<PathBuf>,
}

/// Which profile `oauth login` is about: its name, and the URL if one was given.
///
/// # Errors
/// [`SettingsError`].
pub fn login_target(
    options: &LoginOptions,
    environment: &Environment,
    config: &Config,
) -> Result<(ProfileName, Option<String>), SettingsError> {
    let target = options.target.as_deref();
    match (target.filter(|target| target.contains("://")), target) {
        (Some(url), _) => {
            if options.issuer.is_some() {
                return Err(SettingsError::Contradiction {
                    one: "the URL".to_owned(),
                    other: "--issuer".to_owned(),
                    problem: "both name the authorization server".to_owned(),
                });
            }
            if let Some(name) = &options.profile {
                return Ok((parse_name("--profile", name)?, Some(url.to_owned())));
            }
            Ok((name_of_server(url, config)?, Some(url.to_owned())))
        }
        (None, Some(name)) => match &options.profile {
            Some(other) if other != name => Err(SettingsError::Contradiction {
                one: name.to_owned(),
                other: "--profile".to_owned(),
                problem: "both name the profile".to_owned(),
            }),
            _ => match parse_name("PROFILE", name) {
                Ok(profile) if config.profile(&profile).is_some() || !name.contains('.') => Ok((profile, None)),
                Err(error) if !name.contains('.') && !name.contains(':') => Err(error),
                // A server, by all appearances; but http or https is not for us to guess.
                Ok(profile) if options.issuer.is_some() || options.token_endpoint.is_some() => Ok((profile, None)),
                _ => {
                    let hint = format!("Did you mean https://{name}? A server is named by its whole URL.");
                    Err(invalid_with_hint(
                        "PROFILE",
                        format!("there is no profile \"{name}\""),
                        &hint,
                    ))
                }
            },
        },
        (None, None) => match &options.profile {
            Some(name) => Ok((parse_name("--profile", name)?, None)),
            None => {
                let name = default_profile(environment, config)?;
                let used_for = config.profile(&name).and_then(|profile| profile.text("issuer"));
                match (used_for, &options.issuer) {
                    (Some(used_for), Some(issuer)) if used_for != issuer => Err(SettingsError::NameTaken {
                        profile: name.to_string(),
                        issuer: used_for.to_owned(),
                    }),
                    _ => Ok((name, None)),
                }
            }
        },
    }
}

/// Resolves everything that `oauth login` was told.
///
/// # Errors
/// [`SettingsError`] naming the flag, variable or key.
pub fn login(
    options: &LoginOptions,
    environment: &Environment,
    config: &Config,
) -> Result<ResolvedLogin, SettingsError> {
    let (name, url) = login_target(options, environment, config)?;
    let empty = Profile::default();
    let profile = config.profile(&name).unwrap_or(&empty);
    let allow_http = options.allow_http || profile.switch("allow_http");
    let allowance = if allow_http {
        HttpPolicy::Everywhere
    } else {
        HttpPolicy::LoopbackOnly
    };
    // Another server than the saved one: what was saved of that one is not for this one.
    let issuer = url.as_deref().or(options.issuer.as_deref());
    let another_server = issuer.is_some() && profile.text("issuer").is_some() && profile.text("issuer") != issuer;
    let saved_of_server = if another_server { &empty } else { profile };
    let server = server_choice(options, url.as_deref(), saved_of_server, allowance, &name)?;
    let client = client_choice(options, environment, profile, &name, url.as_deref())?;
    let callback = callback_choice(options, profile)?;
    let wish = wish(options, profile)?;
    Ok(ResolvedLogin {
        given: profile_changes(options, url.as_deref()),
        browser: options
            .browser
            .clone()
            .or_else(|| profile.text("browser").map(str::to_owned)),
        client_secret_file: options
            .client_secret_file
            .clone()
            .or_else(|| saved_of_server.text("client_secret_file").map(PathBuf::from)),
        dropped: if another_server {
            SERVER_SPECIFIC_KEYS.to_vec()
        } else {
            Vec::new()
        },
        profile: name,
        request: LoginRequest {
            server,
            client,
            wish,
            callback,
            timeout: options.timeout,
        },
    })
}

/// Whether `login` would take what a profile says, as far as that can be known
/// without the rest.
///
/// # Errors
/// [`SettingsError`] naming the key.
pub fn check_profile(profile: &Profile) -> Result<(), SettingsError> {
    let options = LoginOptions::default();
    let allowance = if profile.switch("allow_http") {
        HttpPolicy::Everywhere
    } else {
        HttpPolicy::LoopbackOnly
    };
    let name = parse_name("profile", "default")?;
    let ignoring_absence = |result: Result<(), SettingsError>| match result {
        Err(SettingsError::Missing { .. }) => Ok(()),
        other => other,
    };
    ignoring_absence(server_choice(&options, None, profile, allowance, &name).map(|_| ()))?;
    ignoring_absence(client_choice(&options, &Environment::default(), profile, &name, None).map(|_| ()))?;
    callback_choice(&LoginOptions { paste: true, ..options }, profile)?;
    wish(&LoginOptions::default(), profile)?;
    if let Some(store) = profile.text("store") {
        StoreKind::from_str(store).map_err(|error| invalid("store", error))?;
    }
    match profile.text("proxy") {
        Some(proxy) => without_userinfo("proxy", proxy),
        None => Ok(()),
    }
}

fn server_choice(
    options: &LoginOptions,
    url: Option<&str>,
    profile: &Profile,
    allowance: HttpPolicy,
    name: &ProfileName,
) -> Result<ServerChoice, SettingsError> {
    let unusable = |place: &str, error: EndpointError| match error {
        EndpointError::PlainHttp(_) => invalid_with_hint(
            place,
            error,
            "Use https, or --allow-http if plain http to that machine is really meant.",
        ),
        _ => invalid(place, error),
    };
    let endpoint = |flag: &str, key: &str, given: &Option<String>| {
        let (place, text) = match (given, profile.text(key)) {
            (Some(text), _) => (flag, text.as_str()),
            (None, Some(text)) => (key, text),
            (None, None) => return Ok(None),
        };
        Endpoint::parse(text, allowance)
            .map(Some)
            .map_err(|error| unusable(place, error))
    };
    let authorization_endpoint = endpoint(
        "--authorization-endpoint",
        "authorization_endpoint",
        &options.authorization_endpoint,
    )?;
    let token_endpoint = endpoint("--token-endpoint", "token_endpoint", &options.token_endpoint)?;
    let revocation_endpoint = endpoint(
        "--revocation-endpoint",
        "revocation_endpoint",
        &options.revocation_endpoint,
    )?;
    let issuer = match (url, &options.issuer, profile.text("issuer")) {
        (Some(url), _, _) => Some(("URL", url)),
        (None, Some(issuer), _) => Some(("--issuer", issuer.as_str())),
        (None, None, Some(issuer)) => Some(("issuer", issuer)),
        (None, None, None) => None,
    };
    let issuer = issuer
        .map(|(place, text)| Issuer::parse(text, allowance).map_err(|error| unusable(place, error)))
        .transpose()?;
    if issuer.is_none() && (authorization_endpoint.is_none() || token_endpoint.is_none()) {
        let hint = format!("Name the server: oauth login --profile {name} --issuer https://… --client-id ID");
        return Err(SettingsError::Missing {
            what: "issuer",
            profile: name.to_string(),
            hint,
        });
    }
    Ok(ServerChoice {
        issuer,
        authorization_endpoint,
        token_endpoint,
        revocation_endpoint,
        allowance,
    })
}

fn client_choice(
    options: &LoginOptions,
    environment: &Environment,
    profile: &Profile,
    name: &ProfileName,
    url: Option<&str>,
) -> Result<ClientChoice, SettingsError> {
    let (place, id) = if let Some(id) = &options.client_id {
        ("--client-id", id.clone())
    } else if let Some(id) = environment.text("OAUTH_CLIENT_ID") {
        ("OAUTH_CLIENT_ID", id)
    } else if let Some(id) = profile.text("client_id") {
        ("client_id", id.to_owned())
    } else {
        let target = match url {
            Some(url) => Issuer::of_well_known_url(url).unwrap_or_else(|| url.to_owned()),
            None => format!("--profile {name} --issuer https://…"),
        };
        let hint = format!(
            "Register a native (public) client with the redirect URI {} at the server, then run: oauth login {target} --client-id ID",
            DEFAULT_REDIRECT_URI.replace(":0", "")
        );
        return Err(SettingsError::Missing {
            what: "client_id",
            profile: name.to_string(),
            hint,
        });
    };
    let method = match (&options.client_auth, profile.text("client_auth")) {
        (Some(method), _) => Some(*method),
        (None, Some(text)) => {
            Some(ClientAuthenticationMethod::from_str(text).map_err(|error| invalid("client_auth", error))?)
        }
        (None, None) => None,
    };
    Ok(ClientChoice {
        id: ClientId::parse(&id).map_err(|error| invalid(place, error))?,
        secret: None,
        method,
    })
}

fn callback_choice(options: &LoginOptions, profile: &Profile) -> Result<CallbackChoice, SettingsError> {
    let (place, text) = match (&options.redirect_uri, profile.text("redirect_uri")) {
        (Some(text), _) => ("--redirect-uri", text.as_str()),
        (None, Some(text)) => ("redirect_uri", text),
        (None, None) => ("redirect_uri", DEFAULT_REDIRECT_URI),
    };
    let redirect_uri = RedirectUri::parse(text).map_err(|error| invalid(place, error))?;
    if options.paste {
        let given = match options.port.as_slice() {
            [] => profile.ports("port"),
            given => given,
        };
        // No listener tries one after the other: the first is the one that is registered.
        return Ok(CallbackChoice::Paste(match (redirect_uri.port(), given.first()) {
            (Some(0), Some(port)) => redirect_uri.with_port(*port),
            _ => redirect_uri,
        }));
    }
    let Some(address) = redirect_uri.loopback_address() else {
        let problem = "no listener on this machine can receive that: it is not http on 127.0.0.1, [::1] or localhost";
        return Err(invalid_with_hint(
            place,
            problem,
            "With --paste you paste the URL that the browser ended on instead.",
        ));
    };
    let ports = if options.port.is_empty() {
        profile.ports("port")
    } else {
        &options.port
    };
    let ports = match (redirect_uri.port(), ports) {
        (None, []) => vec![80],
        (Some(port), []) => vec![port],
        (None | Some(0), ports) => ports.to_vec(),
        (Some(port), ports) if ports == [port] => vec![port],
        (Some(port), _) => {
            return Err(SettingsError::Contradiction {
                one: "--port".to_owned(),
                other: place.to_owned(),
                problem: format!("the redirect URI names port {port}; write port 0 in it to try several"),
            });
        }
    };
    let settings = ListenSettings {
        host: match address {
            LoopbackAddress::V4 => LoopbackHost::V4,
            LoopbackAddress::V6 => LoopbackHost::V6,
            LoopbackAddress::Localhost => LoopbackHost::Localhost,
        },
        ports,
        listen: options.listen.map(|listen| (listen.address, listen.port)),
        path: redirect_uri.url().path().to_owned(),
        accept_form_post: response_mode(options, profile)? == Some(ResponseMode::FormPost),
    };
    Ok(CallbackChoice::Listen(redirect_uri, settings))
}

fn response_mode(options: &LoginOptions, profile: &Profile) -> Result<Option<ResponseMode>, SettingsError> {
    match (options.response_mode, profile.text("response_mode")) {
        (Some(ResponseModeChoice::Query), _) | (None, Some("query")) => Ok(Some(ResponseMode::Query)),
        (Some(ResponseModeChoice::FormPost), _) | (None, Some("form_post")) => Ok(Some(ResponseMode::FormPost)),
        (None, None) => Ok(None),
        (None, Some(_)) => Err(invalid("response_mode", "it is neither query nor form_post")),
    }
}

fn wish(options: &LoginOptions, profile: &Profile) -> Result<AuthorizationOptions, SettingsError> {
    let (scope_place, scope) = list(&options.scope, "--scope", profile, "scope");
    let (resource_place, resource) = list(&options.resource, "--resource", profile, "resource");
    let extra = pairs(
        &options.param,
        "--param",
        profile.pairs("param"),
        "param",
        &RESERVED_PARAMETERS,
    )?;
    let extra_token_params = pairs(
        &options.token_param,
        "--token-param",
        profile.pairs("token_param"),
        "token_param",
        &RESERVED_TOKEN_PARAMETERS,
    )?;
    Ok(AuthorizationOptions {
        scope: Scope::from_tokens(scope.iter().map(String::as_str)).map_err(|error| invalid(scope_place, error))?,
        resource: resource
            .iter()
            .map(|text| Resource::parse(text).map_err(|error| invalid(resource_place, error)))
            .collect::<Result<_, _>>()?,
        audience: options
            .audience
            .clone()
            .or_else(|| profile.text("audience").map(str::to_owned)),
        response_mode: response_mode(options, profile)?,
        extra,
        extra_token_params,
    })
}

/// The token parameters that a profile adds to every token request.
///
/// # Errors
/// [`SettingsError::Value`].
pub fn token_parameters(profile: Option<&Profile>) -> Result<Vec<(String, String)>, SettingsError> {
    let saved = profile.map(|profile| profile.pairs("token_param")).unwrap_or_default();
    pairs(&[], "--token-param", saved, "token_param", &RESERVED_TOKEN_PARAMETERS)
}

/// Which part of a session `oauth token` is asked for.
///
/// # Errors
/// [`SettingsError::Value`].
pub fn part(options: &TokenOptions) -> Result<Part, SettingsError> {
    // An unset variable in a script must not bring more than was wanted.
    for (flag, given) in [("--scope", &options.scope), ("--resource", &options.resource)] {
        if !given.is_empty() && words(given).is_empty() {
            return Err(invalid(flag, "it is empty"));
        }
    }
    let scope = words(&options.scope);
    let scope = Scope::from_tokens(scope.iter().map(String::as_str)).map_err(|error| invalid("--scope", error))?;
    let resource = words(&options.resource).into_iter().map(|text| {
        let resource = Resource::parse(&text).map_err(|error| invalid("--resource", error))?;
        Ok(resource.to_string())
    });
    Ok(Part {
        resource: resource.collect::<Result<_, _>>()?,
        scope: scope.tokens().to_vec(),
    })
}

/// A list from repeated flags or one space-separated value, else from the profile.
fn list<'a>(given: &[String], flag: &'a str, profile: &Profile, key: &'a str) -> (&'a str, Vec<String>) {
    if given.is_empty() {
        return (key, profile.list(key).to_vec());
    }
    (flag, words(given))
}

/// Repeated flags, each with one value or several separated by spaces.
fn words(given: &[String]) -> Vec<String> {
    let words = given.iter().flat_map(|value| value.split_whitespace());
    words.map(str::to_owned).collect()
}

fn pairs(
    given: &[String],
    flag: &str,
    saved: &[(String, String)],
    key: &str,
    own: &[&str],
) -> Result<Vec<(String, String)>, SettingsError> {
    let mut result: Vec<(String, String)> = Vec::new();
    for text in given {
        let (name, value) = text
            .split_once('=')
            .filter(|(name, _)| !name.is_empty())
            .ok_or_else(|| invalid(flag, format!("\"{text}\" is not of the form NAME=VALUE")))?;
        if result.iter().any(|(earlier, _)| earlier == name) {
            return Err(invalid(flag, format!("\"{name}\" is given twice")));
        }
        result.push((name.to_owned(), value.to_owned()));
    }
    for (name, value) in saved {
        if !result.iter().any(|(given, _)| given == name) {
            result.push((name.clone(), value.clone()));
        }
    }
    match result.iter().find(|(name, _)| own.contains(&name.as_str())) {
        None => Ok(result),
        Some((name, _)) => {
            let place = if given.iter().any(|text| text.starts_with(&format!("{name}="))) {
                flag
            } else {
                key
            };
            let hint = format!("Use the flag for it, or leave it out: the flow sets {name} itself.");
            Err(invalid_with_hint(
                place,
                format!("\"{name}\" is set by the flow"),
                &hint,
            ))
        }
    }
}

/// What `login` saves: what was given on the command line, but never
/// `timeout`, `paste`, `no_browser`, `listen` and `param.prompt`.
fn profile_changes(options: &LoginOptions, url: Option<&str>) -> Vec<(String, Setting)> {
    let mut given = Vec::new();
    let mut add = |key: &str, setting: Setting| given.push((key.to_owned(), setting));
    for (key, text) in [
        ("issuer", url.or(options.issuer.as_deref())),
        ("authorization_endpoint", options.authorization_endpoint.as_deref()),
        ("token_endpoint", options.token_endpoint.as_deref()),
        ("revocation_endpoint", options.revocation_endpoint.as_deref()),
        ("client_id", options.client_id.as_deref()),
        (
            "client_auth",
            options.client_auth.map(ClientAuthenticationMethod::as_str),
        ),
        ("audience", options.audience.as_deref()),
        ("redirect_uri", options.redirect_uri.as_deref()),
        ("browser", options.browser.as_deref()),
    ] {
        if let Some(text) = text {
            add(key, Setting::Text(text.to_owned()));
        }
    }
    if let Some(file) = &options.client_secret_file {
        let absolute = std::path::absolute(file).unwrap_or_else(|_| file.clone());
        add(
            "client_secret_file",
            Setting::Text(absolute.to_string_lossy().into_owned()),
        );
    }
    if options.allow_http {
        add("allow_http", Setting::Switch(true));
    }
    for (key, values) in [("scope", &options.scope), ("resource", &options.resource)] {
        if !values.is_empty() {
            let words = values
                .iter()
                .flat_map(|value| value.split_whitespace())
                .map(str::to_owned);
            add(key, Setting::List(words.collect()));
        }
    }
    if !options.port.is_empty() {
        add("port", Setting::Ports(options.port.clone()));
    }
    if let Some(mode) = options.response_mode {
        let text = match mode {
            ResponseModeChoice::Query => "query",
            ResponseModeChoice::FormPost => "form_post",
        };
        add("response_mode", Setting::Text(text.to_owned()));
    }
    for (key, values) in [("param", &options.param), ("token_param", &options.token_param)] {
        let pairs: Vec<(String, String)> = values
            .iter()
            .filter_map(|text| text.split_once('='))
            .filter(|(name, _)| !(key == "param" && *name == "prompt"))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        if !pairs.is_empty() {
            add(key, Setting::Pairs(pairs));
        }
    }
    given
}

/// What `login` saves of the global flags: how this server is reached.
pub fn connection_changes(global: &GlobalOptions) -> Vec<(String, Setting)> {
    let mut given = Vec::new();
    if let Some(file) = &global.cacert {
        let absolute = std::path::absolute(file).unwrap_or_else(|_| file.clone());
        given.push((
            "cacert".to_owned(),
            Setting::Text(absolute.to_string_lossy().into_owned()),
        ));
    }
    if let Some(proxy) = &global.proxy {
        given.push(("proxy".to_owned(), Setting::Text(proxy.clone())));
    }
    given
}

/// Drops the one line ending that files and standard input end with.
///
/// # Errors
/// [`SettingsError::Value`] for an empty secret, or one that is not text.
pub fn secret_from_bytes(place: &str, bytes: Vec<u8>) -> Result<Secret, SettingsError> {
    let bytes = Secret::new(bytes);
    let text = std::str::from_utf8(bytes.expose()).map_err(|_| invalid(place, "that is not UTF-8 text"))?;
    let text = text
        .strip_suffix('\n')
        .map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    if text.is_empty() {
        Err(invalid(place, "that is empty"))
    } else {
        Ok(Secret::from(text))
    }
}

/// A code verifier as it was given at `place`.
///
/// # Errors
/// [`SettingsError::Value`], which does not repeat it.
pub fn code_verifier(place: &str, given: &Secret) -> Result<CodeVerifier, SettingsError> {
    CodeVerifier::parse(given.expose()).map_err(|problem| invalid(place, problem))
}

/// Reads a secret from a file.
///
/// # Errors
/// [`SettingsError::Value`].
pub fn secret_from_file(place: &str, path: &Path) -> Result<Secret, SettingsError> {
    let bytes =
        std::fs::read(path).map_err(|error| invalid(place, format!("{} cannot be read: {error}", path.display())))?;
    secret_from_bytes(place, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_becomes_a_profile_name() {
        for (url, name) in [
            ("https://id.example.com", "id.example.com"),
            ("https://id.example.com/", "id.example.com"),
            ("http://127.0.0.1:9000", "127.0.0.1-9000"),
            ("https://id.example.com:8443/realms/a", "id.example.com-8443-realms-a"),
            ("http://[::1]:9000/x", "1--9000-x"),
        ] {
            assert_eq!(profile_name_from_url(url).unwrap().as_str(), name, "{url}");
        }
        assert!(profile_name_from_url("https://").is_err());
    }

    #[test]
    fn secrets_lose_one_line_ending_and_may_not_be_empty() {
        let read = |text: &str| secret_from_bytes("x", text.as_bytes().to_vec()).map(|secret| secret.expose().clone());
        assert_eq!(read("a\n").unwrap(), "a");
        assert_eq!(read("a\r\n").unwrap(), "a");
        assert_eq!(read("a\n\n").unwrap(), "a\n");
        assert!(read("\n").is_err() && read("").is_err());
    }

    #[test]
    fn extra_parameters_may_not_be_those_of_the_flow() {
        let pairs = |given: &[&str], saved: &[(&str, &str)]| {
            let given: Vec<String> = given.iter().map(ToString::to_string).collect();
            let saved: Vec<(String, String)> = saved.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect();
            super::pairs(&given, "--param", &saved, "param", &RESERVED_PARAMETERS)
        };
        assert_eq!(
            pairs(&["prompt=login"], &[("prompt", "none"), ("ui", "x")]).unwrap(),
            [
                ("prompt".to_owned(), "login".to_owned()),
                ("ui".to_owned(), "x".to_owned())
            ]
        );
        for bad in ["state=x", "code_challenge=x", "redirect_uri=x", "scope=x"] {
            assert!(
                pairs(&[bad], &[]).unwrap_err().to_string().starts_with("--param: "),
                "{bad}"
            );
        }
        assert!(
            pairs(&[], &[("state", "x")])
                .unwrap_err()
                .to_string()
                .starts_with("param: ")
        );
        assert!(pairs(&["prompt"], &[]).is_err() && pairs(&["=x"], &[]).is_err());
        assert!(pairs(&["a=1", "a=2"], &[]).is_err());
    }
}
