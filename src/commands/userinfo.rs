//! `oauth userinfo`: what the server says of the person whose token it is.

use crate::app::context::{Context, caller};
use crate::app::signals::interruptible;
use crate::app::token_input::{TokenTarget, resolve_token};
use crate::args::cli::TokenInput;
use crate::error::Error;
use crate::flow::userinfo::userinfo;
use crate::output::{json_table, report};
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
    let answer = context.runtime()?.block_on(interruptible(asking))??;
    observer.observe(&match subject {
        Some(_) => Event::CheckPassed("sub is that of the ID token (OpenID Connect Core §5.3.2)"),
        None => Event::CheckSkipped("sub: there is no ID token to compare it with (OpenID Connect Core §5.3.2)"),
    });
    report::print_json_or_lines(&json_table::render(&answer, context.style.json), context.style.json)
}
