//! Facts and parameters in their columns, and texts broken where the terminal
//! ends.

use super::Terminal;
use crate::foreign_text::sanitize;
use crate::output::message::message_rows;
use crate::output::theme::Role;
use crate::output::wrap::{Lead, wrap};
use crate::protocol::params::Params;

/// Names are padded to the longest that the flow itself uses,
/// `code_challenge_method`, so that values stand in one column.
const NAME_WIDTH: usize = 21;

/// How far everything that belongs to a step is moved in.
pub(super) const INDENT: &str = "      ";

impl Terminal {
    /// One fact of a step: name and value in their columns.
    pub(super) fn fact(&mut self, name: &str, value: &str) {
        let lines = self.named(INDENT, name, value, NAME_WIDTH);
        self.line(&lines.join("\n"));
    }

    /// `name = value`, the name padded and set back; a long value goes on below itself.
    pub(super) fn named(&self, indent: &str, name: &str, value: &str, width: usize) -> Vec<String> {
        let name = format!("{:width$} =", sanitize(name));
        let lead_columns = indent.len() + name.chars().count() + 1;
        let mark = indent.trim_end();
        let margin = match mark {
            "" => String::new(),
            mark => self.theme.paint(Role::Aside, mark),
        };
        let space = &indent[mark.len()..];
        let first = format!("{margin}{space}{} ", self.theme.paint(Role::Aside, &name));
        let below = format!("{margin}{:1$}", "", lead_columns - mark.len());
        let lead = |text| Lead {
            text,
            columns: lead_columns,
        };
        self.wrapped(lead(&first), lead(&below), value)
    }

    /// The text behind its lead, broken where it is too long for the terminal.
    pub(super) fn wrapped(&self, first: Lead<'_>, further: Lead<'_>, text: &str) -> Vec<String> {
        wrap(self.settings.width, first, further, text)
    }

    /// A line of its own, at whatever level: its further rows are moved in. A
    /// command to be copied, which is moved in by itself, is left whole.
    pub(super) fn wrapped_line(&mut self, label: Option<(Role, &str)>, text: &str) {
        let (lead, columns) = match label {
            Some((role, label)) => (format!("{} ", self.theme.paint(role, label)), label.len() + 1),
            None => (String::new(), 0),
        };
        let words = text.trim_start_matches(' ');
        let (indent, text) = (&text[..text.len() - words.len()], sanitize(words));
        let rows = match (self.settings.width, indent) {
            (width, "") => message_rows(width, Lead { text: &lead, columns }, &text),
            (None, indent) => vec![format!("{lead}{indent}{text}")],
            (Some(_), indent) => vec![format!("{:columns$}{indent}{text}", "")],
        };
        self.line(&rows.join("\n"));
    }

    /// Parameters in columns, each on its line.
    pub(super) fn params(&self, indent: &str, params: &Params) -> Vec<String> {
        let longest = params.iter().map(|(name, _)| name.chars().count()).max();
        let width = NAME_WIDTH.max(longest.unwrap_or(0).min(2 * NAME_WIDTH));
        let lines = params.iter();
        lines
            .flat_map(|(name, value)| self.named(indent, name, &self.redaction.parameter(name, value), width))
            .collect()
    }

    pub(super) fn remark(&mut self, label: &str, text: &str) {
        self.labelled(Role::Aside, label, text);
    }

    pub(super) fn labelled(&mut self, role: Role, label: &str, text: &str) {
        let columns = INDENT.len() + label.chars().count() + 1;
        let lead = format!("{INDENT}{} ", self.theme.paint(role, label));
        let below = format!("{INDENT}  ");
        let first = Lead { text: &lead, columns };
        let rows = self.wrapped(first, Lead::plain(&below), &sanitize(text));
        self.line(&rows.join("\n"));
    }
}
