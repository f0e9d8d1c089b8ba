//! Whether the documents of one server say the same.

use super::Findings;
use crate::flow::discovery::report::DiscoveryReport;
use crate::flow::discovery::walk::FoundDocument;
use crate::foreign_text::Quoted;
use crate::protocol::member_type::type_fault;
use crate::rules::Rule;
use serde_json::Value;

impl Findings {
    /// What two documents of one server say differently, and what only the other one says.
    pub(super) fn agreement(&mut self, report: &DiscoveryReport, used: &FoundDocument, other: &FoundDocument) {
        let shared = used
            .members
            .iter()
            .filter_map(|(name, one)| Some((name, one, other.members.get(name)?)));
        let differing = shared.filter(|(name, one, another)| {
            let is_readable = |value: &Value| type_fault(name, value).is_none();
            is_readable(one) && is_readable(another) && !values_equal(one, another)
        });
        let differing: Vec<String> = differing
            .map(|(name, one, another)| difference(name, one, another))
            .collect();
        if !differing.is_empty() {
            self.violation(
                Rule::MetadataDocumentsAgree,
                format!("{} says something else about {}", other.url, differing.join("; ")),
            );
        }
        let further = other.members.keys().map(String::as_str);
        let further = further.filter(|name| name.ends_with("_endpoint") || *name == "jwks_uri");
        let further = further.filter(|name| !used.members.contains_key(*name));
        let (taken, ignored): (Vec<&str>, Vec<&str>) = further.partition(|name| report.is_taken_from(name, other));
        if !taken.is_empty() {
            self.note(format!(
                "{} also names {}, which is taken from there when it is needed",
                other.url,
                taken.join(", ")
            ));
        }
        if !ignored.is_empty() {
            self.note(format!(
                "{} also names {}, which is not used: a login uses one document",
                other.url,
                ignored.join(", ")
            ));
        }
    }
}

/// A member, and what each document says.
fn difference(name: &str, used: &Value, other: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let (used, other) = (text(used), text(other));
    let (used, other) = (Quoted::name(&used), Quoted::name(&other));
    format!("{name}: {other} there, and {used} in the document that is used")
}

/// Lists in metadata are sets.
fn values_equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => {
            one.iter().all(|item| other.contains(item)) && other.iter().all(|item| one.contains(item))
        }
        _ => one == other,
    }
}
