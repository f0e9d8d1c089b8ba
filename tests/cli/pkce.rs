//! `oauth pkce`: the pair of RFC 7636 Appendix B, and pairs that nobody has seen.

use super::support::binary::Home;
use super::support::development_server::{CHALLENGE, VERIFIER};
use super::support::outcome::{Outcome, run, run_with_input};
use serde_json::json as value;

fn challenge_of(verifier: &str, arguments: &[&str]) -> Outcome {
    let home = Home::new();
    let mut command = home.oauth();
    run_with_input(
        command.args(["pkce", "--verifier-stdin"]).args(arguments),
        verifier.as_bytes(),
    )
}

#[test]
fn the_pair_of_rfc_7636_appendix_b() {
    let outcome = challenge_of(&format!("{VERIFIER}\n"), &["--json"]).expect_code(0);
    let pair = value!({"code_verifier": VERIFIER, "code_challenge": CHALLENGE, "code_challenge_method": "S256"});
    assert_eq!(outcome.json(), pair);
    let outcome = challenge_of(VERIFIER, &[]).expect_code(0);
    assert_eq!(
        outcome.stdout,
        format!("code_verifier          {VERIFIER}\ncode_challenge         {CHALLENGE}\ncode_challenge_method  S256\n")
    );
    assert_eq!(outcome.stderr, "");
}

#[test]
fn a_new_pair_each_time() {
    let home = Home::new();
    let pair = || run(home.oauth().args(["pkce", "--json"])).expect_code(0).json();
    let (one, other) = (pair(), pair());
    let verifier = one["code_verifier"].as_str().unwrap();
    assert_eq!(verifier.len(), 43);
    assert_ne!(one["code_verifier"], other["code_verifier"]);
    let again = challenge_of(verifier, &["--json"]).expect_code(0);
    assert_eq!(again.json(), one);
    assert!(home.files().is_empty(), "nothing is kept");
}

#[test]
fn what_is_no_verifier_is_refused_and_not_repeated() {
    for bad in [
        "too-short-for-a-verifier",
        &"a".repeat(129),
        &format!("{}+", "a".repeat(43)),
        &"ä".repeat(43),
    ] {
        let outcome = challenge_of(bad, &[]).expect_error(2);
        assert!(outcome.error().contains("RFC 7636 §4.1"), "{outcome:#?}");
        outcome.does_not_say(bad);
    }
    challenge_of("", &[]).expect_error(2);
}
