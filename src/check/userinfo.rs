//! What takes the token: the userinfo endpoint (OpenID Connect Core §5.3,
//! RFC 6750).

use super::examination::Examination;
use super::id_token::claims_of;
use super::probe::Exchange;
use super::token::no_tokens;
use super::token_request::{NEVER_GIVEN, Tokens};
use super::verdict::{Finding, Judgement, broken, kept_if, unseen};
use crate::protocol::http::{HeaderValue, HttpRequest};
use crate::protocol::params::Params;
use crate::rules::Rule;
use crate::secret::Secret;

impl Examination<'_, '_> {
    /// Asks who a token speaks for.
    pub(super) fn userinfo(&mut self, token: Option<&Secret>) -> Result<Exchange, Finding> {
        let endpoint = self.metadata.userinfo_endpoint.clone();
        let url = self.needs(&endpoint, "userinfo_endpoint")?.url().clone();
        let mut request = HttpRequest::get(url);
        request.headers.extend(token.map(|token| {
            let credentials = HeaderValue::Credentials {
                scheme: "Bearer",
                credentials: token.clone(),
            };
            ("authorization", credentials)
        }));
        self.send(request)
    }
}

type TokenTest = fn(&mut Examination<'_, '_>, &Tokens) -> Judgement;

/// Rules that take a token with `openid`.
const RULES: &[(Rule, TokenTest)] = &[
    (Rule::UserinfoWorks, |examination, tokens| {
        let status = examination.userinfo(Some(&tokens.access_token))?.status();
        kept_if(status == 200, format!("the answer is status {status}"))
    }),
    (Rule::UserinfoSubject, |examination, tokens| {
        let exchange = works(examination, tokens)?;
        let Some(object) = exchange.object() else {
            return unseen("the answer is no JSON object");
        };
        let (found, expected) = (object.get("sub"), claims_of(tokens)?.claims.get("sub").cloned());
        kept_if(found.is_some() && found == expected.as_ref(), "it is another one")
    }),
    (Rule::UserinfoNoStore, |examination, tokens| {
        let exchange = works(examination, tokens)?;
        let found = exchange.header("cache-control").to_ascii_lowercase();
        let private = ["no-store", "private", "no-cache"]
            .iter()
            .any(|word| found.contains(word));
        kept_if(private, format!("Cache-Control is \"{found}\""))
    }),
    (Rule::UserinfoTokenInQuery, |examination, tokens| {
        works(examination, tokens)?;
        let endpoint = examination.metadata.userinfo_endpoint.clone();
        let endpoint = examination.needs(&endpoint, "userinfo_endpoint")?;
        let mut params = Params::new();
        params.push_secret("access_token", &tokens.access_token);
        let exchange = examination.get(endpoint, &params)?;
        kept_if(exchange.status() != 200, "it is taken")
    }),
    (Rule::UserinfoIdToken, |examination, tokens| {
        works(examination, tokens)?;
        let Some(id_token) = &tokens.id_token else {
            return unseen("no ID token came");
        };
        let status = examination.userinfo(Some(id_token))?.status();
        kept_if(status != 200, "it is taken")
    }),
];

fn works(examination: &mut Examination<'_, '_>, tokens: &Tokens) -> Result<Exchange, Finding> {
    let exchange = examination.userinfo(Some(&tokens.access_token))?;
    match exchange.status() {
        200 => Ok(exchange),
        status => unseen(format!("the endpoint does not work: status {status}")),
    }
}

/// Judges the userinfo endpoint.
pub(super) fn judge(examination: &mut Examination<'_, '_>) {
    for (rule, test) in RULES {
        examination.judge(*rule, &mut |examination| {
            examination.needs_openid()?;
            examination.needs(&examination.metadata.userinfo_endpoint, "userinfo_endpoint")?;
            let main = examination.main_login()?;
            let (tokens, _) = main.tokens.as_ref().map_err(no_tokens)?;
            test(examination, tokens)
        });
    }
    examination.judge(Rule::UserinfoNoToken, &mut |examination| {
        let (status, challenge) = challenge(examination)?;
        if status != 401 {
            return broken(format!("the answer is status {status}"));
        }
        kept_if(has_scheme(&challenge), format!("WWW-Authenticate is \"{challenge}\""))
    });
    examination.judge(Rule::UserinfoNoTokenNoError, &mut |examination| {
        let (_, challenge) = challenge(examination)?;
        if !has_scheme(&challenge) {
            return unseen("there is no challenge");
        }
        kept_if(
            !challenge.contains("error="),
            format!("WWW-Authenticate is \"{challenge}\""),
        )
    });
    examination.judge(Rule::UserinfoInvalidToken, &mut |examination| {
        let status = examination.userinfo(Some(&Secret::from(NEVER_GIVEN)))?.status();
        kept_if(status == 401, format!("the answer is status {status}"))
    });
}

fn challenge(examination: &mut Examination<'_, '_>) -> Result<(u16, String), Finding> {
    let exchange = examination.userinfo(None)?;
    Ok((exchange.status(), exchange.header("www-authenticate").to_owned()))
}

fn has_scheme(challenge: &str) -> bool {
    let challenge = challenge.to_ascii_lowercase();
    ["bearer", "dpop"].iter().any(|scheme| challenge.starts_with(scheme))
}
