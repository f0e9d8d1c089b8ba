//! Which authorization server a login is for.

use super::error::{SettingsError, invalid, invalid_with_hint};
use crate::args::cli::LoginOptions;
use crate::args::config::Profile;
use crate::args::login_grant::LoginGrant;
use crate::flow::server::ServerChoice;
use crate::protocol::endpoint::{Endpoint, EndpointError, HttpPolicy, Issuer};
use crate::store::ProfileName;

pub(super) fn server_choice(
    options: &LoginOptions,
    url: Option<&str>,
    profile: &Profile,
    grant: LoginGrant,
    allowance: HttpPolicy,
    name: &ProfileName,
) -> Result<ServerChoice, SettingsError> {
    let unusable = |place: &str, error: EndpointError| match error {
        EndpointError::PlainHttp(_) => invalid_with_hint(
            place,
            error,
            "Use https, or --allow-http if plain http to that machine is really meant.",
        ),
        _ => invalid(place, error),
    };
    let endpoint = |flag: &str, key: &str, given: &Option<String>| {
        let (place, text) = match (given, profile.text(key)) {
            (Some(text), _) => (flag, text.as_str()),
            (None, Some(text)) => (key, text),
            (None, None) => return Ok(None),
        };
        Endpoint::parse(text, allowance)
            .map(Some)
            .map_err(|error| unusable(place, error))
    };
    let authorization_endpoint = endpoint(
        "--authorization-endpoint",
        "authorization_endpoint",
        &options.authorization_endpoint,
    )?;
    let token_endpoint = endpoint("--token-endpoint", "token_endpoint", &options.token_endpoint)?;
    let revocation_endpoint = endpoint(
        "--revocation-endpoint",
        "revocation_endpoint",
        &options.revocation_endpoint,
    )?;
    let userinfo_endpoint = endpoint("--userinfo-endpoint", "userinfo_endpoint", &options.userinfo_endpoint)?;
    let introspection_endpoint = endpoint(
        "--introspection-endpoint",
        "introspection_endpoint",
        &options.introspection_endpoint,
    )?;
    let jwks_uri = endpoint("--jwks-uri", "jwks_uri", &options.jwks_uri)?;
    let issuer = match (url, &options.issuer, profile.text("issuer")) {
        (Some(url), _, _) => Some(("URL", url)),
        (None, Some(issuer), _) => Some(("--issuer", issuer.as_str())),
        (None, None, Some(issuer)) => Some(("issuer", issuer)),
        (None, None, None) => None,
    };
    let issuer = issuer
        .map(|(place, text)| Issuer::parse(text, allowance).map_err(|error| unusable(place, error)))
        .transpose()?;
    let needs_authorization_endpoint = grant == LoginGrant::AuthorizationCode;
    let lacks_endpoint = token_endpoint.is_none() || (needs_authorization_endpoint && authorization_endpoint.is_none());
    if issuer.is_none() && lacks_endpoint {
        let hint =
            format!("Name the server: oauth login --profile {name} --issuer https://id.example.com --client-id ID");
        return Err(SettingsError::Missing {
            what: "issuer",
            profile: name.to_string(),
            hint,
        });
    }
    Ok(ServerChoice {
        issuer,
        authorization_endpoint,
        token_endpoint,
        revocation_endpoint,
        userinfo_endpoint,
        introspection_endpoint,
        jwks_uri,
        allowance,
    })
}
