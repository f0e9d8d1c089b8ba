//! Runs a login flow with the browser, terminal and clock of this machine.

use crate::app::browser::{DesktopBrowser, browser_launchers, detect_host};
use crate::app::context::{Context, caller};
use crate::app::deadline::Uninterruptible;
use crate::app::input::open_paste_source;
use crate::args::cli::LoginOptions;
use crate::args::settings::ResolvedLogin;
use crate::error::Error;
use crate::flow::login::{CallbackChoice, LoginContext, LoginError, LoginRequest, PasteSource, SaveSession};
use crate::trace::Observer;
use crate::transport::Transport;

/// Lets a flow run on this machine: its browser, its terminal, its clock.
pub(crate) fn run_login<T>(
    context: &Context,
    options: &LoginOptions,
    mut resolved: ResolvedLogin,
    transport: &Transport,
    save: &mut SaveSession<'_>,
    observer: &mut dyn Observer,
    flow: impl AsyncFnOnce(LoginRequest, &mut LoginContext<'_>) -> Result<T, LoginError>,
) -> Result<T, Error> {
    resolved.request.timeout = context.at_most(resolved.request.timeout);
    let host = detect_host(&context.environment);
    let browser_launchers = match options.no_browser {
        true => Vec::new(),
        false => browser_launchers(resolved.browser.as_deref(), &context.environment, &host)?,
    };
    let mut user_agent = DesktopBrowser {
        browser_launchers,
        http_policy: resolved.request.server.allowance,
        environment: &context.environment,
    };
    let paste_only = matches!(resolved.request.callback, CallbackChoice::Paste(_));
    let runtime = context.runtime()?;
    let _in_runtime = runtime.enter();
    let mut pasted = open_paste_source(paste_only, options.client_secret_stdin)?;
    let mut login_context = LoginContext {
        caller: caller(transport, observer),
        user_agent: &mut user_agent,
        pasted: pasted.as_mut().map(|lines| lines as &mut dyn PasteSource),
        host: &host,
        save,
    };
    let _until_stored = Uninterruptible::begin();
    Ok(runtime.block_on(flow(resolved.request, &mut login_context))?)
}
