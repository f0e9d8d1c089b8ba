//! The other half of the grants that need nobody: `oauth serve` exchanges
//! tokens, gives identity assertions, and takes those of issuers that it trusts.

use super::support::binary::Home;
use super::support::development_server::DevelopmentServer;
use super::support::outcome::run;
use super::support::sessions::refreshable;
use oauth::protocol::client::ClientId;
use oauth::secret::Secret;
use serde_json::Value;

const EXCHANGE: &str = "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&client_id=oauth-cli";
const BEARER: &str = "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&client_id=oauth-cli";
const TYPE: &str = "urn:ietf:params:oauth:token-type:";

fn text<'v>(tokens: &'v Value, name: &str) -> &'v str {
    tokens[name].as_str().expect(name)
}

/// The answer of the token endpoint: status and JSON.
fn token(server: &DevelopmentServer, form: &str) -> (u16, Value) {
    let answer = server.post("/token", &[], form);
    (answer.status, serde_json::from_slice(&answer.body).expect("JSON"))
}

fn exchange(server: &DevelopmentServer, subject: &str, kind: &str, more: &str) -> (u16, Value) {
    token(
        server,
        &format!("{EXCHANGE}&subject_token={subject}&subject_token_type={TYPE}{kind}{more}"),
    )
}

fn claims(jwt: &str) -> Value {
    use base64::Engine;
    let payload = jwt.split('.').nth(1).expect("a payload");
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload);
    serde_json::from_slice(&bytes.expect("base64url")).expect("claims")
}

#[test]
fn an_access_token_is_exchanged_for_one_with_less_for_another_resource() {
    let server = DevelopmentServer::start(&["--approve", "auto"]);
    let tokens = server.tokens("&scope=openid+hello");
    let subject = text(&tokens, "access_token");
    let (status, answer) = exchange(
        &server,
        subject,
        "access_token",
        "&scope=hello&resource=https://b.example/",
    );
    assert_eq!(status, 200, "{answer}");
    assert_eq!(text(&answer, "issued_token_type"), format!("{TYPE}access_token"));
    assert_eq!(
        (text(&answer, "token_type"), text(&answer, "scope")),
        ("Bearer", "hello")
    );
    let claims = claims(text(&answer, "access_token"));
    assert_eq!(
        (text(&claims, "sub"), text(&claims, "aud")),
        ("demo", "https://b.example/")
    );
    assert!(answer.get("refresh_token").is_none() && answer.get("id_token").is_none());

    let actor = format!("&actor_token={subject}&actor_token_type={TYPE}access_token");
    let (_, answer) = exchange(&server, subject, "access_token", &actor);
    assert_eq!(self::claims(text(&answer, "access_token"))["act"]["sub"], "demo");
}

#[test]
fn what_cannot_be_exchanged_is_refused_with_the_error_of_the_rfc() {
    let server = DevelopmentServer::start(&["--approve", "auto"]);
    let tokens = server.tokens("&scope=openid+hello");
    let (subject, id_token) = (text(&tokens, "access_token"), text(&tokens, "id_token"));
    for (subject, kind, more, error) in [
        ("never-issued", "access_token", "", "invalid_request"),
        (subject, "saml2", "", "invalid_request"),
        (id_token, "access_token", "", "invalid_request"),
        (subject, "id_token", "", "invalid_request"),
        (subject, "access_token", "&scope=introspect", "invalid_scope"),
        (subject, "access_token", "&audience=not a uri", "invalid_target"),
        (
            subject,
            "access_token",
            "&requested_token_type=urn:x:y",
            "invalid_request",
        ),
        (
            id_token,
            "id_token",
            "&requested_token_type=urn:ietf:params:oauth:token-type:id-jag",
            "invalid_request",
        ),
    ] {
        let (status, answer) = exchange(&server, subject, kind, more);
        assert_eq!((status, text(&answer, "error")), (400, error), "{kind} {more}");
    }
    let (_, answer) = token(&server, &format!("{EXCHANGE}&subject_token={subject}"));
    assert_eq!(text(&answer, "error"), "invalid_request");
    // A revoked token is worth nothing.
    server.post("/revoke", &[], &format!("client_id=oauth-cli&token={subject}"));
    let (status, _) = exchange(&server, subject, "access_token", "");
    assert_eq!(status, 400);
}

#[test]
fn an_identity_assertion_is_for_one_client_and_one_server_that_trusts_its_issuer() {
    let provider = DevelopmentServer::start(&["--approve", "auto"]);
    let server = DevelopmentServer::start(&[
        "--trust-issuer",
        &provider.issuer(),
        "--client",
        "oauth-cli",
        "--client",
        "other",
    ]);
    let distrustful = DevelopmentServer::start(&[]);
    let tokens = provider.tokens("&scope=openid+hello");
    let assertion_for = |audience: &str| {
        let more = format!("&requested_token_type={TYPE}id-jag&audience={audience}&scope=hello");
        let (status, answer) = exchange(&provider, text(&tokens, "id_token"), "id_token", &more);
        assert_eq!(status, 200, "{answer}");
        assert_eq!(
            (text(&answer, "token_type"), text(&answer, "issued_token_type")),
            ("N_A", format!("{TYPE}id-jag").as_str())
        );
        text(&answer, "access_token").to_owned()
    };
    let assertion = assertion_for(&server.issuer());
    let (status, answer) = token(&server, &format!("{BEARER}&assertion={assertion}"));
    assert_eq!(status, 200, "{answer}");
    assert_eq!(server.hello(&answer), 200);
    assert!(answer.get("refresh_token").is_none());
    let by_other = BEARER.replace("oauth-cli", "other");
    for (at, form) in [
        (&server, format!("{by_other}&assertion={assertion}")),
        (
            &server,
            format!("{BEARER}&assertion={}", assertion_for("https://elsewhere.example")),
        ),
        (&server, format!("{BEARER}&assertion={}", text(&tokens, "id_token"))),
        (&server, format!("{BEARER}&assertion={}", text(&tokens, "access_token"))),
        (&server, format!("{BEARER}&assertion={}x", assertion)),
        (
            &distrustful,
            format!("{BEARER}&assertion={}", assertion_for(&distrustful.issuer())),
        ),
    ] {
        let (status, answer) = token(at, &form);
        assert_eq!((status, text(&answer, "error")), (400, "invalid_grant"), "{form}");
    }
}

/// A session at the provider, as the profile `idp`.
fn keep_session_at(provider: &DevelopmentServer, home: &Home) {
    let tokens = provider.tokens("&scope=openid+hello");
    let mut session = refreshable(&provider.issuer());
    session.client.id = ClientId::parse("oauth-cli").expect("a client");
    session.requested.scope = super::support::sessions::scope("openid hello");
    session.refresh_token = Some(Secret::from(text(&tokens, "refresh_token")));
    session.id_token = Some(Secret::from(text(&tokens, "id_token")));
    home.keep("idp", &session);
}

#[test]
fn the_session_at_a_provider_opens_the_server_that_trusts_it() {
    let provider = DevelopmentServer::start(&["--approve", "auto"]);
    let server = DevelopmentServer::start(&["--trust-issuer", &provider.issuer()]);
    let home = Home::new();
    keep_session_at(&provider, &home);
    let mut command = home.oauth();
    command.args(["login", &server.issuer(), "-p", "api", "--client-id", "oauth-cli"]);
    command.args(["--grant", "id-jag", "--from", "idp", "--scope", "hello"]);
    run(&mut command)
        .expect_code(0)
        .says(&["signed in with the session of profile \"idp\""]);
    let printed = run(home.oauth().args(["token", "api"])).expect_code(0).stdout;
    let header = format!("Authorization: Bearer {}", printed.trim_end());
    assert_eq!(server.get("/api/hello", &[&header]).status, 200);
    let again = run(home.oauth().args(["token", "api", "--force-refresh"]))
        .expect_code(0)
        .stdout;
    assert_ne!(again, printed);
}

#[test]
fn the_session_at_a_provider_opens_an_api_by_its_url_alone() {
    let provider = DevelopmentServer::start(&["--approve", "auto"]);
    let server = DevelopmentServer::start(&["--trust-issuer", &provider.issuer()]);
    let home = Home::new();
    keep_session_at(&provider, &home);
    for path in ["/mcp", "/api/hello"] {
        let api = format!("{}{path}", server.issuer());
        let mut command = home.oauth();
        command.args(["login", &api, "-p", "api", "--client-id", "oauth-cli"]);
        command.args(["--grant", "id-jag", "--from", "idp", "--scope", "hello"]);
        run(&mut command)
            .expect_code(0)
            .says(&["signed in with the session of profile \"idp\""]);
        let token = run(home.oauth().args(["token", "api"])).expect_code(0).stdout;
        let claims = claims(token.trim_end());
        assert_eq!(claims["iss"], server.issuer(), "{path}");
        let audience = text(&claims, "aud");
        assert!(
            api.starts_with(audience) && audience != server.issuer(),
            "{path}: {claims}"
        );
        run(home.oauth().args(["profile", "remove", "api"])).expect_code(0);
    }
}

#[test]
fn the_metadata_say_what_of_this_there_is() {
    let server = DevelopmentServer::start(&[]);
    let document = server.get("/.well-known/oauth-authorization-server", &[]);
    let metadata: Value = serde_json::from_slice(&document.body).expect("JSON");
    assert_eq!(
        metadata["authorization_grant_profiles_supported"][0],
        "urn:ietf:params:oauth:grant-profile:id-jag"
    );
    assert_eq!(
        metadata["identity_chaining_requested_token_types_supported"][0],
        format!("{TYPE}id-jag")
    );
    let grants = metadata["grant_types_supported"].as_array().expect("grants");
    for grant in ["token-exchange", "jwt-bearer"] {
        let name = format!("urn:ietf:params:oauth:grant-type:{grant}");
        assert!(grants.iter().any(|own| *own == name.as_str()), "{grants:?}");
    }
}
