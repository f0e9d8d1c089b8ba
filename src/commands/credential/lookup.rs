//! The token for a URL that git or docker asks about.

use super::error::HelperError;
use crate::app::context::Context;
use crate::app::fresh_session::WantedToken;
use crate::app::freshness::Freshness;
use crate::app::time_left::token_with_time_left;
use crate::app::token_destination::TokenDestinations;
use crate::app::token_format::{TokenFormatError, check_is_access_token, is_bound};
use crate::args::cli::{HelperOptions, TokenOptions};
use crate::args::config::{Config, Profile};
use crate::args::settings::{self, ChosenProfile};
use crate::commands::fresh_or_login::fresh_or_login;
use crate::error::Error;
use crate::exit::{Diagnosis, ExitCode};
use crate::protocol::endpoint::host_and_port;
use crate::protocol::time::UnixSeconds;
use crate::protocol::token_destination::AllowedHost;
use crate::secret::Secret;
use crate::store::ProfileName;
use crate::trace::{Event, Observer};
use url::Url;

/// The user name that servers of git and registries take beside a token.
const DEFAULT_USERNAME: &str = "oauth2";

/// A token for a program that sends it as a password.
pub(super) struct HelperToken {
    pub(super) username: String,
    pub(super) token: Secret,
    pub(super) expires_at: Option<UnixSeconds>,
}

/// Finds tokens for URLs.
pub(super) struct Lookup<'a> {
    context: &'a Context,
    options: &'a HelperOptions,
    pub(super) config: Config,
    for_this_call: Vec<AllowedHost>,
    /// As a caller would type it.
    command: &'static str,
}

impl<'a> Lookup<'a> {
    pub(super) fn new(context: &'a Context, options: &'a HelperOptions, command: &'static str) -> Result<Self, Error> {
        Ok(Lookup {
            context,
            options,
            config: context.config()?,
            for_this_call: settings::allowed_hosts("--allow-host", &options.allow_host)?,
            command,
        })
    }

    /// The profile whose token goes to the URL; `None` where there is none.
    ///
    /// # Errors
    /// [`SettingsError`](crate::args::settings::SettingsError).
    pub(super) fn profile(&self, url: &Url, username: Option<&str>) -> Result<Option<ChosenProfile>, Error> {
        let destinations = TokenDestinations {
            context: self.context,
            config: &self.config,
            profile: self.options.profile.as_deref(),
            for_this_call: &self.for_this_call,
            command: None,
        };
        destinations.profile(url, username)
    }

    /// The user name that the profile's token goes with.
    ///
    /// # Errors
    /// [`SettingsError`](crate::args::settings::SettingsError).
    pub(super) fn username(&self, profile: &ProfileName, asked: Option<&str>) -> Result<String, Error> {
        let own = settings::git_username(self.config.profile(profile))?;
        Ok(own.or(asked).unwrap_or(DEFAULT_USERNAME).to_owned())
    }

    /// A token for the URL. `None` where it is not ours, and where no session is
    /// logged in, which is said on stderr.
    ///
    /// # Errors
    /// Those of [`profile`](Self::profile) and of a refresh,
    /// [`TokenFormatError::Bound`], [`HelperError::UnsafeToken`].
    pub(super) fn token(&self, url: &Url, username: Option<&str>) -> Result<Option<HelperToken>, Error> {
        let Some(chosen) = self.profile(url, username)? else {
            self.note_related_profile(url);
            return Ok(None);
        };
        match self.token_of(&chosen) {
            Err(error) if error.exit_code() == ExitCode::LoginRequired => {
                let advice = error.hints().join(" ");
                let warning = format!("no token for {}: {error}. {advice}", host_and_port(url));
                self.context.observer().observe(&Event::Warning(&warning));
                Ok(None)
            }
            outcome => {
                let (token, expires_at) = outcome?;
                Ok(Some(HelperToken {
                    username: self.username(&chosen.name, username)?,
                    token,
                    expires_at,
                }))
            }
        }
    }

    /// Says what to set where a profile that allows no host yet looks like the
    /// one for this host. What is asked for any other host is for the next helper.
    fn note_related_profile(&self, url: &Url) {
        let is_related = |profile: &Profile| {
            if !profile.list("allow_host").is_empty() {
                return false;
            }
            let servers = ["issuer", "api"].into_iter().filter_map(|key| profile.text(key));
            servers
                .filter_map(|text| Url::parse(text).ok())
                .any(|server| is_same_site(&server, url))
        };
        if let Some((name, _)) = self.config.profiles().find(|(_, profile)| is_related(profile)) {
            let error = settings::not_covered(name, &self.config, url);
            let hints = error.hints().split_off(1).join(" ");
            self.context
                .observer()
                .observe(&Event::Note(&format!("{error}. {hints}")));
        }
    }

    fn token_of(&self, chosen: &ChosenProfile) -> Result<(Secret, Option<UnixSeconds>), Error> {
        let options = TokenOptions {
            login: self.options.login,
            ..TokenOptions::default()
        };
        let freshness = Freshness::new(&options)?;
        let fresh = fresh_or_login(
            self.context,
            WantedToken {
                config: &self.config,
                chosen,
                options: &options,
                freshness: &freshness,
            },
        )?;
        let stored = token_with_time_left(self.context, &freshness, &chosen.name, &fresh)?;
        check_is_access_token(stored)?;
        if is_bound(stored) {
            return Err(TokenFormatError::Bound { what: self.command }.into());
        }
        if stored
            .access_token
            .expose()
            .contains(|character: char| character.is_control())
        {
            return Err(HelperError::UnsafeToken {
                profile: chosen.name.clone(),
            }
            .into());
        }
        Ok((stored.access_token.clone(), stored.expires_at))
    }
}

/// Whether two hosts are the same or have the same parent, as `id.example.com`
/// and `git.example.com`, or one is the parent of the other.
fn is_same_site(one: &Url, other: &Url) -> bool {
    match (one.domain(), other.domain()) {
        (Some(one), Some(other)) => {
            let parent = |name: &str| name.split_once('.').map(|(_, parent)| parent.to_owned());
            let parent = |name: &str| parent(name).filter(|parent| parent.contains('.'));
            one == other
                || parent(one).as_deref() == Some(other)
                || parent(other).as_deref() == Some(one)
                || parent(one).is_some_and(|name| Some(name) == parent(other))
        }
        _ => one.host() == other.host(),
    }
}
