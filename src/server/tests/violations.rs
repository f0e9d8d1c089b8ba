//! What the matrix of `oauth check` (tests/cli/check/matrix.rs) cannot show of
//! violated rules: what the log names, what stays as it is, and that nothing
//! panics where everything is violated at once.

use super::*;
use crate::server::violations::set::Violations;

const OPENID: &str = "&scope=openid+hello+introspect&nonce=n-0S6_WzA2Mj";

fn violating(rules: &[Rule]) -> Fixture {
    let fixture = Fixture::new(|settings| {
        settings.approval = Approval::Auto;
        settings.violations = rules.iter().copied().collect::<Violations>();
    });
    fixture.share_rs256();
    fixture
}

impl Fixture {
    /// The rules that the log names for a request.
    fn violated_by(&self, response: &Response) -> Vec<Rule> {
        assert_eq!(self.violated.take(), response.violated.iter().copied().collect());
        response.violated.clone()
    }
}

/// One request to each endpoint, as clients send them and as they should not.
fn send_everything(fixture: &Fixture) -> Vec<Response> {
    let get = |target: &str| fixture.send("GET", target, &[], "");
    let mut responses = vec![
        get("/"),
        get("/.well-known/oauth-authorization-server"),
        get("/.well-known/openid-configuration"),
        get("/.well-known/oauth-protected-resource/api"),
        get("/jwks"),
        get(&authorize("").replace("oauth-cli", "%3Cb%3E")),
        get(&authorize("&prompt=none&request=x&unheard-of=1&display=")),
        get(&authorize("").replace("response_type=code", "response_type=code+token")),
        get(&authorize("").replace("S256", "plain")),
        get(&authorize("").replace("callback", "callback%2F..%2Fx%0D%0A")),
        get(&without(&authorize(""), "state")),
        fixture.post("/authorize", authorize("").split_once('?').unwrap().1),
    ];
    let code = |response: &Response| {
        let location = response.header("location").unwrap_or_default();
        let query = location.split_once(['?', '#']).map_or("", |(_, query)| query);
        Params::parse(query)
            .single("code")
            .unwrap_or_default()
            .map(str::to_owned)
    };
    let response = get(&authorize(OPENID));
    let form = redemption(&code(&response).unwrap_or_default());
    let redeemed = fixture.post("/token", &form);
    let tokens: Value = serde_json::from_slice(&redeemed.body).unwrap_or_default();
    let token = |name: &str| tokens[name].as_str().unwrap_or("none").to_owned();
    responses.extend([
        response,
        redeemed,
        fixture.post("/token", &form),
        get(&format!("/token?{form}")),
        fixture.post(
            "/token",
            "grant_type=password&client_id=oauth-cli&username=a&password=b",
        ),
        fixture.post("/token", "grant_type=client_credentials&client_id=oauth-cli"),
        fixture.refresh(&token("refresh_token"), "&scope=hello+email"),
        fixture.refresh(&token("refresh_token"), ""),
        fixture.refresh(&token("access_token"), ""),
        fixture.get_with_token("/userinfo", &token("access_token")),
        fixture.get_with_token("/userinfo", &token("id_token")),
        get("/userinfo"),
        get(&format!("/userinfo?access_token={}", token("access_token"))),
        fixture.get_with_token("/api/hello", &token("access_token")),
        fixture.post("/introspect", &format!("token={}", token("access_token"))),
        fixture.post("/revoke", "client_id=oauth-cli&token=unknown"),
        fixture.post("/revoke", &format!("client_id=nobody&token={}", token("refresh_token"))),
    ]);
    responses
}

#[test]
fn an_honest_server_violates_nothing() {
    let fixture = violating(&[]);
    for response in send_everything(&fixture) {
        assert_eq!(fixture.violated_by(&response), [], "{response:?}");
    }
}

#[test]
fn a_server_that_violates_everything_still_answers() {
    let fixture = violating(Rule::ALL);
    for response in send_everything(&fixture) {
        assert!((200..600).contains(&response.status), "{response:?}");
        for (_, value) in &response.headers {
            assert!(!value.chars().any(char::is_control), "{value:?}");
        }
    }
    assert_eq!(fixture.send("GET", "/", &[], "").status, 200);
}

#[test]
fn the_log_names_a_violated_rule_where_it_takes_effect_and_nowhere_else() {
    let metadata = "/.well-known/oauth-authorization-server";
    let get = |fixture: &Fixture, target: &str| fixture.send("GET", target, &[], "");
    let session = |fixture: &Fixture| {
        let form = redemption(&fixture.code(OPENID));
        (form.clone(), json(&fixture.post("/token", &form), 200))
    };
    type Get<'a> = dyn Fn(&Fixture, &str) -> Response + 'a;
    type Case = (Rule, fn(&Fixture, &Get<'_>) -> Response);
    let cases: [Case; 6] = [
        (Rule::MetadataIssuer, |fixture, get| {
            get(fixture, "/.well-known/openid-configuration")
        }),
        (Rule::TokenGet, |fixture, get| {
            let form = redemption(&fixture.code(""));
            get(fixture, &format!("/token?{form}"))
        }),
        (Rule::PkceRequired, |fixture, get| {
            let target = without(&without(&authorize(""), "code_challenge"), "code_challenge_method");
            get(fixture, &target)
        }),
        (Rule::AuthorizeState, |fixture, get| get(fixture, &authorize(""))),
        (Rule::TokenPragma, |fixture, _| {
            fixture.post("/token", &redemption(&fixture.code("")))
        }),
        (Rule::CodeRedirectUri, |fixture, _| {
            let form = redemption(&fixture.code("")).replace("4711", "4712");
            fixture.post("/token", &form)
        }),
    ];
    for (rule, request) in cases {
        let fixture = violating(&[rule]);
        let response = request(&fixture, &get);
        fixture.violated.take();
        assert_eq!(response.violated, [rule], "{rule}");
        assert!(response.status < 400, "{rule}: {response:?}");
        let (untouched, other) = if rule == Rule::MetadataIssuer {
            let (form, _) = session(&fixture);
            (fixture.post("/token", &form), 400)
        } else {
            (get(&fixture, metadata), 200)
        };
        assert_eq!(
            (untouched.status, untouched.violated.as_slice()),
            (other, &[][..]),
            "{rule}"
        );
    }
}

#[test]
fn weak_codes_and_tokens_work_wherever_the_real_ones_do() {
    let fixture = violating(&[
        Rule::AuthorizeCodeEntropy,
        Rule::TokenEntropy,
        Rule::TokenRefreshEntropyMore,
    ]);
    let code = fixture.code(OPENID);
    assert_eq!(code.len(), 8);
    let tokens = json(&fixture.post("/token", &redemption(&code)), 200);
    let text = |name: &str| tokens[name].as_str().unwrap();
    assert_eq!((text("access_token").len(), text("refresh_token").len()), (8, 24));
    assert!(fixture.says_hello(&tokens));
    let introspected = fixture.post_with(
        "/introspect",
        &format!("token={}", text("access_token")),
        &[("authorization", &format!("Bearer {}", text("access_token")))],
    );
    assert_eq!(json(&introspected, 200)["active"], true);
    let again = json(&fixture.refresh(text("refresh_token"), ""), 200);
    assert!(fixture.says_hello(&again));
    let revoked = fixture.post(
        "/revoke",
        &format!("client_id=oauth-cli&token={}", text("access_token")),
    );
    assert_eq!(revoked.status, 200);
    assert!(!fixture.says_hello(&tokens) && fixture.says_hello(&again));
    // What nobody was given is still nothing.
    assert_eq!(fixture.get_with_token("/api/hello", "deadbeef").status, 401);
}
