//! Revocation (RFC 7009), and whether a token lives.

use super::examination::Examination;
use super::probe::Exchange;
use super::token_request::{NEVER_GIVEN, Tokens};
use super::verdict::{Finding, Judgement, kept_if, unseen};
use crate::protocol::client::{Client, ClientAuthentication};
use crate::protocol::http::Method;
use crate::protocol::params::Params;
use crate::rules::Rule;
use crate::secret::Secret;
use crate::trace::Event;
use serde_json::Value;

/// Sessions that are revoked at the end, at most.
const MAX_LEFT: usize = 64;

impl Examination<'_, '_> {
    fn revoke(&mut self, token: &Secret, hint: Option<&str>, client: &Client) -> Result<Exchange, Finding> {
        let endpoint = self.metadata.revocation_endpoint.clone();
        let url = self.needs(&endpoint, "revocation_endpoint")?.url().clone();
        let mut params = Params::new();
        params.push_secret("token", token);
        if let Some(hint) = hint {
            params.push("token_type_hint", hint);
        }
        self.attacked();
        let request = self.message(url, params, client)?;
        self.send(request)
    }

    /// Revokes as a client does; a refusal leaves nothing to see.
    fn revoke_properly(&mut self, token: &Secret, hint: &str) -> Judgement {
        let client = self.client.clone();
        let exchange = self.revoke(token, Some(hint), &client)?;
        match exchange.status() {
            200..300 => Ok(()),
            status => unseen(format!("the revocation is refused with status {status}")),
        }
    }

    /// Whether an access token is still taken.
    pub(super) fn is_access_token_alive(&mut self, token: &Secret) -> Result<bool, Finding> {
        if self.asks_for_openid() && self.metadata.userinfo_endpoint.is_some() {
            return match self.userinfo(Some(token))?.status() {
                200 => Ok(true),
                401 => Ok(false),
                // It took tokens of the same kind before.
                403 if self.keeps(Rule::UserinfoWorks) => Ok(false),
                status => unseen(format!("userinfo answers with status {status}")),
            };
        }
        if self.is_confidential() && self.metadata.introspection_endpoint.is_some() {
            let client = self.client.clone();
            let active = self.introspect(token, Some(&client))?.object();
            return match active.and_then(|object| object.get("active").and_then(Value::as_bool)) {
                Some(active) => Ok(active),
                None => unseen("introspection does not say whether the token is active"),
            };
        }
        let what_to_add = if self.metadata.userinfo_endpoint.is_some() {
            "add --scope openid"
        } else {
            "a client with a secret could ask for introspection: --client-secret-file FILE"
        };
        unseen(format!(
            "nothing here tells whether an access token lives: {what_to_add}"
        ))
    }
}

impl Examination<'_, '_> {
    /// Whether tokens came that may be alive.
    pub(super) fn has_tokens_left(&self) -> bool {
        !self.token_answers.left.is_empty()
    }
}

/// Judges revocation.
pub(super) fn judge(examination: &mut Examination<'_, '_>) {
    let client = examination.client.clone();
    examination.judge(Rule::RevocationUnknown, &mut |examination| {
        let exchange = examination.revoke(&Secret::from(NEVER_GIVEN), None, &client)?;
        match exchange.status() {
            status @ (401 | 403) => unseen(format!("the client may not revoke: status {status}")),
            status => kept_if(status == 200, format!("the answer is status {status}")),
        }
    });
    examination.judge(Rule::RevocationMissing, &mut |examination| {
        let endpoint = examination.metadata.revocation_endpoint.clone();
        let url = examination.needs(&endpoint, "revocation_endpoint")?.url().clone();
        let request = examination.message(url, Params::new(), &client)?;
        let exchange = examination.send(request)?;
        match (exchange.status(), exchange.error()) {
            (status @ (401 | 403), _) => unseen(format!("the client may not revoke: status {status}")),
            (_, Some(error)) => kept_if(error == "invalid_request", format!("the error is {error}")),
            (status, None) => kept_if(false, format!("the answer is status {status} without an error")),
        }
    });

    let mut tokens = unseen("no session");
    let of_one_session = [
        Rule::RevocationPostOnly,
        Rule::RevocationClient,
        Rule::RevocationClientAuthentication,
        Rule::RevocationHint,
    ];
    if examination.wants_any(&of_one_session) && !examination.is_stopped() {
        tokens = begin(examination);
    }
    for (rule, test) in [
        (
            Rule::RevocationPostOnly,
            by_get as fn(&mut Examination<'_, '_>, &mut Tokens) -> Judgement,
        ),
        (Rule::RevocationClient, by_nobody),
        (Rule::RevocationClientAuthentication, without_proof),
        (Rule::RevocationHint, by_wrong_hint),
    ] {
        examination.judge(rule, &mut |examination| match &mut tokens {
            Ok(tokens) => test(examination, tokens),
            Err(finding) => Err(finding.clone()),
        });
    }

    let mut revoked = unseen("no session");
    let of_one_session = [Rule::RevocationRefresh, Rule::RevocationCascade];
    if examination.wants_any(&of_one_session) && !examination.is_stopped() {
        revoked = begin(examination).and_then(|tokens| {
            examination.revoke_properly(tokens.needs_refresh_token()?, "refresh_token")?;
            Ok(tokens)
        });
    }
    examination.judge(Rule::RevocationCascade, &mut |examination| {
        let lives = examination.is_access_token_alive(&revoked.clone()?.access_token)?;
        kept_if(!lives, "the access token still works")
    });
    examination.judge(Rule::RevocationRefresh, &mut |examination| {
        let lives = examination.refresh(revoked.clone()?.needs_refresh_token()?)?.is_some();
        kept_if(!lives, "it still works")
    });
    examination.judge(Rule::RevocationAccess, &mut |examination| {
        examination.needs(&examination.metadata.revocation_endpoint, "revocation_endpoint")?;
        examination.needs_working_login()?;
        let main = examination.main_login()?;
        let (tokens, _) = main.tokens.as_ref().map_err(super::token::no_tokens)?;
        let mut tokens = tokens.clone();
        if !examination.is_access_token_alive(&tokens.access_token)? {
            tokens = examination.session("for an access token that is revoked")?;
        }
        if !examination.is_access_token_alive(&tokens.access_token)? {
            return unseen("the access token is not taken before, either");
        }
        examination.revoke_properly(&tokens.access_token, "access_token")?;
        let lives = examination.is_access_token_alive(&tokens.access_token)?;
        kept_if(!lives, "it still works")
    });
}

fn begin(examination: &mut Examination<'_, '_>) -> Result<Tokens, Finding> {
    examination.needs(&examination.metadata.revocation_endpoint, "revocation_endpoint")?;
    examination.needs_working_login()?;
    examination.needs_working_refresh()?;
    let tokens = examination.session("for a session that is revoked")?;
    tokens.needs_refresh_token()?;
    Ok(tokens)
}

/// Refreshes to see whether the session lives; it goes on with the new tokens.
fn lives_on(examination: &mut Examination<'_, '_>, tokens: &mut Tokens) -> Result<bool, Finding> {
    let refreshed = examination.refresh(&tokens.needs_refresh_token()?.clone())?;
    let Some(refreshed) = refreshed else { return Ok(false) };
    if refreshed.refresh_token.is_some() {
        tokens.refresh_token = refreshed.refresh_token;
    }
    tokens.access_token = refreshed.access_token;
    Ok(true)
}

fn by_get(examination: &mut Examination<'_, '_>, tokens: &mut Tokens) -> Judgement {
    let endpoint = examination.metadata.revocation_endpoint.clone();
    let endpoint = examination.needs(&endpoint, "revocation_endpoint")?;
    let mut params = Params::new();
    params.push_secret("token", tokens.needs_refresh_token()?);
    let header = examination.prove_in_url(endpoint.url(), &mut params)?;
    examination.attacked();
    let exchange = examination.send_in_url(Method::Get, endpoint, &params, header)?;
    let lives = lives_on(examination, tokens)?;
    examination.seen(exchange.evidence());
    if !lives && let Ok(fresh) = begin(examination) {
        *tokens = fresh;
    }
    kept_if(lives, "the refresh token is dead after it")
}

fn by_nobody(examination: &mut Examination<'_, '_>, tokens: &mut Tokens) -> Judgement {
    let nobody = examination.nobody();
    by_another(examination, tokens, &nobody)
}

fn without_proof(examination: &mut Examination<'_, '_>, tokens: &mut Tokens) -> Judgement {
    examination.needs_secret()?;
    let unproven = examination.client_by(ClientAuthentication::None);
    by_another(examination, tokens, &unproven)
}

/// Revokes as a client that may not.
fn by_another(examination: &mut Examination<'_, '_>, tokens: &mut Tokens, client: &Client) -> Judgement {
    let exchange = examination.revoke(&tokens.needs_refresh_token()?.clone(), None, client)?;
    let lives = lives_on(examination, tokens)?;
    examination.seen(exchange.evidence());
    if !lives && let Ok(fresh) = begin(examination) {
        *tokens = fresh;
    }
    kept_if(lives, "the refresh token is dead after it")
}

fn by_wrong_hint(examination: &mut Examination<'_, '_>, tokens: &mut Tokens) -> Judgement {
    let refresh_token = tokens.needs_refresh_token()?.clone();
    examination.revoke_properly(&refresh_token, "access_token")?;
    let lives = lives_on(examination, tokens)?;
    kept_if(
        !lives,
        "the refresh token still works after a revocation that called it an access token",
    )
}

/// Revokes every token that came and may be alive, and tells what stays.
pub(super) fn revoke_what_is_left(examination: &mut Examination<'_, '_>) {
    if examination.interrupted.is_some() {
        return;
    }
    let left = std::mem::take(&mut examination.token_answers.left);
    let client = examination.client.clone();
    let mut stay = left.len();
    if examination.metadata.revocation_endpoint.is_some() {
        for tokens in left.iter().rev().take(MAX_LEFT) {
            let token = tokens.refresh_token.as_ref().unwrap_or(&tokens.access_token);
            let is_revoked = examination
                .revoke(token, None, &client)
                .is_ok_and(|exchange| exchange.status() == 200);
            stay -= usize::from(is_revoked);
        }
    }
    if stay > 0 {
        let why = match examination.metadata.revocation_endpoint {
            Some(_) => "the server did not revoke them",
            None => "the server announces no revocation endpoint",
        };
        examination.world.caller.observer.observe(&Event::Warning(&format!(
            "the tokens of {stay} answers of this examination are left to expire: {why}"
        )));
    }
}
