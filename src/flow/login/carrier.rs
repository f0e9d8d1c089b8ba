//! How the authorization request travels: as it is, as a signed object (RFC
//! 9101), pushed to the server first (RFC 9126), or both.

use super::error::LoginError;
use super::request::LoginRequest;
use crate::flow::caller::Caller;
use crate::flow::dpop::DpopSession;
use crate::flow::hints::RequestSummary;
use crate::flow::pushed_authorization_request::Push;
use crate::flow::server::{ResolvedServer, ServerError};
use crate::protocol::authorization::{PendingAuthorization, RequestObjectSigner, params_with_object};
use crate::protocol::client::Client;
use crate::protocol::endpoint::{Endpoint, Issuer};
use crate::protocol::params::Params;
use crate::trace::Event;

/// What an authorization request is carried by.
pub(in crate::flow) struct Carrier {
    signer: Option<RequestObjectSigner>,
    push_to: Option<Endpoint>,
}

impl Carrier {
    /// What the user chose, as far as the server takes it, and what the server demands.
    ///
    /// # Errors
    /// [`ServerError`] where the two do not fit.
    pub(in crate::flow) fn choose(
        request: &LoginRequest,
        server: &ResolvedServer,
        client: &Client,
        caller: &mut Caller<'_>,
    ) -> Result<Self, ServerError> {
        Ok(Carrier {
            signer: signer(request, server, client, caller),
            push_to: server
                .pushed_authorization_request_endpoint(request.par, caller)?
                .cloned(),
        })
    }

    /// The parameters that the browser takes to the authorization endpoint.
    ///
    /// # Errors
    /// [`LoginError::Push`] and [`LoginError::Authentication`].
    pub(in crate::flow) async fn carry(
        &self,
        pending: &PendingAuthorization,
        dpop: Option<&mut DpopSession>,
        caller: &mut Caller<'_>,
    ) -> Result<Params, LoginError> {
        let (request, client) = (pending.request(), pending.client());
        let params = match &self.signer {
            None => request.params(),
            Some(signer) => {
                let object = signer.sign(request, &mut caller.authentication_context())?;
                params_with_object(&client.id, &object)
            }
        };
        let Some(endpoint) = &self.push_to else {
            return Ok(params);
        };
        let push = Push {
            client,
            endpoint,
            sent: RequestSummary::of(request, Some(client)),
        };
        let pushed = push.send(&params, dpop, caller).await?;
        Ok(pushed.params(&client.id))
    }
}

fn signer(
    request: &LoginRequest,
    server: &ResolvedServer,
    client: &Client,
    caller: &mut Caller<'_>,
) -> Option<RequestObjectSigner> {
    let metadata = &server.metadata;
    if !request.request_object && !metadata.require_signed_request_object {
        return None;
    }
    let Some(key) = &client.credentials.key else {
        // The server may make an exception for this client.
        caller.observe(&Event::Warning(
            "the server takes signed authorization requests only (require_signed_request_object, RFC 9101 §10.5), and there is no key to sign with, so it will probably refuse this login; add --client-key-file FILE",
        ));
        return None;
    };
    let listed = metadata.request_object_signing_alg_values_supported.as_deref();
    let algorithm = key.algorithm_for_server(listed.unwrap_or_default());
    let issuer = metadata.issuer.as_ref().map(Issuer::as_str);
    let audience = issuer.unwrap_or(server.token_endpoint.url().as_str()).to_owned();
    caller.observe(&Event::Detail {
        name: "request object",
        value: &format!("signed with {}, for {audience} (RFC 9101)", algorithm.as_str()),
    });
    Some(RequestObjectSigner {
        key: key.clone(),
        algorithm,
        audience,
    })
}
