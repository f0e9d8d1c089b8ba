//! Runs a login flow with the browser, terminal and clock of this machine.

use crate::app::browser::{DesktopBrowser, browser_launchers, detect_host};
use crate::app::context::{Context, caller};
use crate::app::deadline::Uninterruptible;
use crate::app::input::open_paste_source;
use crate::args::login::LoginOptions;
use crate::args::settings::ResolvedLogin;
use crate::error::Error;
use crate::flow::login::{CallbackChoice, LoginContext, LoginError, LoginRequest, PasteSource, SaveSession};
use crate::trace::Observer;
use crate::transport::Transport;

/// A login in the browser of this machine.
pub(crate) struct BrowserLogin<'a> {
    pub(crate) context: &'a Context,
    pub(crate) options: &'a LoginOptions,
    pub(crate) resolved: ResolvedLogin,
    pub(crate) transport: &'a Transport,
    pub(crate) observer: &'a mut dyn Observer,
}

impl BrowserLogin<'_> {
    /// Runs `flow` with the browser, the terminal and the clock of this machine.
    ///
    /// # Errors
    /// No browser can be started, standard input cannot be read, or that of `flow`.
    pub(crate) fn run<T>(
        mut self,
        save: &mut SaveSession<'_>,
        flow: impl AsyncFnOnce(LoginRequest, &mut LoginContext<'_>) -> Result<T, LoginError>,
    ) -> Result<T, Error> {
        let context = self.context;
        let request = &mut self.resolved.request;
        request.timeout = context.at_most(request.timeout);
        let host = detect_host(&context.environment);
        let browser_launchers = match self.options.browser.no_browser {
            true => Vec::new(),
            false => browser_launchers(self.resolved.browser.as_deref(), &context.environment, &host)?,
        };
        let mut user_agent = DesktopBrowser {
            browser_launchers,
            http_policy: request.server.allowance,
            environment: &context.environment,
        };
        let paste_only = matches!(request.callback, CallbackChoice::Paste(_));
        let runtime = context.runtime()?;
        let _in_runtime = runtime.enter();
        let mut pasted = open_paste_source(
            paste_only,
            self.options.client.client_secret_stdin || context.stdin_is_taken,
        )?;
        let mut login_context = LoginContext {
            caller: caller(self.transport, self.observer),
            user_agent: &mut user_agent,
            pasted: pasted.as_mut().map(|lines| lines as &mut dyn PasteSource),
            host: &host,
            save,
        };
        let _until_stored = Uninterruptible::begin();
        Ok(runtime.block_on(flow(self.resolved.request, &mut login_context))?)
    }
}
