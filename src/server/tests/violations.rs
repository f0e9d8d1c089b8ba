//! Every rule of the catalogue: the honest server keeps it, the server that is
//! told to break it does so, and keeps all the others but those that follow.

use super::*;
use crate::protocol::abnf::{base64, base64url, from_base64url};
use crate::server::violations::set::Violations;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use sha2::{Digest, Sha256};

const ELSEWHERE: &str = "http://attacker.example/callback";
const OPENID: &str = "&scope=openid+hello+introspect&nonce=n-0S6_WzA2Mj";
const MARKUP: &str = "%3Cb%3Ebold%3C%2Fb%3E";

/// Whether a rule is kept; `None` where that cannot be seen, since something else is in the way.
type Kept = Option<bool>;

fn server(broken: &[Rule]) -> Fixture {
    let fixture = Fixture::new(|settings| {
        settings.approval = Approval::Auto;
        settings.violations = broken.iter().copied().collect::<Violations>();
    });
    fixture.share_rs256();
    fixture
}

impl Fixture {
    fn get(&self, target: &str) -> Response {
        self.send("GET", target, &[], "")
    }

    fn document(&self) -> Value {
        body(&self.get("/.well-known/oauth-authorization-server"))
    }

    fn has(&self, member: &str, value: &str) -> bool {
        let document = self.document();
        let list = document[member].as_array().cloned().unwrap_or_default();
        list.iter().any(|item| item == value)
    }

    fn keys(&self) -> Vec<Value> {
        body(&self.get("/jwks"))["keys"].as_array().cloned().unwrap_or_default()
    }

    /// The parameters that come back for this request.
    fn answer_to(&self, target: &str) -> Option<Params> {
        let response = self.get(target);
        let location = response.header("location")?;
        let query = location.strip_prefix(CALLBACK)?;
        Some(Params::parse(query.get(1..)?))
    }

    fn code_for(&self, target: &str) -> Option<String> {
        value(&self.answer_to(target)?, "code")
    }

    /// Whether a request is refused by an error, whatever it says, or by a page.
    fn is_refused(&self, target: &str) -> bool {
        self.answer_to(target)
            .is_none_or(|params| value(&params, "code").is_none() && value(&params, "access_token").is_none())
    }

    fn redeem(&self, form: &str) -> Option<Value> {
        tokens_of(&self.post("/token", form))
    }

    fn login(&self, more: &str) -> Option<Value> {
        self.redeem(&redemption(&self.code_for(&authorize(more))?))
    }

    /// An access token of the usual login, a refresh token, and both.
    fn session(&self) -> Option<(String, String)> {
        let tokens = self.login(OPENID)?;
        Some((string(&tokens["access_token"])?, string(&tokens["refresh_token"])?))
    }

    fn refreshed(&self, refresh_token: &str, more: &str) -> Option<Value> {
        tokens_of(&self.refresh(refresh_token, more))
    }

    fn is_alive(&self, access_token: &str) -> bool {
        self.get_with_token("/api/hello", access_token).status == 200
    }

    fn introspection(&self, token: &str, authorization: &str) -> Response {
        let headers = [("authorization", authorization)];
        self.post_with("/introspect", &format!("token={token}"), &headers)
    }

    fn revoke(&self, token: &str, more: &str) -> u16 {
        self.post("/revoke", &format!("client_id=oauth-cli&token={token}{more}"))
            .status
    }

    fn confidential_code(&self) -> Option<String> {
        self.code_for(&authorize("").replace("oauth-cli", CONFIDENTIAL))
    }

    fn confidential_tokens(&self) -> Option<Value> {
        let form = redemption(&self.confidential_code()?).replace("oauth-cli", CONFIDENTIAL);
        self.redeem(&format!("{form}&client_secret={}", encode(CLIENT_SECRET)))
    }
}

fn body(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap_or_default()
}

fn tokens_of(response: &Response) -> Option<Value> {
    Some(body(response)).filter(|tokens| tokens["access_token"].is_string())
}

/// The error code of an answer that is one.
fn error_of(response: &Response) -> Option<String> {
    string(&body(response)["error"])
}

fn has_error(response: &Response, error: &str) -> Kept {
    Some(error_of(response)? == error)
}

fn string(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn value(params: &Params, name: &str) -> Option<String> {
    params.single(name).ok().flatten().map(str::to_owned)
}

fn header_of(token: &Value) -> Option<Value> {
    let header = token.as_str()?.split('.').next()?;
    serde_json::from_slice(&from_base64url(header)?).ok()
}

fn claims_of(token: &Value) -> Option<Value> {
    let claims = token.as_str()?.split('.').nth(1)?;
    serde_json::from_slice(&from_base64url(claims)?).ok()
}

/// The request with another redirect URI.
fn with_redirect_uri(uri: &str) -> String {
    authorize("").replace(&encode(CALLBACK), &encode(uri))
}

fn with_state(state: &str) -> String {
    format!("{}&state={}", without(&authorize(""), "state"), encode(state))
}

fn with_response_type(response_type: &str) -> String {
    authorize("").replace("response_type=code", response_type)
}

fn with_method(method: &str) -> String {
    authorize("").replace("&code_challenge_method=S256", method)
}

fn basic(secret: &str) -> String {
    let credentials = format!("{CONFIDENTIAL}:{}", encode(secret));
    format!("Basic {}", base64(credentials.as_bytes()))
}

/// An error of the authorization endpoint that goes back to the client.
fn refused_request() -> String {
    authorize("&scope=unheard-of")
}

/// Bits of chance in a text of this alphabet.
fn bits(text: &str) -> usize {
    let is_hexadecimal = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.len() * if is_hexadecimal { 4 } else { 6 }
}

/// Whether a request for this redirect URI stays where it is.
fn not_redirected(fixture: &Fixture, uri: &str) -> Kept {
    Some(fixture.get(&with_redirect_uri(uri)).header("location").is_none())
}

/// The verdict about a rule. Without a wildcard, so that no rule is without one.
#[allow(clippy::too_many_lines, reason = "one entry a rule")]
fn is_kept(rule: Rule, fixture: &Fixture) -> Kept {
    let document = || fixture.document();
    let id_token = || fixture.login(OPENID).map(|tokens| tokens["id_token"].clone());
    let id_claims = || claims_of(&id_token()?);
    let access_claims = |more: &str| claims_of(&fixture.login(more)?["access_token"]);
    let code = || fixture.code_for(&authorize(""));
    let html = || {
        let target = authorize("").replace("oauth-cli", MARKUP);
        let page = fixture.get(&target);
        (page.header("location").is_none()).then_some(page)
    };
    let verdict = match rule {
        Rule::MetadataIssuer => document()["issuer"] == ISSUER,
        Rule::MetadataIssuerUrl => !document()["issuer"].as_str()?.contains(['?', '#']),
        Rule::MetadataContentType => {
            let response = fixture.get("/.well-known/oauth-authorization-server");
            response.header("content-type") == Some("application/json")
        }
        Rule::MetadataEmptyArrays => {
            let empty = Value::Array(Vec::new());
            document().as_object()?.values().all(|member| *member != empty)
        }
        Rule::MetadataAuthorizationEndpoint => document()["authorization_endpoint"].is_string(),
        Rule::MetadataTokenEndpoint => document()["token_endpoint"].is_string(),
        Rule::MetadataHttps => {
            let urls = document();
            let mut members = urls.as_object()?.iter();
            members.all(|(name, url)| {
                let text = url.as_str().unwrap_or_default();
                !name.ends_with("_endpoint") || ["127.0.0.1", "localhost"].iter().any(|host| text.contains(host))
            })
        }
        Rule::MetadataFragment => {
            !document()["token_endpoint"].to_string().contains('#')
                && !document()["authorization_endpoint"].to_string().contains('#')
        }
        Rule::MetadataResponseTypes => fixture.has("response_types_supported", "code"),
        Rule::MetadataNoImplicit => !fixture.has("response_types_supported", "token"),
        Rule::MetadataNoPassword => !fixture.has("grant_types_supported", "password"),
        Rule::MetadataGrantTypes => fixture.has("grant_types_supported", "authorization_code"),
        Rule::MetadataChallengeMethods => document()["code_challenge_methods_supported"].is_array(),
        Rule::MetadataS256 => {
            document()["code_challenge_methods_supported"].as_array()?;
            fixture.has("code_challenge_methods_supported", "S256")
        }
        Rule::MetadataNoPlain => !fixture.has("code_challenge_methods_supported", "plain"),
        Rule::MetadataIssParameter => document()["authorization_response_iss_parameter_supported"] == true,
        Rule::MetadataAuthMethods => fixture.has("token_endpoint_auth_methods_supported", "none"),
        Rule::MetadataRevocation => document()["revocation_endpoint"].is_string(),
        Rule::MetadataScopes => fixture.has("scopes_supported", "openid"),
        Rule::MetadataSubjectTypes => document()["subject_types_supported"].is_array(),
        Rule::MetadataIdTokenAlgorithms => fixture.has("id_token_signing_alg_values_supported", "RS256"),
        Rule::MetadataNoNone => !fixture.has("id_token_signing_alg_values_supported", "none"),
        Rule::MetadataDocumentsAgree => body(&fixture.get("/.well-known/openid-configuration")) == document(),
        Rule::KeysPublished => document()["jwks_uri"].is_string() && !fixture.keys().is_empty(),
        Rule::KeysPublicOnly => {
            let private = ["d", "p", "q", "dp", "dq", "qi", "k"];
            let keys = fixture.keys();
            keys.iter()
                .all(|key| private.iter().all(|member| key.get(member).is_none()))
        }
        Rule::KeysDistinct => {
            let mut ids: Vec<String> = fixture.keys().iter().map(|key| key["kid"].to_string()).collect();
            let count = ids.len();
            ids.sort();
            ids.dedup();
            ids.len() == count
        }
        Rule::KeysStrength => fixture.keys().iter().all(|key| {
            let modulus = key["n"].as_str().and_then(from_base64url);
            modulus.is_none_or(|modulus| modulus.len() >= 256 && modulus[0] >= 0x80)
        }),

        Rule::AuthorizeState => value(&fixture.answer_to(&authorize(""))?, "state").as_deref() == Some("af0ifjsldkj"),
        Rule::AuthorizeStateCharacters => {
            let state: String = (' '..='~').collect();
            value(&fixture.answer_to(&with_state(&state))?, "state") == Some(state)
        }
        Rule::AuthorizeStateLong => {
            let state = "s".repeat(1024);
            value(&fixture.answer_to(&with_state(&state))?, "state") == Some(state)
        }
        Rule::AuthorizeStateAbsent => value(&fixture.answer_to(&without(&authorize(""), "state"))?, "state").is_none(),
        Rule::AuthorizeStateInError => {
            value(&fixture.answer_to(&refused_request())?, "state").as_deref() == Some("af0ifjsldkj")
        }
        Rule::AuthorizeErrorCharacters => {
            !value(&fixture.answer_to(&refused_request())?, "error_description")?.contains('"')
        }
        Rule::AuthorizeIss => value(&fixture.answer_to(&authorize(""))?, "iss").is_some(),
        Rule::AuthorizeIssInError => value(&fixture.answer_to(&refused_request())?, "iss").is_some(),
        Rule::AuthorizeIssValue => value(&fixture.answer_to(&authorize(""))?, "iss")? == ISSUER,
        Rule::AuthorizeQuery => !fixture.get(&authorize("")).header("location")?.contains('#'),
        Rule::AuthorizeCodeEntropy => bits(&code()?) >= 128,
        Rule::AuthorizeCodeEntropyMore => bits(&code()?) >= 160,
        Rule::AuthorizeResponseTypeMissing => fixture.is_refused(&with_response_type("x=y")),
        Rule::AuthorizeResponseTypeUnknown => fixture.is_refused(&with_response_type("response_type=unheard-of")),
        Rule::AuthorizeImplicit => {
            let target = without(&with_response_type("response_type=token"), "code_challenge");
            fixture.is_refused(&target)
        }
        Rule::AuthorizeHybrid => fixture.is_refused(&with_response_type("response_type=code+token")),
        Rule::AuthorizeClientMissing => {
            let target = without(&authorize(""), "client_id");
            fixture.get(&target).header("location").is_none()
        }
        Rule::AuthorizeClientUnknown => {
            let target = authorize("").replace("oauth-cli", "nobody");
            fixture.get(&target).header("location").is_none()
        }
        Rule::AuthorizeScopeMalformed => fixture.is_refused(&authorize("&scope=hello+%22a%5C")),
        Rule::AuthorizeRepeated => fixture.is_refused(&authorize("&state=again")),
        Rule::AuthorizeRepeatedClient => fixture.is_refused(&authorize("&client_id=oauth-cli")),
        Rule::AuthorizeUnknownParameter => !fixture.is_refused(&authorize("&unheard-of=1")),
        Rule::AuthorizeEmptyParameter => !fixture.is_refused(&authorize("&display=")),
        Rule::AuthorizePost | Rule::AuthorizeNo307 => {
            let form = authorize("").split_once('?')?.1.to_owned();
            let response = fixture.post("/authorize", &form);
            if rule == Rule::AuthorizePost {
                response.header("location").is_some()
            } else {
                response.header("location")?;
                response.status == 303
            }
        }
        Rule::AuthorizePromptNone => fixture.get(&authorize("&prompt=none")).header("location").is_some(),
        Rule::AuthorizeRequestObject => fixture.is_refused(&authorize("&request=e30.e30.")),
        Rule::AuthorizeFraming => {
            let page = html()?;
            let policy = page.header("content-security-policy").unwrap_or_default();
            page.header("x-frame-options").is_some() || policy.contains("frame-ancestors")
        }
        Rule::AuthorizeContentSecurityPolicy => html()?.header("content-security-policy").is_some(),
        Rule::AuthorizeReferrerPolicy => html()?.header("referrer-policy") == Some("no-referrer"),
        Rule::AuthorizeNoCors => {
            let origin = [("origin", "https://other.example")];
            let response = fixture.send("GET", &authorize(""), &origin, "");
            response.header("access-control-allow-origin").is_none()
        }
        Rule::AuthorizeEscaping => !text(&html()?).contains("<b>bold</b>"),

        Rule::RedirectOtherHost => not_redirected(fixture, ELSEWHERE)?,
        Rule::RedirectHostSuffix => not_redirected(fixture, "http://127.0.0.1.attacker.example/callback")?,
        Rule::RedirectUserinfo => not_redirected(fixture, "http://127.0.0.1:4711@attacker.example/callback")?,
        Rule::RedirectLocalhost => not_redirected(fixture, "http://localhost:4711/callback")?,
        Rule::RedirectScheme => not_redirected(fixture, "https://127.0.0.1:4711/callback")?,
        Rule::RedirectJavascript => not_redirected(fixture, "javascript:alert(1)//127.0.0.1/callback")?,
        Rule::RedirectOtherPath => not_redirected(fixture, "http://127.0.0.1:4711/elsewhere")?,
        Rule::RedirectPathSuffix => not_redirected(fixture, &format!("{CALLBACK}/more"))?,
        Rule::RedirectPathCase => not_redirected(fixture, "http://127.0.0.1:4711/CALLBACK")?,
        Rule::RedirectTrailingSlash => not_redirected(fixture, &format!("{CALLBACK}/"))?,
        Rule::RedirectDotSegments => not_redirected(fixture, &format!("{CALLBACK}/../elsewhere"))?,
        Rule::RedirectEncodedDots => not_redirected(fixture, &format!("{CALLBACK}/%2e%2e/elsewhere"))?,
        Rule::RedirectBackslash => not_redirected(fixture, "http://attacker.example\\@127.0.0.1:4711/callback")?,
        Rule::RedirectExtraQuery => not_redirected(fixture, &format!("{CALLBACK}?more=1"))?,
        Rule::RedirectCodeInQuery => not_redirected(fixture, &format!("{CALLBACK}?code=stolen"))?,
        Rule::RedirectFragment => not_redirected(fixture, &format!("{CALLBACK}#more"))?,
        Rule::RedirectControlCharacters => not_redirected(fixture, &format!("{CALLBACK}\r\nX-Injected: yes"))?,
        Rule::RedirectRepeated => {
            let target = authorize(&format!("&redirect_uri={}", encode(ELSEWHERE)));
            fixture.get(&target).header("location").is_none()
        }
        Rule::RedirectLoopbackPort => {
            let target = with_redirect_uri("http://127.0.0.1:4712/callback");
            fixture.get(&target).header("location").is_some()
        }

        Rule::PkceSupported => fixture.redeem(&redemption(&code()?)).is_some(),
        Rule::PkceRequired => fixture.is_refused(&without(&with_method(""), "code_challenge")),
        Rule::PkceEmptyChallenge => fixture.is_refused(&authorize("").replace(CHALLENGE, "")),
        Rule::PkceMalformedChallenge => fixture.is_refused(&authorize("").replace(CHALLENGE, &CHALLENGE[1..])),
        Rule::PkcePlain => fixture.is_refused(&with_method("&code_challenge_method=plain")),
        Rule::PkceMethodMissing => fixture.is_refused(&with_method("")),
        Rule::PkceMethodUnknown => fixture.is_refused(&with_method("&code_challenge_method=S512")),
        Rule::PkceWrongVerifier => {
            let form = redemption(&code()?).replace(VERIFIER, &"a".repeat(43));
            fixture.redeem(&form).is_none()
        }
        Rule::PkceErrorCode => {
            let form = redemption(&code()?).replace(VERIFIER, &"a".repeat(43));
            has_error(&fixture.post("/token", &form), "invalid_grant")?
        }
        Rule::PkceMissingVerifier => {
            let form = redemption(&code()?).replace(&format!("&code_verifier={VERIFIER}"), "");
            fixture.redeem(&form).is_none()
        }
        Rule::PkceChallengeAsVerifier => {
            let form = redemption(&code()?).replace(VERIFIER, CHALLENGE);
            fixture.redeem(&form).is_none()
        }
        Rule::PkceShortVerifier => {
            let challenge = base64url(&Sha256::digest(b"short"));
            let code = fixture.code_for(&authorize("").replace(CHALLENGE, &challenge))?;
            fixture.redeem(&redemption(&code).replace(VERIFIER, "short")).is_none()
        }
        Rule::PkceVerifierWithoutChallenge => {
            let target = without(&with_method(""), "code_challenge");
            match fixture.code_for(&target) {
                // Refused before: then there is nothing to be seen.
                None => true,
                Some(code) => fixture.redeem(&redemption(&code)).is_none(),
            }
        }

        Rule::CodeSingleUse => {
            let form = redemption(&code()?);
            fixture.redeem(&form)?;
            fixture.redeem(&form).is_none()
        }
        Rule::CodeReuseRevokes => {
            let form = redemption(&code()?);
            let first = string(&fixture.redeem(&form)?["access_token"])?;
            fixture.post("/token", &form);
            !fixture.is_alive(&first)
        }
        Rule::CodeParallel => {
            let form = redemption(&code()?);
            let arrivals = [fixture.arrival("/token", &form), fixture.arrival("/token", &form)];
            fixture.redeem(&form)?;
            let again = fixture.redeem(&form);
            drop(arrivals);
            again.is_none()
        }
        Rule::CodeClient => {
            let form = redemption(&code()?).replace("oauth-cli", "nobody");
            fixture.redeem(&form).is_none()
        }
        Rule::CodeClientMissing => {
            let form = redemption(&code()?).replace("client_id=oauth-cli", "x=y");
            fixture.redeem(&form).is_none()
        }
        Rule::CodeRedirectUri => {
            let form = redemption(&code()?).replace("4711", "4712");
            fixture.redeem(&form).is_none()
        }
        Rule::CodeRedirectUriMissing => {
            let form = redemption(&code()?).replace(&format!("&redirect_uri={}", encode(CALLBACK)), "");
            fixture.redeem(&form).is_none()
        }
        Rule::CodeUnknown => has_error(&fixture.post("/token", &redemption("never-given")), "invalid_grant")?,

        Rule::TokenGet => {
            let target = format!("/token?{}", redemption(&code()?));
            tokens_of(&fixture.get(&target)).is_none()
        }
        Rule::TokenQuery => {
            let target = format!("/token?{}", redemption(&code()?));
            tokens_of(&fixture.post(&target, "")).is_none()
        }
        Rule::TokenNoStore | Rule::TokenPragma | Rule::TokenContentType => {
            let response = fixture.post("/token", &redemption(&code()?));
            tokens_of(&response)?;
            let (name, value) = match rule {
                Rule::TokenNoStore => ("cache-control", "no-store"),
                Rule::TokenPragma => ("pragma", "no-cache"),
                _ => ("content-type", "application/json"),
            };
            response.header(name) == Some(value)
        }
        Rule::TokenType => fixture.login("")?["token_type"] == "Bearer",
        Rule::TokenExpiresIn => fixture.login("")?["expires_in"].is_u64(),
        Rule::TokenLifetime => fixture.login("")?["expires_in"].as_u64()? <= 3600,
        Rule::TokenEntropy => bits(fixture.login("")?["access_token"].as_str()?) >= 128,
        Rule::TokenEntropyMore => bits(fixture.login("")?["access_token"].as_str()?) >= 160,
        Rule::TokenRefreshEntropyMore => bits(fixture.login("")?["refresh_token"].as_str()?) >= 160,
        Rule::TokenRefreshEntropy => bits(fixture.login("")?["refresh_token"].as_str()?) >= 128,
        Rule::TokenRepeated => {
            let form = format!("{}&grant_type=authorization_code", redemption(&code()?));
            fixture.redeem(&form).is_none()
        }
        Rule::TokenUnknownParameter => {
            let form = format!("{}&unheard-of=1", redemption(&code()?));
            fixture.redeem(&form).is_some() || fixture.login("").is_none()
        }
        Rule::TokenGrantTypeMissing => {
            let form = redemption("x").replace("grant_type=authorization_code&", "");
            has_error(&fixture.post("/token", &form), "invalid_request")?
        }
        Rule::TokenGrantTypeUnknown => {
            let form = redemption("x").replace("authorization_code", "unheard-of");
            has_error(&fixture.post("/token", &form), "unsupported_grant_type")?
        }
        Rule::TokenPassword => {
            let form = "grant_type=password&client_id=oauth-cli&username=who&password=ever";
            fixture.redeem(form).is_none()
        }
        Rule::TokenClientCredentials => {
            let form = "grant_type=client_credentials&client_id=oauth-cli";
            fixture.redeem(form).is_none()
        }
        Rule::TokenErrorStatus => fixture.post("/token", &redemption("never-given")).status == 400,
        Rule::TokenErrorJson => error_of(&fixture.post("/token", &redemption("never-given"))).is_some(),
        Rule::TokenErrorCharacters => {
            let error = body(&fixture.post("/token", &redemption("never-given")));
            let description = error["error_description"].as_str()?;
            !description.contains(|character: char| character.is_control() || ['"', '\\'].contains(&character))
        }
        Rule::TokenErrorNoStore => {
            let response = fixture.post("/token", &redemption("never-given"));
            response.header("cache-control") == Some("no-store")
        }
        Rule::TokenUnknownClient => {
            let form = redemption("never-given").replace("oauth-cli", "nobody");
            has_error(&fixture.post("/token", &form), "invalid_client")?
        }
        Rule::TokenBasicChallenge => {
            let form = without(&format!("?{}", redemption("never-given")), "client_id")[1..].to_owned();
            let response = fixture.post_with("/token", &form, &[("authorization", &basic("wrong"))]);
            if error_of(&response).is_some_and(|error| error != "invalid_client") {
                return None;
            }
            let challenge = response.header("www-authenticate").unwrap_or_default();
            response.status == 401 && challenge.starts_with("Basic ")
        }
        Rule::TokenTwoMethods => {
            let form = format!("{}&client_secret=x", redemption(&code()?));
            let header = format!("Basic {}", base64(b"oauth-cli:x"));
            let response = fixture.post_with("/token", &form, &[("authorization", &header)]);
            let public = tokens_of(&response).is_none();
            let code = fixture.confidential_code()?;
            let form = redemption(&code).replace("oauth-cli", CONFIDENTIAL);
            let form = format!("{form}&client_secret={}", encode(CLIENT_SECRET));
            let response = fixture.post_with("/token", &form, &[("authorization", &basic(CLIENT_SECRET))]);
            // Each kind of client must see it.
            (public == tokens_of(&response).is_none()).then_some(())?;
            public
        }
        Rule::TokenClientAuthentication | Rule::TokenWrongSecret => {
            let code = fixture.confidential_code()?;
            let mut form = redemption(&code).replace("oauth-cli", CONFIDENTIAL);
            if rule == Rule::TokenWrongSecret {
                form += "&client_secret=wrong";
            }
            fixture.redeem(&form).is_none()
        }
        Rule::TokenAudience => access_claims("")?.get("aud").is_some(),
        Rule::TokenResource => {
            let claims = access_claims("&resource=https://api.example")?;
            *claims.get("aud")? == "https://api.example"
        }
        Rule::TokenProfile => {
            let claims = access_claims("")?;
            let wanted = ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"];
            wanted.iter().all(|name| claims.get(name).is_some())
        }

        Rule::RefreshWorks => fixture.refreshed(&fixture.session()?.1, "").is_some(),
        Rule::RefreshRotation => {
            let first = fixture.session()?.1;
            fixture.refreshed(&first, "")?["refresh_token"]
                .as_str()
                .is_some_and(|next| next != first)
        }
        Rule::RefreshReuse | Rule::RefreshReuseRevokes => {
            let first = fixture.session()?.1;
            let second = string(&fixture.refreshed(&first, "")?["refresh_token"])?;
            let again = fixture.refreshed(&first, "");
            if rule == Rule::RefreshReuse {
                again.is_none()
            } else {
                fixture.refreshed(&second, "").is_none()
            }
        }
        Rule::RefreshParallel => {
            let first = fixture.session()?.1;
            let form = format!("grant_type=refresh_token&client_id=oauth-cli&refresh_token={first}");
            let arrivals = [fixture.arrival("/token", &form), fixture.arrival("/token", &form)];
            fixture.refreshed(&first, "")?["refresh_token"].as_str()?;
            let again = fixture.refreshed(&first, "");
            drop(arrivals);
            again.is_none()
        }
        Rule::RefreshClient => {
            let form = format!(
                "grant_type=refresh_token&client_id=nobody&refresh_token={}",
                fixture.session()?.1
            );
            fixture.redeem(&form).is_none()
        }
        Rule::RefreshScope => fixture.refreshed(&fixture.session()?.1, "&scope=hello+email").is_none(),
        Rule::RefreshUnknown => has_error(&fixture.refresh("never-given", ""), "invalid_grant")?,
        Rule::RefreshAccessToken => fixture.refreshed(&fixture.session()?.0, "").is_none(),
        Rule::RefreshSubject => {
            let first = fixture.login(OPENID)?;
            let second = fixture.refreshed(first["refresh_token"].as_str()?, "")?;
            match (claims_of(&first["id_token"]), claims_of(&second["id_token"])) {
                (Some(first), Some(second)) => first["sub"] == second["sub"],
                // None has to come.
                _ => true,
            }
        }

        Rule::RevocationUnknown => fixture.revoke("never-given", "") == 200,
        Rule::RevocationMissing => {
            has_error(&fixture.post("/revoke", "client_id=oauth-cli"), "invalid_request").unwrap_or(false)
        }
        Rule::RevocationPostOnly => {
            let token = fixture.session()?.0;
            fixture.get(&format!("/revoke?client_id=oauth-cli&token={token}"));
            fixture.is_alive(&token)
        }
        Rule::RevocationClient => {
            let token = fixture.session()?.0;
            fixture.post("/revoke", &format!("client_id=nobody&token={token}"));
            fixture.is_alive(&token)
        }
        Rule::RevocationClientAuthentication => {
            let tokens = fixture.confidential_tokens()?;
            let token = tokens["access_token"].as_str()?.to_owned();
            fixture.post("/revoke", &format!("client_id={CONFIDENTIAL}&token={token}"));
            fixture.is_alive(&token)
        }
        Rule::RefreshClientAuthentication => {
            let tokens = fixture.confidential_tokens()?;
            let refresh_token = tokens["refresh_token"].as_str()?;
            let form = format!("grant_type=refresh_token&client_id={CONFIDENTIAL}&refresh_token={refresh_token}");
            tokens_of(&fixture.post("/token", &form)).is_none()
        }
        Rule::RevocationHint => {
            let (access_token, _) = fixture.session()?;
            fixture.revoke(&access_token, "&token_type_hint=refresh_token");
            let (_, refresh_token) = fixture.session()?;
            fixture.revoke(&refresh_token, "&token_type_hint=access_token");
            !fixture.is_alive(&access_token) && fixture.refreshed(&refresh_token, "").is_none()
        }
        Rule::RevocationAccess => {
            let (access_token, _) = fixture.session()?;
            fixture.revoke(&access_token, "&token_type_hint=access_token");
            !fixture.is_alive(&access_token)
        }
        Rule::RevocationRefresh => {
            let (_, refresh_token) = fixture.session()?;
            fixture.revoke(&refresh_token, "");
            fixture.refreshed(&refresh_token, "").is_none()
        }
        Rule::RevocationCascade => {
            let (access_token, refresh_token) = fixture.session()?;
            fixture.revoke(&refresh_token, "");
            !fixture.is_alive(&access_token)
        }
        Rule::IntrospectionAuthenticated => {
            let token = fixture.session()?.0;
            let response = fixture.post("/introspect", &format!("token={token}&client_id=oauth-cli"));
            response.status == 401
        }
        Rule::IntrospectionActive => {
            let token = fixture.session()?.0;
            body(&fixture.introspection(&token, &format!("Bearer {token}")))["active"] == true
        }
        Rule::IntrospectionInactive => {
            let response = fixture.introspection("never-given", &basic(CLIENT_SECRET));
            body(&response) == serde_json::json!({"active": false})
        }

        Rule::IdTokenPresent => id_token()?.is_string(),
        Rule::IdTokenSigned => header_of(&id_token()?)?["alg"] == "RS256",
        Rule::IdTokenSignature => {
            let token = string(&id_token()?)?;
            if header_of(&Value::String(token.clone()))?["alg"] == "none" {
                return None;
            }
            let (input, signature) = token.rsplit_once('.')?;
            let keys = fixture.keys();
            let key = keys.iter().find(|key| key["kty"] == "RSA")?;
            let octets = |name: &str| key[name].as_str().and_then(from_base64url);
            let (n, e) = (octets("n")?, octets("e")?);
            RsaPublicKeyComponents { n, e }
                .verify(
                    &RSA_PKCS1_2048_8192_SHA256,
                    input.as_bytes(),
                    &from_base64url(signature)?,
                )
                .is_ok()
        }
        Rule::IdTokenKeyReference => header_of(&id_token()?)?["kid"].is_string(),
        Rule::IdTokenIssuer => id_claims()?["iss"] == ISSUER,
        Rule::IdTokenAudience => id_claims()?["aud"] == "oauth-cli",
        Rule::IdTokenAuthorizedParty => id_claims()?["azp"] == "oauth-cli",
        Rule::IdTokenExpiry => id_claims()?["exp"].as_i64()? > 1_000_000,
        Rule::IdTokenIssuedAt => id_claims()?["iat"].as_i64()? == 1_000_000,
        Rule::IdTokenSubject => id_claims()?["sub"].as_str()?.len() <= 255,
        Rule::IdTokenNonce => id_claims()?["nonce"] == "n-0S6_WzA2Mj",
        Rule::IdTokenAccessTokenHash => {
            let tokens = fixture.login(OPENID)?;
            let hash = Sha256::digest(tokens["access_token"].as_str()?.as_bytes());
            claims_of(&tokens["id_token"])?["at_hash"] == base64url(&hash[..16])
        }

        Rule::UserinfoWorks => fixture.get_with_token("/userinfo", &fixture.session()?.0).status == 200,
        Rule::UserinfoSubject => {
            let tokens = fixture.login(OPENID)?;
            let answer = fixture.get_with_token("/userinfo", tokens["access_token"].as_str()?);
            let claims = claims_of(&tokens["id_token"])?;
            body(&answer).get("sub")? == claims.get("sub")?
        }
        Rule::UserinfoNoToken => {
            let response = fixture.get("/userinfo");
            let challenge = response.header("www-authenticate").unwrap_or_default();
            response.status == 401 && challenge.starts_with("Bearer ")
        }
        Rule::UserinfoNoTokenNoError => {
            let response = fixture.get("/userinfo");
            !response.header("www-authenticate")?.contains("error=")
        }
        Rule::UserinfoInvalidToken => fixture.get_with_token("/userinfo", "never-given").status == 401,
        Rule::UserinfoTokenInQuery => {
            let target = format!("/userinfo?access_token={}", fixture.session()?.0);
            fixture.get(&target).status != 200
        }
        Rule::UserinfoIdToken => {
            let id_token = string(&id_token()?)?;
            fixture.get_with_token("/userinfo", &id_token).status != 200
        }
        Rule::UserinfoNoStore => {
            let response = fixture.get_with_token("/userinfo", &fixture.session()?.0);
            (response.status == 200).then_some(())?;
            response.header("cache-control") == Some("no-store")
        }
    };
    Some(verdict)
}

/// What cannot be kept where the first is broken.
const FOLLOWING: &[(Rule, &[Rule])] = &[
    (Rule::MetadataIssuerUrl, &[Rule::MetadataIssuer]),
    (Rule::AuthorizeCodeEntropy, &[Rule::AuthorizeCodeEntropyMore]),
    (Rule::PkceVerifierWithoutChallenge, &[Rule::PkceRequired]),
    (Rule::TokenEntropy, &[Rule::TokenEntropyMore]),
    (Rule::TokenRefreshEntropy, &[Rule::TokenRefreshEntropyMore]),
    (Rule::CodeSingleUse, &[Rule::CodeParallel]),
    (Rule::RefreshReuse, &[Rule::RefreshParallel]),
    // Anybody may, also who names a client.
    (Rule::RevocationClient, &[Rule::RevocationClientAuthentication]),
    (Rule::TokenAudience, &[Rule::TokenProfile]),
];

#[test]
fn the_honest_server_keeps_every_rule() {
    let honest = server(&[]);
    for rule in Rule::ALL {
        assert_eq!(is_kept(*rule, &honest), Some(true), "{rule}");
    }
}

/// What is wrong about a server that breaks this rule.
fn faults(broken: Rule) -> Vec<String> {
    let mut faults = Vec::new();
    let fixture = server(&[broken]);
    // The port that comes first is the only one, where ports are not free.
    fixture.get(&authorize(""));
    is_kept(broken, &fixture);
    if *fixture.violated.borrow() != HashSet::from([broken]) {
        faults.push(format!(
            "--break {broken}: the log names {:?}",
            fixture.violated.borrow()
        ));
    }
    let following = FOLLOWING.iter().find(|(rule, _)| *rule == broken);
    for rule in Rule::ALL {
        let kept = is_kept(*rule, &fixture);
        let is_right = if *rule == broken {
            kept == Some(false)
        } else if following.is_some_and(|(_, following)| following.contains(rule)) {
            kept != Some(true)
        } else {
            kept != Some(false)
        };
        if !is_right {
            faults.push(format!("--break {broken}: {rule} is {kept:?}"));
        }
    }
    faults
}

#[test]
fn each_rule_can_be_broken_and_nothing_else_breaks() {
    let faults: Vec<String> = std::thread::scope(|scope| {
        let parts = Rule::ALL.chunks(Rule::ALL.len().div_ceil(4));
        let threads: Vec<_> = parts
            .map(|part| scope.spawn(move || part.iter().flat_map(|rule| faults(*rule)).collect::<Vec<_>>()))
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("no panic"))
            .collect()
    });
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn a_server_that_breaks_everything_still_answers() {
    let fixture = server(Rule::ALL);
    for rule in Rule::ALL {
        is_kept(*rule, &fixture);
    }
    assert_eq!(fixture.get("/").status, 200);
}
