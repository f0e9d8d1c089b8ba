//! What a login asks for: the grant, the access, and parameters of its own.

use super::changes::ProfileChanges;
use crate::args::config::{Profile, Setting};
use crate::args::login_grant::LoginGrant;
use crate::args::settings::error::{SettingsError, invalid};
use crate::args::settings::lists::{list, pairs, words};
use crate::flow::pushed_authorization_request::ParChoice;
use crate::output::duration::parse_duration;
use crate::protocol::authorization::{AuthorizationOptions, RESERVED_PARAMETERS, ResponseMode};
use crate::protocol::resource::Resource;
use crate::protocol::scope::{Scope, ScopeSeparator};
use crate::protocol::token_request::RESERVED_TOKEN_PARAMETERS;
use clap::builder::PossibleValue;
use clap::{Args, ValueEnum, ValueHint};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// What to ask for.
#[derive(Debug, Default, Args)]
pub struct RequestOptions {
    /// How to get the tokens: authorization-code (a person signs in), device, client-credentials, token-exchange, jwt-bearer or id-jag [default: authorization-code]
    #[arg(long, value_name = "GRANT", help_heading = "What to ask for")]
    pub grant: Option<LoginGrant>,
    /// Show a code to enter in a browser on another device (= --grant device, RFC 8628)
    #[arg(long, help_heading = "What to ask for")]
    pub device: bool,
    /// Scope to ask for; repeatable, or one space-separated value
    #[arg(long, value_name = "S", help_heading = "What to ask for")]
    pub scope: Vec<String>,
    /// Resource server the token is for (RFC 8707); repeatable
    #[arg(long, value_name = "URI", help_heading = "What to ask for")]
    pub resource: Vec<String>,
    /// Resource server, for servers that use the parameter audience
    #[arg(long, value_name = "A", help_heading = "What to ask for")]
    pub audience: Option<String>,
    /// Bind the tokens to a key that is made for the session and kept with it (RFC 9449)
    #[arg(long, help_heading = "What to ask for")]
    pub dpop: bool,
    /// Push the authorization request to the server, so that the browser carries a reference to it (RFC 9126) [default: auto]
    #[arg(long, value_name = "WHEN", help_heading = "What to ask for")]
    pub par: Option<ParChoice>,
    /// Send the authorization request as a JWT that is signed with the key of --client-key-file (RFC 9101)
    #[arg(long, help_heading = "What to ask for")]
    pub request_object: bool,
    /// File with authorization details, a JSON list of objects with a type (RFC 9396)
    #[arg(long, value_name = "FILE", help_heading = "What to ask for", value_hint = ValueHint::FilePath)]
    pub authorization_details: Option<PathBuf>,
    /// Extra parameter of the authorization request; repeatable
    #[arg(long = "param", value_name = "K=V", help_heading = "What to ask for")]
    pub param: Vec<String>,
    /// Extra parameter of the token request; repeatable
    #[arg(long = "token-param", value_name = "K=V", help_heading = "What to ask for")]
    pub token_param: Vec<String>,
    /// Extra parameter of the refresh request (scope, too); repeatable
    #[arg(long = "refresh-param", value_name = "K=V", help_heading = "What to ask for")]
    pub refresh_param: Vec<String>,
    /// Lifetime of access tokens if the server does not send one
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "What to ask for")]
    pub assume_ttl: Option<Duration>,
}

impl RequestOptions {
    /// The grant of flag or profile.
    ///
    /// # Errors
    /// [`SettingsError::Value`].
    pub(in crate::args) fn grant(&self, profile: &Profile) -> Result<LoginGrant, SettingsError> {
        match (self.given_grant()?, profile.text("grant")) {
            (Some(grant), _) => Ok(grant),
            (None, Some(text)) => LoginGrant::from_str(text).map_err(|error| invalid("grant", error)),
            (None, None) => Ok(LoginGrant::default()),
        }
    }

    /// The grant of the flags.
    fn given_grant(&self) -> Result<Option<LoginGrant>, SettingsError> {
        match (self.device, self.grant) {
            (true, Some(other)) if other != LoginGrant::Device => Err(SettingsError::Contradiction {
                one: "--device".to_owned(),
                other: format!("--grant {}", other.as_str()),
                problem: "a login has one grant".to_owned(),
            }),
            (true, _) => Ok(Some(LoginGrant::Device)),
            (false, grant) => Ok(grant),
        }
    }

    /// The access that is asked for, and the parameters of the authorization
    /// and the token request.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub(in crate::args) fn authorization_options(
        &self,
        profile: &Profile,
        response_mode: Option<ResponseMode>,
    ) -> Result<AuthorizationOptions, SettingsError> {
        let (scope_place, scope) = list(&self.scope, "--scope", profile, "scope");
        let (resource_place, resource) = list(&self.resource, "--resource", profile, "resource");
        let extra = pairs(
            &self.param,
            "--param",
            profile.pairs("param"),
            "param",
            &RESERVED_PARAMETERS,
        )?;
        let max_age = extra.iter().find(|(name, _)| name == "max_age");
        if max_age.is_some_and(|(_, seconds)| seconds.parse::<u64>().is_err()) {
            return Err(invalid(
                "--param",
                "max_age must be a number of seconds (OpenID Connect Core §3.1.2.1)",
            ));
        }
        let extra_token_params = pairs(
            &self.token_param,
            "--token-param",
            profile.pairs("token_param"),
            "token_param",
            &RESERVED_TOKEN_PARAMETERS,
        )?;
        Ok(AuthorizationOptions {
            scope: Scope::from_tokens(scope.iter().map(String::as_str)).map_err(|error| invalid(scope_place, error))?,
            scope_separator: ScopeSeparator::default(),
            resource: resource
                .iter()
                .map(|text| Resource::parse(text).map_err(|error| invalid(resource_place, error)))
                .collect::<Result<_, _>>()?,
            audience: self
                .audience
                .clone()
                .or_else(|| profile.text("audience").map(str::to_owned)),
            response_mode,
            extra,
            extra_token_params,
            dpop_jkt: None,
            authorization_details: None,
        })
    }

    /// Whether the tokens are to be bound to a key, by flag or profile.
    pub(in crate::args) fn dpop(&self, profile: &Profile) -> bool {
        self.dpop || profile.bool("dpop")
    }

    /// Whether the authorization request is pushed, by flag or profile.
    ///
    /// # Errors
    /// [`SettingsError::Value`].
    pub(in crate::args) fn par(&self, profile: &Profile) -> Result<ParChoice, SettingsError> {
        match (self.par, profile.text("par")) {
            (Some(par), _) => Ok(par),
            (None, Some(text)) => {
                ParChoice::from_str(text, false).map_err(|_| invalid("par", "it is neither auto nor always nor never"))
            }
            (None, None) => Ok(ParChoice::default()),
        }
    }

    /// Whether the authorization request is a signed JWT, by flag or profile.
    pub(in crate::args) fn request_object(&self, profile: &Profile) -> bool {
        self.request_object || profile.bool("request_object")
    }

    /// The file with the authorization details, of flag or profile, and which of them names it.
    pub(in crate::args) fn authorization_details_file(&self, profile: &Profile) -> Option<(&'static str, PathBuf)> {
        let saved = || {
            Some((
                "authorization_details",
                PathBuf::from(profile.text("authorization_details")?),
            ))
        };
        let given = self.authorization_details.clone();
        given.map(|path| ("--authorization-details", path)).or_else(saved)
    }

    /// The parameters that a profile adds to every refresh request: those for
    /// token requests, and those for refresh requests, which win.
    ///
    /// # Errors
    /// [`SettingsError::Value`].
    pub fn refresh_parameters(&self, profile: Option<&Profile>) -> Result<Vec<(String, String)>, SettingsError> {
        let saved = |key| profile.map(|profile| profile.pairs(key)).unwrap_or_default();
        let for_all = pairs(
            &self.token_param,
            "--token-param",
            saved("token_param"),
            "token_param",
            &RESERVED_TOKEN_PARAMETERS,
        )?;
        // Azure AD B2C wants the scope in the refresh request.
        let reserved: Vec<&str> = RESERVED_TOKEN_PARAMETERS
            .into_iter()
            .filter(|name| *name != "scope")
            .collect();
        let mut parameters = pairs(
            &self.refresh_param,
            "--refresh-param",
            saved("refresh_param"),
            "refresh_param",
            &reserved,
        )?;
        for (name, value) in for_all {
            if !parameters.iter().any(|(own, _)| *own == name) {
                parameters.push((name, value));
            }
        }
        Ok(parameters)
    }

    /// Everything but `param.prompt`, which holds for one login, but for
    /// `prompt=consent` beside `offline_access`.
    pub(super) fn save(&self, saved_scope: &[String], changes: &mut ProfileChanges) {
        let grant = if self.device {
            Some(LoginGrant::Device)
        } else {
            self.grant
        };
        changes.text("grant", grant.map(LoginGrant::as_str));
        changes.list("scope", &self.scope);
        changes.list("resource", &self.resource);
        changes.text("audience", self.audience.as_deref());
        if self.dpop {
            changes.set("dpop", Setting::Bool(true));
        }
        changes.path("authorization_details", self.authorization_details.as_deref());
        if self.request_object {
            changes.set("request_object", Setting::Bool(true));
        }
        changes.text("par", self.par.map(ParChoice::as_str));
        changes.text("assume_ttl", self.assume_ttl.map(duration_text).as_deref());
        // The consent that offline_access needs is asked for again at the next login (OpenID Connect Core §11).
        let asks_for_offline_access = words(&self.scope).iter().any(|scope| scope == "offline_access")
            || self.scope.is_empty() && saved_scope.iter().any(|scope| scope == "offline_access");
        let is_saved = |key: &str, name: &str, value: &str| {
            key != "param" || name != "prompt" || (value == "consent" && asks_for_offline_access)
        };
        for (key, values) in [
            ("param", &self.param),
            ("token_param", &self.token_param),
            ("refresh_param", &self.refresh_param),
        ] {
            let pairs: Vec<(String, String)> = values
                .iter()
                .filter_map(|text| text.split_once('='))
                .filter(|(name, value)| is_saved(key, name, value))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            changes.pairs(key, pairs);
        }
    }
}

impl ValueEnum for ParChoice {
    fn value_variants<'a>() -> &'a [Self] {
        &[ParChoice::Auto, ParChoice::Always, ParChoice::Never]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            ParChoice::Auto => "Where the server has the endpoint",
            ParChoice::Always => "Fail where the server has no endpoint",
            ParChoice::Never => "The browser carries the request",
        };
        Some(PossibleValue::new(self.as_str()).help(help))
    }
}

/// As the flag is written.
fn duration_text(duration: Duration) -> String {
    match duration.subsec_millis() {
        0 => format!("{}s", duration.as_secs()),
        _ => format!("{}ms", duration.as_millis()),
    }
}

/// The parameters that a profile adds to a token request that is repeated.
///
/// # Errors
/// [`SettingsError::Value`].
pub fn token_parameters(profile: Option<&Profile>) -> Result<Vec<(String, String)>, SettingsError> {
    let saved = profile.map(|profile| profile.pairs("token_param")).unwrap_or_default();
    pairs(&[], "--token-param", saved, "token_param", &RESERVED_TOKEN_PARAMETERS)
}

/// How long access tokens live whose server does not say so.
///
/// # Errors
/// [`SettingsError::Value`].
pub fn assumed_ttl(given: Option<Duration>, profile: Option<&Profile>) -> Result<Option<Duration>, SettingsError> {
    let saved = profile.and_then(|profile| profile.text("assume_ttl"));
    match (given, saved) {
        (Some(given), _) => Ok(Some(given)),
        (None, Some(saved)) => parse_duration(saved)
            .map(Some)
            .map_err(|error| invalid("assume_ttl", error)),
        (None, None) => Ok(None),
    }
}
