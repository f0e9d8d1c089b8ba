//! Headers of tools' calls: what the lists of tools that passed the bridge have
//! declared.

use crate::foreign_text::sanitize;
use crate::protocol::http::HeaderName;
use crate::protocol::mcp::Message;
use crate::protocol::mcp_tool_headers::{ToolHeader, ToolList, headers_of_call};
use std::collections::{HashMap, HashSet};

/// Tools that are remembered. A server with more is asked again when it misses a header.
const MAX_TOOLS: usize = 10_000;

/// What the lists of tools have said.
#[derive(Default)]
pub(super) struct ToolHeaders {
    /// Tools with headers alone.
    declared: HashMap<String, Vec<ToolHeader>>,
    /// Tools that were left out, and the person was warned of.
    left_out: HashSet<String>,
}

impl ToolHeaders {
    /// Takes in a list, and gives the tools to warn of.
    pub(super) fn learn(&mut self, list: &ToolList) -> Vec<String> {
        for (name, headers) in &list.tools {
            match headers.is_empty() {
                true => drop(self.declared.remove(name)),
                false => drop(self.declared.insert(name.clone(), headers.clone())),
            }
        }
        if self.declared.len() > MAX_TOOLS {
            self.declared.clear();
        }
        if self.left_out.len() > MAX_TOOLS {
            self.left_out.clear();
        }
        let is_new = |(name, _): &&(String, _)| self.left_out.insert(name.clone());
        list.invalid
            .iter()
            .filter(is_new)
            .map(|(name, error)| format!("the tool {} is left out of the list: {error}", sanitize(name)))
            .collect()
    }

    /// The headers of this call.
    pub(super) fn of_call(&self, message: &Message, line: &[u8]) -> Vec<(HeaderName, String)> {
        let declared = message.called_tool().and_then(|name| self.declared.get(name));
        declared.map_or_else(Vec::new, |declared| headers_of_call(declared, line))
    }
}
