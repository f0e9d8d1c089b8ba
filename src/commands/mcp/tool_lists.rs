//! Lists of tools in the bridge: read as they pass, and asked for where a
//! server misses a header that one of them declares.

use super::bridge::Bridge;
use super::failure::Failure;
use crate::protocol::mcp::{Message, tools_list};
use crate::protocol::mcp_tool_headers::ToolList;
use crate::trace::{Event, Observer};
use std::rc::Rc;

/// Pages of a list that the bridge itself asks for.
const MAX_PAGES: usize = 50;

impl Bridge {
    /// Learns from a list of tools, and takes those out of it that may not be called.
    /// Returns the list, where the text is one that was asked for.
    pub(super) fn note_tools(&self, sent: &[Message], received: &[Message], text: &mut String) -> Option<ToolList> {
        let [message] = sent else { return None };
        let is_answered = received
            .iter()
            .any(|response| response.answered_id().is_some() && response.answered_id() == message.request_id());
        if !message.is_modern_list_of_tools() || !is_answered {
            return None;
        }
        let mut list = ToolList::read(text)?;
        let warnings = self.tool_headers.borrow_mut().learn(&list);
        for warning in warnings {
            self.observer.clone().observe(&Event::Warning(&warning));
        }
        if let Some(kept) = list.without_invalid.take() {
            *text = kept;
        }
        Some(list)
    }

    /// Asks for the list of tools after the server missed a header of this
    /// call, which is what a client should do (MCP 2026-07-28, Streamable HTTP,
    /// Client Behavior). Whether other headers are known now.
    pub(super) async fn learn_tools(self: &Rc<Self>, call: &Message, line: &[u8]) -> bool {
        let before = self.tool_headers.borrow().of_call(call, line);
        // What is answered to the client is what the server said of the call.
        let _ = self.list_tools(call, line).await;
        self.tool_headers.borrow().of_call(call, line) != before
    }

    async fn list_tools(self: &Rc<Self>, call: &Message, line: &[u8]) -> Result<(), Failure> {
        let mut cursor: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let request = tools_list(line, cursor.as_deref());
            let Ok(messages) = Message::read(request.as_bytes()) else {
                return Ok(());
            };
            let answer = self.send(&self.post(request.as_bytes(), &messages, None)).await?;
            let (_, text) = self.read_response(answer).await?;
            let mut text = String::from_utf8_lossy(&text).into_owned();
            let Ok(received) = Message::read(text.as_bytes()) else {
                return Ok(());
            };
            let Some(list) = self.note_tools(&messages, &received, &mut text) else {
                return Ok(());
            };
            let is_found = list.tools.iter().any(|(name, _)| call.called_tool() == Some(name));
            match list.next_cursor {
                Some(next) if !is_found => cursor = Some(next),
                _ => return Ok(()),
            }
        }
        Ok(())
    }
}
