//! `oauth credential`: gives tokens to programs that run a helper for them, in
//! the helper's own protocol. Only the protocol goes to stdout.

mod aws;
mod docker;
mod error;
mod git;
mod git_attributes;
mod input;
mod lookup;

use crate::app::context::Context;
use crate::args::cli::CredentialCommand;
use crate::error::Error;

pub(super) fn run(context: &Context, command: &CredentialCommand) -> Result<(), Error> {
    match command {
        CredentialCommand::Git(options) => git::run(context, options),
        CredentialCommand::Docker(options) => docker::run(context, options),
        CredentialCommand::Aws(options) => aws::run(context, options),
    }
}
