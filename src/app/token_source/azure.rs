//! `azure[:RESOURCE]`: the token of a managed identity in Azure: the file of a
//! workload identity, else the service that the platform names, else the
//! metadata service of a virtual machine.

use super::error::SourceProblem;
use super::file;
use super::service::{ask, check_metadata_url, member, request};
use crate::flow::caller::Caller;
use crate::protocol::http::HeaderValue;
use crate::secret::Secret;
use crate::system::environment::Environment;
use url::Url;

const SERVICE: &str = "the metadata service of Azure";
const FEDERATED_TOKEN_FILE: &str = "AZURE_FEDERATED_TOKEN_FILE";
const IDENTITY_ENDPOINT: &str = "IDENTITY_ENDPOINT";
const IDENTITY_HEADER: &str = "IDENTITY_HEADER";
const CLIENT_ID: &str = "AZURE_CLIENT_ID";
const VIRTUAL_MACHINE: &str = "http://169.254.169.254/metadata/identity/oauth2/token";
/// What a managed identity is exchanged with elsewhere.
const TOKEN_EXCHANGE: &str = "api://AzureADTokenExchange";

/// The token for this resource.
pub(super) async fn read(
    environment: &Environment,
    resource: Option<&str>,
    caller: &mut Caller<'_>,
) -> Result<Secret, SourceProblem> {
    if let Some(path) = environment.path(FEDERATED_TOKEN_FILE) {
        return file::read(&path);
    }
    let parse = |text: &str| {
        Url::parse(text).map_err(|_| SourceProblem::ServiceUrl {
            variable: IDENTITY_ENDPOINT,
        })
    };
    let (mut url, version, header) = match environment.text(IDENTITY_ENDPOINT) {
        Some(endpoint) => {
            let header = environment.text(IDENTITY_HEADER);
            let header = header.ok_or_else(|| SourceProblem::Variable(IDENTITY_HEADER.to_owned()))?;
            let header = HeaderValue::Secret(Secret::new(header));
            (parse(&endpoint)?, "2019-08-01", ("x-identity-header", header))
        }
        None => {
            let header = HeaderValue::Plain("true".to_owned());
            (parse(VIRTUAL_MACHINE)?, "2018-02-01", ("metadata", header))
        }
    };
    check_metadata_url(&url, IDENTITY_ENDPOINT)?;
    url.query_pairs_mut()
        .append_pair("api-version", version)
        .append_pair("resource", resource.unwrap_or(TOKEN_EXCHANGE));
    if let Some(client_id) = environment.text(CLIENT_ID) {
        url.query_pairs_mut().append_pair("client_id", &client_id);
    }
    let response = ask(SERVICE, &request(url, vec![header]), caller).await?;
    member(SERVICE, &response, "access_token")
}
