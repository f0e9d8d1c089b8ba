//! `oauth pkce`: a code verifier and its S256 challenge, for a flow by hand.

use crate::app::context::Context;
use crate::app::input::read_secret_from_stdin;
use crate::args::cli::PkceOptions;
use crate::args::settings;
use crate::error::Error;
use crate::flow::login::LoginError;
use crate::output::report;
use crate::protocol::pkce::{CodeVerifier, S256};
use crate::secret::Secret;
use crate::system::SystemRandomness;
use crate::trace::ordered_json::object;

const VERIFIER_FLAG: &str = "--verifier-stdin";

pub(super) fn run(context: &Context, options: &PkceOptions) -> Result<(), Error> {
    let verifier = if options.verifier_stdin {
        settings::code_verifier(VERIFIER_FLAG, &read_secret_from_stdin(context, VERIFIER_FLAG)?)?
    } else {
        CodeVerifier::generate(&mut SystemRandomness).map_err(LoginError::Randomness)?
    };
    let challenge = verifier.challenge();
    let members = [
        ("code_verifier", verifier.expose()),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", S256),
    ];
    let text = if context.style.json {
        object(members.map(|(name, value)| (name, value.into()))).line() + "\n"
    } else {
        members.map(|(name, value)| format!("{name:21}  {value}\n")).concat()
    };
    report::print(Secret::new(text).expose().as_bytes())
}
