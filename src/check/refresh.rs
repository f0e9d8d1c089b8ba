//! Refresh tokens (RFC 6749 §6; RFC 9700 §2.2.2, §4.14).

use super::examination::Examination;
use super::probe::Exchange;
use super::secrets;
use super::token_request::{NEVER_GIVEN, Tokens, gives_nothing, says};
use super::verdict::{Finding, Judgement, broken, kept_if, unseen};
use crate::protocol::client::ClientAuthentication;
use crate::protocol::scope::Scope;
use crate::rules::Rule;
use crate::secret::Secret;
use serde_json::{Map, Value};
use std::time::Duration;

/// Around the use that spends a refresh token, before it is used again.
const A_LITTLE_LATER: Duration = Duration::from_millis(1100);

/// A session in the course of its refreshes.
struct Course {
    first: Tokens,
    /// `None` where the refresh did not work.
    second: Option<Tokens>,
}

impl Course {
    fn spent(&self) -> Result<&Secret, Finding> {
        self.first.needs_refresh_token()
    }

    /// The refresh token that the server holds valid.
    fn live(&self) -> Result<&Secret, Finding> {
        match &self.second {
            None => unseen("no refresh works (refresh.works)"),
            Some(second) => match &second.refresh_token {
                Some(refresh_token) => Ok(refresh_token),
                None => self.spent(),
            },
        }
    }

    fn is_rotated(&self) -> Result<bool, Finding> {
        Ok(!secrets::same(self.live()?, self.spent()?))
    }
}

const OF_ONE_SESSION: [Rule; 9] = [
    Rule::RefreshWorks,
    Rule::RefreshRotation,
    Rule::RefreshSubject,
    Rule::RefreshClient,
    Rule::RefreshAccessToken,
    Rule::RefreshScope,
    Rule::RefreshClientAuthentication,
    Rule::RefreshReuse,
    Rule::RefreshReuseRevokes,
];

/// Judges refreshes.
pub(super) fn judge(examination: &mut Examination<'_, '_>) {
    examination.judge(Rule::RefreshUnknown, &mut |examination| {
        let params = examination.refreshment(&Secret::from(NEVER_GIVEN));
        says(&examination.token_request(params)?, "invalid_grant")
    });
    if examination.wants_any(&OF_ONE_SESSION) && !examination.is_stopped() {
        let mut course = begin(examination);
        judge_course(examination, &mut course);
    }
    examination.judge(Rule::RefreshParallel, &mut parallel);
}

fn begin(examination: &mut Examination<'_, '_>) -> Result<Course, Finding> {
    examination.needs_working_login()?;
    let first = examination.session("for a session that is refreshed")?;
    let refresh_token = first.needs_refresh_token()?.clone();
    let second = examination.refresh(&refresh_token)?;
    Ok(Course { first, second })
}

fn judge_course(examination: &mut Examination<'_, '_>, course: &mut Result<Course, Finding>) {
    let mut with = |examination: &mut Examination<'_, '_>,
                    rule: Rule,
                    test: &dyn Fn(&mut Examination<'_, '_>, &mut Course) -> Judgement| {
        examination.judge(rule, &mut |examination| match course {
            Ok(course) => test(examination, course),
            Err(finding) => Err(finding.clone()),
        });
    };
    with(examination, Rule::RefreshWorks, &|_, course| {
        kept_if(course.second.is_some(), "the refresh is refused")
    });
    with(examination, Rule::RefreshRotation, &|examination, course| {
        examination.needs_public_client()?;
        kept_if(course.is_rotated()?, "the refresh token stays the same")
    });
    with(examination, Rule::RefreshSubject, &|_, course| same_subject(course));
    with(examination, Rule::RefreshClient, &|examination, course| {
        let (params, nobody) = (examination.refreshment(course.live()?), examination.nobody());
        let exchange = examination.token_request_as(params, &nobody)?;
        gives_nothing(&exchange)
    });
    with(examination, Rule::RefreshAccessToken, &|examination, course| {
        course.live()?;
        let access_token = course
            .second
            .as_ref()
            .map_or(&course.first, |second| second)
            .access_token
            .clone();
        let params = examination.refreshment(&access_token);
        gives_nothing(&examination.token_request(params)?)
    });
    with(examination, Rule::RefreshScope, &|examination, course| {
        let refresh_token = course.live()?.clone();
        more_scope(examination, course, &refresh_token)
    });
    with(
        examination,
        Rule::RefreshClientAuthentication,
        &|examination, course| {
            examination.needs_secret()?;
            let public = examination.client_by(ClientAuthentication::None);
            let exchange = examination.token_request_as(examination.refreshment(course.live()?), &public)?;
            if let (Some(second), Some(new)) = (&mut course.second, exchange.tokens()) {
                second.refresh_token = new.refresh_token.or(second.refresh_token.take());
            }
            gives_nothing(&exchange)
        },
    );
    with(examination, Rule::RefreshReuse, &|examination, course| {
        examination.needs_public_client()?;
        let refusal = spend_again(examination, course)?;
        gives_nothing(&refusal)
    });
    with(examination, Rule::RefreshReuseRevokes, &|examination, course| {
        examination.needs_public_client()?;
        if gives_nothing(&spend_again(examination, course)?).is_err() {
            return unseen("no reuse is noticed (refresh.reuse)");
        }
        let live = course.live()?.clone();
        let lives = examination.refresh(&live)?.is_some();
        kept_if(!lives, "the newest refresh token still works")
    });
}

/// Presents the spent refresh token once more. Where it is taken at once, the
/// next one is spent and tried a little later: a server may count time in
/// seconds, or spare clients that refresh twice at the same moment, which is
/// another rule.
fn spend_again(examination: &mut Examination<'_, '_>, course: &Course) -> Result<Exchange, Finding> {
    if !course.is_rotated()? {
        return unseen("refresh tokens are not rotated");
    }
    examination.attacked();
    let params = examination.refreshment(course.spent()?);
    let exchange = examination.token_request(params)?;
    let Some(Tokens {
        refresh_token: Some(next),
        ..
    }) = exchange.tokens()
    else {
        return Ok(exchange);
    };
    // Time passes before and after it is spent: some servers compare when it
    // was issued with the last refresh.
    examination.pause(A_LITTLE_LATER)?;
    if examination.refresh(&next)?.is_none() {
        return Ok(exchange);
    }
    examination.pause(A_LITTLE_LATER)?;
    let params = examination.refreshment(&next);
    examination.token_request(params)
}

/// Asks for more than was granted. Where that is granted without the surplus,
/// the session goes on with the new tokens.
fn more_scope(examination: &mut Examination<'_, '_>, course: &mut Course, refresh_token: &Secret) -> Judgement {
    let granted = course.first.scope.clone();
    let granted = granted.unwrap_or_else(|| examination.request.login.wish.scope.to_string());
    let granted = Scope::received(&granted);
    let supported = examination.metadata.scopes_supported.clone().unwrap_or_default();
    let more = supported.iter().find(|scope| !granted.contains(scope));
    let more = more.map_or("oauth-check", String::as_str).to_owned();
    let mut params = examination.refreshment(refresh_token);
    params.set("scope", format!("{granted} {more}").trim());
    let exchange = examination.token_request(params)?;
    if !exchange.has_token() {
        return gives_nothing(&exchange);
    }
    let object = exchange.object().unwrap_or_default();
    if let (Some(second), Some(next)) = (&mut course.second, object.get("refresh_token").and_then(Value::as_str)) {
        second.refresh_token = Some(Secret::from(next));
    }
    match object.get("scope").and_then(Value::as_str) {
        // Absent means that all was granted that was asked for (RFC 6749 §5.1).
        None => broken(format!("{more} is granted, which was not before")),
        Some(found) => kept_if(
            !Scope::received(found).contains(&more),
            format!("{more} is granted, which was not before"),
        ),
    }
}

fn same_subject(course: &Course) -> Judgement {
    let (Some(first), Some(second)) = (
        &course.first.id_token,
        course.second.as_ref().and_then(|second| second.id_token.as_ref()),
    ) else {
        return unseen("no ID token came with the refresh");
    };
    let claims = |token: &Secret| secrets::jwt(token).map(|jwt| jwt.claims);
    let (Ok(first), Ok(second)) = (claims(first), claims(second)) else {
        return unseen("an ID token cannot be read");
    };
    let differs = |name: &&str| Map::get(&first, *name) != Map::get(&second, *name);
    match ["sub", "iss", "aud"].iter().find(|name| differs(name)) {
        Some(name) => broken(format!("{name} is another one")),
        None => Ok(()),
    }
}

fn parallel(examination: &mut Examination<'_, '_>) -> Judgement {
    examination.needs_public_client()?;
    examination.needs_working_login()?;
    let tokens = examination.session("for a refresh token that is used several times at once")?;
    let refresh_token = tokens.needs_refresh_token()?;
    let params = examination.refreshment(refresh_token);
    let client = examination.client.clone();
    let request = examination.token_message(params, &client)?;
    let exchanges = examination.send_at_once(&request)?;
    for exchange in &exchanges {
        examination.note_token_answer(exchange);
    }
    let access_tokens = exchanges.iter().filter_map(Exchange::tokens);
    let worked = secrets::distinct(access_tokens.map(|new| new.access_token));
    let is_rotated = exchanges
        .iter()
        .filter_map(Exchange::tokens)
        .any(|new| match &new.refresh_token {
            Some(new) => !secrets::same(new, refresh_token),
            None => false,
        });
    if worked > 0 && !is_rotated {
        return unseen("refresh tokens are not rotated");
    }
    match worked {
        0 => unseen("it did not work even once"),
        1 => Ok(()),
        _ => broken(format!("it worked {worked} times")),
    }
}
