//! What is written is read again; what cannot be read is refused.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod any_session;

use super::*;
use crate::protocol::authorization_details::AuthorizationDetails;
use crate::protocol::client::{AssertionParameters, ClientAuthenticationMethod, ClientId};
use crate::protocol::endpoint::{Endpoint, HttpPolicy, Issuer};
use crate::protocol::id_token::FirstClaims;
use crate::protocol::redirect_uri::RedirectUri;
use crate::protocol::registration::RegistrationManagement;
use crate::protocol::resource::Resource;
use crate::protocol::scope::Scope;
use crate::protocol::time::UnixSeconds;
use crate::secret::Secret;
use crate::store::TokenSource;

/// A session with every member filled.
pub(in crate::store) fn full_session(generation: u64) -> Session {
    Session {
        generation,
        issuer: Some(Issuer::parse("https://id.example.com", HttpPolicy::LoopbackOnly).unwrap()),
        client: SessionClient {
            id: ClientId::parse("desktop").unwrap(),
            method: ClientAuthenticationMethod::ClientSecretBasic,
            secret: Some(Secret::from("canary-client-secret")),
            key: Some(Secret::from("canary-client-key")),
            certificate_chain: Some("-----BEGIN CERTIFICATE-----\n".to_owned()),
            certificate_bound: true,
            assertion: Some(AssertionParameters {
                audience: "https://id.example.com".to_owned(),
                algorithm: Some("ES256".to_owned()),
            }),
            assertion_source: Some(TokenSource::Environment("ASSERTION".to_owned())),
        },
        registration: Some(Registration {
            redirect_uri: RedirectUri::parse("http://127.0.0.1:4711/callback").ok(),
            secret_expires_at: Some(UnixSeconds(1_950_000_000)),
            management: Some(RegistrationManagement {
                uri: endpoint("https://id.example.com/register/desktop"),
                access_token: Secret::from("canary-registration-token"),
            }),
        }),
        api: Some(endpoint("https://api.example.com/v1")),
        token_endpoint: endpoint("https://id.example.com/token"),
        endpoints: SessionEndpoints {
            revocation: Some(endpoint("https://id.example.com/revoke")),
            introspection: Some(endpoint("https://id.example.com/introspect")),
            userinfo: Some(endpoint("https://id.example.com/userinfo")),
            jwks_uri: Some(endpoint("https://id.example.com/jwks")),
        },
        requested: RequestedAccess {
            scope: scope("openid offline_access"),
            resource: vec![resource("https://api.example.com")],
            audience: Some("api".to_owned()),
        },
        renewal: Renewal::RefreshToken,
        refresh_token: Some(Secret::from("canary-refresh-token")),
        dpop_key: Some(Secret::from("canary-dpop-key")),
        authorization_details: AuthorizationDetails::parse(r#"[{"type":"payment_initiation","amount":"1.50"}]"#).ok(),
        id_token: Some(Secret::from("canary.id.token")),
        subject: Some("ümläut \"quoted\" \u{1f600}".to_owned()),
        subject_is_unverified: true,
        dead: Some(SessionEnd {
            at: UnixSeconds(1_800_000_000),
            error: Some("invalid_grant".to_owned()),
            description: Some("Session (web) not active".to_owned()),
        }),
        suspended: Some(Suspension {
            claim: "sub".to_owned(),
            expected: "alice".to_owned(),
            found: "bob".to_owned(),
        }),
        refresh_expires_at: Some(UnixSeconds(1_900_000_000)),
        first_claims: Some(FirstClaims {
            nonce: Some("n".to_owned()),
            auth_time: Some(UnixSeconds(1_700_000_000)),
            azp: None,
        }),
        tokens: vec![
            StoredToken {
                narrowed_to: Scope::default(),
                resource: vec![resource("https://api.example.com")],
                scope: Some(scope("openid")),
                access_token: Secret::from("canary-access-token"),
                token_type: "Bearer".to_owned(),
                issued_token_type: None,
                expires_at: Some(UnixSeconds(1_700_003_600)),
                issued_at: Some(UnixSeconds(1_700_000_000)),
            },
            StoredToken {
                narrowed_to: scope("email"),
                resource: Vec::new(),
                scope: None,
                access_token: Secret::from("canary-second-access-token"),
                token_type: "bearer".to_owned(),
                issued_token_type: None,
                expires_at: None,
                issued_at: None,
            },
        ],
        role_credentials: vec![role_credentials("arn:aws:iam::1:role/a", 1_700_003_600)],
    }
}

fn role_credentials(role_arn: &str, expires_at: i64) -> RoleCredentials {
    RoleCredentials {
        identity: RoleIdentity {
            role_arn: role_arn.to_owned(),
            session_name: "oauth-work".to_owned(),
            duration_s: 3600,
            endpoint: "https://sts.amazonaws.com/".to_owned(),
        },
        access_key_id: "ASIA1".to_owned(),
        secret_access_key: Secret::from("canary-secret-access-key"),
        session_token: Secret::from("canary-session-token"),
        expires_at: UnixSeconds(expires_at),
    }
}

#[test]
fn the_keys_of_a_role_take_the_place_of_older_ones_and_there_are_few() {
    let mut session = bare_session();
    let now = UnixSeconds(1_000);
    let keep = |session: &mut Session, name: &str, expires_at| {
        session.keep_role_credentials(role_credentials(name, expires_at), now);
    };
    let kept = |session: &Session| -> Vec<(String, i64)> {
        let roles = session.role_credentials.iter();
        roles
            .map(|role| (role.identity.role_arn.clone(), role.expires_at.0))
            .collect()
    };
    let pair = |name: &str, expires_at| (name.to_owned(), expires_at);
    keep(&mut session, "a", 900);
    keep(&mut session, "b", 2_000);
    keep(&mut session, "b", 3_000);
    assert_eq!(kept(&session), [pair("b", 3_000)]);
    for name in ["c", "d", "e"] {
        keep(&mut session, name, 2_000);
    }
    assert_eq!(
        kept(&session),
        [pair("b", 3_000), pair("c", 2_000), pair("d", 2_000), pair("e", 2_000)]
    );
    keep(&mut session, "f", 2_000);
    assert_eq!(kept(&session)[0], pair("c", 2_000));
    assert!(session.without_tokens().role_credentials.is_empty());
}

fn endpoint(text: &str) -> Endpoint {
    Endpoint::parse(text, HttpPolicy::Everywhere).unwrap()
}

fn resource(text: &str) -> Resource {
    Resource::parse(text).unwrap()
}

fn scope(text: &str) -> Scope {
    Scope::parse(text).unwrap()
}

/// A session with nothing that can be left out.
fn bare_session() -> Session {
    let client = SessionClient {
        id: ClientId::parse("desktop").unwrap(),
        method: ClientAuthenticationMethod::None,
        secret: None,
        key: None,
        certificate_chain: None,
        certificate_bound: false,
        assertion: None,
        assertion_source: None,
    };
    Session::new(None, client, endpoint("http://127.0.0.1/token"))
}

#[test]
fn what_was_encoded_is_decoded() {
    for session in [full_session(7), bare_session()] {
        let text = session.encode();
        let again = Session::decode(text.expose()).unwrap();
        assert_eq!(again.encode().expose(), text.expose());
        assert_eq!(format!("{again:?}"), format!("{session:?}"));
    }
}

#[test]
fn the_record_has_the_members_that_others_rely_on() {
    let mut session = full_session(7);
    session.tokens.truncate(1);
    session.dead = None;
    session.suspended = None;
    session.refresh_expires_at = None;
    session.first_claims = None;
    session.role_credentials.clear();
    session.subject = Some("alice".to_owned());
    session.subject_is_unverified = false;
    session.authorization_details = None;
    session.client.assertion_source = None;
    session.dpop_key = None;
    session.registration = None;
    session.api = None;
    session.client.certificate_bound = false;
    session.client.key = None;
    session.client.certificate_chain = None;
    session.client.assertion = None;
    assert_eq!(
        session.encode().expose(),
        concat!(
            r#"{"v":1,"generation":7,"issuer":"https://id.example.com","#,
            r#""client":{"id":"desktop","auth_method":"client_secret_basic","secret":"canary-client-secret"},"#,
            r#""endpoints":{"token":"https://id.example.com/token","revocation":"https://id.example.com/revoke","#,
            r#""introspection":"https://id.example.com/introspect","userinfo":"https://id.example.com/userinfo","#,
            r#""jwks_uri":"https://id.example.com/jwks"},"#,
            r#""asked":{"scope":["openid","offline_access"],"resource":["https://api.example.com"],"audience":"api"},"#,
            r#""renewal":"refresh_token","refresh_token":"canary-refresh-token","id_token":"canary.id.token","#,
            r#""subject":"alice","tokens":[{"resource":["https://api.example.com"],"scope":["openid"],"#,
            r#""access_token":"canary-access-token","token_type":"Bearer","expires_at":1700003600,"issued_at":1700000000}]}"#
        )
    );
}

#[test]
fn the_end_of_a_session_is_stored_in_members_and_read_from_the_text_of_older_records() {
    let end = |error: Option<&str>, description: Option<&str>| SessionEnd {
        at: UnixSeconds(5),
        error: error.map(str::to_owned),
        description: description.map(str::to_owned),
    };
    for (stored, read) in [
        (r#""reason":"invalid_grant""#, end(Some("invalid_grant"), None)),
        (
            r#""reason":"invalid_grant (Session (web) not active)""#,
            end(Some("invalid_grant"), Some("Session (web) not active")),
        ),
        (
            r#""reason":"invalid_grants are many""#,
            end(None, Some("invalid_grants are many")),
        ),
        (
            r#""reason":"x","error":"invalid_grant","error_description":"(gone)""#,
            end(Some("invalid_grant"), Some("(gone)")),
        ),
    ] {
        let text = bare_session().encode();
        let dead = format!(r#""dead":{{"at":5,{stored}}},"tokens""#);
        let text = text.expose().replacen(r#""tokens""#, &dead, 1);
        assert_eq!(Session::decode(&text).unwrap().dead, Some(read), "{stored}");
    }
    for (end, stored) in [
        (
            end(Some("invalid_grant"), Some("gone")),
            r#""dead":{"at":5,"reason":"invalid_grant (gone)","error":"invalid_grant","error_description":"gone"}"#,
        ),
        (
            end(None, Some("another text")),
            r#""dead":{"at":5,"reason":"another text"}"#,
        ),
    ] {
        let mut session = bare_session();
        session.dead = Some(end);
        let text = session.encode();
        assert!(text.expose().contains(stored), "{}", text.expose());
    }
}

#[test]
fn unknown_members_are_tolerated_and_newer_versions_are_not() {
    let text = bare_session().encode();
    let with_more = text.expose().replacen("{", r#"{"color":{"a":[1,2]},"#, 1);
    assert!(Session::decode(&with_more).is_ok());

    let newer = text.expose().replacen(r#""v":1"#, r#""v":2"#, 1);
    assert_eq!(Session::decode(&newer).unwrap_err(), SessionError::NewerVersion(2));
    // a newer record that shares nothing but its version
    assert_eq!(
        Session::decode(r#"{"v":7,"sealed":"…"}"#).unwrap_err(),
        SessionError::NewerVersion(7)
    );
}

#[test]
fn every_truncation_and_other_nonsense_is_malformed_and_tells_no_value() {
    let text = full_session(7).encode();
    let text = text.expose();
    for (end, _) in text.char_indices() {
        let error = Session::decode(&text[..end]).unwrap_err();
        assert!(matches!(error, SessionError::Malformed { .. }), "{end}: {error}");
    }
    for nonsense in [
        "".to_owned(),
        "null".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        r#"{"v":0}"#.to_owned(),
        r#"{"v":-1}"#.to_owned(),
        text.replacen(r#""v":1"#, r#""v":0"#, 1),
        text.replacen(r#""generation":7"#, r#""generation":"canary-access-token""#, 1),
        text.replacen(r#""renewal":"refresh_token""#, r#""renewal":"canary-access-token""#, 1),
        format!("{text}canary-access-token"),
    ] {
        let error = Session::decode(&nonsense).unwrap_err();
        assert!(matches!(error, SessionError::Malformed { .. }), "{nonsense}: {error}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
}

#[test]
fn debug_shows_no_secret() {
    assert!(!format!("{:?}", full_session(1)).contains("canary"));
}

#[test]
fn signed_in_means_a_token_a_way_to_get_one_or_a_suspended_session() {
    let client_secret_only = bare_session();
    assert!(!client_secret_only.is_signed_in());

    let mut renewable = bare_session();
    renewable.renewal = Renewal::RefreshToken;
    assert!(!renewable.is_signed_in(), "no refresh token");
    renewable.refresh_token = Some(Secret::from("r"));
    assert!(renewable.is_signed_in());
    renewable.dead = Some(SessionEnd {
        at: UnixSeconds(0),
        error: Some("invalid_grant".to_owned()),
        description: None,
    });
    assert!(!renewable.is_signed_in(), "dead");

    let mut own_grant = bare_session();
    own_grant.renewal = Renewal::ClientCredentials;
    assert!(own_grant.is_signed_in(), "the client credentials grant can be repeated");

    let mut suspended = bare_session();
    suspended.suspended = full_session(1).suspended;
    assert!(suspended.is_signed_in() && !suspended.can_renew());

    let mut with_token = full_session(1);
    with_token.refresh_token = None;
    assert!(with_token.is_signed_in() && !with_token.can_renew());
}

/// Records as earlier versions wrote them.
const EARLIER_RECORDS: [&str; 4] = [
    r#"{"v":1,"generation":4,"client":{"id":"c","auth_method":"none"},"endpoints":{"token":"http://127.0.0.1/t"},"asked":{"scope":[],"resource":[]},"renewal":"none","tokens":[]}"#,
    r#"{"v":1,"generation":1,"issuer":"https://id.example.com/","client":{"id":"c","auth_method":"client_secret_post","secret":"s"},"endpoints":{"token":"https://id.example.com/token?a=b"},"asked":{"scope":["a","b"],"resource":["urn:one","https://two.example/x"],"audience":"api"},"renewal":"grant","tokens":[{"resource":["urn:one"],"scope":["a,b","é"],"access_token":"t","token_type":"Bearer","expires_at":5}]}"#,
    r#"{"v":1,"generation":9,"issuer":"http://id.example.com","client":{"id":"c","auth_method":"none"},"endpoints":{"token":"http://id.example.com/token","jwks_uri":"https://id.example.com/jwks"},"asked":{"scope":["openid"],"resource":[]},"renewal":"refresh_token","refresh_token":"r","id_token":"x.y.z","subject":"s","suspended":{"claim":"sub","expected":"s","found":"o"},"first_claims":{"nonce":"n"},"tokens":[{"resource":[],"access_token":"t","token_type":"bearer"},{"resource":[],"narrowed_to":["openid"],"access_token":"u","token_type":"bearer","issued_at":-1}]}"#,
    r#"{"v":1,"generation":2,"client":{"id":"c","auth_method":"none"},"endpoints":{"token":"http://127.0.0.1/t"},"asked":{"scope":[],"resource":[]},"renewal":"refresh_token","dead":{"at":5,"reason":"invalid_grant (gone)","error":"invalid_grant","error_description":"gone"},"tokens":[]}"#,
];

#[test]
fn records_of_earlier_versions_are_written_again_as_they_were() {
    for record in EARLIER_RECORDS {
        assert_eq!(Session::decode(record).unwrap().encode().expose(), record);
    }
    let repeats = |record: &str| Session::decode(record).unwrap().renewal.repeats_grant();
    assert_eq!(EARLIER_RECORDS.map(repeats), [false, true, false, false]);
    assert_eq!(
        Session::decode(EARLIER_RECORDS[1]).unwrap().renewal,
        Renewal::ClientCredentials
    );
}

#[test]
fn a_member_that_no_request_can_be_made_of_is_named_without_its_value() {
    let text = full_session(7).encode();
    for (member, usable, unusable) in [
        ("issuer", r#""issuer":"https://id.example.com""#, r#""issuer":"canary""#),
        ("client_id", r#""id":"desktop""#, r#""id":"canary\n""#),
        (
            "client authentication method",
            r#""auth_method":"client_secret_basic""#,
            r#""auth_method":"canary""#,
        ),
        ("token endpoint", "https://id.example.com/token", "file:///canary"),
        (
            "revocation endpoint",
            "https://id.example.com/revoke",
            "https://u:canary@h/",
        ),
        ("introspection endpoint", "https://id.example.com/introspect", "canary"),
        (
            "userinfo endpoint",
            "https://id.example.com/userinfo",
            "https://h/#canary",
        ),
        ("jwks_uri", "https://id.example.com/jwks", ""),
        ("scope", r#""scope":["openid","#, r#""scope":["canary canary","#),
        (
            "scope",
            r#""narrowed_to":["email"]"#,
            r#""narrowed_to":["canary\u001b"]"#,
        ),
        (
            "resource",
            r#""resource":["https://api.example.com"],"audience""#,
            r#""resource":["canary"],"audience""#,
        ),
        (
            "resource",
            r#""resource":["https://api.example.com"],"scope""#,
            r#""resource":["/canary"],"scope""#,
        ),
    ] {
        assert!(text.expose().contains(usable), "{usable}");
        let error = Session::decode(&text.expose().replacen(usable, unusable, 1)).unwrap_err();
        assert_eq!(error, SessionError::Unusable(member), "{unusable}");
        assert!(error.is_damage() && !error.to_string().contains("canary"), "{error}");
    }
}
