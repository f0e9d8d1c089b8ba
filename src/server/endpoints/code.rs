//! Authorization codes for what a resource owner agreed to.

use crate::secret::Secret;
use crate::server::authorization_server::AuthorizationServer;
use crate::server::grants::error::IssueCodeError;
use crate::server::grants::grant::{Authorization, CodeBinding};
use crate::server::interactions::{AcceptedRequest, SignedIn};
use crate::server::moment::Moment;

/// Issues a code for what a user agreed to.
pub(super) fn issue_code(
    server: &AuthorizationServer,
    moment: &mut Moment<'_>,
    request: &AcceptedRequest,
    signed_in: &SignedIn,
) -> Result<Secret, IssueCodeError> {
    if request.scope.contains("openid") {
        server.note_openid();
    }
    let authorization = authorization(server, request, signed_in);
    let code = server
        .grants()
        .issue_code(moment, authorization, code_binding(request))?;
    match moment.policy.code_entropy() {
        None => Ok(code),
        Some(entropy) => Ok(server
            .aliases
            .issue_weak_token(moment.now, moment.randomness, code, entropy)?),
    }
}

fn code_binding(request: &AcceptedRequest) -> CodeBinding {
    CodeBinding {
        redirect_uri: request.redirect_uri.clone(),
        redirect_uri_sent: request.redirect_uri_sent,
        code_challenge: request.code_challenge.clone(),
        challenge_override: request.deviation.challenge.clone(),
        dpop_jkt: request.dpop_jkt.clone(),
    }
}

/// What a user agreed to.
pub(super) fn authorization(
    server: &AuthorizationServer,
    request: &AcceptedRequest,
    signed_in: &SignedIn,
) -> Authorization {
    Authorization {
        client_id: request.client_id.clone(),
        scope: request.scope.clone(),
        resource: request.resource.clone(),
        nonce: request.nonce.clone(),
        subject: server.users.subject(&signed_in.user),
        auth_time: Some(signed_in.auth_time),
        refresh_key: None,
    }
}
