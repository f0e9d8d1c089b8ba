//! Whether a token request has the verifier of its code (RFC 7636 §4.6).

use super::error::GrantError;
use super::grant::CodeBinding;
use crate::protocol::abnf::base64url;
use crate::protocol::pkce::CodeVerifier;
use crate::rules::Rule;
use crate::server::violations::deviation::ChallengeOverride;
use crate::server::violations::policy::Policy;
use sha2::{Digest, Sha256};

/// The verifier of a token request.
#[derive(Clone, Copy)]
pub(crate) struct PresentedVerifier<'a> {
    /// `None` also where it is malformed.
    pub(crate) parsed: Option<&'a CodeVerifier>,
    /// As it was sent, for a server that takes a malformed one.
    pub(crate) sent: Option<&'a str>,
}

/// Whether the verifier hashes into the challenge, or the policy overlooks that it does not.
pub(super) fn verify_pkce(
    policy: &Policy<'_>,
    binding: &CodeBinding,
    verifier: PresentedVerifier<'_>,
) -> Result<(), GrantError> {
    let honest = verify(binding, verifier.parsed);
    if policy.enforces_everything() {
        return honest;
    }
    match &binding.challenge_override {
        Some(challenge) => verify_override(policy, challenge, verifier.sent),
        None => overlook(policy, binding.code_challenge.as_str(), verifier.sent, honest),
    }
}

fn verify(binding: &CodeBinding, verifier: Option<&CodeVerifier>) -> Result<(), GrantError> {
    let verifier = verifier.ok_or(GrantError::NoVerifier)?;
    if binding.code_challenge.matches(verifier) {
        Ok(())
    } else {
        Err(GrantError::WrongVerifier)
    }
}

/// Compares with what the authorization request had in place of an S256 challenge.
fn verify_override(policy: &Policy<'_>, challenge: &ChallengeOverride, sent: Option<&str>) -> Result<(), GrantError> {
    let is_accepted = match (challenge, sent) {
        (ChallengeOverride::Nothing, None) => true,
        (ChallengeOverride::Nothing, Some(_)) => !policy.rejects_verifiers_without_challenge(),
        (ChallengeOverride::Plain(_), None) => return Err(GrantError::NoVerifier),
        (ChallengeOverride::Plain(plain), Some(sent)) => sent == plain,
        (ChallengeOverride::Unmeetable, _) => false,
    };
    is_accepted.then_some(()).ok_or(GrantError::WrongVerifier)
}

/// Overlooks a failure whose rule is violated.
fn overlook(
    policy: &Policy<'_>,
    challenge: &str,
    sent: Option<&str>,
    honest: Result<(), GrantError>,
) -> Result<(), GrantError> {
    let Err(error) = honest else {
        return if policy.accepts_right_verifiers() {
            Ok(())
        } else {
            Err(GrantError::OnPurpose(Rule::PkceSupported))
        };
    };
    let is_enforced = match sent {
        None => policy.rejects_missing_verifiers(),
        Some(sent) if sent == challenge => policy.rejects_challenges_as_verifiers(),
        Some(sent) if base64url(&Sha256::digest(sent.as_bytes())) == challenge => policy.rejects_short_verifiers(),
        Some(_) if matches!(error, GrantError::NoVerifier) => true,
        Some(_) => policy.rejects_wrong_verifiers(),
    };
    if is_enforced { Err(error) } else { Ok(()) }
}
