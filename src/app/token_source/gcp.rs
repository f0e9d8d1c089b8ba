//! `gcp:AUDIENCE`: the ID token of the service account of a virtual machine, a
//! pod or a function in Google Cloud, from its metadata service.

use super::error::SourceProblem;
use super::service::{ask, check_metadata_url, request};
use super::text::token_from_bytes;
use crate::flow::caller::Caller;
use crate::protocol::http::HeaderValue;
use crate::secret::Secret;
use crate::system::environment::Environment;
use url::Url;
use zeroize::Zeroizing;

const SERVICE: &str = "the metadata service of Google Cloud";
const HOST: &str = "GCE_METADATA_HOST";
const ADDRESS: &str = "169.254.169.254";
const PATH: &str = "/computeMetadata/v1/instance/service-accounts/default/identity";

/// The ID token for this audience.
pub(super) async fn read(
    environment: &Environment,
    audience: &str,
    caller: &mut Caller<'_>,
) -> Result<Secret, SourceProblem> {
    let host = environment.text(HOST).unwrap_or_else(|| ADDRESS.to_owned());
    let url = Url::parse(&format!("http://{host}{PATH}"));
    let mut url = url.map_err(|_| SourceProblem::ServiceUrl { variable: HOST })?;
    if url.path() != PATH || url.query().is_some() || url.fragment().is_some() {
        return Err(SourceProblem::ServiceUrl { variable: HOST });
    }
    check_metadata_url(&url, HOST)?;
    url.query_pairs_mut()
        .append_pair("audience", audience)
        .append_pair("format", "full");
    let flavor = HeaderValue::Plain("Google".to_owned());
    let response = ask(SERVICE, &request(url, vec![("metadata-flavor", flavor)]), caller).await?;
    // Another service at this address would not say so.
    if response.header("metadata-flavor") != Some("Google") {
        return Err(SourceProblem::ServiceAnswer {
            service: SERVICE,
            what: "Metadata-Flavor: Google",
        });
    }
    token_from_bytes(Zeroizing::new(response.body.expose().clone()))
}
