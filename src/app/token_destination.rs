//! Which profile's token goes to a URL, by the configuration file and, where a
//! profile is named, by its session: the session knows what its token was asked for.

use crate::app::context::Context;
use crate::app::session::ProfileRecord;
use crate::app::usable_profile::usable_ones;
use crate::args::config::Config;
use crate::args::settings::{self, ChosenProfile, CommandForm, Destination, SettingsError};
use crate::error::Error;
use crate::protocol::endpoint::Endpoint;
use crate::protocol::resource::Resource;
use crate::protocol::token_destination::{AllowedHost, TokenReach};
use crate::protocol::url_text;
use crate::store::Session;
use url::Url;

/// Finds profiles for URLs.
pub(crate) struct TokenDestinations<'a> {
    pub(crate) context: &'a Context,
    pub(crate) config: &'a Config,
    /// `-p`.
    pub(crate) profile: Option<&'a str>,
    /// `--allow-host`.
    pub(crate) for_this_call: &'a [AllowedHost],
    /// What hints repeat; `None` for a helper, which another program runs.
    pub(crate) command: Option<CommandForm>,
}

impl TokenDestinations<'_> {
    /// The profile whose token goes to the URL; `None` where there is none.
    ///
    /// # Errors
    /// [`SettingsError`](settings::SettingsError), and those of the store where
    /// only the session of a named profile knows.
    pub(crate) fn profile(&self, url: &Url, username: Option<&str>) -> Result<Option<ChosenProfile>, Error> {
        let destination = Destination {
            url,
            for_this_call: self.for_this_call,
            username,
        };
        let Some(chosen) = settings::named_profile(self.profile, &self.context.environment)? else {
            return self.covering(&destination);
        };
        match self.covers(&chosen, url)? {
            true => Ok(Some(chosen)),
            false => {
                let error = settings::not_covered(&chosen.name, self.config, url);
                Err(error.of_command(self.command.as_ref()).into())
            }
        }
    }

    /// The closest one; of several, the only one that has a session.
    fn covering(&self, destination: &Destination<'_>) -> Result<Option<ChosenProfile>, Error> {
        let found = settings::covering_profile(destination, self.config);
        let found = found.map_err(|error| error.of_command(self.command.as_ref()));
        let Err(SettingsError::SeveralProfiles { profiles, .. }) = &found else {
            return Ok(found?);
        };
        let usable = usable_ones(self.context, self.config, profiles);
        match usable.len() {
            1 => Ok(Some(settings::only_profile(destination.url.as_str(), &usable)?)),
            _ => Ok(found?),
        }
    }

    fn covers(&self, chosen: &ChosenProfile, url: &Url) -> Result<bool, Error> {
        let profile = self.config.profile(&chosen.name);
        if settings::token_reach(profile, self.for_this_call)?
            .coverage(url)
            .is_some()
        {
            return Ok(true);
        }
        let interaction = self.context.interaction();
        let record = ProfileRecord::load(self.context, self.config, chosen, interaction)?.record;
        match record {
            Some(session) => Ok(self.reach(chosen, &session)?.coverage(url).is_some()),
            None => Ok(false),
        }
    }

    /// Where the token of this session may go.
    ///
    /// # Errors
    /// [`SettingsError`](settings::SettingsError).
    pub(crate) fn reach(&self, chosen: &ChosenProfile, session: &Session) -> Result<TokenReach, Error> {
        let mut reach = settings::token_reach(self.config.profile(&chosen.name), self.for_this_call)?;
        let requested = session.requested.resource.iter().map(Resource::as_str);
        reach.resources.extend(requested.filter_map(url_text::parse_exact));
        reach.userinfo_endpoint = session.endpoints.userinfo.as_ref().map(Endpoint::url).cloned();
        Ok(reach)
    }
}
