//! `oauth credential aws`: a `credential_process` of AWS's programs
//! (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html>).
//! The keys are kept in the session until shortly before their end, so that
//! STS is not asked for every call.

use crate::app::context::{Context, caller};
use crate::app::fresh_session::{WantedToken, check_usable};
use crate::app::freshness::{Freshness, fresh_id_token};
use crate::app::lock::{LOCK_WAIT, lock};
use crate::app::session::ProfileRecord;
use crate::app::signals::interruptible;
use crate::app::usable_profile::choose_usable_profile;
use crate::args::cli::{AwsOptions, TokenOptions};
use crate::args::config::Config;
use crate::args::settings::{self, ChosenProfile};
use crate::commands::fresh_or_login::fresh_or_login;
use crate::error::Error;
use crate::flow::assume_role::{AssumeRoleError, assume_role};
use crate::output::causes::error_chain;
use crate::output::report;
use crate::protocol::aws_sts::RoleRequest;
use crate::protocol::endpoint::Endpoint;
use crate::store::{RoleCredentials, RoleIdentity};
use crate::system;
use crate::trace::{Event, Observer};
use serde_json::json;
use zeroize::Zeroizing;

/// Programs of AWS ask for new keys when less is left.
const MIN_LEFT_S: i64 = 5 * 60;

pub(super) fn run(context: &Context, options: &AwsOptions) -> Result<(), Error> {
    let config = context.config()?;
    let chosen = choose_usable_profile(context, &options.profile, &config)?;
    let request = settings::role_request(options, &chosen.name)?;
    let endpoint = settings::sts_endpoint(options, &context.environment)?;
    let role = Role {
        context,
        config: &config,
        chosen: &chosen,
        identity: identity(&request, &endpoint),
    };
    let kept = role.kept_credentials()?;
    let credentials = match kept {
        Some(credentials) => credentials,
        None => role.new_credentials(&request, &endpoint, options.login)?,
    };
    let answer = Zeroizing::new(
        json!({
            "Version": 1,
            "AccessKeyId": credentials.access_key_id,
            "SecretAccessKey": credentials.secret_access_key.expose(),
            "SessionToken": credentials.session_token.expose(),
            "Expiration": system::rfc_3339(credentials.expires_at),
        })
        .to_string(),
    );
    report::print(format!("{}\n", *answer).as_bytes())
}

fn identity(request: &RoleRequest, endpoint: &Endpoint) -> RoleIdentity {
    RoleIdentity {
        role_arn: request.role_arn.clone(),
        session_name: request.session_name.clone(),
        duration_s: request.duration_s,
        endpoint: endpoint.to_string(),
    }
}

/// A role that is assumed with the ID token of a profile.
struct Role<'a> {
    context: &'a Context,
    config: &'a Config,
    chosen: &'a ChosenProfile,
    identity: RoleIdentity,
}

impl Role<'_> {
    /// Keys of an earlier call that are valid for a while.
    fn kept_credentials(&self) -> Result<Option<RoleCredentials>, Error> {
        let name = &self.chosen.name;
        let found = ProfileRecord::load(self.context, self.config, self.chosen, self.context.interaction())?;
        let Some(session) = found.record else { return Ok(None) };
        if check_usable(&session, name, self.config.profile(name)).is_err() {
            return Ok(None);
        }
        let kept = session.role_credentials.into_iter();
        let mut kept = kept.filter(|kept| kept.expires_at.seconds_since(system::now()) > MIN_LEFT_S);
        Ok(kept.find(|kept| kept.identity == self.identity))
    }

    fn new_credentials(
        &self,
        request: &RoleRequest,
        endpoint: &Endpoint,
        login: bool,
    ) -> Result<RoleCredentials, Error> {
        let Role {
            context,
            config,
            chosen,
            ..
        } = self;
        let options = TokenOptions {
            id_token: true,
            login,
            ..TokenOptions::default()
        };
        let freshness = Freshness::new(&options)?;
        let fresh = fresh_or_login(
            context,
            WantedToken {
                config,
                chosen,
                options: &options,
                freshness: &freshness,
            },
        )?;
        let (id_token, _) = fresh_id_token(&fresh.session, &chosen.name, system::now())?;
        let transport = context.transport(config.profile(&chosen.name), false)?;
        let mut observer = context.observer();
        let mut caller = caller(&transport, &mut observer);
        let assuming = assume_role(request, endpoint, &id_token, &mut caller);
        let keys = context.runtime()?.block_on(interruptible(assuming))??;
        let expires_at = system::parse_rfc_3339(&keys.expiration).ok_or(AssumeRoleError::NoKeys)?;
        let credentials = RoleCredentials {
            identity: self.identity.clone(),
            access_key_id: keys.access_key_id,
            secret_access_key: keys.secret_access_key,
            session_token: keys.session_token,
            expires_at,
        };
        if let Err(error) = self.keep(&credentials) {
            let text = error_chain(&error.to_string(), &*error);
            observer.observe(&Event::Warning(&format!("the keys of the role are not kept: {text}")));
        }
        Ok(credentials)
    }

    /// Keeps the keys in the session, under the profile's lock.
    fn keep(&self, credentials: &RoleCredentials) -> Result<(), Error> {
        let (context, name) = (self.context, &self.chosen.name);
        let found = ProfileRecord::load(context, self.config, self.chosen, context.interaction())?;
        let locks = context.folders()?.locks();
        let _lock = lock(&locks, name, context.at_most(LOCK_WAIT), &mut context.observer())?;
        let mut found = found.follow_move(context, self.chosen, context.interaction())?;
        let Some(mut session) = found.store.load(name)? else {
            return Ok(());
        };
        session.keep_role_credentials(credentials.clone(), system::now());
        session.generation = session.generation.saturating_add(1);
        Ok(found.store.save(name, &session)?)
    }
}
