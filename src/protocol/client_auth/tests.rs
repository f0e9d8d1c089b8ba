//! The proofs of each method.

use super::presented::{PresentedClient, PresentedClientError};
use super::*;
use crate::protocol::abnf::base64;
use crate::protocol::certificate::CertificateChain;
use crate::protocol::client::{AssertionParameters, ClientCredentials, MissingCredential};
use crate::protocol::jose::UnverifiedJwt;
use crate::protocol::jwks::JwkSet;
use crate::protocol::params::Params;
use crate::protocol::signing::SigningKey;
use serde_json::{Value, json};

pub(in crate::protocol) struct FixedRandomness;

impl Randomness for FixedRandomness {
    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), RandomnessFailed> {
        buffer.fill(7);
        Ok(())
    }
}

pub(in crate::protocol) fn context(randomness: &mut dyn Randomness) -> AuthenticationContext<'_> {
    AuthenticationContext {
        now: UnixSeconds(1_700_000_000),
        randomness,
    }
}

/// The request of a client `id` with this proof and nothing else.
fn request_of(id: &str, authentication: &ClientAuthentication) -> HttpRequest {
    let mut request = HttpRequest::post("https://as.example/token".parse().unwrap(), Params::new());
    let id = ClientId::parse(id).unwrap();
    authentication
        .apply(&id, &mut request, &mut context(&mut FixedRandomness))
        .unwrap();
    request
}

fn authorization(request: &HttpRequest) -> Option<String> {
    let header = request.headers.iter().find(|(name, _)| *name == "authorization");
    header.map(|(_, value)| value.expose().expose().clone())
}

fn basic(id: &str, secret: &str) -> String {
    let request = request_of(id, &ClientAuthentication::ClientSecretBasic(Secret::from(secret)));
    let params = request.form().unwrap();
    assert!(params.is_empty(), "nothing of the client in the body beside Basic");
    authorization(&request).unwrap()
}

/// Header and claims of the assertion in a request, once its other parameters were looked at.
fn assertion_in(request: &HttpRequest) -> UnverifiedJwt {
    assert_eq!(authorization(request), None);
    let params = request.form().unwrap();
    let names: Vec<&str> = params.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["client_id", "client_assertion_type", "client_assertion"]);
    assert_eq!(params.single("client_id").unwrap(), Some("s6BhdRkqt3"));
    assert_eq!(
        params.single("client_assertion_type").unwrap(),
        Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
    );
    let assertion = params.single("client_assertion").unwrap().unwrap();
    assert!(params.secrets().any(|secret| secret.expose() == assertion));
    UnverifiedJwt::decode(assertion).unwrap()
}

fn expected_claims() -> Value {
    json!({
        "iss": "s6BhdRkqt3",
        "sub": "s6BhdRkqt3",
        "aud": "https://as.example",
        "jti": "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc",
        "iat": 1_700_000_000,
        "exp": 1_700_000_060
    })
}

fn parameters(algorithm: Option<&str>) -> AssertionParameters {
    AssertionParameters {
        audience: "https://as.example".into(),
        algorithm: algorithm.map(str::to_owned),
    }
}

#[test]
fn a_key_signs_an_assertion_that_names_the_issuer_alone() {
    let key = include_str!("../signing/test_keys/p256.pkcs8.pem");
    let chain = "-----BEGIN CERTIFICATE-----\nZmlyc3Q=\n-----END CERTIFICATE-----\n";
    let mut credentials = ClientCredentials {
        key: Some(SigningKey::parse(key).unwrap()),
        ..ClientCredentials::default()
    };
    let sign = |credentials: &ClientCredentials| {
        let method = ClientAuthenticationMethod::PrivateKeyJwt;
        let authentication = credentials.authentication(method, &parameters(None)).unwrap();
        assertion_in(&request_of("s6BhdRkqt3", &authentication))
    };
    let jwt = sign(&credentials);
    assert_eq!(
        Value::Object(jwt.header.clone()),
        json!({
            "typ": "client-authentication+jwt",
            "alg": "ES256",
            "kid": credentials.key.as_ref().unwrap().public_jwk().thumbprint()
        })
    );
    assert_eq!(Value::Object(jwt.claims.clone()), expected_claims());
    let set = json!({"keys": [credentials.key.as_ref().unwrap().public_jwk()]});
    let set = JwkSet::parse(set.to_string().replace("\"kty\"", "\"use\":\"sig\",\"kty\"").as_bytes()).unwrap();
    let mut without_name = jwt;
    without_name.header.remove("kid");
    assert!(set.verify(&without_name).is_ok());

    credentials.certificate = Some(CertificateChain::parse(chain).unwrap());
    let with_certificate = sign(&credentials);
    assert_eq!(with_certificate.header["x5t"], "4JlqN8E9RMOwYHSTnUP6N1m9MsE");
    assert_eq!(
        with_certificate.header["x5t#S256"],
        "p5N7ZLjKpY8Dchu2us9ceMsjX-vg5wsbhM2ZVBRhoI4"
    );
    assert!(with_certificate.header.contains_key("kid"));
}

#[test]
fn a_secret_signs_an_assertion_and_is_not_sent() {
    let secret = "a-shared-secret-of-32-bytes-or-more!";
    let credentials = ClientCredentials {
        secret: Some(Secret::from(secret)),
        ..ClientCredentials::default()
    };
    for (listed, algorithm) in [(None, "HS256"), (Some("HS512"), "HS512")] {
        let method = ClientAuthenticationMethod::ClientSecretJwt;
        let authentication = credentials.authentication(method, &parameters(listed)).unwrap();
        let request = request_of("s6BhdRkqt3", &authentication);
        assert!(!request.form().unwrap().encode().expose().contains(secret));
        let jwt = assertion_in(&request);
        assert_eq!(
            Value::Object(jwt.header.clone()),
            json!({"typ": "client-authentication+jwt", "alg": algorithm})
        );
        assert_eq!(Value::Object(jwt.claims.clone()), expected_claims());
    }
}

#[test]
fn an_assertion_that_was_made_elsewhere_is_sent_as_it_is() {
    let made = "eyJhbGciOiJFUzI1NiJ9.e30.AAAA";
    let request = request_of("s6BhdRkqt3", &ClientAuthentication::Assertion(Secret::from(made)));
    assert_eq!(assertion_in(&request).header["alg"], "ES256");
}

#[test]
fn a_method_without_its_credential_is_an_error_that_names_it() {
    let nothing = ClientCredentials::default();
    for (method, credential) in [
        (ClientAuthenticationMethod::ClientSecretBasic, "client secret"),
        (ClientAuthenticationMethod::ClientSecretJwt, "client secret"),
        (ClientAuthenticationMethod::PrivateKeyJwt, "client key"),
    ] {
        assert_eq!(
            nothing.authentication(method, &parameters(None)).err(),
            Some(MissingCredential { method, credential })
        );
    }
}

#[test]
fn basic_credentials_of_rfc_6749_section_2_3_1() {
    assert_eq!(basic("s6BhdRkqt3", "gX1fBat3bV"), "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW");
}

#[test]
fn basic_credentials_are_form_encoded_first() {
    let header = basic("a:b c", "p%+ü");
    assert_eq!(header, format!("Basic {}", base64(b"a%3Ab+c:p%25%2B%C3%BC")));
    let presented = PresentedClient::parse(&Params::new(), Some(&header)).unwrap();
    assert_eq!(presented.id, "a:b c");
    assert_eq!(presented.secret.unwrap().expose(), "p%+ü");
}

#[test]
fn one_authentication_method_a_request() {
    let header = basic("id", "secret");
    let both = Params::parse("client_id=id&client_secret=secret");
    assert_eq!(
        PresentedClient::parse(&both, Some(&header)).err(),
        Some(PresentedClientError::TwoMethods)
    );
    assert_eq!(
        PresentedClient::parse(&Params::new(), None).err(),
        Some(PresentedClientError::Missing)
    );
    let presented = PresentedClient::parse(&both, None).unwrap();
    assert!(!presented.by_header);
    assert_eq!(presented.secret.unwrap().expose(), "secret");
    for bad in ["Bearer abc", "Basic", "Basic !!!", "Basic bm9jb2xvbg=="] {
        assert_eq!(
            PresentedClient::parse(&Params::new(), Some(bad)).err(),
            Some(PresentedClientError::MalformedHeader),
            "{bad}"
        );
    }
}
