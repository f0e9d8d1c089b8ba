//! What a grant without a person is based on: tokens of others, by their sources.

use super::changes::ProfileChanges;
use crate::args::config::Profile;
use crate::args::login_grant::LoginGrant;
use crate::args::settings::error::{SettingsError, invalid, invalid_with_hint};
use crate::protocol::token_type_uri::TokenTypeUri;
use crate::store::{IdJagRenewal, ProfileName, Renewal, SourcedToken, TokenExchangeRenewal, TokenSource};
use clap::Args;
use std::str::FromStr;

/// Tokens of others.
#[derive(Debug, Default, Args)]
pub struct MachineOptions {
    // Sources are texts here: clap would repeat one that is a token
    /// Source of the token to exchange: file:PATH, env:NAME, stdin, command:CMD, github-actions[:AUDIENCE], kubernetes, gcp:AUDIENCE, azure[:RESOURCE] or profile:NAME[:access|id|refresh]
    #[arg(long, value_name = "SOURCE", help_heading = "Grants without a person")]
    pub subject_token: Option<String>,
    /// Type of that token: access_token, id_token, jwt, refresh_token, saml1, saml2 or a URI [default: by the source]
    #[arg(long, value_name = "TYPE", help_heading = "Grants without a person")]
    pub subject_token_type: Option<TokenTypeUri>,
    /// Source of the token of the party that acts for the subject
    #[arg(long, value_name = "SOURCE", help_heading = "Grants without a person")]
    pub actor_token: Option<String>,
    /// Type of that token
    #[arg(long, value_name = "TYPE", help_heading = "Grants without a person")]
    pub actor_token_type: Option<TokenTypeUri>,
    /// Type of token to request
    #[arg(long, value_name = "TYPE", help_heading = "Grants without a person")]
    pub requested_token_type: Option<TokenTypeUri>,
    /// Source of the assertion for --grant jwt-bearer
    #[arg(long, value_name = "SOURCE", help_heading = "Grants without a person")]
    pub assertion: Option<String>,
    /// Profile of the session at the identity provider, for --grant id-jag
    #[arg(long, value_name = "PROFILE", help_heading = "Grants without a person")]
    pub from: Option<String>,
}

impl MachineOptions {
    /// How the grant is repeated: what it is based on, by these flags and the
    /// profile. [`Renewal::None`] for a grant that needs a person.
    ///
    /// # Errors
    /// [`SettingsError`]: a source is missing, is none, or belongs to another grant.
    pub(in crate::args) fn renewal(
        &self,
        grant: LoginGrant,
        audience: Option<&str>,
        profile: &Profile,
        name: &ProfileName,
    ) -> Result<Renewal, SettingsError> {
        if let Some((flag, own)) = self.flag_of_another_grant(grant) {
            return Err(SettingsError::Contradiction {
                one: flag.to_owned(),
                other: format!("--grant {}", grant.as_str()),
                problem: format!("it belongs to --grant {}", own.as_str()),
            });
        }
        let missing = |what: &'static str, flag: &str| SettingsError::Missing {
            what,
            profile: name.to_string(),
            hint: format!("Name its source: {flag} file:PATH, or another one of: oauth login --help"),
        };
        match grant {
            LoginGrant::AuthorizationCode | LoginGrant::Device => Ok(Renewal::None),
            LoginGrant::ClientCredentials => Ok(Renewal::ClientCredentials),
            LoginGrant::TokenExchange => {
                let subject = sourced_token(
                    (self.subject_token.as_deref(), self.subject_token_type.as_ref()),
                    ("--subject-token", "subject_token", "subject_token_type"),
                    profile,
                )?;
                let actor = sourced_token(
                    (self.actor_token.as_deref(), self.actor_token_type.as_ref()),
                    ("--actor-token", "actor_token", "actor_token_type"),
                    profile,
                )?;
                let requested = self.requested_token_type.as_ref();
                Ok(Renewal::TokenExchange(TokenExchangeRenewal {
                    subject: subject.ok_or_else(|| missing("subject token", "--subject-token"))?,
                    actor,
                    requested_token_type: token_type(requested, "requested_token_type", profile)?,
                }))
            }
            LoginGrant::JwtBearer => {
                let assertion = source(self.assertion.as_deref(), "--assertion", "assertion", profile)?;
                Ok(Renewal::JwtBearer {
                    assertion: assertion.ok_or_else(|| missing("assertion", "--assertion"))?,
                })
            }
            LoginGrant::IdJag => Ok(Renewal::IdJag(IdJagRenewal {
                from: self.identity_profile(profile, name)?,
                audience: audience.map(str::to_owned),
            })),
        }
    }

    /// The profile of the session at the identity provider.
    fn identity_profile(&self, profile: &Profile, name: &ProfileName) -> Result<ProfileName, SettingsError> {
        let (place, text) = match (&self.from, profile.text("from")) {
            (Some(text), _) => ("--from", text.as_str()),
            (None, Some(text)) => ("from", text),
            (None, None) => {
                return Err(SettingsError::Missing {
                    what: "identity provider",
                    profile: name.to_string(),
                    hint: "Log in there first, then name that profile: --from PROFILE".to_owned(),
                });
            }
        };
        ProfileName::parse(text).map_err(|error| invalid(place, error))
    }

    /// The first flag that was given and has a meaning for another grant only.
    fn flag_of_another_grant(&self, grant: LoginGrant) -> Option<(&'static str, LoginGrant)> {
        [
            (
                self.subject_token.is_some(),
                "--subject-token",
                LoginGrant::TokenExchange,
            ),
            (
                self.subject_token_type.is_some(),
                "--subject-token-type",
                LoginGrant::TokenExchange,
            ),
            (self.actor_token.is_some(), "--actor-token", LoginGrant::TokenExchange),
            (
                self.actor_token_type.is_some(),
                "--actor-token-type",
                LoginGrant::TokenExchange,
            ),
            (
                self.requested_token_type.is_some(),
                "--requested-token-type",
                LoginGrant::TokenExchange,
            ),
            (self.assertion.is_some(), "--assertion", LoginGrant::JwtBearer),
            (self.from.is_some(), "--from", LoginGrant::IdJag),
        ]
        .into_iter()
        .find_map(|(is_given, flag, own)| (is_given && own != grant).then_some((flag, own)))
    }

    /// The keys of a profile that are of a source that is replaced.
    pub(in crate::args) fn stale_keys(&self, profile: &Profile) -> Vec<&'static str> {
        let keys = [
            (
                self.subject_token.is_some() && self.subject_token_type.is_none(),
                "subject_token_type",
            ),
            (
                self.actor_token.is_some() && self.actor_token_type.is_none(),
                "actor_token_type",
            ),
        ];
        let stale = keys
            .into_iter()
            .filter(|(is_stale, key)| *is_stale && profile.text(key).is_some());
        stale.map(|(_, key)| key).collect()
    }

    pub(super) fn save(&self, changes: &mut ProfileChanges) {
        for (key, text) in [
            ("subject_token", &self.subject_token),
            ("actor_token", &self.actor_token),
            ("assertion", &self.assertion),
        ] {
            changes.text(key, text.as_deref());
        }
        for (key, uri) in [
            ("subject_token_type", &self.subject_token_type),
            ("actor_token_type", &self.actor_token_type),
            ("requested_token_type", &self.requested_token_type),
        ] {
            changes.text(key, uri.as_ref().map(TokenTypeUri::short));
        }
        changes.text("from", self.from.as_deref());
    }
}

/// A token by its source, and what kind it is.
fn sourced_token(
    (given, given_type): (Option<&str>, Option<&TokenTypeUri>),
    (flag, key, type_key): (&'static str, &'static str, &'static str),
    profile: &Profile,
) -> Result<Option<SourcedToken>, SettingsError> {
    let Some(source) = source(given, flag, key, profile)? else {
        return Ok(None);
    };
    // The saved type is of the saved source.
    let saved = match given {
        Some(_) => &Profile::default(),
        None => profile,
    };
    Ok(Some(SourcedToken {
        source,
        token_type: token_type(given_type, type_key, saved)?,
    }))
}

fn token_type(
    given: Option<&TokenTypeUri>,
    key: &str,
    profile: &Profile,
) -> Result<Option<TokenTypeUri>, SettingsError> {
    match (given, profile.text(key)) {
        (Some(given), _) => Ok(Some(given.clone())),
        (None, Some(saved)) => TokenTypeUri::from_str(saved)
            .map(Some)
            .map_err(|error| invalid(key, error)),
        (None, None) => Ok(None),
    }
}

/// A source of tokens by flag or profile.
///
/// # Errors
/// [`SettingsError::Value`], which does not repeat a token that is there instead.
pub(super) fn source(
    given: Option<&str>,
    flag: &str,
    key: &str,
    profile: &Profile,
) -> Result<Option<TokenSource>, SettingsError> {
    let (place, text) = match (given, profile.text(key)) {
        (Some(text), _) => (flag, text),
        (None, Some(text)) => (key, text),
        (None, None) => return Ok(None),
    };
    let source = TokenSource::from_str(text).map_err(|error| {
        invalid_with_hint(
            place,
            error,
            "Do not put a token on a command line or into the configuration file. Name its source, such as file:PATH.",
        )
    })?;
    Ok(Some(source.absolute()))
}

/// The profiles that a profile takes tokens from, as far as they can be read.
pub fn profiles_behind(profile: &Profile) -> Vec<ProfileName> {
    let keys = ["subject_token", "actor_token", "assertion", "client_assertion"];
    let sources = keys
        .into_iter()
        .filter_map(|key| profile.text(key)?.parse::<TokenSource>().ok());
    let from = profile.text("from").and_then(|text| ProfileName::parse(text).ok());
    sources
        .filter_map(|source| source.profile().cloned())
        .chain(from)
        .collect()
}
