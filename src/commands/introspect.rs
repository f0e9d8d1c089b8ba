//! `oauth introspect`: what a token stands for, by its server's own word.

use crate::app::context::{Context, caller};
use crate::app::signals::interruptible;
use crate::app::token_input::{TokenTarget, resolve_token};
use crate::args::cli::TokenInput;
use crate::error::{Error, InspectionError};
use crate::flow::introspect::introspect;
use crate::output::{json_table, report};

pub(super) fn run(context: &Context, input: &TokenInput) -> Result<(), Error> {
    let mut observer = context.observer();
    let TokenTarget {
        token,
        is_own,
        session,
        transport,
    } = resolve_token(context, input, &mut observer)?;
    let secret = context.client_secret_of_environment();
    let hint = is_own.then_some("access_token");
    let mut caller = caller(&transport, &mut observer);
    let asking = introspect(&session, secret.as_ref(), &token, hint, &mut caller);
    let (answer, active) = context.runtime()?.block_on(interruptible(asking))??;
    report::print(json_table::render(&answer, context.style.json).as_bytes())?;
    if active {
        Ok(())
    } else {
        Err(InspectionError::Inactive.into())
    }
}
