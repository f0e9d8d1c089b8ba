//! `oauth providers`: what is known of the providers that `--provider` takes.

use crate::app::context::Context;
use crate::args::cli::ProvidersOptions;
use crate::args::settings;
use crate::error::Error;
use crate::output::report;
use crate::output::table::align_columns;
use crate::protocol::client::ClientAuthenticationMethod;
use crate::protocol::scope::ScopeSeparator;
use crate::providers::{ClientKind, Loopback, Mail, Pkce, Provider};
use serde_json::{Map, Value, json};

pub(super) fn run(context: &Context, options: &ProvidersOptions) -> Result<(), Error> {
    let json = context.style.json;
    let text = match options.name.as_deref() {
        Some(name) => {
            let provider = settings::named_provider(name)?;
            if json {
                format!("{}\n", as_json(&provider))
            } else {
                align_columns(&facts(&provider), report::stdout_width())
            }
        }
        None => {
            let providers = settings::known_providers()?;
            if json {
                format!("{}\n", Value::Array(providers.iter().map(as_json).collect()))
            } else {
                table(&providers)
            }
        }
    };
    report::print(text.as_bytes())
}

/// One line a provider.
fn table(providers: &[Provider]) -> String {
    let titles = ["NAME", "CLIENT", "LOOPBACK", "PROVIDER"].map(str::to_owned);
    let rows = providers.iter().map(|provider| {
        [
            provider.usage(),
            provider.client.as_str().to_owned(),
            provider.loopback.as_str().to_owned(),
            provider.title.clone(),
        ]
    });
    let rows: Vec<[String; 4]> = std::iter::once(titles).chain(rows).collect();
    align_columns(&rows, report::stdout_width())
}

/// Everything, in the order in which a person needs it.
fn facts(provider: &Provider) -> Vec<[String; 2]> {
    let mut rows = Vec::new();
    let mut row = |label: &str, value: Option<String>| {
        rows.extend(value.map(|value| [label.to_owned(), value]));
    };
    row("name", Some(provider.usage()));
    row("provider", Some(provider.title.clone()));
    row("register", Some(provider.register.clone()));
    row("issuer", provider.issuer.clone());
    for (key, url) in &provider.endpoints {
        row(key, Some(url.clone()));
    }
    row("redirect_uri", provider.redirect_uri.as_deref().map(as_registered));
    row("loopback", Some(describe_loopback(provider.loopback).to_owned()));
    row("client", Some(describe_client(provider.client).to_owned()));
    row(
        "client_auth",
        provider
            .client_auth
            .map(|method| format!("{}, with a secret", method.as_str())),
    );
    row("pkce", Some(describe_pkce(provider.pkce).to_owned()));
    for (name, value) in &provider.param {
        row("sent", Some(format!("{name}={value}")));
    }
    row(
        "sent",
        provider
            .audience
            .as_ref()
            .map(|audience| format!("audience={audience}")),
    );
    row("scope added", provider.scope_for_refresh.clone());
    row(
        "scopes",
        (provider.scope_separator == ScopeSeparator::Comma).then(|| "separated by commas".to_owned()),
    );
    row("refresh token", Some(provider.refresh.clone()));
    for (number, note) in provider.notes.iter().enumerate() {
        row(if number == 0 { "notes" } else { "" }, Some(note.clone()));
    }
    if let Some(mail) = &provider.mail {
        row(
            "mail domains",
            Some(mail.domains.join(" ")).filter(|domains| !domains.is_empty()),
        );
        row("imap", Some(mail.imap.clone()));
        row("smtp", Some(mail.smtp.clone()));
        row("mail scope", Some(mail.scope.join(" ")));
    }
    for (number, page) in provider.documentation.iter().enumerate() {
        row(if number == 0 { "documentation" } else { "" }, Some(page.clone()));
    }
    row("tried", Some(describe_tried(provider.tried).to_owned()));
    rows
}

/// A redirect URI with any port is registered without one.
fn as_registered(redirect_uri: &str) -> String {
    redirect_uri.replace(":0/", "/")
}

fn describe_loopback(loopback: Loopback) -> &'static str {
    match loopback {
        Loopback::AnyPort => "any port is accepted",
        Loopback::Exact => "the port is compared: register this one, or another one that you give with --redirect-uri",
        Loopback::HttpsOnly => "http is refused: register an https URI (see the notes)",
        Loopback::Unknown => {
            "not documented: register this URI, and give another one with --redirect-uri if it is refused"
        }
    }
}

fn describe_client(client: ClientKind) -> &'static str {
    match client {
        ClientKind::Public => "public: no secret",
        ClientKind::Secret => "needs a secret: --client-secret-file FILE",
        ClientKind::Either => "public, or with a secret, as it was registered",
    }
}

fn describe_pkce(pkce: Pkce) -> &'static str {
    match pkce {
        Pkce::Required => "required",
        Pkce::Supported => "supported",
        Pkce::Unknown => "not documented; S256 is sent all the same",
    }
}

fn describe_tried(tried: bool) -> &'static str {
    match tried {
        true => "yes",
        false => "no: these facts are from the documentation",
    }
}

fn as_json(provider: &Provider) -> Value {
    let mut object = Map::new();
    for (key, value) in [
        ("name", json!(provider.name)),
        ("title", json!(provider.title)),
        ("documentation", json!(provider.documentation)),
        ("register", json!(provider.register)),
        ("value", json!(provider.value.map(|kind| kind.to_string()))),
        ("value_default", json!(provider.value_default)),
        ("issuer", json!(provider.issuer)),
        ("redirect_uri", json!(provider.redirect_uri)),
        ("loopback", json!(provider.loopback.as_str())),
        ("client", json!(provider.client.as_str())),
        (
            "client_auth",
            json!(provider.client_auth.map(ClientAuthenticationMethod::as_str)),
        ),
        ("pkce", json!(provider.pkce.as_str())),
        ("param", pairs(&provider.param)),
        ("scope_for_refresh", json!(provider.scope_for_refresh)),
        (
            "scope_separator",
            json!(match provider.scope_separator {
                ScopeSeparator::Space => " ",
                ScopeSeparator::Comma => ",",
            }),
        ),
        ("audience", json!(provider.audience)),
        ("refresh", json!(provider.refresh)),
        ("notes", json!(provider.notes)),
        ("mail", json!(provider.mail.as_ref().map(mail))),
        ("tried", json!(provider.tried)),
    ] {
        object.insert(key.to_owned(), value);
    }
    for (key, url) in &provider.endpoints {
        object.insert((*key).to_owned(), json!(url));
    }
    Value::Object(object)
}

fn pairs(pairs: &[(String, String)]) -> Value {
    let members = pairs.iter().map(|(name, value)| (name.clone(), json!(value)));
    Value::Object(members.collect())
}

fn mail(mail: &Mail) -> Value {
    json!({"domains": mail.domains, "imap": mail.imap, "smtp": mail.smtp, "scope": mail.scope})
}
