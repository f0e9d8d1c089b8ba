//! What a person is asked to do in a device login (RFC 8628 §3.3): the
//! address, the code, and the warning of RFC 10027 beside them.

use super::TerminalSettings;
use crate::foreign_text::{sanitize, sanitize_unbounded};
use crate::output::qr_code::qr_code;
use crate::secret::Secret;
use crate::trace::ordered_json::{OrderedJson, object};
use std::time::Duration;

const SCAN: &str = "Scan this code with a phone,";

/// What stands above and below a QR code: the prompt, and the line of the wait.
const ROWS_BESIDE: usize = 7;

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
        let text = format!(
            "{address}\nand enter this code there:\n{code}\n\
             Go on only if you started this login yourself. Do not share the code."
        );
        // The picture first: what scrolls away is what can be done without.
        match self.qr_code(settings) {
            Some(picture) => format!("{SCAN}\n{picture}\nor open this address on any device with a browser:\n{text}"),
            None => format!("Open this address on any device with a browser:\n{text}"),
        }
    }

    /// On a terminal with room for all of it, and for the lines below.
    fn qr_code(&self, settings: &TerminalSettings) -> Option<String> {
        let complete = self.verification_uri_complete.filter(|_| settings.is_terminal)?;
        let picture = qr_code(complete, settings.colour, settings.width)?;
        let rows = picture.lines().count() + ROWS_BESIDE;
        settings.height.is_none_or(|height| rows <= height).then_some(picture)
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
