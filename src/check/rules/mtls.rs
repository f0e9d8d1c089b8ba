//! Clients with certificates (RFC 8705): whose certificate gets tokens, and
//! what tokens are bound to.

use super::rejected_redemption::{RejectedRedemption, run_redemptions};
use crate::check::context::Check;
use crate::check::exchange::Tokens;
use crate::check::prober::Prober;
use crate::check::report::{CheckResult, Failure, ensure, inconclusive};
use crate::check::secrets;
use crate::protocol::certificate::CertificateChain;
use crate::protocol::client::{Client, ClientAuthentication};
use crate::protocol::signing::SigningKey;
use crate::protocol::tls_identity::TlsIdentity;
use crate::rules::Rule;
use crate::system::tls::ListenerIdentity;
use serde_json::{Map, Value};
use std::sync::Arc;

/// The name in the certificate of another: RFC 6761 §6.4 keeps it for this.
const OTHER_NAME: &str = "client.invalid";

const REDEMPTIONS: &[RejectedRedemption] = &[RejectedRedemption {
    rule: Rule::MtlsOtherCertificate,
    send: |check, code| {
        let params = check.prober.code_params(code);
        let other = client_with_other_certificate(&check.prober)?;
        check.prober.token_request_as(params, &other)
    },
    error: None,
}];

type BoundTokenTest = fn(&mut Check<'_, '_>, &Tokens) -> CheckResult;

const OF_A_BOUND_TOKEN: [(Rule, BoundTokenTest); 4] = [
    (Rule::MtlsConfirmation, |check, tokens| {
        match thumbprint_in_token(tokens) {
            Some(found) => is_own(check, &found),
            None => inconclusive(NOT_BOUND),
        }
    }),
    (Rule::MtlsIntrospection, |check, tokens| {
        check.prober.introspection_endpoint()?;
        match (introspected_thumbprint(check, tokens)?, thumbprint_in_token(tokens)) {
            (Some(found), _) => is_own(check, &found),
            (None, Some(_)) => ensure(false, "the answer has no cnf with x5t#S256"),
            (None, None) => inconclusive(NOT_BOUND),
        }
    }),
    (Rule::MtlsBearer, |check, tokens| {
        bound_token_works(check, tokens)?;
        let status = check.prober.userinfo_as(None, Some(&tokens.access_token))?.status();
        ensure(status != 200, "it is accepted")
    }),
    (Rule::MtlsTokenOfOther, |check, tokens| {
        bound_token_works(check, tokens)?;
        let other = Arc::new(other_identity()?);
        let exchange = check.prober.userinfo_as(Some(other), Some(&tokens.access_token))?;
        ensure(exchange.status() != 200, "it is accepted")
    }),
];

const NOT_BOUND: &str = "the access token is not bound to the certificate: register the client with tls_client_certificate_bound_access_tokens";

const NO_PROOF: &str = "this needs a client that authenticates with its certificate: --client-auth tls_client_auth or self_signed_tls_client_auth";

const NO_CERTIFICATE: &str = "this needs a client with a certificate: --client-cert-file FILE --client-key-file FILE";

/// Skips at once what the client cannot test, so that a person need not sign
/// in for it: without a certificate all, with one that is not its proof what is
/// about the proof.
pub(in crate::check) fn skip_for_other_clients(check: &mut Check<'_, '_>) {
    let (has_certificate, proves_itself) = {
        let client = &check.prober.client;
        (
            client.tls_identity().is_some(),
            client.authentication.tls_identity().is_some(),
        )
    };
    let of_proof = REDEMPTIONS.iter().map(|redemption| redemption.rule);
    let of_proof = of_proof.chain([Rule::MtlsRefresh]).filter(|_| !proves_itself);
    let of_tokens = OF_A_BOUND_TOKEN.map(|(rule, _)| rule);
    let of_tokens = of_tokens.into_iter().filter(|_| !has_certificate);
    let why = if has_certificate { NO_PROOF } else { NO_CERTIFICATE };
    for rule in of_proof.chain(of_tokens) {
        check.prober.record(rule, inconclusive(why), None);
    }
}

/// Tests what tokens are bound to.
pub(in crate::check) fn run_tokens(check: &mut Check<'_, '_>) {
    for (rule, test) in OF_A_BOUND_TOKEN {
        check.rule(rule, &mut |check| {
            let baseline = check.baseline_tokens()?;
            let (tokens, _) = baseline.tokens()?;
            test(check, tokens)
        });
    }
}

/// Tests whose certificate is taken.
pub(in crate::check) fn run(check: &mut Check<'_, '_>) {
    run_redemptions(check, REDEMPTIONS, "for a certificate that must be refused");
}

/// The same client with an unknown certificate.
pub(super) fn client_with_other_certificate(prober: &Prober<'_, '_>) -> Result<Client, Failure> {
    let other = Arc::new(other_identity()?);
    match prober.client.authentication {
        ClientAuthentication::TlsClientAuth(_) => Ok(prober.client_with(ClientAuthentication::TlsClientAuth(other))),
        ClientAuthentication::SelfSignedTlsClientAuth(_) => {
            Ok(prober.client_with(ClientAuthentication::SelfSignedTlsClientAuth(other)))
        }
        _ => inconclusive(NO_PROOF),
    }
}

fn other_identity() -> Result<TlsIdentity, Failure> {
    let not_made = |problem: String| Failure::Inconclusive(format!("no certificate can be made: {problem}"));
    let made = ListenerIdentity::self_signed(OTHER_NAME).map_err(|error| not_made(error.to_string()))?;
    let chain = made.chain.iter().map(|certificate| certificate.to_vec()).collect();
    Ok(TlsIdentity {
        chain: CertificateChain::from_der(chain).ok_or_else(|| not_made("there is none".to_owned()))?,
        key: SigningKey::from_pkcs8(made.key.secret_der()).map_err(|error| not_made(error.to_string()))?,
        files: None,
    })
}

fn is_own(check: &Check<'_, '_>, found: &str) -> CheckResult {
    let Some(identity) = check.prober.tls_identity() else {
        return inconclusive(NO_CERTIFICATE);
    };
    ensure(
        identity.chain.thumbprints().sha256 == found,
        "it names another certificate",
    )
}

/// `Ok` where the token is bound, and taken with the certificate of the client.
fn bound_token_works(check: &mut Check<'_, '_>, tokens: &Tokens) -> CheckResult {
    check.prober.needs_openid()?;
    check.prober.userinfo_endpoint()?;
    let is_bound = thumbprint_in_token(tokens).is_some()
        || (check.prober.introspection_endpoint().is_ok() && introspected_thumbprint(check, tokens)?.is_some());
    if !is_bound {
        return inconclusive(NOT_BOUND);
    }
    match check.prober.userinfo(Some(&tokens.access_token))?.status() {
        200 => Ok(()),
        status => inconclusive(format!("the endpoint accepts no bound token: status {status}")),
    }
}

/// What the access token says that it is bound to, where it can be read.
fn thumbprint_in_token(tokens: &Tokens) -> Option<String> {
    thumbprint(&secrets::jwt(&tokens.access_token).ok()?.claims)
}

/// The same of introspection.
fn introspected_thumbprint(check: &mut Check<'_, '_>, tokens: &Tokens) -> Result<Option<String>, Failure> {
    let client = check.prober.client.clone();
    let exchange = check.prober.introspect(&tokens.access_token, Some(&client))?;
    Ok(exchange.object().as_ref().and_then(thumbprint))
}

fn thumbprint(claims: &Map<String, Value>) -> Option<String> {
    let confirmation = claims.get("cnf")?;
    Some(confirmation.get("x5t#S256")?.as_str()?.to_owned())
}
