//! Members of another JSON type than they must be: of all rules about one of
//! them, one is broken.

use super::report::{CheckResult, inconclusive, violated};
use crate::protocol::member_type::type_fault;
use crate::rules::Rule;
use serde_json::{Map, Value};

/// `Ok` where the member is of the type that it must be. Where it is not, the
/// rule `broken` is, and the others cannot be tested.
pub(super) fn needs_type(members: &Map<String, Value>, member: &str, rule: Rule, broken: Rule) -> CheckResult {
    match members.get(member).and_then(|value| type_fault(member, value)) {
        None => Ok(()),
        Some(fault) if broken != rule => inconclusive(format!("{fault} ({broken})")),
        Some(fault) => violated(fault),
    }
}
