//! Tokens that are bound to a key (RFC 9449): what the server takes for a proof
//! of that key. One session serves for all but one of the rules: a refused
//! proof spends no refresh token.

use crate::check::context::Check;
use crate::check::dpop_proof::{Flaw, ProofMaker};
use crate::check::exchange::{Exchange, Tokens};
use crate::check::report::{CheckResult, Failure, ensure, inconclusive};
use crate::check::token_requests::Code;
use crate::protocol::dpop::{DpopKey, INVALID_PROOF, PROOF_ALGORITHM};
use crate::protocol::params::Params;
use crate::protocol::token_response::TokenType;
use crate::rules::Rule;
use crate::secret::Secret;
use serde_json::Value;

/// A session whose tokens are bound to a key.
struct BoundSession {
    proofs: ProofMaker,
    /// The answer that brought the first tokens.
    first: Exchange,
    tokens: Tokens,
    /// Whether a refresh with a right proof was taken.
    refreshes: bool,
}

type SessionTest = fn(&mut Check<'_, '_>, &mut BoundSession) -> CheckResult;

/// Proofs that must be refused, and what is wrong with them.
const REFUSED_PROOFS: [(Rule, Flaw); 9] = [
    (Rule::DpopProofType, Flaw::Type),
    (Rule::DpopUnsigned, Flaw::Unsigned),
    (Rule::DpopSignature, Flaw::Signature),
    (Rule::DpopPrivateKey, Flaw::PrivateKey),
    (Rule::DpopMethod, Flaw::Method),
    (Rule::DpopUrl, Flaw::Url),
    (Rule::DpopOld, Flaw::Old),
    (Rule::DpopFuture, Flaw::Future),
    (Rule::DpopSeveral, Flaw::Twice),
];

const OF_ONE_SESSION: [(Rule, SessionTest); 7] = [
    (Rule::DpopTokenType, |check, session| {
        check.prober.show(Some(session.first.evidence()));
        let members = session.first.members().unwrap_or_default();
        let found = members.get("token_type").and_then(Value::as_str).unwrap_or_default();
        ensure(
            found.eq_ignore_ascii_case(TokenType::Dpop.as_str()),
            format!("token_type is \"{found}\""),
        )
    }),
    (Rule::DpopErrorCode, |check, session| {
        let exchange = session.refresh(check, Flaw::Unreadable)?;
        check.expect_error(&exchange, INVALID_PROOF)
    }),
    (Rule::DpopBearer, |check, session| {
        session.userinfo_works(check)?;
        let status = check.prober.userinfo(Some(&session.tokens.access_token))?.status();
        ensure(status != 200, "it is accepted")
    }),
    (Rule::DpopAccessTokenHash, |check, session| {
        session.userinfo_works(check)?;
        let key = session.proofs.key.clone();
        let status = session.userinfo(check, &key, Flaw::AccessTokenHash)?;
        ensure(status != 200, "it is accepted")
    }),
    (Rule::DpopOtherKey, |check, session| {
        session.userinfo_works(check)?;
        let other = session.proofs.other_key.clone();
        let status = session.userinfo(check, &other, Flaw::Nothing)?;
        ensure(status != 200, "it is accepted")
    }),
    (Rule::DpopReplay, |check, session| {
        check.prober.results.begin_sequence();
        let exchange = session.refresh(check, Flaw::Nothing)?;
        if !exchange.has_token() {
            return inconclusive("the refresh with a right proof is refused");
        }
        let Some(refresh_token) = session.tokens.refresh_token.clone() else {
            return inconclusive("the refresh returned no refresh token");
        };
        // The same proof with what would be right otherwise.
        let mut again = exchange.request.clone();
        again.set_form(with_refresh_token(&exchange, &refresh_token));
        let again = check.prober.send(again)?;
        session.go_on_with(&again);
        check.prober.note_token_answer(&again);
        check.expect_no_token(&again)
    }),
    (Rule::DpopRefresh, |check, session| {
        check.prober.needs_public_client()?;
        let other = session.proofs.other_key.clone();
        let params = check.prober.refresh_params(session.refresh_token()?);
        let exchange = session
            .proofs
            .token_request(&mut check.prober, &params, &other, Flaw::Nothing)?;
        session.go_on_with(&exchange);
        check.expect_no_token(&exchange)
    }),
];

impl BoundSession {
    /// A login whose code is redeemed with a proof.
    fn begin(check: &mut Check<'_, '_>) -> Result<Self, Failure> {
        needs_dpop(check)?;
        check.needs_working_login()?;
        let mut proofs = ProofMaker::new()?;
        let code = check.code("for tokens that are bound to a key (DPoP)")?;
        let params = check.prober.code_params(&code);
        let key = proofs.key.clone();
        let first = proofs.token_request(&mut check.prober, &params, &key, Flaw::Nothing)?;
        match first.tokens() {
            Some(tokens) => Ok(BoundSession {
                proofs,
                first,
                tokens,
                refreshes: false,
            }),
            None => inconclusive(match first.error() {
                Some(error) => format!("the client gets no token with a DPoP proof: {error}"),
                None => format!("the client gets no token with a DPoP proof: {}", first.summary()),
            }),
        }
    }

    fn refresh_token(&self) -> Result<&Secret, Failure> {
        self.tokens.needs_refresh_token()
    }

    /// Refreshes with a proof that has this flaw. The session goes on with
    /// what comes.
    fn refresh(&mut self, check: &mut Check<'_, '_>, flaw: Flaw) -> Result<Exchange, Failure> {
        let params = check.prober.refresh_params(self.refresh_token()?);
        let key = self.proofs.key.clone();
        let exchange = self.proofs.token_request(&mut check.prober, &params, &key, flaw)?;
        self.go_on_with(&exchange);
        Ok(exchange)
    }

    fn go_on_with(&mut self, exchange: &Exchange) {
        if let Some(new) = exchange.tokens() {
            self.tokens.access_token = new.access_token;
            self.tokens.refresh_token = new.refresh_token.or(self.tokens.refresh_token.take());
        }
    }

    fn userinfo(&mut self, check: &mut Check<'_, '_>, by: &DpopKey, flaw: Flaw) -> Result<u16, Failure> {
        let exchange = self
            .proofs
            .userinfo(&mut check.prober, &self.tokens.access_token, by, flaw)?;
        Ok(exchange.status())
    }

    /// `Ok` where the userinfo endpoint takes the token with a right proof.
    fn userinfo_works(&mut self, check: &mut Check<'_, '_>) -> CheckResult {
        check.prober.needs_openid()?;
        let key = self.proofs.key.clone();
        match self.userinfo(check, &key, Flaw::Nothing)? {
            200 => Ok(()),
            status => inconclusive(format!("the endpoint accepts no bound token: status {status}")),
        }
    }
}

/// The form of a request with another refresh token.
fn with_refresh_token(exchange: &Exchange, refresh_token: &Secret) -> Params {
    let mut params = exchange.request.form().cloned().unwrap_or_default();
    params.set_secret("refresh_token", refresh_token);
    params
}

/// `Ok` where the server announces DPoP with an algorithm that is spoken here.
fn needs_dpop(check: &Check<'_, '_>) -> CheckResult {
    match &check.prober.target.metadata.dpop_signing_alg_values_supported {
        Some(names) if names.iter().any(|name| name == PROOF_ALGORITHM.as_str()) => Ok(()),
        Some(_) => inconclusive("the server accepts no proofs that are signed with ES256"),
        None => inconclusive("the server announces no DPoP (dpop_signing_alg_values_supported)"),
    }
}

/// Tests what the server takes for a proof.
pub(in crate::check) fn run(check: &mut Check<'_, '_>) {
    let mut session = None;
    for (rule, test) in OF_ONE_SESSION {
        with_session(check, rule, &mut session, &mut |check, session| test(check, session));
    }
    for (rule, flaw) in REFUSED_PROOFS {
        with_session(check, rule, &mut session, &mut |check, session| {
            refreshes(check, session)?;
            let exchange = session.refresh(check, flaw)?;
            check.expect_no_token(&exchange)
        });
    }
    check.rule(Rule::DpopCode, &mut code);
}

fn with_session(
    check: &mut Check<'_, '_>,
    rule: Rule,
    session: &mut Option<Result<BoundSession, Failure>>,
    test: &mut dyn FnMut(&mut Check<'_, '_>, &mut BoundSession) -> CheckResult,
) {
    check.rule(
        rule,
        &mut |check| match session.get_or_insert_with(|| BoundSession::begin(check)) {
            Ok(session) => test(check, session),
            Err(failure) => Err(failure.clone()),
        },
    );
}

/// `Ok` where a right proof is taken, so that the refusal of another means something.
fn refreshes(check: &mut Check<'_, '_>, session: &mut BoundSession) -> CheckResult {
    if !session.refreshes {
        session.refreshes = session.refresh(check, Flaw::Nothing)?.has_token();
    }
    match session.refreshes {
        true => Ok(()),
        false => inconclusive("the refresh with a right proof is refused"),
    }
}

/// A code that was asked for with `dpop_jkt`, redeemed with another key.
fn code(check: &mut Check<'_, '_>) -> CheckResult {
    needs_dpop(check)?;
    check.needs_working_login()?;
    let mut proofs = ProofMaker::new()?;
    let mut probe = check.prober.probe()?;
    probe.params.set("dpop_jkt", &proofs.key.thumbprint());
    let purpose = "for a code that is bound to a key (DPoP)";
    let Some(exchange) = check.answer_or_page(probe, purpose)? else {
        return inconclusive("the server refuses an authorization request with dpop_jkt");
    };
    let code: Code = check.code_from(exchange)?;
    let params = check.prober.code_params(&code);
    let other = proofs.other_key.clone();
    let exchange = proofs.token_request(&mut check.prober, &params, &other, Flaw::Nothing)?;
    check.expect_no_token(&exchange)
}
