//! What the metadata of a protected resource (RFC 9728) say.

use super::{Findings, Severity};
use crate::flow::discovery::walk::FoundDocument;
use crate::foreign_text::Quoted;
use crate::protocol::endpoint::{Endpoint, HttpPolicy};
use crate::protocol::members::Members;

impl Findings {
    pub(super) fn resource(&mut self, resource: &FoundDocument, server: Option<&FoundDocument>) {
        self.types_of_resource(resource);
        let members = Members(&resource.members);
        match members.text("resource") {
            Some(named) if named == resource.asked => {}
            Some(named) => self.finding(
                Severity::Must,
                "RFC 9728 §3.3",
                format!(
                    "the resource metadata is for {}, but {} was asked for; they must be identical",
                    Quoted::name(named),
                    Quoted::name(&resource.asked)
                ),
            ),
            None if self.is_mistyped("resource") => {}
            None => self.finding(
                Severity::Must,
                "RFC 9728 §2",
                "the resource metadata does not name the resource",
            ),
        }
        let named = members.list("authorization_servers").unwrap_or_default();
        if named.is_empty() && !self.is_mistyped("authorization_servers") {
            self.note("the resource metadata names no authorization server (RFC 9728 §2)");
        }
        if let Some(server) = server
            && named.len() > 1
        {
            self.note(format!(
                "the resource names {} authorization servers; this is about {}",
                named.len(),
                server.asked
            ));
        }
        for text in named {
            if let Err(problem) = Endpoint::parse_untrusted(text, &resource.url, HttpPolicy::LoopbackOnly) {
                self.finding(
                    Severity::Must,
                    "RFC 9728 §7.7",
                    format!("an authorization server of the resource is not asked: {problem}"),
                );
            }
        }
    }
}
