//! Keeps the architecture true (`ARCHITECTURE.md`): who may name whom, what
//! the pure core may not know, who may write to the standard streams, where a
//! secret may be exposed. Every path in `src` is read, in `use` declarations
//! and in code alike, without comments, literals and tests.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// From top to bottom. A room may name rooms of the layers below its own, and
/// none beside it. A file that is listed by itself counts as a room.
const LAYERS: [&[&str]; 15] = [
    &["main"],
    &["lib"],
    &["commands"],
    &["app"],
    &["output::report", "output::json_table"],
    &["error"],
    &["args"],
    &["check"],
    &["flow", "server"],
    &["transport", "store", "user_agent"],
    &["trace"],
    &["system", "providers"],
    &["protocol", "output", "rules"],
    &["secret", "exit", "fault", "foreign_text"],
    &["hex", "spelling"],
];

/// The part of the server that speaks with the world; the rest of it is pure.
const SERVER_SHELL: &str = "src/server/shell/";

/// Crates of the outside world, and crates that read the clock.
const IMPURE_CRATES: [&str; 16] = [
    "tokio",
    "hyper",
    "hyper_util",
    "http_body_util",
    "reqwest",
    "rustls",
    "keyring",
    "keyring_core",
    "zbus",
    "open",
    "indicatif",
    "rustix",
    "tempfile",
    "socket2",
    "getrandom",
    "jiff",
];

/// Modules of the standard library that are the outside world.
const IMPURE_STANDARD_MODULES: [&str; 5] = ["net", "fs", "env", "process", "thread"];

/// Clocks and global randomness, whatever path leads to them.
const IMPURE_NAMES: [&str; 9] = [
    "SystemTime",
    "Instant",
    "SysRng",
    "OsRng",
    "ThreadRng",
    "thread_rng",
    "SystemRandom",
    "SystemRandomness",
    "stdin",
];

/// What the pure core names all the same.
const PURITY_EXCEPTIONS: [(&str, &str, &str); 1] = [(
    "src/protocol/signing/key.rs",
    "SystemRandom",
    "ring signs with its own randomness alone: the trait is sealed, so it cannot be an argument",
)];

/// The only room that opens, makes, renames and removes files.
const FILES: &str = "src/system/files/";

/// What else touches files.
const FILES_EXCEPTIONS: [(&str, &str); 1] = [("src/fault.rs", "appends to the log of a test build")];

/// The only modules that write to standard output and standard error.
const WRITERS: [&str; 4] = ["output::report", "trace", "commands", "app"];

/// Modules of `trace` that are renderers or parts of one.
const RENDERERS: [&str; 5] = ["render", "diagram", "curl", "files", "redact"];

/// Where a secret may be read, and what for.
const EXPOSED: &[(&str, &str)] = &[
    ("src/protocol/scrub.rs", "looks for secrets in text of servers"),
    ("src/protocol/json_answer.rs", "parses the bodies of answers"),
    (
        "src/protocol/authorization/request_object.rs",
        "writes the parameters of a request as claims",
    ),
    (
        "src/check/rules/request_object.rs",
        "takes a request object apart to change its signature",
    ),
    (
        "src/server/endpoints/request_source.rs",
        "adds what stands beside a reference, where that rule is violated",
    ),
    (
        "src/server/pushed_requests.rs",
        "writes a reference of random characters",
    ),
    (
        "src/server/signed_response.rs",
        "writes the parameters of a response as claims",
    ),
    (
        "src/server/violations/signed_response.rs",
        "takes a token apart to change its signature",
    ),
    (
        "src/check/rules/client_assertion.rs",
        "takes an assertion apart to change its signature",
    ),
    ("src/commands/serve.rs", "reads the metadata of a client"),
    (
        "src/server/shell/tls_files.rs",
        "writes and reads the keys of certificates",
    ),
    (
        "src/app/token_source/gcp.rs",
        "reads the token that a metadata service sent",
    ),
    (
        "src/app/token_source/service.rs",
        "parses the answers of metadata services",
    ),
    ("src/flow/id_jag.rs", "reads whom an identity assertion is for"),
    (
        "src/check/rules/token_exchange.rs",
        "takes tokens apart to change their signatures",
    ),
    (
        "src/server/endpoints/token/granted.rs",
        "writes an identity assertion into the response",
    ),
    (
        "src/server/endpoints/token/jwt_bearer.rs",
        "looks what kind of token an assertion is",
    ),
    (
        "src/server/endpoints/token/token_exchange.rs",
        "takes a subject token apart",
    ),
    (
        "src/server/trusted_issuers.rs",
        "takes apart tokens that trusted issuers signed",
    ),
    ("src/check/entropy.rs", "measures the randomness of codes and tokens"),
    ("src/check/exchange.rs", "parses the bodies of answers"),
    (
        "src/check/redirect_response.rs",
        "compares where the browser is sent with the redirect URIs",
    ),
    (
        "src/check/secrets.rs",
        "compares and hashes what the examination sends, takes tokens apart",
    ),
    (
        "src/commands/demo.rs",
        "the demo account's password, which is told; the resource server's answer",
    ),
    ("src/app/freshness.rs", "reads when the ID token expires"),
    ("src/app/input.rs", "hands over a secret that was typed"),
    (
        "src/check/rules/device.rs",
        "reads the codes of a device, measures their randomness",
    ),
    (
        "src/protocol/device_authorization/mod.rs",
        "reads and writes the device authorization response",
    ),
    ("src/protocol/grant/device_code.rs", "encodes device code and verifier"),
    ("src/store/session/registration.rs", "writes the record"),
    ("src/protocol/mcp_probe.rs", "reads the error of an answer"),
    ("src/protocol/registration.rs", "reads the answer to a registration"),
    ("src/protocol/client_metadata_document.rs", "reads a public document"),
    (
        "src/server/endpoints/device.rs",
        "puts the id of the waiting request into the browser's URL",
    ),
    (
        "src/server/endpoints/device_authorization.rs",
        "puts the user code into the address of the page for it",
    ),
    ("src/server/pages/consent.rs", "shows the person the code of the device"),
    (
        "src/trace/render/terminal/device_prompt.rs",
        "shows the person the code to enter",
    ),
    ("src/commands/decode.rs", "takes the token apart"),
    (
        "src/commands/login/outcome.rs",
        "makes the token response of --no-store",
    ),
    (
        "src/commands/login/summary.rs",
        "prints the token response of --no-store",
    ),
    ("src/commands/pkce.rs", "prints the verifier"),
    ("src/commands/revoke.rs", "compares a given token with the session's"),
    (
        "src/app/passphrase.rs",
        "compares what was typed with what was typed again",
    ),
    ("src/commands/login/dry_run.rs", "prints the request; measures its body"),
    ("src/app/token_format/env.rs", "writes variables for a shell"),
    ("src/app/token_format/exec_credential.rs", "prints the token"),
    ("src/app/token_format/json.rs", "prints the token"),
    ("src/app/token_format/mod.rs", "prints the token"),
    ("src/commands/credential/aws.rs", "prints the keys of the role"),
    ("src/commands/credential/docker.rs", "prints the token"),
    ("src/commands/credential/git.rs", "prints the token"),
    (
        "src/commands/credential/lookup.rs",
        "looks for line breaks, which the protocols cannot write",
    ),
    (
        "src/app/rejected_token.rs",
        "compares a rejected token with the session's",
    ),
    ("src/flow/assume_role.rs", "parses the answer of STS"),
    (
        "src/commands/exec/mod.rs",
        "puts the token into the environment of a command",
    ),
    ("src/commands/token.rs", "prints the token"),
    (
        "src/flow/token_services.rs",
        "puts the token into requests about it, parses the answers",
    ),
    ("src/flow/userinfo.rs", "parses a userinfo response that is a JWT"),
    ("src/flow/discovery/walk.rs", "parses the bodies of metadata answers"),
    ("src/flow/issuer_keys.rs", "parses the published keys"),
    ("src/flow/login/id_token.rs", "checks the ID token"),
    ("src/flow/login/pasted.rs", "takes a pasted URL apart"),
    (
        "src/flow/events.rs",
        "makes parameters of the token response, which redact themselves",
    ),
    ("src/flow/refresh.rs", "checks the ID token"),
    (
        "src/protocol/authorization/request.rs",
        "encodes and compares state and nonce",
    ),
    ("src/protocol/authorization/response.rs", "encodes the code"),
    (
        "src/protocol/client_auth/assertion.rs",
        "writes the identifier of an assertion into it",
    ),
    (
        "src/protocol/client_auth/client_secret_basic.rs",
        "encodes the client secret",
    ),
    (
        "src/protocol/client_auth/client_secret_post.rs",
        "encodes the client secret",
    ),
    (
        "src/protocol/dpop.rs",
        "reads the stored key, puts jti and the hash of the token into a proof",
    ),
    (
        "src/protocol/http.rs",
        "writes the Authorization header, and reads the error in a body",
    ),
    (
        "src/protocol/id_token.rs",
        "hashes the access token; reads who a stored ID token is of",
    ),
    ("src/protocol/params.rs", "encodes parameters"),
    ("src/protocol/pkce.rs", "hashes and compares the verifier"),
    ("src/protocol/signing/jws.rs", "keys an HMAC with the client secret"),
    (
        "src/protocol/signing/key.rs",
        "hands the numbers of a private key to ring",
    ),
    ("src/protocol/signing/pem.rs", "decodes a private key"),
    (
        "src/protocol/signing/private_jwk.rs",
        "decodes and encodes a private key",
    ),
    ("src/protocol/state.rs", "compares the state"),
    (
        "src/protocol/grant/authorization_code.rs",
        "encodes code and code verifier",
    ),
    ("src/protocol/grant/refresh_token.rs", "encodes the refresh token"),
    (
        "src/protocol/token_response/body.rs",
        "reads the body of the token response, and a refresh token out of a faulty one",
    ),
    ("src/protocol/token_response/mod.rs", "parses the token response"),
    (
        "src/server/endpoints/authorization_response.rs",
        "writes the response of the development server",
    ),
    (
        "src/server/endpoints/authorize.rs",
        "session cookie of the development server",
    ),
    (
        "src/server/endpoints/front_channel.rs",
        "writes the response of the development server",
    ),
    ("src/server/endpoints/revoke.rs", "tells ID tokens from others"),
    (
        "src/server/grants/opaque_token.rs",
        "parses and hashes codes and refresh tokens",
    ),
    ("src/server/interactions.rs", "compares cookies and form tokens"),
    ("src/server/message.rs", "writes bodies"),
    ("src/server/pages/form_post.rs", "writes the response into the page"),
    ("src/server/scripted_user.rs", "types the password of the demo account"),
    ("src/server/authorization_server.rs", "looks tokens up"),
    (
        "src/server/endpoints/mcp.rs",
        "reads messages, writes the id of a session into its header",
    ),
    ("src/server/endpoints/resource.rs", "reads a note"),
    ("src/server/mcp/sessions.rs", "hashes the id of a session"),
    (
        "src/server/endpoints/registration.rs",
        "reads the request, writes the credentials of a new client into the answer",
    ),
    (
        "src/server/shell/client_documents.rs",
        "hands over the body of a client-ID document",
    ),
    (
        "src/server/clients/registrations.rs",
        "hashes the token of a registration",
    ),
    ("src/server/settings/clients.rs", "compares client secrets"),
    ("src/server/settings/users.rs", "compares passwords"),
    ("src/server/token_response.rs", "writes tokens into responses"),
    (
        "src/server/violations/authorization_request.rs",
        "looks for parameters without a value",
    ),
    (
        "src/server/violations/authorization_response.rs",
        "writes the response of the development server",
    ),
    (
        "src/server/violations/concurrent_use.rs",
        "hashes codes and tokens, to recognize them",
    ),
    (
        "src/server/violations/request.rs",
        "puts the code or token in place of its alias",
    ),
    (
        "src/server/violations/token_alias.rs",
        "hashes codes and tokens, to recognize them",
    ),
    (
        "src/args/settings/secrets.rs",
        "checks the text of a secret that was read",
    ),
    ("src/protocol/id_token/signature.rs", "takes the ID token apart"),
    ("src/store/session/record.rs", "takes the client's key apart"),
    ("src/store/recovery.rs", "encrypts and decrypts"),
    ("src/store/helper.rs", "hands the record to the credential helper"),
    ("src/store/file/mod.rs", "parses the record"),
    ("src/store/file/sealed.rs", "encrypts and decrypts"),
    ("src/store/keyring/mod.rs", "hands the record to the keyring"),
    ("src/store/file/passphrase.rs", "makes the key from the passphrase"),
    ("src/store/session/json.rs", "encodes the record"),
    ("src/store/session/json_text.rs", "encodes the record"),
    ("src/store/session/role_json.rs", "encodes the record"),
    ("src/trace/redact.rs", "decides what of it may be seen"),
    (
        "src/trace/curl.rs",
        "assigns the variables of a command, with --show-secrets",
    ),
    (
        "src/trace/redact/url_parts.rs",
        "looks for known secrets in the parameters of a URL",
    ),
    ("src/transport/body.rs", "decodes the body"),
    ("src/transport/exchange.rs", "writes headers and body to the wire"),
    ("src/transport/proxy.rs", "the proxy's URL with its password"),
];

/// The longest file of `src`, with its tests.
const MAX_FILE_LINES: usize = 450;

/// The longest function that is not a test's.
const MAX_FUNCTION_LINES: usize = 60;

/// Files that may be longer, and why.
const LONG_FILES: [(&str, &str); 1] = [("src/rules.rs", "a table: one line a rule")];

/// Functions that may be longer, and why.
const LONG_FUNCTIONS: [(&str, &str, &str); 9] = [
    ("src/rules/purpose.rs", "of_rule", "a table: one line a rule"),
    ("src/rules/purpose.rs", "of_group", "a table: one line a group"),
    ("src/trace/diagram.rs", "lines", "a table: one arm an event"),
    ("src/trace/render/json.rs", "event_members", "a table: one arm an event"),
    ("src/server/documents.rs", "metadata", "a table: one line a member"),
    (
        "src/flow/discovery/capabilities.rs",
        "capabilities",
        "a table: one line a capability",
    ),
    ("src/protocol/metadata.rs", "to_json", "a table: one line a member"),
    ("src/transport/error.rs", "hints", "a table: one arm an error"),
    (
        "src/flow/login.rs",
        "authorize",
        "five steps that are read from top to bottom",
    ),
];

#[test]
fn no_file_and_no_function_is_too_long_but_for_tables() {
    let lengths: Vec<(&Source, Vec<Function>)> = sources().iter().map(|source| (source, source.functions())).collect();
    assert_none(all_files().iter().filter_map(too_long_file));
    assert_none(
        lengths
            .iter()
            .flat_map(|(source, functions)| too_long(source, functions)),
    );
    for (file, _) in LONG_FILES {
        let source = sources().iter().find(|source| source.file == file).expect(file);
        assert!(
            source.text.lines().count() > MAX_FILE_LINES,
            "{file} is short: remove the exception"
        );
    }
    for (file, name, _) in LONG_FUNCTIONS {
        let (_, functions) = lengths.iter().find(|(source, _)| source.file == file).expect(file);
        let is_long = |function: &Function| function.name == name && function.lines > MAX_FUNCTION_LINES;
        assert!(
            functions.iter().any(is_long),
            "{name} of {file} is short: remove the exception"
        );
    }
}

#[test]
fn modules_name_only_modules_of_lower_layers() {
    assert_none(sources().iter().flat_map(upward_names));
}

#[test]
fn no_files_name_each_other_in_a_circle() {
    let circles = circles(sources());
    assert!(
        circles.is_empty(),
        "files that import each other in a circle: {circles:#?}"
    );
}

#[test]
fn every_file_has_its_layer() {
    let rooms: BTreeSet<&str> = sources()
        .iter()
        .map(|source| {
            room_of(&source.path())
                .unwrap_or_else(|| panic!("{} stands in no layer", source.file))
                .1
        })
        .collect();
    assert_eq!(rooms, LAYERS.concat().into_iter().collect());
}

#[test]
fn the_core_is_pure() {
    assert_none(sources().iter().flat_map(impure_names));
    for (file, name, _) in PURITY_EXCEPTIONS {
        let source = sources().iter().find(|source| source.file == file).expect(file);
        let named = source.tokens.iter().any(|token| token.is(name));
        assert!(named, "{file} does not name {name} any more: remove the exception");
    }
}

#[test]
fn files_are_opened_in_one_room_only() {
    assert_none(sources().iter().flat_map(file_names));
    for (file, _) in FILES_EXCEPTIONS {
        let source = sources().iter().find(|source| source.file == file).expect(file);
        let names = source.paths().iter().any(is_of_files);
        assert!(names, "{file} names nothing of files any more: remove the exception");
    }
}

#[test]
fn only_report_trace_and_commands_write_to_the_standard_streams() {
    assert_none(sources().iter().flat_map(writes));
}

#[test]
fn renderers_are_named_in_commands_only() {
    assert_none(sources().iter().flat_map(renderer_names));
}

#[test]
fn secrets_are_exposed_in_listed_files_only() {
    let listed: BTreeSet<&str> = EXPOSED.iter().map(|(file, _)| *file).collect();
    assert_eq!(listed.len(), EXPOSED.len(), "a file is listed twice");
    assert!(EXPOSED.iter().all(|(_, reason)| !reason.is_empty()));
    let exposing: BTreeSet<&str> = sources()
        .iter()
        .filter(|source| source.file != "src/secret.rs" && !calls(source, "expose").is_empty())
        .map(|source| source.file.as_str())
        .collect();
    let unlisted: Vec<_> = exposing.difference(&listed).collect();
    assert!(
        unlisted.is_empty(),
        "expose() in files without a listed reason: {unlisted:#?}"
    );
    let stale: Vec<_> = listed.difference(&exposing).collect();
    assert!(stale.is_empty(), "listed, but there is no expose(): {stale:#?}");
}

#[test]
fn nothing_panics_outside_tests() {
    assert_none(sources().iter().flat_map(panics));
}

#[test]
fn threads_that_cannot_be_started_are_errors() {
    assert_none(sources().iter().flat_map(panicking_spawns));
}

#[test]
fn every_file_says_what_it_is_for() {
    for source in all_files() {
        let head = source.text.lines().take_while(|line| line.starts_with("//!")).count();
        assert!(head >= 1, "{} has no head comment", source.file);
    }
}

/// Every `FILE::TEST` that the threat model names.
#[test]
fn the_tests_that_the_security_page_names_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/security.md")).unwrap();
    let named: Vec<(&str, &str)> = page.split('`').filter_map(|word| word.split_once(".rs::")).collect();
    assert!(named.len() > 30, "only {} tests are named", named.len());
    for (file, test) in named {
        let text = std::fs::read_to_string(root.join(format!("{file}.rs")));
        let text = text.unwrap_or_else(|_| panic!("there is no {file}.rs"));
        let head = text.find(&format!("fn {test}(")).map(|position| &text[..position]);
        let is_test = head.and_then(|head| head.rfind("#[test]").map(|start| !head[start..].contains('}')));
        assert_eq!(is_test, Some(true), "{file}.rs has no test {test}");
    }
}

/// Every file with its folder that ARCHITECTURE.md names; `X.rs` stands for a new one.
#[test]
fn the_files_that_the_architecture_page_names_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let words = page
        .split('`')
        .filter(|word| word.contains('/') && word.ends_with(".rs"));
    let named: Vec<&str> = words.filter(|word| !word.ends_with("/X.rs")).collect();
    assert!(named.len() > 20, "only {} files are named", named.len());
    for file in named {
        let is_there = root.join(file).is_file() || root.join("src").join(file).is_file();
        assert!(is_there, "there is no {file}");
    }
}

#[test]
fn exceptions_from_lints_have_a_reason() {
    for source in all_files() {
        for (number, line) in source.text.lines().enumerate() {
            let attribute = line.trim_start();
            if attribute.starts_with("#[allow(") || attribute.starts_with("#![allow(") {
                let rest = source.text.lines().skip(number).take(5).collect::<String>();
                let attribute = &rest[..rest.find(")]").unwrap_or(rest.len())];
                assert!(attribute.contains("reason ="), "{}:{}", source.file, number + 1);
            }
        }
    }
}

/// A rule that was broken, and where.
struct Violation {
    file: String,
    line: usize,
    what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.file, self.line, self.what)
    }
}

#[track_caller]
fn assert_none(violations: impl Iterator<Item = Violation>) {
    let violations: Vec<String> = violations.map(|violation| violation.to_string()).collect();
    assert!(violations.is_empty(), "\n{}", violations.join("\n"));
}

/// The room of a path within this crate: the longest listed name that it begins with.
fn room_of(path: &[String]) -> Option<(usize, &'static str)> {
    let joined = path.join("::");
    let rooms = LAYERS
        .iter()
        .enumerate()
        .flat_map(|(layer, rooms)| rooms.iter().map(move |room| (layer, *room)));
    rooms
        .filter(|(_, room)| joined == *room || joined.starts_with(&format!("{room}::")))
        .max_by_key(|(_, room)| room.len())
}

fn upward_names(source: &Source) -> Vec<Violation> {
    let (own_layer, own) = room_of(&source.path()).unwrap_or_else(|| panic!("{} stands in no layer", source.file));
    let mut violations = Vec::new();
    for path in source.paths() {
        let Some((layer, named)) = room_of(&path.inner) else {
            continue;
        };
        if named != own && layer <= own_layer {
            violations.push(source.violation(path.line, format!("{own} names {named}")));
        }
    }
    violations
}

/// The circles among these files: each a sorted list of files. That a file
/// names the module it is part of (`super::Error`) makes no circle: a module's
/// own file is the face of its folder.
fn circles(sources: &[Source]) -> Vec<Vec<&str>> {
    let modules: Vec<Vec<String>> = sources.iter().map(Source::path).collect();
    let file_of = |path: &[String]| {
        let prefixes = (1..=path.len()).rev().map(|length| &path[..length]);
        prefixes
            .into_iter()
            .find_map(|prefix| modules.iter().position(|module| module == prefix))
    };
    let arrows: Vec<BTreeSet<usize>> = sources
        .iter()
        .enumerate()
        .map(|(own, source)| {
            let named = source.paths().into_iter().filter_map(|path| file_of(&path.inner));
            named
                .filter(|named| !modules[own].starts_with(&modules[*named]))
                .collect()
        })
        .collect();
    let reached: Vec<BTreeSet<usize>> = (0..sources.len()).map(|start| reachable(start, &arrows)).collect();
    let mut circles: BTreeSet<Vec<&str>> = BTreeSet::new();
    for own in (0..sources.len()).filter(|own| reached[*own].contains(own)) {
        let both_ways = reached[own].iter().filter(|other| reached[**other].contains(&own));
        circles.insert(both_ways.map(|other| sources[*other].file.as_str()).collect());
    }
    circles.into_iter().collect()
}

/// Every file that the arrows lead to from this one.
fn reachable(start: usize, arrows: &[BTreeSet<usize>]) -> BTreeSet<usize> {
    let mut reached = BTreeSet::new();
    let mut waiting = vec![start];
    while let Some(file) = waiting.pop() {
        for next in &arrows[file] {
            if reached.insert(*next) {
                waiting.push(*next);
            }
        }
    }
    reached
}

fn is_pure(file: &str) -> bool {
    file.starts_with("src/protocol/") || (file.starts_with("src/server/") && !file.starts_with(SERVER_SHELL))
}

fn impure_names(source: &Source) -> Vec<Violation> {
    if !is_pure(&source.file) {
        return Vec::new();
    }
    let mut violations = Vec::new();
    for path in source.paths() {
        let mut segments = path.outer.iter().map(String::as_str);
        let (first, second) = (segments.next().unwrap_or_default(), segments.next().unwrap_or_default());
        let impure = IMPURE_CRATES.contains(&first)
            || (first == "std" && IMPURE_STANDARD_MODULES.contains(&second))
            || path.inner.first().is_some_and(|module| module == "system");
        if impure {
            let shown = if path.inner.is_empty() {
                &path.outer
            } else {
                &path.inner
            };
            violations.push(source.violation(path.line, format!("the core names {}", shown.join("::"))));
        }
    }
    for token in &source.tokens {
        let excepted = |name: &str| {
            PURITY_EXCEPTIONS
                .iter()
                .any(|(file, known, _)| *file == source.file && *known == name)
        };
        if let Some(name) = IMPURE_NAMES
            .iter()
            .find(|name| token.is(name))
            .filter(|name| !excepted(name))
        {
            violations.push(source.violation(token.line, format!("the core names {name}")));
        }
    }
    violations
}

fn writes(source: &Source) -> Vec<Violation> {
    if room_of(&source.path()).is_some_and(|(_, room)| WRITERS.contains(&room)) {
        return Vec::new();
    }
    let mut violations = Vec::new();
    for (index, token) in source.tokens.iter().enumerate() {
        let after = |offset: usize, text: &str| source.tokens.get(index + offset).is_some_and(|token| token.is(text));
        let is_macro = after(1, "!");
        let printing = ["print", "println", "eprint", "eprintln", "dbg"]
            .iter()
            .any(|name| token.is(name));
        if printing && is_macro {
            violations.push(source.violation(token.line, format!("{}!", token.text)));
        }
        if !token.is("stdout") && !token.is("stderr") {
            continue;
        }
        let is_method = index > 0 && source.tokens[index - 1].is(".");
        let is_path = index > 0 && source.tokens[index - 1].is("::");
        let called = after(1, "(");
        // to ask whether it is a terminal writes nothing
        let asked = after(1, "(") && after(2, ")") && after(3, ".") && after(4, "is_terminal");
        if !is_method && (is_path || called) && !asked {
            violations.push(source.violation(token.line, format!("{} is taken", token.text)));
        }
    }
    violations
}

/// What opens or changes files: modules of the standard library and of crates.
fn is_of_files(path: &NamedPath) -> bool {
    let outer: Vec<&str> = path.outer.iter().map(String::as_str).collect();
    match outer.as_slice() {
        ["std" | "tokio" | "rustix", "fs", ..] | ["std", "os", _, "fs", ..] | ["tempfile", ..] => true,
        // brought in by `use std`
        [first, ..] => ["fs", "File", "OpenOptions", "DirBuilder"].contains(first),
        [] => false,
    }
}

fn file_names(source: &Source) -> Vec<Violation> {
    let is_exception = FILES_EXCEPTIONS.iter().any(|(file, _)| *file == source.file);
    if source.file.starts_with(FILES) || is_exception {
        return Vec::new();
    }
    let named = source.paths().into_iter().filter(is_of_files);
    named
        .map(|path| source.violation(path.line, format!("names {}", path.outer.join("::"))))
        .collect()
}

fn renderer_names(source: &Source) -> Vec<Violation> {
    if ["commands", "app", "trace"].contains(&source.top_module()) {
        return Vec::new();
    }
    let paths = source.paths().into_iter();
    let renderers = paths.filter(|path| {
        path.inner.first().is_some_and(|module| module == "trace")
            && path.inner.get(1).is_some_and(|name| RENDERERS.contains(&name.as_str()))
    });
    renderers
        .map(|path| source.violation(path.line, format!("names the renderer {}", path.inner.join("::"))))
        .collect()
}

fn too_long_file(source: &Source) -> Option<Violation> {
    let lines = source.text.lines().count();
    let is_listed = LONG_FILES.iter().any(|(file, _)| *file == source.file);
    let what = format!("has {lines} lines, and may have {MAX_FILE_LINES}");
    (lines > MAX_FILE_LINES && !is_listed).then(|| source.violation(1, what))
}

fn too_long(source: &Source, functions: &[Function]) -> Vec<Violation> {
    let is_listed = |name: &str| {
        let mut listed = LONG_FUNCTIONS.iter();
        listed.any(|(file, function, _)| *file == source.file && *function == name)
    };
    let long = functions.iter().filter(|function| function.lines > MAX_FUNCTION_LINES);
    long.filter(|function| !is_listed(&function.name))
        .map(|Function { name, line, lines }| {
            let what = format!("{name} has {lines} lines, and may have {MAX_FUNCTION_LINES}");
            source.violation(*line, what)
        })
        .collect()
}

fn panics(source: &Source) -> Vec<Violation> {
    let mut violations = Vec::new();
    for name in ["unwrap", "expect", "unwrap_err", "expect_err", "unwrap_unchecked"] {
        violations.extend(
            calls(source, name)
                .into_iter()
                .map(|line| source.violation(line, format!(".{name}()"))),
        );
    }
    for (index, token) in source.tokens.iter().enumerate() {
        let names = [
            "panic",
            "unreachable",
            "todo",
            "unimplemented",
            "assert",
            "assert_eq",
            "assert_ne",
        ];
        let called = source.tokens.get(index + 1).is_some_and(|token| token.is("!"));
        if called && names.iter().any(|name| token.is(name)) {
            violations.push(source.violation(token.line, format!("{}!", token.text)));
        }
    }
    violations
}

/// `std::thread::spawn`, which panics where `std::thread::Builder` has an error.
fn panicking_spawns(source: &Source) -> Vec<Violation> {
    let spawns = source.paths().into_iter().filter(|path| {
        let outer: Vec<&str> = path.outer.iter().map(String::as_str).collect();
        outer.ends_with(&["thread", "spawn"])
    });
    spawns
        .map(|path| source.violation(path.line, "thread::spawn".to_owned()))
        .collect()
}

/// The lines where a method or an associated function of this name stands.
fn calls(source: &Source, name: &str) -> Vec<usize> {
    let named = source.tokens.iter().enumerate().filter(|(_, token)| token.is(name));
    let called = named.filter(|(index, _)| *index > 0 && [".", "::"].contains(&source.tokens[index - 1].text.as_str()));
    called.map(|(_, token)| token.line).collect()
}

/// A file of `src`, without its tests.
struct Source {
    /// `src/flow/login.rs`.
    file: String,
    text: String,
    tokens: Vec<Token>,
}

/// A word or a mark; comments and literals are none.
#[derive(Clone, Debug)]
struct Token {
    text: String,
    line: usize,
}

impl Token {
    fn is(&self, text: &str) -> bool {
        self.text == text
    }

    fn is_word(&self) -> bool {
        self.text
            .starts_with(|first: char| first.is_alphabetic() || first == '_')
    }
}

/// A function and its length.
struct Function {
    name: String,
    line: usize,
    lines: usize,
}

/// A path as it stands in the code.
#[derive(Debug)]
struct NamedPath {
    line: usize,
    /// Within this crate, from its root; empty when it leads elsewhere.
    inner: Vec<String>,
    /// As it is written, when it leads elsewhere.
    outer: Vec<String>,
}

/// All files that are compiled outside of tests, read once.
fn sources() -> &'static [Source] {
    static SOURCES: OnceLock<Vec<Source>> = OnceLock::new();
    SOURCES.get_or_init(|| {
        let mut sources = all_files();
        let mut test_modules: Vec<PathBuf> = Vec::new();
        for source in &sources {
            let inside = source.folder_of_modules();
            test_modules.extend(source.test_modules().iter().map(|name| inside.join(name)));
        }
        sources.retain(|source| {
            let path = Path::new(&source.file).with_extension("");
            !test_modules.iter().any(|module| path.starts_with(module))
        });
        assert!(sources.len() > 50, "only {} files were found", sources.len());
        sources.iter_mut().for_each(Source::drop_tests);
        sources
    })
}

/// Every file of `src`, tests included.
fn all_files() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    let mut folders = vec![root.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let file = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                sources.push(Source::new(&file, &std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    sources.sort_by(|one, other| one.file.cmp(&other.file));
    sources
}

impl Source {
    fn new(file: &str, text: &str) -> Self {
        Source {
            file: file.to_owned(),
            text: text.to_owned(),
            tokens: tokens_of(text),
        }
    }

    /// For the tests of this file.
    fn of(file: &str, text: &str) -> Self {
        let mut source = Source::new(file, text);
        source.drop_tests();
        source
    }

    fn violation(&self, line: usize, what: String) -> Violation {
        Violation {
            file: self.file.clone(),
            line,
            what,
        }
    }

    /// `["flow", "login"]`; empty for the root.
    fn module(&self) -> Vec<String> {
        let path = self.file.strip_prefix("src/").unwrap().strip_suffix(".rs").unwrap();
        let mut parts: Vec<String> = path.split('/').map(str::to_owned).collect();
        if parts
            .last()
            .is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str()))
        {
            parts.pop();
        }
        parts
    }

    /// As [`module`](Self::module), with `main` and `lib` under their own names.
    fn path(&self) -> Vec<String> {
        let module = self.module();
        if module.is_empty() {
            vec![self.top_module().to_owned()]
        } else {
            module
        }
    }

    fn top_module(&self) -> &str {
        let path = self.file.strip_prefix("src/").unwrap();
        path.split(['/', '.']).next().unwrap()
    }

    /// Where the files of the modules that it declares are.
    fn folder_of_modules(&self) -> PathBuf {
        let module: PathBuf = self.module().iter().collect();
        Path::new("src").join(module)
    }

    /// `mod x;` behind `#[cfg(test)]`.
    fn test_modules(&self) -> Vec<String> {
        let items = self.test_items();
        let declared = items.iter().filter_map(|(start, end)| {
            let tokens = &self.tokens[*start..*end];
            let place = tokens.iter().position(|token| token.is("mod"))?;
            let is_file = tokens.get(place + 2)?.is(";");
            is_file.then(|| tokens[place + 1].text.clone())
        });
        declared.collect()
    }

    fn drop_tests(&mut self) {
        for (start, end) in self.test_items().into_iter().rev() {
            self.tokens.drain(start..end);
        }
    }

    /// From `#[cfg(test)]` (or `#[cfg(all(test, …))]`) to the end of the item behind it.
    fn test_items(&self) -> Vec<(usize, usize)> {
        let mut items = Vec::new();
        let mut index = 0;
        while index < self.tokens.len() {
            let is = |offset: usize, text: &str| self.tokens.get(index + offset).is_some_and(|token| token.is(text));
            let is_cfg = is(0, "#") && is(1, "[") && is(2, "cfg") && is(3, "(");
            let is_test = is(4, "test") || (is(4, "all") && is(5, "(") && is(6, "test"));
            if !(is_cfg && is_test) {
                index += 1;
                continue;
            }
            let start = index;
            // attributes have brackets of their own, so the item ends behind
            // the first braces, or at the first semicolon outside of them
            let mut depth = 0;
            while index < self.tokens.len() {
                match self.tokens[index].text.as_str() {
                    "{" | "(" | "[" => depth += 1,
                    ")" | "]" => depth -= 1,
                    "}" => {
                        depth -= 1;
                        if depth == 0 {
                            break;
                        }
                    }
                    ";" if depth == 0 => break,
                    _ => {}
                }
                index += 1;
            }
            index += 1;
            items.push((start, index.min(self.tokens.len())));
        }
        items
    }

    /// The functions with a body, from `fn` to the last brace.
    fn functions(&self) -> Vec<Function> {
        let names = self.tokens.windows(2).enumerate();
        let names = names.filter(|(_, pair)| pair[0].is("fn") && pair[1].is_word());
        let functions = names.filter_map(|(start, pair)| {
            let mut depth = 0;
            for token in &self.tokens[start..] {
                match token.text.as_str() {
                    "{" | "(" | "[" => depth += 1,
                    ")" | "]" => depth -= 1,
                    ";" if depth == 0 => return None,
                    "}" => depth -= 1,
                    _ => continue,
                }
                if token.is("}") && depth == 0 {
                    return Some(Function {
                        name: pair[1].text.clone(),
                        line: pair[0].line,
                        lines: token.line - pair[0].line + 1,
                    });
                }
            }
            None
        });
        functions.collect()
    }

    /// The modules that this file declares.
    fn children(&self) -> Vec<&str> {
        let pairs = self.tokens.windows(2);
        pairs
            .filter(|pair| pair[0].is("mod") && pair[1].is_word())
            .map(|pair| pair[1].text.as_str())
            .collect()
    }

    /// Every path of the file.
    fn paths(&self) -> Vec<NamedPath> {
        let children = self.children();
        let mut paths = Vec::new();
        let mut index = 0;
        while index < self.tokens.len() {
            let line = self.tokens[index].line;
            let mut found = Vec::new();
            if self.tokens[index].is("use") {
                index += 1;
                self.use_tree(&mut index, &[], &mut found);
            } else if self.tokens[index].is_word() {
                found.push(self.plain_path(&mut index));
            } else {
                index += 1;
            }
            for segments in found.into_iter().filter(|segments| segments.len() > 1) {
                paths.push(self.resolved(line, segments, &children));
            }
        }
        paths
    }

    /// `a::b::C`, up to whatever is not a part of it.
    fn plain_path(&self, index: &mut usize) -> Vec<String> {
        let mut segments = vec![self.tokens[*index].text.clone()];
        *index += 1;
        while self.tokens.get(*index).is_some_and(|token| token.is("::"))
            && self.tokens.get(*index + 1).is_some_and(Token::is_word)
        {
            segments.push(self.tokens[*index + 1].text.clone());
            *index += 2;
        }
        segments
    }

    /// What `use` names from here, braces taken apart.
    fn use_tree(&self, index: &mut usize, before: &[String], found: &mut Vec<Vec<String>>) {
        let mut segments = before.to_vec();
        while let Some(token) = self.tokens.get(*index) {
            match token.text.as_str() {
                "{" => {
                    *index += 1;
                    while self.tokens.get(*index).is_some_and(|token| !token.is("}")) {
                        self.use_tree(index, &segments, found);
                        if self.tokens.get(*index).is_some_and(|token| token.is(",")) {
                            *index += 1;
                        }
                    }
                    *index += 1;
                    return;
                }
                "," | "}" | ";" => break,
                "as" => *index += 2,
                "::" => *index += 1,
                // `use a::{self}` is `use a`
                "self" if !segments.is_empty() => *index += 1,
                _ => {
                    segments.push(token.text.clone());
                    *index += 1;
                }
            }
        }
        // a single name is a crate, or a module beside this one
        if segments.len() == 1 {
            segments.push("*".to_owned());
        }
        found.push(segments);
    }

    fn resolved(&self, line: usize, segments: Vec<String>, children: &[&str]) -> NamedPath {
        let own = self.module();
        let mut rest = segments.as_slice();
        let mut from = match segments[0].as_str() {
            "crate" => Vec::new(),
            "self" | "super" => own,
            "oauth" if self.file == "src/main.rs" => vec!["lib".to_owned()],
            name if children.contains(&name) => {
                let inner = [own, segments].concat();
                return NamedPath {
                    line,
                    inner,
                    outer: Vec::new(),
                };
            }
            _ => {
                return NamedPath {
                    line,
                    inner: Vec::new(),
                    outer: segments,
                };
            }
        };
        while let Some(first) = rest
            .first()
            .filter(|first| ["crate", "self", "super", "oauth"].contains(&first.as_str()))
        {
            if first == "super" {
                from.pop();
            }
            rest = &rest[1..];
        }
        from.extend_from_slice(rest);
        NamedPath {
            line,
            inner: from,
            outer: Vec::new(),
        }
    }
}

/// Words and marks. `::` is one mark, every other character is its own.
fn tokens_of(text: &str) -> Vec<Token> {
    let characters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let (mut index, mut line) = (0, 1);
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    while index < characters.len() {
        let character = characters[index];
        let next = characters.get(index + 1).copied().unwrap_or(' ');
        let end = if character == '/' && next == '/' {
            end_of_line(&characters, index)
        } else if character == '/' && next == '*' {
            end_of_block_comment(&characters, index)
        } else if let Some(end) = end_of_string(&characters, index) {
            end
        } else if character == '\'' {
            end_of_character_or_lifetime(&characters, index)
        } else if is_word(character) {
            let length = characters[index..]
                .iter()
                .take_while(|character| is_word(**character))
                .count();
            let text: String = characters[index..index + length].iter().collect();
            // a number is a literal
            if !character.is_ascii_digit() {
                tokens.push(Token { text, line });
            }
            index + length
        } else if character == ':' && next == ':' {
            tokens.push(Token {
                text: "::".to_owned(),
                line,
            });
            index + 2
        } else {
            if !character.is_whitespace() {
                tokens.push(Token {
                    text: character.to_string(),
                    line,
                });
            }
            index + 1
        };
        line += characters[index..end]
            .iter()
            .filter(|character| **character == '\n')
            .count();
        index = end;
    }
    tokens
}

fn end_of_line(characters: &[char], start: usize) -> usize {
    let length = characters[start..]
        .iter()
        .take_while(|character| **character != '\n')
        .count();
    start + length
}

fn end_of_block_comment(characters: &[char], start: usize) -> usize {
    let (mut index, mut depth) = (start, 0);
    while index < characters.len() {
        match (characters[index], characters.get(index + 1)) {
            ('/', Some('*')) => depth += 1,
            ('*', Some('/')) => depth -= 1,
            _ => {
                index += 1;
                continue;
            }
        }
        index += 2;
        if depth == 0 {
            break;
        }
    }
    index
}

/// The end of a string that begins here, raw, of bytes, or plain.
fn end_of_string(characters: &[char], start: usize) -> Option<usize> {
    let mut index = start;
    if index > 0 && (characters[index - 1].is_alphanumeric() || characters[index - 1] == '_') {
        return None;
    }
    while ['b', 'c'].contains(characters.get(index)?) {
        index += 1;
    }
    let is_raw = characters.get(index) == Some(&'r');
    if is_raw {
        index += 1;
    }
    let hashes = if is_raw {
        characters[index..]
            .iter()
            .take_while(|character| **character == '#')
            .count()
    } else {
        0
    };
    index += hashes;
    if characters.get(index) != Some(&'"') {
        return None;
    }
    index += 1;
    while index < characters.len() {
        if characters[index] == '\\' && !is_raw {
            index += 2;
            continue;
        }
        let closes = characters[index] == '"'
            && characters[index + 1..]
                .iter()
                .take(hashes)
                .filter(|character| **character == '#')
                .count()
                == hashes;
        if closes {
            return Some(index + 1 + hashes);
        }
        index += 1;
    }
    Some(index)
}

/// `'x'` and `'\n'` are characters; `'a` is a lifetime.
fn end_of_character_or_lifetime(characters: &[char], start: usize) -> usize {
    match (characters.get(start + 1), characters.get(start + 2)) {
        (Some('\\'), _) => {
            let length = characters[start + 3..]
                .iter()
                .take_while(|character| **character != '\'')
                .count();
            start + 3 + length + 1
        }
        (Some(_), Some('\'')) => start + 3,
        _ => {
            let word = characters[start + 1..].iter();
            start
                + 1
                + word
                    .take_while(|character| character.is_alphanumeric() || **character == '_')
                    .count()
        }
    }
}

#[test]
fn a_circle_is_found_and_the_face_of_a_folder_makes_none() {
    let source = |file: &str, text: &str| Source::of(file, text);
    let circle = [
        source("src/flow/a.rs", "use super::b::X;"),
        source("src/flow/b.rs", "fn f() { crate::flow::c::d::g() }"),
        source("src/flow/c/d.rs", "use crate::flow::{a, e};"),
        source("src/flow/e.rs", "use crate::flow::a;"),
    ];
    assert_eq!(
        circles(&circle),
        [["src/flow/a.rs", "src/flow/b.rs", "src/flow/c/d.rs", "src/flow/e.rs"]]
    );
    let face = [
        source("src/flow/mod.rs", "mod a; mod b; pub use a::X;"),
        source("src/flow/a.rs", "use super::Y; use super::b::Z;"),
        source("src/flow/b.rs", "use crate::flow::Y;"),
    ];
    assert_eq!(circles(&face), Vec::<Vec<&str>>::new());
}

#[test]
fn each_rule_finds_what_breaks_it() {
    let found = |rule: fn(&Source) -> Vec<Violation>, file: &str, text: &str| {
        let violations = rule(&Source::of(file, text));
        violations
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("; ")
    };
    for (file, text, what) in [
        (
            "src/flow/login.rs",
            "use crate::commands::x;",
            "src/flow/login.rs:1: flow names commands",
        ),
        (
            "src/flow/login.rs",
            "\nfn f() { crate::server::x() }",
            "src/flow/login.rs:2: flow names server",
        ),
        (
            "src/server/mod.rs",
            "use crate::{secret, flow::login};",
            "src/server/mod.rs:1: server names flow",
        ),
        (
            "src/server/a.rs",
            "use super::super::flow::login;",
            "src/server/a.rs:1: server names flow",
        ),
        (
            "src/store/mod.rs",
            "type T = crate::user_agent::browser::BrowserLauncher;",
            "src/store/mod.rs:1: store names user_agent",
        ),
        (
            "src/trace/mod.rs",
            "use crate::transport as t;",
            "src/trace/mod.rs:1: trace names transport",
        ),
        (
            "src/secret.rs",
            "use crate::protocol::x;",
            "src/secret.rs:1: secret names protocol",
        ),
        ("src/lib.rs", "fn f() { crate::commands::dispatch() }", ""),
        (
            "src/flow/login.rs",
            "use crate::flow::refresh; use super::discover;",
            "",
        ),
        (
            "src/flow/login.rs",
            "// crate::server\nconst X: &str = \"crate::server::x\";",
            "",
        ),
        (
            "src/flow/a.rs",
            "#[cfg(test)]\nmod tests { use crate::server::x; }\nuse crate::output::report::y;",
            "src/flow/a.rs:3: flow names output::report",
        ),
    ] {
        assert_eq!(found(upward_names, file, text), what, "{text}");
    }
    for (text, what) in [
        ("use std::fs;", "the core names std::fs"),
        ("use std::{fmt, net::TcpStream};", "the core names std::net::TcpStream"),
        ("fn f() { tokio::spawn(x); }", "the core names tokio::spawn"),
        ("use hyper;", "the core names hyper::*"),
        ("fn f() { std::time::SystemTime::now(); }", "the core names SystemTime"),
        ("use std::time::{Duration, Instant};", "the core names Instant"),
        ("use crate::system;", "the core names system"),
        ("use super::super::system::now;", "the core names system::now"),
        ("use rand::rngs::SysRng;", "the core names SysRng"),
        ("use std::fmt; use std::time::Duration; use sha2::Sha256;", ""),
        ("/* std::fs */ const X: &str = r#\"std::\"fs\"#;", ""),
    ] {
        let told = found(impure_names, "src/protocol/x.rs", text);
        assert_eq!(told.split(": ").nth(1).unwrap_or_default(), what, "{text}");
        assert_eq!(found(impure_names, "src/server/shell/mod.rs", text), "");
    }
    for (text, broken) in [
        ("fn f() { std::thread::spawn(g); }", true),
        ("use std::thread; fn f() { thread::spawn(g); }", true),
        ("fn f() { thread::Builder::new().spawn(g); command.spawn(); }", false),
    ] {
        assert_eq!(
            !found(panicking_spawns, "src/store/x.rs", text).is_empty(),
            broken,
            "{text}"
        );
    }
    for (text, broken) in [
        ("fn f() { std::fs::write(x, y); }", true),
        ("use std::fs;", true),
        ("use std::{fmt, fs::File};", true),
        ("use rustix::fs::OFlags;", true),
        ("fn f() { use std::os::unix::fs::OpenOptionsExt; }", true),
        ("fn f() { tokio::fs::read(x); }", true),
        ("fn f() { File::open(x); }", true),
        (
            "use crate::system::files::named; fn f() { named::read(x); path.exists(); }",
            false,
        ),
        ("#[cfg(test)] mod tests { use std::fs; }", false),
    ] {
        assert_eq!(
            !found(file_names, "src/transport/x.rs", text).is_empty(),
            broken,
            "{text}"
        );
        assert_eq!(found(file_names, "src/system/files/x.rs", text), "");
    }
    for (text, broken) in [
        ("fn f() { println!(\"x\"); }", true),
        ("fn f() { std::eprintln!(\"x\"); }", true),
        ("fn f() { dbg!(x); }", true),
        ("fn f() { std::io::stdout().write_all(b\"\"); }", true),
        ("use std::io::stderr;", true),
        (
            "fn f() { std::io::stdout().is_terminal(); command.stdout(Stdio::null()); }",
            false,
        ),
    ] {
        assert_eq!(!found(writes, "src/flow/x.rs", text).is_empty(), broken, "{text}");
        assert_eq!(found(writes, "src/output/report.rs", text), "");
    }
    for (text, broken) in [
        ("fn f() { x.unwrap(); }", true),
        ("fn f() { Option::unwrap(x); }", true),
        ("fn f() { x.expect(\"why\"); }", true),
        ("fn f() { unreachable!() }", true),
        (
            "fn f() { x.unwrap_or_default(); let expect = 'a'; panic_text(); }",
            false,
        ),
        ("#[cfg(test)] fn f() { x.unwrap(); }", false),
        ("#[cfg(all(test, unix))] mod tests { fn f() { panic!() } }", false),
    ] {
        assert_eq!(!found(panics, "src/flow/x.rs", text).is_empty(), broken, "{text}");
    }
    let renderer = "use crate::trace::{Event, render::terminal::Terminal};";
    assert!(!found(renderer_names, "src/flow/x.rs", renderer).is_empty());
    assert_eq!(found(renderer_names, "src/commands/x.rs", renderer), "");
    assert_eq!(
        found(renderer_names, "src/flow/x.rs", "use crate::trace::{Event, Observer};"),
        ""
    );
}
