//! The role whose keys `oauth credential aws` is asked for.

use super::error::{SettingsError, invalid, invalid_with_hint};
use crate::args::cli::AwsOptions;
use crate::protocol::aws_sts::RoleRequest;
use crate::protocol::endpoint::{Endpoint, HttpPolicy};
use crate::store::ProfileName;
use crate::system::environment::Environment;

/// What AWS takes (AssumeRoleWithWebIdentity, RoleSessionName).
const MAX_SESSION_NAME_CHARS: usize = 64;
const MAX_ARN_CHARS: usize = 2048;
const MIN_DURATION_S: u64 = 15 * 60;
const MAX_DURATION_S: u64 = 12 * 60 * 60;

/// The request for the role's keys.
///
/// # Errors
/// [`SettingsError::Value`].
pub fn role_request(options: &AwsOptions, profile: &ProfileName) -> Result<RoleRequest, SettingsError> {
    let default = || {
        format!("oauth-{profile}")
            .chars()
            .take(MAX_SESSION_NAME_CHARS)
            .collect()
    };
    let session_name = options.session_name.clone().unwrap_or_else(default);
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    if !(2..=MAX_SESSION_NAME_CHARS).contains(&session_name.len()) || !session_name.bytes().all(is_name) {
        return Err(invalid(
            "--session-name",
            "AWS takes 2 to 64 letters, digits and _+=,.@-",
        ));
    }
    let seconds = options.duration.as_secs();
    if !(MIN_DURATION_S..=MAX_DURATION_S).contains(&seconds) || options.duration.subsec_nanos() != 0 {
        return Err(invalid("--duration", "AWS takes 15m to 12h, in whole seconds"));
    }
    Ok(RoleRequest {
        role_arn: role_arn(&options.role_arn)?,
        session_name,
        duration_s: u32::try_from(seconds).unwrap_or(u32::MAX),
    })
}

fn role_arn(text: &str) -> Result<String, SettingsError> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let is_role = matches!(
        parts.as_slice(),
        ["arn", partition, "iam", "", _, role] if partition.starts_with("aws") && role.starts_with("role/")
    );
    if !is_role || text.len() > MAX_ARN_CHARS || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        let hint = "Such as arn:aws:iam::123456789012:role/NAME.";
        return Err(invalid_with_hint("--role-arn", "that is not the ARN of a role", hint));
    }
    Ok(text.to_owned())
}

/// Where STS is: `--sts-endpoint`, else that of the region, else the global one.
///
/// # Errors
/// [`SettingsError::Value`].
pub fn sts_endpoint(options: &AwsOptions, environment: &Environment) -> Result<Endpoint, SettingsError> {
    if let Some(text) = &options.sts_endpoint {
        return Endpoint::parse(text, HttpPolicy::LoopbackOnly).map_err(|error| invalid("--sts-endpoint", error));
    }
    let variable = |name: &'static str| Some((name, environment.text(name)?));
    let region = options.region.clone().map(|region| ("--region", region));
    let region = region
        .or_else(|| variable("AWS_REGION"))
        .or_else(|| variable("AWS_DEFAULT_REGION"));
    let Some((place, region)) = region else {
        return endpoint("--region", "https://sts.amazonaws.com/");
    };
    let is_label = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if region.is_empty() || region.len() > 32 || !region.bytes().all(is_label) || region.starts_with('-') {
        return Err(invalid_with_hint(
            place,
            "that is not a region",
            "Such as eu-central-1.",
        ));
    }
    let domain = match region.starts_with("cn-") {
        true => "amazonaws.com.cn",
        false => "amazonaws.com",
    };
    endpoint(place, &format!("https://sts.{region}.{domain}/"))
}

fn endpoint(place: &str, text: &str) -> Result<Endpoint, SettingsError> {
    Endpoint::parse(text, HttpPolicy::LoopbackOnly).map_err(|error| invalid(place, error))
}
