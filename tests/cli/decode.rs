//! `oauth decode`: what stands in a token, whether its issuer signed it, and
//! that a token alone makes nobody ask for anything.

use super::support::binary::Home;
use super::support::development_server::DevelopmentServer;
use super::support::literal_server::{LiteralServer, Reply, json, status};
use super::support::login::complete_at;
use super::support::outcome::{Outcome, members, run, run_with_input};
use super::support::sessions::{endpoint, now, session};
use super::support::signing::{Signer, unsigned};
use serde_json::{Value, json as value};

const SERVER_METADATA: &str = "/.well-known/oauth-authorization-server";

/// A server that publishes this key, and its issuer.
fn issuer_with(signer: &Signer) -> (LiteralServer, String) {
    let server = LiteralServer::start();
    let issuer = server.origin();
    let metadata = value!({"issuer": issuer, "jwks_uri": server.url("/jwks")});
    server.on("GET", SERVER_METADATA, json(200, &metadata.to_string()));
    server.on("GET", "/jwks", json(200, &signer.jwks()));
    (server, issuer)
}

fn decode(home: &Home, arguments: &[&str], token: &str) -> Outcome {
    run_with_input(home.oauth().arg("decode").args(arguments), token.as_bytes())
}

fn signature(outcome: &Outcome) -> Value {
    outcome.json()["signature"].clone()
}

#[test]
fn a_token_on_standard_input_is_shown_and_nobody_is_asked() {
    let (home, signer) = (Home::new(), Signer::new("k1"));
    let (server, issuer) = issuer_with(&signer);
    let expires_at = now() + 330;
    let token = signer.token(&value!({"iss": issuer, "sub": "ada", "exp": expires_at, "roles": ["a", "b"]}));
    let outcome = decode(&home, &["-"], &format!("{token}\n")).expect_code(0);
    for line in [
        "header\n",
        "  alg  EdDSA\n",
        "claims\n",
        "  sub    ada\n",
        "  roles  [\"a\",\"b\"]\n",
    ] {
        assert!(outcome.stdout.contains(line), "{line:?} in {outcome:#?}");
    }
    let exp = outcome.stdout.lines().find(|line| line.contains("exp")).expect("exp");
    assert!(
        exp.starts_with(&format!("  exp    {expires_at} (20")) && exp.ends_with("in 5 min)"),
        "{exp}"
    );
    let last = outcome.stdout.lines().last().expect("a line");
    assert!(
        last.starts_with("  not verified, because no profile has its issuer"),
        "{last}"
    );
    assert!(last.ends_with(&format!("add --issuer {issuer}")), "{last}");
    assert_eq!(outcome.stderr, "");
    assert_eq!(server.connections(), 0);
    assert_eq!(home.files(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn with_the_issuer_named_its_keys_are_asked_for() {
    let (home, signer) = (Home::new(), Signer::new("k1"));
    let (server, issuer) = issuer_with(&signer);
    let token = signer.token(&value!({"iss": issuer, "sub": "ada"}));
    std::fs::write(home.path().join("token.jwt"), &token).unwrap();
    for (file, input) in [("-", token.as_str()), ("token.jwt", "")] {
        let outcome = decode(&home, &[file, "--issuer", &issuer, "--json"], input).expect_code(0);
        let object = outcome.json();
        assert_eq!(members(&object), ["claims", "header", "signature"]);
        assert_eq!(object["claims"], value!({"iss": issuer, "sub": "ada"}));
        assert_eq!(object["header"]["kid"], "k1");
        assert_eq!(
            object["signature"],
            value!({"verified": true, "algorithm": "EdDSA", "key_id": "k1", "issuer": issuer, "reason": null})
        );
    }
    let paths: Vec<String> = server.requests().iter().map(|request| request.target.clone()).collect();
    assert_eq!(paths, [SERVER_METADATA, "/jwks", SERVER_METADATA, "/jwks"]);
    assert!(
        server
            .requests()
            .iter()
            .all(|request| request.header("authorization").is_none())
    );

    // Another issuer than the token names is not asked about it.
    let outcome = decode(&home, &["-", "--issuer", "https://id.example.com", "--json"], &token).expect_code(0);
    assert_eq!(signature(&outcome)["verified"], value!(null));
    assert!(
        signature(&outcome)["reason"]
            .as_str()
            .unwrap()
            .contains("not \"https://id.example.com\"")
    );
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn a_saved_profile_of_the_issuer_is_reason_enough() {
    let (home, signer) = (Home::new(), Signer::new("k1"));
    let (server, issuer) = issuer_with(&signer);
    home.configure(&format!(
        "[profile.work]\nissuer = \"{issuer}\"\n[profile.home]\nissuer = \"{issuer}/\"\n"
    ));
    let token = signer.token(&value!({"iss": issuer}));
    let verified = |arguments: &[&str], token: &str| {
        let outcome = decode(&home, arguments, token).expect_code(0);
        signature(&outcome)["verified"] == true
    };
    assert!(verified(&["-", "--json"], &token));
    assert!(verified(&["-", "-p", "work", "--json"], &token));
    assert_eq!(server.requests().len(), 4);
    assert!(
        !verified(&["-", "-p", "home", "--json"], &token),
        "another issuer, byte for byte"
    );
    assert!(!verified(
        &["-", "--json"],
        &signer.token(&value!({"iss": format!("{issuer}/x")}))
    ));
    assert!(!verified(&["-", "--json"], &signer.token(&value!({"sub": "nobody's"}))));
    assert_eq!(server.requests().len(), 4);
    decode(&home, &["-", "-p", "absent"], &token).expect_error(2);
}

#[test]
fn a_signature_that_does_not_hold_is_shown_and_the_exit_code_says_so() {
    let (home, signer) = (Home::new(), Signer::new("k1"));
    let (_server, issuer) = issuer_with(&signer);
    let token = signer.token(&value!({"iss": issuer, "sub": "ada"}));
    let forged = unsigned(
        &value!({"alg": "EdDSA", "kid": "k1"}),
        &value!({"iss": issuer, "sub": "admin"}),
    );
    let forged = format!("{forged}.{}", token.rsplit('.').next().unwrap());
    let outcome = decode(&home, &["-", "--issuer", &issuer], &forged).expect_code(6);
    assert!(
        outcome.stdout.contains("  sub  admin\n") && outcome.stdout.contains("DOES NOT HOLD"),
        "{outcome:#?}"
    );
    assert!(outcome.hints().contains("Do not trust its claims"), "{outcome:#?}");
    let outcome = decode(&home, &["-", "--issuer", &issuer, "--json"], &forged);
    assert_eq!(signature(&outcome)["verified"], false);
    assert_eq!(outcome.json_error(6)["name"], "protocol");

    // What cannot be checked is told, and is not a failure.
    for (header, part) in [
        (value!({"alg": "HS256"}), "\"HS256\""),
        (
            value!({"alg": "EdDSA", "kid": "k2"}),
            "no key for EdDSA with kid \"k2\"",
        ),
        (value!({"alg": "EdDSA", "crit": ["x"]}), "crit"),
    ] {
        let token = format!("{}.AA", unsigned(&header, &value!({"iss": issuer})));
        let outcome = decode(&home, &["-", "--issuer", &issuer], &token).expect_code(0);
        let last = outcome.stdout.lines().last().expect("a line");
        assert!(
            last.starts_with("  not verified, because") && last.contains(part),
            "{header}: {last}"
        );
    }
}

#[test]
fn a_token_without_a_signature_is_called_that_before_all_else() {
    let (home, signer) = (Home::new(), Signer::new("k1"));
    let (server, issuer) = issuer_with(&signer);
    for (claims, arguments) in [
        (value!({"sub": "admin"}), &["-"][..]),
        (value!({"iss": issuer}), &["-"]),
        (value!({"iss": issuer}), &["-", "--no-verify"]),
        (value!({"iss": issuer}), &["-", "--issuer", &issuer]),
    ] {
        for algorithm in ["none", "nOnE"] {
            let token = format!("{}.", unsigned(&value!({"alg": algorithm}), &claims));
            let outcome = decode(&home, arguments, &token).expect_code(0);
            let told = format!("not signed (alg {algorithm}): anyone can have made it");
            assert_eq!(
                outcome.stdout.lines().last(),
                Some(format!("  {told}").as_str()),
                "{claims}"
            );
            let outcome = decode(&home, &[arguments, &["--json"]].concat(), &token).expect_code(0);
            assert_eq!(signature(&outcome)["reason"], told.as_str());
            assert!(signature(&outcome)["verified"].is_null(), "{outcome:?}");
        }
    }
    assert_eq!(server.connections(), 0, "no key can prove it");
}

#[test]
fn keys_that_cannot_be_had_leave_the_token_unverified_and_the_exit_code_says_so() {
    let (home, signer) = (Home::new(), Signer::new("k1"));
    let (server, issuer) = issuer_with(&signer);
    let token = signer.token(&value!({"iss": issuer, "sub": "ada"}));
    let shown = |code: i32, part: &str| {
        let outcome = decode(&home, &["-", "--issuer", &issuer], &token).expect_code(code);
        assert!(outcome.stdout.contains("  sub  ada\n"), "{outcome:#?}");
        let last = outcome.stdout.lines().last().expect("a line");
        assert!(
            last.starts_with("  not verified, because ") && last.contains(part),
            "{part}: {outcome:#?}"
        );
        if code != 0 {
            assert_eq!(
                outcome.error(),
                "the token is not verified, because its issuer's keys cannot be used"
            );
            assert!(outcome.causes().contains(part), "{part}: {outcome:#?}");
            assert!(outcome.hints().contains("add --no-verify"), "{outcome:#?}");
        }
    };
    for (reply, code, part) in [
        (status(500), 3, "status 500"),
        (Reply::reset(), 3, "cannot be fetched"),
        (status(404), 6, "status 404"),
        (json(200, "[]"), 6, "cannot be read"),
        (json(200, r#"{"keys":[{"kty":"oct","k":"AA"}]}"#), 0, "no key for EdDSA"),
    ] {
        server.on("GET", "/jwks", reply);
        shown(code, part);
    }
    let metadata = value!({"issuer": issuer});
    server.on("GET", SERVER_METADATA, json(200, &metadata.to_string()));
    shown(0, "no jwks_uri");
    server.on("GET", SERVER_METADATA, status(404));
    shown(6, "publishes no metadata");
    server.on("GET", SERVER_METADATA, status(503));
    shown(3, "status 503");

    let outcome = decode(&home, &["-", "--issuer", &issuer, "--json"], &token);
    assert_eq!(signature(&outcome)["verified"], value!(null));
    assert_eq!(outcome.json_error(3)["name"], "unreachable");
}

#[test]
fn without_verification_no_keys_are_fetched() {
    let (home, signer) = (Home::new(), Signer::new("k1"));
    let (server, issuer) = issuer_with(&signer);
    home.configure(&format!("[profile.work]\nissuer = \"{issuer}\"\n"));
    let token = signer.token(&value!({"iss": issuer, "sub": "ada"}));
    let mut kept = session(&issuer);
    kept.tokens[0].access_token = token.clone().into();
    kept.endpoints.jwks_uri = Some(endpoint(&server.url("/jwks")));
    home.keep("work", &kept);
    for (arguments, input) in [(&["-"][..], token.as_str()), (&["-p", "work"], "")] {
        let outcome = decode(&home, &[arguments, &["--no-verify"]].concat(), input).expect_code(0);
        assert_eq!(
            outcome.stdout.lines().last(),
            Some("  not verified, because --no-verify was given")
        );
        assert_eq!(outcome.stderr, "");
    }
    assert_eq!(server.connections(), 0);
    decode(&home, &["-", "--no-verify", "--issuer", &issuer], &token).expect_error(2);
}

#[test]
fn what_was_copied_along_with_a_token_is_removed_with_a_note() {
    let (home, signer) = (Home::new(), Signer::new("k1"));
    let (_server, issuer) = issuer_with(&signer);
    let token = signer.token(&value!({"iss": issuer, "sub": "ada"}));
    let (start, end) = token.split_at(token.len() / 2);
    for (text, removed) in [
        (format!("Bearer {token}\n"), "\"Bearer\""),
        (format!("\"{token}\""), "quotes"),
        (format!("  {start}\n{end}  \n"), "whitespace"),
        (
            format!("Authorization: Bearer {token}"),
            "\"Authorization:\", whitespace, \"Bearer\"",
        ),
        (token.replace('.', "=.") + "==", "base64 padding"),
    ] {
        let outcome = decode(&home, &["-", "--issuer", &issuer], &text).expect_code(0);
        assert!(
            outcome.stdout.contains("  sub  ada\n") && outcome.stdout.contains("  verified: EdDSA, key \"k1\""),
            "{outcome:#?}"
        );
        assert_eq!(outcome.stderr, format!("note: removed from the token: {removed}\n"));
    }

    // Some issuers sign the padding, too.
    let padded = signer.signed(&signer.input(&value!({"iss": issuer, "sub": "ada"})).replace('.', "=."));
    let outcome = decode(&home, &["-", "--issuer", &issuer, "--json"], &padded).expect_code(0);
    assert_eq!(signature(&outcome)["verified"], true, "{outcome:#?}");
    let (input, signed) = padded.rsplit_once('.').unwrap();
    let forged = format!("{}.{signed}", input.replace("=.", "==."));
    decode(&home, &["-", "--issuer", &issuer], &forged).expect_code(6);
}

#[test]
fn a_published_key_that_cannot_be_used_is_named_with_its_problem() {
    let (home, server) = (Home::new(), LiteralServer::start());
    let issuer = server.origin();
    let metadata = value!({"issuer": issuer, "jwks_uri": server.url("/jwks")});
    server.on("GET", SERVER_METADATA, json(200, &metadata.to_string()));
    let short = "AQAB".repeat(43);
    let keys = value!({"keys": [
        {"kty": "RSA", "kid": "short", "n": short, "e": "AQAB"},
        {"kty": "EC", "kid": "odd", "crv": "secp256k1", "x": "AA", "y": "AA"},
        {"kty": "RSA", "kid": "enc", "use": "enc", "n": short, "e": "AQAB"},
    ]});
    server.on("GET", "/jwks", json(200, &keys.to_string()));
    for (header, reason) in [
        (
            value!({"alg": "RS256", "kid": "short"}),
            "the issuer's key with kid \"short\" cannot be used: its RSA modulus has 1025 bits, fewer than 2048 (RFC 7518 §3.3)",
        ),
        (
            value!({"alg": "ES256", "kid": "odd"}),
            "the issuer's key with kid \"odd\" cannot be used: its crv is \"secp256k1\", which is not supported",
        ),
        (
            value!({"alg": "RS256", "kid": "enc"}),
            "the issuer's key with kid \"enc\" cannot be used: its use or key_ops is another than to verify signatures (RFC 7517 §4.2, §4.3)",
        ),
        (
            value!({"alg": "RS256"}),
            "the issuer's key with kid \"short\" cannot be used: its RSA modulus has 1025 bits, fewer than 2048 (RFC 7518 §3.3)",
        ),
        (
            value!({"alg": "RS256", "kid": "other"}),
            "the issuer publishes no key for RS256 with kid \"other\"",
        ),
    ] {
        let token = format!("{}.AA", unsigned(&header, &value!({"iss": issuer})));
        let outcome = decode(&home, &["-", "--issuer", &issuer, "--json"], &token).expect_code(0);
        assert_eq!(signature(&outcome)["reason"], reason, "{header}");
    }
}

#[test]
fn a_nonce_in_the_header_leaves_verification_to_the_resource_server() {
    let (home, signer) = (Home::new(), Signer::new("k1"));
    let (_server, issuer) = issuer_with(&signer);
    let header = |nonce: &str| value!({"alg": "EdDSA", "kid": "k1", "nonce": nonce});
    let claims = value!({"iss": issuer, "sub": "ada"});
    // The signature is over the hash of the nonce, the token has the nonce.
    let signed = signer.signed(&unsigned(&header("hash"), &claims));
    let token = format!(
        "{}.{}",
        unsigned(&header("nonce"), &claims),
        signed.rsplit('.').next().unwrap()
    );
    let outcome = decode(&home, &["-", "--issuer", &issuer], &token).expect_code(0);
    assert_eq!(
        outcome.stdout.lines().last(),
        Some(
            "  not verified, because its header has a nonce, as Microsoft's tokens for its own APIs (Microsoft Graph) have: only the resource server that it is for can verify it"
        )
    );
    // A nonce that is signed as it is changes nothing.
    let outcome = decode(&home, &["-", "--issuer", &issuer], &signed).expect_code(0);
    assert!(outcome.stdout.contains("  verified: EdDSA"), "{outcome:#?}");
}

#[test]
fn times_in_milliseconds_are_named_as_that() {
    let token = format!(
        "{}.AA",
        unsigned(
            &value!({"alg": "none"}),
            &value!({"iat": 1_700_000_000_000_u64, "exp": 253_402_200_000_u64})
        )
    );
    let outcome = decode(&Home::new(), &["-"], &token).expect_code(0);
    for line in [
        "  iat  1700000000000 (milliseconds instead of seconds: 2023-11-14T22:13:20Z, ",
        "  exp  253402200000 (9999-12-30T20:00:00Z, ",
    ] {
        assert!(outcome.stdout.contains(line), "{line}: {outcome:#?}");
    }
}

#[test]
fn the_tokens_of_the_stored_session_are_checked_with_its_servers_keys() {
    let (home, signer) = (Home::new(), Signer::new("k1"));
    let (server, issuer) = issuer_with(&signer);
    home.configure("[profile.work]\n");
    let mut kept = session(&issuer);
    kept.tokens[0].access_token = signer.token(&value!({"iss": issuer, "sub": "access"})).into();
    kept.id_token = Some(signer.token(&value!({"iss": issuer, "sub": "identity"})).into());
    kept.endpoints.jwks_uri = Some(endpoint(&server.url("/jwks")));
    home.keep("work", &kept);
    for (arguments, subject) in [
        (&["-p", "work", "--json"][..], "access"),
        (&["-p", "work", "--id-token", "--json"], "identity"),
    ] {
        let outcome = run(home.oauth().arg("decode").args(arguments)).expect_code(0);
        assert_eq!(outcome.json()["claims"]["sub"], subject);
        assert_eq!(signature(&outcome)["verified"], true, "{outcome:#?}");
        assert_eq!(outcome.stderr, "");
    }
    let paths: Vec<String> = server.requests().iter().map(|request| request.target.clone()).collect();
    assert_eq!(
        paths,
        ["/jwks", "/jwks"],
        "no discovery where the session knows the address"
    );

    // Without the address, by discovery; and another name in the token is told.
    kept.endpoints.jwks_uri = None;
    kept.tokens[0].access_token = signer.token(&value!({"iss": "https://sts.example.com"})).into();
    home.keep("work", &kept);
    let outcome = run(home.oauth().args(["decode", "-p", "work"])).expect_code(0);
    assert!(outcome.stdout.contains("verified: EdDSA, key \"k1\""), "{outcome:#?}");
    assert!(outcome.warnings().contains("https://sts.example.com"), "{outcome:#?}");

    // An opaque token, no ID token, nobody signed in, another server.
    kept.tokens[0].access_token = "opaque".into();
    kept.id_token = None;
    home.keep("work", &kept);
    let outcome = run(home.oauth().args(["decode", "-p", "work"])).expect_error(2);
    assert!(!outcome.hints().contains("oauth introspect"), "{outcome:#?}");
    outcome.does_not_say("opaque\"");
    let given = decode(&home, &["-"], "opaque").expect_error(2);
    assert!(!given.hints().contains("oauth introspect"), "{given:#?}");
    kept.endpoints.introspection = Some(endpoint(&format!("{issuer}/introspect")));
    home.keep("work", &kept);
    let outcome = run(home.oauth().args(["decode", "-p", "work"])).expect_error(2);
    assert!(
        outcome.hints().contains("oauth introspect --profile work"),
        "{outcome:#?}"
    );
    let given = decode(&home, &["-"], "opaque").expect_error(2);
    assert!(given.hints().contains("oauth introspect --profile work"), "{given:#?}");
    run(home.oauth().args(["decode", "-p", "work", "--id-token"])).expect_error(4);
    run(home.oauth().args(["decode", "-p", "absent"])).expect_error(2);
    home.configure("[profile.work]\nissuer = \"https://id.example.com\"\n");
    run(home.oauth().args(["decode", "-p", "work"])).expect_error(4);
}

#[test]
fn a_token_as_an_argument_is_refused_and_never_repeated() {
    let home = Home::new();
    let token = Signer::new("k1").token(&value!({"sub": "ada"}));
    for argument in [token.as_str(), "2YotnFZFEjr1zCsicMWpAA"] {
        let outcome = decode(&home, &[argument], "").expect_error(2);
        outcome.does_not_say(argument);
        assert!(outcome.hints().contains("standard input"), "{outcome:#?}");
    }
    for (input, part) in [("", "empty"), ("\n", "empty")] {
        let outcome = decode(&home, &["-"], input).expect_error(2);
        assert!(outcome.error().contains(part), "{outcome:#?}");
    }
    for bad in ["opaque-token-1234", "a.b.c", "a.b.c.d.e", &format!("{token}.x")] {
        let outcome = decode(&home, &["-"], bad).expect_error(2);
        outcome.does_not_say(bad);
    }
}

#[test]
fn text_of_a_token_cannot_steer_the_terminal() {
    let home = Home::new();
    let claims = value!({"iss": "\u{1b}]0;x\u{7}", "sub": "\u{1b}[2J\nsignature\n  verified", "\u{202e}n": "\u{9b}"});
    let token = format!("{}.AA", unsigned(&value!({"alg": "\u{1b}[31m"}), &claims));
    let outcome = decode(&home, &["-"], &token).expect_code(0);
    assert!(
        !outcome.stdout.contains(['\u{1b}', '\u{202e}', '\u{9b}', '\u{7}']),
        "{outcome:?}"
    );
    assert_eq!(outcome.stdout.lines().filter(|line| *line == "signature").count(), 1);
    assert!(
        !outcome.stdout.contains("--issuer"),
        "no command to copy with such a name: {outcome:?}"
    );
    let outcome = decode(&home, &["-", "--json"], &token).expect_code(0);
    assert!(
        !outcome.stdout.contains(['\u{1b}', '\u{202e}', '\u{9b}']),
        "{outcome:?}"
    );
    assert_eq!(outcome.json()["claims"], claims);
}

#[test]
fn tokens_of_the_development_server_are_verified() {
    let (home, server) = (Home::new(), DevelopmentServer::start(&["--approve", "auto"]));
    complete_at(
        &server,
        &home,
        &["--client-id", "oauth-cli", "--scope", "openid hello", "-p", "work"],
    )
    .expect_code(0);
    for (arguments, algorithm, kind) in [
        (&["decode", "-p", "work", "--json"][..], "ES256", "at+jwt"),
        (&["decode", "-p", "work", "--id-token", "--json"], "RS256", "JWT"),
    ] {
        let outcome = run(home.oauth().args(arguments)).expect_code(0);
        assert_eq!(outcome.json()["header"]["typ"], kind);
        assert_eq!(signature(&outcome)["verified"], true, "{outcome:#?}");
        assert_eq!(signature(&outcome)["algorithm"], algorithm);
        assert_eq!(signature(&outcome)["issuer"], server.issuer());
    }
}
