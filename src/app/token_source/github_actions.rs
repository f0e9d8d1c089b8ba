//! `github-actions[:AUDIENCE]`: the ID token of a job, from the service that
//! the runner names in its environment.

use super::error::SourceProblem;
use super::service::{ask, member, request};
use crate::flow::caller::Caller;
use crate::protocol::endpoint::is_loopback;
use crate::protocol::http::HeaderValue;
use crate::secret::Secret;
use crate::system::environment::Environment;
use url::Url;

const SERVICE: &str = "GitHub Actions";
const URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
const TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

/// The ID token of the job, for this audience.
pub(super) async fn read(
    environment: &Environment,
    audience: Option<&str>,
    caller: &mut Caller<'_>,
) -> Result<Secret, SourceProblem> {
    let url = environment.text(URL).ok_or(SourceProblem::NotInGithubActions(URL))?;
    let token = environment
        .text(TOKEN)
        .ok_or(SourceProblem::NotInGithubActions(TOKEN))?;
    let mut url = Url::parse(&url).map_err(|_| SourceProblem::ServiceUrl { variable: URL })?;
    // It gets a token of the job.
    if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(&url)) {
        return Err(SourceProblem::ServiceUrl { variable: URL });
    }
    if let Some(audience) = audience {
        url.query_pairs_mut().append_pair("audience", audience);
    }
    let authorization = HeaderValue::Credentials {
        scheme: "Bearer",
        credentials: Secret::new(token),
    };
    let request = request(url, vec![("authorization", authorization)]);
    let response = ask(SERVICE, &request, caller).await?;
    member(SERVICE, &response, "value")
}
