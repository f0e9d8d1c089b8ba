//! `oauth userinfo`: claims about the user, from the server (OpenID Connect Core §5.3).

use crate::app::context::{Context, caller};
use crate::app::repeated_grant::repeated_grant;
use crate::app::session::ProfileRecord;
use crate::app::signals::interruptible;
use crate::app::token_input::{TokenTarget, profile_choice, resolve_token};
use crate::args::cli::TokenInput;
use crate::args::settings;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::flow::userinfo::userinfo;
use crate::output::{json_table, report};
use crate::store::Interaction;
use crate::trace::{Event, Observer};

pub(super) fn run(context: &Context, input: &TokenInput) -> Result<(), Error> {
    let mut observer = context.observer();
    let TokenTarget {
        token,
        subject,
        server,
        transport,
        ..
    } = resolve_token(context, input, &mut observer)?;
    // A token that was given may be another person's.
    let subject = subject.as_deref();
    let mut caller = caller(&transport, &mut observer);
    let asking = userinfo(&server, &token, subject, &mut caller);
    let answered = context.runtime()?.block_on(interruptible(asking))?;
    let answer = answered.map_err(|error| with_login_hint(error.into(), context, input))?;
    observer.observe(&match subject {
        Some(_) => Event::CheckPassed("sub is that of the ID token (OpenID Connect Core §5.3.2)"),
        None => Event::CheckSkipped("sub: there is no ID token to compare it with (OpenID Connect Core §5.3.2)"),
    });
    report::print_json_or_lines(&json_table::render(&answer, context.style.json), context.style.json)
}

/// A login without `openid` gives tokens that the endpoint refuses (OpenID
/// Connect Core §5.3): the login that asks for it, beside what was granted, and
/// with a person where there was none.
fn with_login_hint(error: Error, context: &Context, input: &TokenInput) -> Error {
    match login_with_openid(context, input) {
        Some(command) if error.exit_code() == ExitCode::Refused => error.with_hint(format!(
            "The login did not ask for openid. Log in again with it: {command}"
        )),
        _ => error,
    }
}

fn login_with_openid(context: &Context, input: &TokenInput) -> Option<String> {
    let config = context.config().ok()?;
    let chosen = settings::choose_profile(&profile_choice(input), &context.environment, &config).ok()?;
    let found = ProfileRecord::load(context, &config, &chosen, Interaction::Forbidden).ok()?;
    let session = found.record?;
    let requested = &session.requested.scope;
    (!requested.contains("openid")).then(|| {
        let scope = format!("openid {requested}");
        let scope = shell_words::quote(scope.trim_end());
        let grant = match repeated_grant(&session.renewal) {
            Some(_) => " --grant authorization-code",
            None => "",
        };
        format!("oauth login {}{grant} --scope {scope}", chosen.name)
    })
}
