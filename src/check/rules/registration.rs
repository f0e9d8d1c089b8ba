//! Clients that register themselves (RFC 7591), and what becomes of the
//! registration (RFC 7592). Everything that is registered here is deleted at
//! the end.

use crate::check::context::Check;
use crate::check::exchange::{Exchange, Outcome, header_is};
use crate::check::registrations::Registered;
use crate::check::report::{CheckResult, Failure, ensure, inconclusive, violated};
use crate::foreign_text::Quoted;
use crate::rules::Rule;
use serde_json::{Value, json};
use std::rc::Rc;

type NativeTest = fn(&Registered) -> CheckResult;

/// Rules about the answer to the registration of a native public client.
const OF_THE_ANSWER: &[(Rule, NativeTest)] = &[
    (Rule::RegistrationStatus, |native| {
        let status = native.exchange.status();
        ensure(status == 201, format!("it is {status}"))
    }),
    (Rule::RegistrationContentType, |native| {
        let media_type = native.exchange.response.media_type().unwrap_or_default();
        ensure(
            media_type == "application/json",
            format!("it is {}", Quoted::name(&media_type)),
        )
    }),
    (Rule::RegistrationNoStore, |native| {
        let found = native.exchange.header("cache-control").to_ascii_lowercase();
        ensure(found.contains("no-store"), header_is("Cache-Control", &found))
    }),
    (Rule::RegistrationMetadata, |native| {
        let uris = native.members.get("redirect_uris").and_then(Value::as_array);
        let has_own = uris.is_some_and(|uris| uris.iter().any(|uri| uri.as_str() == Some(&native.redirect_uri)));
        ensure(has_own, "redirect_uris is not what was sent")?;
        let method = native.members.get("token_endpoint_auth_method");
        ensure(
            method.is_some_and(Value::is_string),
            "there is no token_endpoint_auth_method",
        )
    }),
    (Rule::RegistrationPublic, |native| {
        let method = native.members.get("token_endpoint_auth_method").and_then(Value::as_str);
        ensure(method == Some("none"), "another authentication method is registered")?;
        ensure(!native.members.contains_key("client_secret"), "it gets one")
    }),
];

/// Redirect URIs that no client may register.
const REFUSED_REDIRECT_URIS: [(Rule, &str); 3] = [
    (Rule::RegistrationHttpRedirect, "http://client.example/callback"),
    (Rule::RegistrationScript, "javascript:alert(1)"),
    (Rule::RegistrationFragment, "https://client.example/callback#fragment"),
];

/// Tests registration.
pub(in crate::check) fn run(check: &mut Check<'_, '_>) {
    check.rule(Rule::RegistrationNative, &mut |check| match check.registered_native() {
        Ok(_) => Ok(()),
        Err(failure) => Err(failure),
    });
    for (rule, test) in OF_THE_ANSWER {
        check.rule(*rule, &mut |check| {
            let native = native(check)?;
            test(&native)
        });
    }
    check.rule(Rule::RegistrationSecret, &mut |check| {
        let confidential = confidential(check)?;
        ensure(
            confidential.members.get("client_secret").is_some_and(Value::is_string),
            "it gets none",
        )?;
        let expires_at = confidential.members.get("client_secret_expires_at");
        ensure(
            expires_at.is_some_and(Value::is_number),
            "there is no client_secret_expires_at",
        )
    });
    check.rule(Rule::RegistrationUnknownMember, &mut |check| {
        native(check)?;
        let exchange = check.register(|document| {
            document["oauth_check_unheard_of"] = json!({ "a": [1] });
        })?;
        ensure(
            (200..300).contains(&exchange.status()),
            format!("the answer is status {}", exchange.status()),
        )
    });
    check.rule(Rule::RegistrationUsable, &mut usable);
    for (rule, uri) in REFUSED_REDIRECT_URIS {
        check.rule(rule, &mut |check| {
            let exchange = register_with_uri(check, uri)?;
            ensure(!(200..300).contains(&exchange.status()), "it is registered")
        });
    }
    check.rule(Rule::RegistrationErrorCode, &mut |check| {
        let exchange = register_with_uri(check, REFUSED_REDIRECT_URIS[0].1)?;
        if (200..300).contains(&exchange.status()) {
            return inconclusive("it is not refused (registration.http-redirect)");
        }
        let error = exchange.error().unwrap_or_default();
        let is_right = exchange.status() == 400 && error == "invalid_redirect_uri";
        ensure(
            is_right,
            format!("it is {} with {}", exchange.status(), Quoted::name(&error)),
        )
    });
    run_management(check);
}

/// What the registration access token is good for.
fn run_management(check: &mut Check<'_, '_>) {
    check.rule(Rule::RegistrationRead, &mut |check| {
        let native = native(check)?;
        let exchange = check.read_registration(&native, &native)?;
        let same = exchange.object().and_then(|members| members.get("client_id").cloned());
        ensure(
            exchange.status() == 200 && same == native.members.get("client_id").cloned(),
            format!("the answer is status {}", exchange.status()),
        )
    });
    check.rule(Rule::RegistrationOtherToken, &mut |check| {
        let (native, confidential) = (native(check)?, confidential(check)?);
        let exchange = check.read_registration(&native, &confidential)?;
        ensure(exchange.status() >= 400, "it does")
    });
    check.rule(Rule::RegistrationDelete, &mut |check| {
        native(check)?;
        // One of its own: some servers end a token that was used for another client.
        let registered = check.register_another()?;
        let before = check.read_registration(&registered, &registered)?;
        if before.status() != 200 {
            return inconclusive("the registration cannot be read (registration.read)");
        }
        check.prober.results.begin_sequence();
        let deleted = check.delete_registration(&registered)?;
        if !(200..300).contains(&deleted.status()) {
            return inconclusive(format!("the server does not delete it: status {}", deleted.status()));
        }
        let after = check.read_registration(&registered, &registered)?;
        ensure(after.status() >= 400, "it can still be read")?;
        check.registrations.forget(registered.client_id());
        Ok(())
    });
}

/// A request of the registered client, with its redirect URI.
fn usable(check: &mut Check<'_, '_>) -> CheckResult {
    let native = native(check)?;
    check.needs_plain_answers()?;
    let mut probe = check.prober.probe()?;
    probe.params.set("client_id", native.client_id());
    probe.params.set("redirect_uri", &native.redirect_uri);
    match check.prober.authorize(&probe)? {
        Outcome::Error(page) if page.is_outage() => inconclusive(format!("the server failed with {page}")),
        Outcome::Error(page) => violated(format!("it is refused by {page}")),
        Outcome::PushRefused(refusal) if refusal.is_outage() => {
            inconclusive(format!("the server failed with {refusal}"))
        }
        Outcome::PushRefused(refusal) => violated(format!("it is refused with {refusal}")),
        Outcome::Redirect(_) | Outcome::Page => Ok(()),
    }
}

/// The public native client, where it could be registered.
fn native(check: &mut Check<'_, '_>) -> Result<Rc<Registered>, Failure> {
    let native = check
        .registered_native()
        .map_err(|failure| Failure::Inconclusive(format!("{} (registration.native)", failure.reason())))?;
    check.prober.show(Some(native.exchange.evidence()));
    Ok(native)
}

/// The client with a secret, where it could be registered.
fn confidential(check: &mut Check<'_, '_>) -> Result<Rc<Registered>, Failure> {
    let confidential = check
        .registered_confidential()
        .map_err(|failure| failure.as_inconclusive())?;
    check.prober.show(Some(confidential.exchange.evidence()));
    Ok(confidential)
}

fn register_with_uri(check: &mut Check<'_, '_>, uri: &str) -> Result<Exchange, Failure> {
    native(check)?;
    check.register(|document| {
        document["application_type"] = json!("web");
        document["redirect_uris"] = json!([uri]);
    })
}
