//! `oauth userinfo`: what the server says of the person whose token it is.

use super::claims;
use super::signals::interruptible;
use super::token_input::{TokenTarget, token_at_server};
use super::{Context, caller};
use crate::args::cli::TokenInput;
use crate::error::Error;
use crate::flow::userinfo::userinfo;
use crate::output::report;
use crate::trace::{Event, Observer};

pub(super) fn run(context: &Context, input: &TokenInput) -> Result<(), Error> {
    let mut observer = context.observer();
    let TokenTarget {
        token,
        is_own,
        session,
        transport,
    } = token_at_server(context, input, &mut observer)?;
    // A token that was given may be another person's.
    let subject = session.subject.as_deref().filter(|_| is_own);
    let mut caller = caller(&transport, &mut observer);
    let asking = userinfo(&session, &token, subject, &mut caller);
    let answer = context.runtime()?.block_on(interruptible(asking))??;
    observer.observe(&match subject {
        Some(_) => Event::CheckPassed("sub is that of the ID token (OpenID Connect Core §5.3.2)"),
        None => Event::CheckSkipped("sub: there is no ID token to compare it with (OpenID Connect Core §5.3.2)"),
    });
    report::print(claims::result(&answer, context.style.json).as_bytes())
}
