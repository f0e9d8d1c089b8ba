//! What a person is asked to do in a device login (RFC 8628 §3.3): the
//! address, the code, and the warning of RFC 10027 beside them.

use super::TerminalSettings;
use crate::foreign_text::{sanitize, sanitize_unbounded};
use crate::output::qr_code::qr_code;
use crate::secret::Secret;
use crate::trace::ordered_json::{OrderedJson, object};
use std::time::Duration;

pub(super) struct DevicePrompt<'a> {
    pub(super) verification_uri: &'a str,
    pub(super) verification_uri_complete: Option<&'a str>,
    pub(super) user_code: &'a Secret,
    pub(super) expires_in: Duration,
}

impl DevicePrompt<'_> {
    /// Address and code stand alone on their lines, so that they can be copied.
    pub(super) fn text(&self, settings: &TerminalSettings) -> String {
        if settings.json {
            return self.json().line();
        }
        let address = sanitize_unbounded(self.verification_uri);
        let code = sanitize(self.user_code.expose());
        if settings.quiet {
            return format!("{address}\n{code}");
        }
        let mut text =
            format!("Open this address on any device with a browser:\n{address}\nand enter this code there:\n{code}\n");
        if let Some(qr_code) = self.qr_code(settings) {
            text.push_str(&format!("Or scan this code:\n{qr_code}\n"));
        }
        text + "Go on only if you started this login yourself. Do not share the code."
    }

    /// On a terminal with room for it.
    fn qr_code(&self, settings: &TerminalSettings) -> Option<String> {
        let complete = self.verification_uri_complete.filter(|_| settings.is_terminal)?;
        qr_code(complete, settings.colour, settings.width)
    }

    fn json(&self) -> OrderedJson {
        let complete = self.verification_uri_complete.map(sanitize_unbounded);
        object([
            ("verification_uri", sanitize_unbounded(self.verification_uri).into()),
            ("user_code", sanitize(self.user_code.expose()).into()),
            (
                "verification_uri_complete",
                complete.map_or(OrderedJson::Null, OrderedJson::from),
            ),
            ("expires_in", self.expires_in.as_secs().into()),
        ])
    }
}
