//! `--format exec-credential`: what kubectl and client-go read from a
//! credential plugin (<https://kubernetes.io/docs/reference/config-api/client-authentication.v1/>).
//! They say in `KUBERNETES_EXEC_INFO` which version of it they want, and with
//! `provideClusterInfo` for which cluster.

use super::PrintableToken;
use crate::exit::{Diagnosis, ExitCode};
use crate::foreign_text::sanitize_json;
use crate::protocol::json::parse_object;
use crate::system;
use crate::system::environment::unset_command;
use serde_json::{Map, Value, json};

pub(super) const VARIABLE: &str = "KUBERNETES_EXEC_INFO";

/// The newest version, for a run by hand.
const DEFAULT_VERSION: &str = "client.authentication.k8s.io/v1";

const VERSIONS: [&str; 2] = [DEFAULT_VERSION, "client.authentication.k8s.io/v1beta1"];

/// The certificate authority of a cluster, and what its administrator added.
const MAX_INFO_BYTES: usize = 1 << 20;

/// Why `KUBERNETES_EXEC_INFO` cannot be answered. Nothing of it is repeated but a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ExecInfoError {
    #[error("{VARIABLE} is longer than {MAX_INFO_BYTES} bytes")]
    TooLong,
    #[error("{VARIABLE} is not an ExecCredential object")]
    NotAnExecCredential,
    #[error("{VARIABLE} asks for the version \"{version}\"; known are {} and {}", VERSIONS[0], VERSIONS[1])]
    UnknownVersion { version: String },
}

impl Diagnosis for ExecInfoError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hints(&self) -> Vec<String> {
        match self {
            ExecInfoError::UnknownVersion { .. } => vec![format!(
                "Set the apiVersion of the exec plugin in the kubeconfig to {DEFAULT_VERSION}."
            )],
            ExecInfoError::TooLong | ExecInfoError::NotAnExecCredential => {
                vec![format!(
                    "kubectl sets it for its plugins; for a run by hand: {}",
                    unset_command(VARIABLE)
                )]
            }
        }
    }
}

/// What the caller asked for.
struct ExecInfo {
    version: String,
    /// The `spec` of the answer: the cluster, where it was named.
    spec: Option<Value>,
}

impl ExecInfo {
    fn parse(text: &str) -> Result<Self, ExecInfoError> {
        if text.len() > MAX_INFO_BYTES {
            return Err(ExecInfoError::TooLong);
        }
        let mut object = parse_object(text.as_bytes()).map_err(|_| ExecInfoError::NotAnExecCredential)?;
        let (Some(Value::String(version)), Some("ExecCredential")) =
            (object.remove("apiVersion"), object.get("kind").and_then(Value::as_str))
        else {
            return Err(ExecInfoError::NotAnExecCredential);
        };
        if !VERSIONS.contains(&version.as_str()) {
            return Err(ExecInfoError::UnknownVersion { version });
        }
        let spec = match object.remove("spec") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(spec)) => spec,
            Some(_) => return Err(ExecInfoError::NotAnExecCredential),
        };
        let interactive = spec.get("interactive").and_then(Value::as_bool).unwrap_or_default();
        let spec = match spec.get("cluster") {
            None | Some(Value::Null) => None,
            Some(cluster @ Value::Object(_)) => Some(json!({ "cluster": cluster, "interactive": interactive })),
            Some(_) => return Err(ExecInfoError::NotAnExecCredential),
        };
        Ok(ExecInfo { version, spec })
    }
}

/// The object on one line. `info` is the value of [`VARIABLE`].
///
/// # Errors
/// [`ExecInfoError`].
pub(super) fn object(token: &PrintableToken<'_>, info: Option<&str>) -> Result<String, ExecInfoError> {
    let info = match info {
        Some(text) => ExecInfo::parse(text)?,
        None => ExecInfo {
            version: DEFAULT_VERSION.to_owned(),
            spec: None,
        },
    };
    let mut status = json!({ "token": token.token.expose() });
    if let Some(expires_at) = token.expires_at {
        status["expirationTimestamp"] = json!(system::rfc_3339(expires_at));
    }
    let mut object = json!({ "apiVersion": info.version, "kind": "ExecCredential", "status": status });
    if let Some(spec) = info.spec {
        object["spec"] = spec;
    }
    Ok(sanitize_json(&object.to_string()) + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_info_without_end_is_not_read() {
        let info = |length: usize| {
            let filler = "x".repeat(length);
            ExecInfo::parse(&format!(
                r#"{{"apiVersion":"{DEFAULT_VERSION}","kind":"ExecCredential","more":"{filler}"}}"#
            ))
        };
        assert!(info(MAX_INFO_BYTES / 2).is_ok());
        assert!(matches!(info(MAX_INFO_BYTES), Err(ExecInfoError::TooLong)));
    }
}
