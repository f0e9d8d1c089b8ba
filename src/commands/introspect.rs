//! `oauth introspect`: what a token stands for, by its server's own word.

use super::claims;
use super::signals::interruptible;
use super::token_input::{TokenTarget, token_at_server};
use super::{Context, caller};
use crate::args::cli::TokenInput;
use crate::error::{Error, InspectionError};
use crate::flow::introspect::introspect;
use crate::output::report;

pub(super) fn run(context: &Context, input: &TokenInput) -> Result<(), Error> {
    let mut observer = context.observer();
    let TokenTarget {
        token,
        is_own,
        session,
        transport,
    } = token_at_server(context, input, &mut observer)?;
    let secret = context.client_secret_of_environment();
    let hint = is_own.then_some("access_token");
    let mut caller = caller(&transport, &mut observer);
    let asking = introspect(&session, secret.as_ref(), &token, hint, &mut caller);
    let (answer, active) = context.runtime()?.block_on(interruptible(asking))??;
    report::print(claims::result(&answer, context.style.json).as_bytes())?;
    if active {
        Ok(())
    } else {
        Err(InspectionError::Inactive.into())
    }
}
