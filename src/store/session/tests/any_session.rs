//! Sessions of every kind come back as they were.

use super::*;
use crate::protocol::token_type_uri::TokenTypeUri;
use crate::store::{ProfileName, TokenSource};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

fn urls() -> impl Strategy<Value = Endpoint> {
    "https?://[a-z]{1,8}[.]example(:[1-9][0-9]{0,3})?(/[!-\"$-.0-Z^-~]{0,8}){0,3}([?][!-\"$-Z^-~]{0,8})?"
        .prop_filter_map("not an endpoint", |text| {
            Endpoint::parse(&text, HttpPolicy::Everywhere).ok()
        })
}

fn secrets() -> impl Strategy<Value = Option<Secret>> {
    option::of(any::<String>().prop_map(Secret::from))
}

fn times() -> impl Strategy<Value = Option<UnixSeconds>> {
    option::of(any::<i64>().prop_map(UnixSeconds))
}

fn scopes() -> impl Strategy<Value = Scope> {
    "([!#-\\[\\]-~]{1,6} ){0,4}".prop_map(|text| Scope::parse(&text).unwrap())
}

fn resources() -> impl Strategy<Value = Vec<Resource>> {
    vec("(https://[a-z]{1,8}[.]example/|urn:)[!-\"$-~]{1,12}", 0..3).prop_map(|texts| {
        let resources = texts.iter().map(|text| Resource::parse(text));
        resources.filter_map(Result::ok).collect()
    })
}

prop_compose! {
    fn assertion_parameters()(audience in any::<String>(), algorithm in option::of(any::<String>())) -> AssertionParameters {
        AssertionParameters { audience, algorithm }
    }
}

prop_compose! {
    fn clients()(
        id in "[ -~]{1,12}",
        method in prop::sample::select(ClientAuthenticationMethod::ALL.to_vec()),
        secret in secrets(),
        key in secrets(),
        certificate_chain in option::of(any::<String>()),
        assertion in option::of(assertion_parameters()),
    ) -> SessionClient {
        SessionClient { id: ClientId::parse(&id).unwrap(), method, secret, key, certificate_bound: certificate_chain.is_some(), certificate_chain, assertion, assertion_source: None }
    }
}

prop_compose! {
    fn tokens()(
        resource in resources(),
        scope in option::of(any::<String>().prop_map(|text| Scope::received(&text))),
        narrowed_to in scopes(),
        access_token in any::<String>().prop_map(Secret::from),
        token_type in any::<String>(),
        expires_at in times(),
        issued_at in times(),
    ) -> StoredToken {
        StoredToken { resource, scope, narrowed_to, access_token, token_type, issued_token_type: None, expires_at, issued_at }
    }
}

fn exchange() -> Renewal {
    Renewal::TokenExchange(TokenExchangeRenewal {
        subject: SourcedToken {
            source: "file:/var/run/token".parse().unwrap(),
            token_type: Some(TokenTypeUri::jwt()),
        },
        actor: Some(SourcedToken {
            source: "profile:robot:id".parse().unwrap(),
            token_type: None,
        }),
        requested_token_type: Some(TokenTypeUri::access_token()),
    })
}

fn id_jag() -> Renewal {
    Renewal::IdJag(IdJagRenewal {
        from: ProfileName::parse("idp").unwrap(),
        audience: Some("https://as.example".to_owned()),
    })
}

prop_compose! {
    fn states()(
        renewal in prop::sample::select(vec![
            Renewal::None,
            Renewal::RefreshToken,
            Renewal::ClientCredentials,
            exchange(),
            Renewal::JwtBearer { assertion: TokenSource::Kubernetes },
            id_jag(),
        ]),
        dead in option::of((any::<i64>(), any::<String>(), option::of(any::<String>()))),
        suspended in option::of((any::<String>(), any::<String>(), any::<String>())),
        first in option::of((option::of(any::<String>()), times(), option::of(any::<String>()))),
        refresh_expires_at in times(),
    ) -> Session {
        Session {
            renewal,
            dead: dead.map(|(at, error, description)| SessionEnd { at: UnixSeconds(at), error: Some(error), description }),
            suspended: suspended.map(|(claim, expected, found)| Suspension { claim, expected, found }),
            first_claims: first.map(|(nonce, auth_time, azp)| FirstClaims { nonce, auth_time, azp }),
            refresh_expires_at,
            ..bare_session()
        }
    }
}

prop_compose! {
    fn sessions()(
        generation in any::<u64>(),
        urls in (option::of(urls()), urls(), [option::of(urls()), option::of(urls()), option::of(urls()), option::of(urls())]),
        client in clients(),
        (scope, resource, audience) in (scopes(), resources(), option::of(any::<String>())),
        (refresh_token, dpop_key, id_token) in (secrets(), secrets(), secrets()),
        subject in option::of(any::<String>()),
        tokens in vec(tokens(), 0..4),
        state in states(),
    ) -> Session {
        let (issuer, token_endpoint, [revocation, introspection, userinfo, jwks_uri]) = urls;
        Session {
            generation,
            issuer: issuer.and_then(|url| Issuer::parse(url.url().as_str(), HttpPolicy::Everywhere).ok()),
            client,
            token_endpoint,
            endpoints: SessionEndpoints { revocation, introspection, userinfo, jwks_uri },
            requested: RequestedAccess { scope, resource, audience },
            refresh_token,
            dpop_key,
            id_token,
            subject,
            tokens,
            ..state
        }
    }
}

proptest! {
    #[test]
    fn is_read_as_it_was_written(session in sessions()) {
        let text = session.encode();
        let again = Session::decode(text.expose()).unwrap();
        prop_assert_eq!(format!("{:?}", again), format!("{:?}", session));
        let text_again = again.encode();
        prop_assert_eq!(text_again.expose(), text.expose());
    }

    #[test]
    fn of_any_text_is_refused_or_kept(text in ".{0,64}") {
        if let Ok(session) = Session::decode(&text) {
            let text = session.encode();
            prop_assert!(Session::decode(text.expose()).is_ok());
        }
    }
}
