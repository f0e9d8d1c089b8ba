//! `oauth introspect`: what a token stands for, by its server's own word.

use crate::app::context::{Context, caller};
use crate::app::signals::interruptible;
use crate::app::token_input::{TokenTarget, profile_choice, resolve_token};
use crate::app::token_source::fresh_credentials;
use crate::args::cli::TokenInput;
use crate::args::settings;
use crate::error::Error;
use crate::exit::{Diagnosis, ExitCode};
use crate::flow::introspect::introspect;
use crate::output::{json_table, report};

pub(super) fn run(context: &Context, input: &TokenInput) -> Result<(), Error> {
    let mut observer = context.observer();
    let TokenTarget {
        token,
        is_own,
        server,
        transport,
        ..
    } = resolve_token(context, input, &mut observer)?;
    let config = context.config()?;
    let name = settings::choose_profile(&profile_choice(input), &context.environment, &config)?.name;
    let credentials = fresh_credentials(context, &name, config.profile(&name), &server.client)?;
    let hint = is_own.then_some("access_token");
    let mut caller = caller(&transport, &mut observer);
    let asking = introspect(&server, &credentials, &token, hint, &mut caller);
    let (answer, active) = context.runtime()?.block_on(interruptible(asking))??;
    report::print_json_or_lines(&json_table::render(&answer, context.style.json), context.style.json)?;
    if active { Ok(()) } else { Err(Inactive.into()) }
}

/// The server answered that the token is not active.
#[derive(Debug, thiserror::Error)]
#[error("the token is not active: its server does not accept it")]
struct Inactive;

impl Diagnosis for Inactive {
    fn exit_code(&self) -> ExitCode {
        ExitCode::LoginRequired
    }

    fn hints(&self) -> Vec<String> {
        vec![
            "It has expired, was revoked, or is of another server; or this client may not ask about it (RFC 7662 §2.2)."
                .to_owned(),
        ]
    }
}
