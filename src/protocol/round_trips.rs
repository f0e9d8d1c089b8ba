//! `parse(encode(x)) == x` on random values: what one side writes, the other
//! side reads as it was meant. The seed is fixed, so a failure can be repeated.

use super::authorization::AuthorizationRequest;
use super::authorization_details::AuthorizationDetails;
use super::client::ClientId;
use super::error::ErrorResponse;
use super::json::parse_object;
use super::params::Params;
use super::pkce::CodeVerifier;
use super::redirect_uri::RedirectUri;
use super::resource::Resource;
use super::scope::{Scope, ScopeSeparator};
use super::state::State;
use super::token_response::{TokenResponse, TokenType};
use crate::secret::Secret;

const ROUNDS: u32 = 2_000;

/// SplitMix64: enough to make odd texts, and the same on every machine.
struct Random(u64);

impl Random {
    fn number(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % below as u64).unwrap()
    }

    fn text(&mut self, alphabet: &[char]) -> String {
        (0..=self.number(20))
            .map(|_| alphabet[self.number(alphabet.len())])
            .collect()
    }

    /// Everything that a form may carry, separators and foreign scripts included.
    fn any_text(&mut self) -> String {
        self.text(&[
            'a', 'Z', '0', ' ', '+', '&', '=', '%', '?', '#', '/', '"', '\\', '\u{0}', '\n', 'ü', '€', '𝄞',
        ])
    }

    fn vschar_text(&mut self) -> String {
        let alphabet: Vec<char> = (' '..='~').collect();
        self.text(&alphabet)
    }

    fn scope(&mut self) -> Scope {
        let alphabet: Vec<char> = ('!'..='~')
            .filter(|character| !['"', '\\'].contains(character))
            .collect();
        let tokens: Vec<String> = (0..self.number(4)).map(|_| self.text(&alphabet)).collect();
        Scope::from_tokens(tokens.iter().map(String::as_str)).unwrap()
    }
}

#[test]
fn params() {
    let mut random = Random(1);
    for _ in 0..ROUNDS {
        let mut params = Params::new();
        for _ in 0..random.number(6) {
            params.push(&random.any_text(), &random.any_text());
        }
        let pairs = |params: &Params| -> Vec<(String, String)> {
            params
                .iter()
                .map(|(name, value)| (name.to_owned(), value.expose().to_owned()))
                .collect()
        };
        assert_eq!(pairs(&Params::parse(params.encode().expose())), pairs(&params));
    }
}

#[test]
fn authorization_requests() {
    let mut random = Random(2);
    for _ in 0..ROUNDS {
        let verifier: Vec<char> = ('a'..='z').chain('0'..='9').chain(['-', '.', '_', '~']).collect();
        let verifier: String = (0..43).map(|_| verifier[random.number(verifier.len())]).collect();
        let request = AuthorizationRequest {
            client_id: ClientId::parse(&random.vschar_text()).unwrap(),
            redirect_uri: RedirectUri::parse("http://127.0.0.1:4711/callback?a=b&c=%20").unwrap(),
            scope: random.scope(),
            scope_separator: ScopeSeparator::default(),
            state: State::parse(&random.vschar_text()),
            resource: vec![Resource::parse("https://api.example/?q=1&r=2").unwrap()],
            audience: Some(format!("a{}", random.any_text())),
            nonce: None,
            code_challenge: CodeVerifier::parse(&verifier).unwrap().challenge(),
            response_mode: None,
            authorization_details: AuthorizationDetails::parse(r#"[{"type":"a b","amount":1.5}]"#).ok(),
            dpop_jkt: Some("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I".to_owned()),
            extra: vec![("ui_locales".to_owned(), format!("x{}", random.any_text()))],
        };
        let params = Params::parse(request.params().encode().expose());
        let (client_id, redirect_uri) = AuthorizationRequest::redirect_target(&params).unwrap();
        let read = AuthorizationRequest::parse(&params, client_id, redirect_uri.unwrap()).unwrap();
        assert_eq!(read.params().encode().expose(), request.params().encode().expose());
    }
}

#[test]
fn error_responses() {
    let mut random = Random(3);
    for _ in 0..ROUNDS {
        let response = ErrorResponse {
            error: random.vschar_text(),
            error_description: Some(format!("d{}", random.any_text())),
            error_uri: None,
        };
        let object = parse_object(response.to_json().to_string().as_bytes()).unwrap();
        assert_eq!(ErrorResponse::from_json(&object).as_ref(), Some(&response));
        let mut params = Params::new();
        response.to_params(&mut params);
        let read = Params::parse(params.encode().expose());
        assert_eq!(ErrorResponse::from_params(&read), Ok(Some(response)));
    }
}

#[test]
fn token_responses() {
    let mut random = Random(4);
    for _ in 0..ROUNDS {
        let response = TokenResponse {
            access_token: Secret::new(random.vschar_text()),
            token_type: "Bearer".to_owned(),
            expires_in_s: Some(random.number(100_000) as u64),
            refresh_token: Some(Secret::new(random.vschar_text())),
            scope: Some(random.scope()),
            refresh_expires_in_s: None,
            id_token: None,
            issued_token_type: None,
            authorization_details: None,
            other: serde_json::Map::new(),
            quirks: Vec::new(),
        };
        let text = response.to_json();
        let read =
            TokenResponse::from_json(parse_object(text.expose().as_bytes()).unwrap(), TokenType::Bearer).unwrap();
        assert_eq!(
            read.refresh_token.map(|token| token.expose().clone()),
            response.refresh_token.map(|token| token.expose().clone())
        );
        assert_eq!(read.scope.unwrap_or_default(), response.scope.unwrap_or_default());
        assert_eq!(read.access_token.expose(), response.access_token.expose());
        assert_eq!(read.expires_in_s, response.expires_in_s);
    }
}

#[test]
fn parsers_answer_any_bytes_with_a_value_or_an_error() {
    let mut random = Random(5);
    for _ in 0..ROUNDS {
        let bytes: Vec<u8> = (0..random.number(64)).map(|_| random.number(256) as u8).collect();
        let text = String::from_utf8_lossy(&bytes);
        let params = Params::parse(&text);
        let _ = AuthorizationRequest::redirect_target(&params);
        let _ = parse_object(&bytes).map(|object| TokenResponse::from_json(object, TokenType::Bearer));
        let _ = super::jose::UnverifiedJwt::decode(&text);
        let _ = RedirectUri::parse(&text);
        let _ = Scope::parse(&text);
        let _ = Resource::parse(&text);
    }
}
