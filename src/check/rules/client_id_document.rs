//! Clients whose id is the URL of their metadata
//! (draft-ietf-oauth-client-id-metadata-document), judged by documents on this
//! machine, where the server fetches such.

use crate::check::authorization_probe::expect_refusal;
use crate::check::context::Check;
use crate::check::document_host::DocumentHost;
use crate::check::exchange::Outcome;
use crate::check::report::{CheckResult, Failure, ensure, inconclusive, violated};
use crate::protocol::endpoint::is_loopback;
use crate::rules::Rule;
use serde_json::{Value, json};

const GOOD: &str = "/client.json";

/// A rule, where its document is served, with which status, and what is wrong with it.
type RefusedDocument = (Rule, &'static str, u16, fn(&mut Value));

/// Documents by which no client may be known.
const REFUSED: [RefusedDocument; 4] = [
    (Rule::ClientIdDocumentClientId, "/other-id.json", 200, |document| {
        document["client_id"] = json!("https://client.example/client.json");
    }),
    (
        Rule::ClientIdDocumentRedirectUri,
        "/other-redirect.json",
        200,
        |document| {
            document["redirect_uris"] = json!(["https://client.example/callback"]);
        },
    ),
    (Rule::ClientIdDocumentSecret, "/secret.json", 200, |document| {
        document["token_endpoint_auth_method"] = json!("client_secret_basic");
        document["client_secret"] = json!("everybody-can-read-this");
    }),
    (Rule::ClientIdDocumentStatus, "/not-there.json", 404, |_| {}),
];

/// Tests what the server takes for a document.
pub(in crate::check) fn run(check: &mut Check<'_, '_>) {
    let mut host = None;
    check.rule(Rule::ClientIdDocumentAccepted, &mut |check| {
        let host = open(check, &mut host)?;
        accepted(check, host)
    });
    check.rule(Rule::ClientIdDocumentFetchedOnce, &mut |check| {
        let host = open(check, &mut host)?;
        works(check, host)?;
        ask(check, host, GOOD, 200, |_| {})?;
        let count = host.count(GOOD);
        ensure(count <= 1, format!("it is fetched {count} times"))
    });
    for (rule, path, status, change) in REFUSED {
        check.rule(rule, &mut |check| {
            let host = open(check, &mut host)?;
            works(check, host)?;
            expect_refusal(&ask(check, host, path, status, change)?)
        });
    }
}

fn open<'h>(check: &Check<'_, '_>, host: &'h mut Option<DocumentHost>) -> Result<&'h DocumentHost, Failure> {
    let prober = &check.prober;
    if !prober.target.takes_client_id_documents {
        return inconclusive("the server announces no client-ID documents (client_id_metadata_document_supported)");
    }
    if !is_loopback(prober.authorization_endpoint()?.url()) {
        return inconclusive("the server is not on this machine, so that it fetches no document from here");
    }
    check.needs_plain_answers()?;
    if host.is_none() {
        match prober.runtime.block_on(DocumentHost::open()) {
            Ok(opened) => *host = Some(opened),
            Err(error) => return inconclusive(format!("no document can be offered from this machine: {error}")),
        }
    }
    host.as_ref().map_or_else(|| inconclusive("there is no document"), Ok)
}

fn accepted(check: &mut Check<'_, '_>, host: &DocumentHost) -> CheckResult {
    let outcome = ask(check, host, GOOD, 200, |_| {})?;
    match outcome {
        _ if host.count(GOOD) == 0 => inconclusive("the server fetches no document from this machine"),
        Outcome::Error(page) => violated(format!("it is refused by {page}")),
        Outcome::PushRefused(refusal) => violated(format!("it is refused with {refusal}")),
        Outcome::Redirect(response) if !response.grants() => violated(format!("it is refused: {}", response.refusal())),
        Outcome::Redirect(_) | Outcome::Page => Ok(()),
    }
}

/// `Ok` where a good document is taken, so that the refusal of another means something.
fn works(check: &mut Check<'_, '_>, host: &DocumentHost) -> CheckResult {
    let aside = check.prober.results.put_aside();
    let result = match check.prober.results.passed(Rule::ClientIdDocumentAccepted) {
        true => Ok(()),
        false => accepted(check, host),
    };
    check.prober.results.take_back(aside);
    result.map_err(|failure| failure.as_inconclusive())
}

/// An authorization request of the client whose document is at this path.
fn ask(
    check: &mut Check<'_, '_>,
    host: &DocumentHost,
    path: &str,
    status: u16,
    change: fn(&mut Value),
) -> Result<Outcome, Failure> {
    let client_id = host.url(path);
    let mut document = json!({
        "client_id": client_id,
        "client_name": "oauth check",
        "redirect_uris": [check.prober.redirect_uri.as_str()],
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    });
    change(&mut document);
    host.publish(path, status, document.to_string());
    let mut probe = check.prober.probe()?;
    probe.params.set("client_id", &client_id);
    check.prober.authorize(&probe)
}
