//! `oauth serve`: the development authorization server until a signal comes.
//! stdout gets the issuer; each request and why it was refused goes to stderr.

use crate::app::context::{Context, caller, server_runtime};
use crate::app::deadline::Uninterruptible;
use crate::app::signals::{interruptible, shutdown_signal};
use crate::args::cli::{Requirement, ServeOptions, Switch};
use crate::args::serve_setup::Setup;
use crate::args::settings;
use crate::error::Error;
use crate::flow::issuer_keys::{KeySource, issuer_keys};
use crate::foreign_text::Quoted;
use crate::output::report;
use crate::output::table::align_columns;
use crate::protocol::client::ClientAuthenticationMethod;
use crate::protocol::endpoint::HttpPolicy;
use crate::rules::{Rule, UnknownRule};
use crate::server::log_entry::LogEntry;
use crate::server::settings::clients::{DEFAULT_CLIENT_ID, RegisteredClient};
use crate::server::settings::dpop::DpopDemands;
use crate::server::settings::fault::Fault;
use crate::server::settings::invalid::InvalidSetting;
use crate::server::settings::origins::AllowedOrigin;
use crate::server::settings::request_demands::RequestDemands;
use crate::server::settings::signing_keys::SigningKeys;
use crate::server::settings::trusted_issuer::TrustedIssuer;
use crate::server::settings::users::User;
use crate::server::settings::{Registration, ServeSettings};
use crate::server::{AUTHORITY, CLIENT, CLIENT_KEY, CLIENT_SUBJECT, Server};
use crate::trace::{Event, Observer};
use serde_json::{Value, json};
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

/// In place of a rule: print them all.
const LIST: &str = "list";

pub(super) fn run(context: &Context, options: &ServeOptions) -> Result<(), Error> {
    if options.broken.iter().any(|rule| rule == LIST) {
        return report::print(list_of_rules(context.style.json).as_bytes());
    }
    let mut settings = serve_settings(options)?;
    settings.trusted_issuers = trusted_issuers(context, &options.trust_issuer)?;
    let transport = settings::transport(&context.global, &context.environment, None, false)?;
    let server = Server::bind(&settings)?.with_transport(transport);
    let runtime = server_runtime()?;
    let style = context.style;
    let quiet = context.global.quiet;
    // Before anyone reads that it is ready, and may end it.
    let in_runtime = runtime.enter();
    let signal = shutdown_signal();
    drop(in_runtime);
    for rule in settings.violations.rules() {
        report::warn(
            &format!("this server breaks a rule on purpose: {}", describe_rule(rule)),
            style,
        );
    }
    if let Some(folder) = settings.tls.as_ref().filter(|_| !quiet) {
        let authority = folder.join(AUTHORITY);
        let line = format!("curl trusts this server with --cacert {}", authority.display());
        report::report_request(&line, false, style);
    }
    if !style.json {
        note_login(context, options, &server, &settings);
    }
    report::print(announcement(&server, &settings, style.json).as_bytes())?;
    // The deadline was for the start.
    let _serving = Uninterruptible::begin();
    runtime.block_on(async {
        let shutdown = async {
            signal.await;
        };
        let log = move |entry: LogEntry| {
            if !quiet {
                let is_refusal = entry.rejection.as_ref().is_some_and(|rejection| !rejection.is_expected);
                report::report_request(&entry.to_string(), is_refusal, style);
            }
        };
        server.run(shutdown, log).await
    })?;
    Ok(())
}

fn serve_settings(options: &ServeOptions) -> Result<ServeSettings, Error> {
    let standard = ServeSettings::standard()?;
    let setup = options.setup.as_deref().map(Setup::load).transpose()?;
    let setup = setup.unwrap_or_default();
    let clients = clients(options, setup.clients)?;
    let given: Vec<User> = parse_each::<User, _>(&options.user)?;
    let users = [given, setup.users, standard.users]
        .into_iter()
        .find(|users| !users.is_empty());
    let signing_keys = match &options.signing_key_file {
        Some(path) => SigningKeys::parse(settings::secret_from_file("--signing-key-file", path)?.expose())?,
        None => SigningKeys::default(),
    };
    Ok(ServeSettings {
        port: options.port,
        clients,
        signing_keys,
        users: users.unwrap_or_default(),
        resources: setup.resources,
        claims: setup.claims,
        approval: options.approve,
        registration: options.registration,
        client_id_documents: options.client_id_documents.clone(),
        code_lifetime: lifetime(options.code_ttl, setup.code_lifetime, standard.code_lifetime),
        access_token_lifetime: lifetime(
            options.access_token_ttl,
            setup.access_token_lifetime,
            standard.access_token_lifetime,
        ),
        refresh_token_lifetime: lifetime(
            options.refresh_token_ttl,
            setup.refresh_token_lifetime,
            standard.refresh_token_lifetime,
        ),
        refresh_rotation: options.refresh_rotation == Switch::On,
        refresh_grace: options.refresh_grace,
        latency: options.latency,
        faults: parse_each::<Fault, _>(&options.fail)?,
        cors: parse_each::<AllowedOrigin, _>(&options.cors)?,
        trusted_issuers: Vec::new(),
        tls: options.tls.clone(),
        dpop: DpopDemands {
            proof: options.require.contains(&Requirement::Dpop),
            nonce: options.require.contains(&Requirement::Nonce),
        },
        request_demands: RequestDemands {
            pushed: options.require.contains(&Requirement::Par),
            signed: options.require.contains(&Requirement::RequestObject),
        },
        violations: options
            .broken
            .iter()
            .map(|id| id.parse())
            .collect::<Result<_, UnknownRule>>()
            .map_err(InvalidSetting::Rule)?,
    })
}

fn parse_each<T, C>(texts: &[String]) -> Result<C, InvalidSetting>
where
    T: FromStr<Err = InvalidSetting>,
    C: FromIterator<T>,
{
    texts.iter().map(|text| text.parse()).collect()
}

/// The issuers that are trusted, with the keys that they publish now.
fn trusted_issuers(context: &Context, urls: &[String]) -> Result<Vec<TrustedIssuer>, Error> {
    if urls.is_empty() {
        return Ok(Vec::new());
    }
    const POLICY: HttpPolicy = HttpPolicy::LoopbackOnly;
    let transport = context.transport(None, false)?;
    let mut observer = context.observer();
    let mut caller = caller(&transport, &mut observer);
    let runtime = context.runtime()?;
    let mut trusted = Vec::new();
    for url in urls {
        let issuer = settings::issuer_of("--trust-issuer", url, POLICY)?;
        let source = KeySource::Issuer(issuer.clone(), POLICY);
        let fetching = issuer_keys(&source, &mut caller);
        let keys = runtime.block_on(interruptible(fetching))??;
        trusted.push(TrustedIssuer { issuer, keys });
    }
    Ok(trusted)
}

/// The flag wins over the setup.
fn lifetime(given: Option<Duration>, of_setup: Option<Duration>, standard: Duration) -> Duration {
    given.or(of_setup).unwrap_or(standard)
}

/// The registered clients: those of the flags, else those of the setup, else the default one.
fn clients(options: &ServeOptions, of_setup: Vec<RegisteredClient>) -> Result<Vec<RegisteredClient>, Error> {
    let mut clients = Vec::new();
    for text in &options.client {
        clients.push(client(text, &options.redirect_uri)?);
    }
    for path in &options.client_metadata {
        let text = settings::secret_from_file("--client-metadata", path)?;
        clients.push(RegisteredClient::from_metadata(text.expose().as_bytes())?);
    }
    if clients.is_empty() {
        clients = of_setup;
    }
    if clients.is_empty() {
        clients.push(RegisteredClient::new(DEFAULT_CLIENT_ID, None, &options.redirect_uri)?);
    }
    match clients.iter().find(|client| client.needs_tls()) {
        Some(client) if options.tls.is_none() => {
            Err(InvalidSetting::CertificateWithoutTls(client.id.to_string()).into())
        }
        _ => Ok(clients),
    }
}

/// Every rule that can be broken, one a line.
fn list_of_rules(json: bool) -> String {
    if json {
        let rules: Vec<Value> = Rule::ALL.iter().map(|rule| as_object(*rule)).collect();
        return format!("{}\n", json!({ "rules": rules }));
    }
    let row = |rule: &Rule| {
        [
            rule.id().to_owned(),
            rule.level().as_str().to_owned(),
            format!("{} §{}: {}", rule.document(), rule.section(), rule.statement()),
        ]
    };
    let rows: Vec<[String; 3]> = Rule::ALL.iter().map(row).collect();
    align_columns(&rows, report::stdout_width())
}

fn as_object(rule: Rule) -> Value {
    json!({
        "id": rule.id(),
        "level": rule.level().as_str(),
        "document": rule.document(),
        "section": rule.section(),
        "statement": rule.statement(),
    })
}

/// `code.single-use (RFC 6749 §4.1.2, MUST): a code works once`.
fn describe_rule(rule: Rule) -> String {
    let (document, section, level) = (rule.document(), rule.section(), rule.level().as_str());
    format!("{rule} ({document} §{section}, {level}): {}", rule.statement())
}

/// `ID` or `ID:SECRET_FILE`.
fn client(text: &str, redirect_uris: &[String]) -> Result<RegisteredClient, Error> {
    let (id, secret) = match text.split_once(':') {
        None => (text, None),
        Some((id, file)) => (id, Some(settings::secret_from_file("--client", Path::new(file))?)),
    };
    Ok(RegisteredClient::new(id, secret, redirect_uris)?)
}

/// Who can log in, and how, for a person; a program reads `--json`.
fn note_login(context: &Context, options: &ServeOptions, server: &Server, settings: &ServeSettings) {
    let mut observer = context.observer();
    let issuer = server.authorization_server().issuer();
    for user in &settings.users {
        let name = Quoted::name(&user.name);
        let password = match options.user.is_empty() && options.setup.is_none() {
            true => format!(", password {name}"),
            false => String::new(),
        };
        observer.observe(&Event::Note(&format!("account {name}{password}")));
    }
    // What a newcomer does next: with a token of the issuer alone this call is refused.
    let is_plain = options.setup.is_none() && options.client.is_empty() && options.client_metadata.is_empty();
    if is_plain && settings.tls.is_none() && settings.registration == Registration::Open {
        observer.observe(&Event::Note(&format!(
            "to call its API, log in to it: oauth login {issuer}/api --profile try"
        )));
        observer.observe(&Event::Note(&format!("and then: oauth request {issuer}/api/hello")));
    }
    for client in &settings.clients {
        let id = shell_words::quote(client.id.as_str());
        let (request, proof) = (request_flags(options, client), proof_flags(options, settings, client));
        observer.observe(&Event::Note(&format!(
            "log in with: oauth login {issuer} --client-id {id}{proof}{request}"
        )));
    }
}

/// What a login asks for: as a person, so that `oauth status` knows who it is, or
/// for the client itself. Either token may be shown to the API.
fn request_flags(options: &ServeOptions, client: &RegisteredClient) -> &'static str {
    let types = client.grant_types.as_deref();
    let may_use = |grant: &str| types.is_none_or(|types| types.iter().any(|own| own == grant));
    let is_for_itself = secret_file(options, client).is_some() || !may_use("authorization_code");
    match is_for_itself && client.is_confidential() && may_use("client_credentials") {
        true => " --grant client-credentials --scope hello",
        false => " --scope \"openid hello\"",
    }
}

/// What a client proves itself with, by the files that were named, and how it
/// trusts the server.
fn proof_flags(options: &ServeOptions, settings: &ServeSettings, client: &RegisteredClient) -> String {
    let quoted = |path: &Path| shell_words::quote(&path.display().to_string()).into_owned();
    let in_folder = |name: &str| settings.tls.as_ref().map(|folder| quoted(&folder.join(name)));
    let file_or = |known: Option<String>| known.unwrap_or_else(|| "FILE".to_owned());
    let mut flags = match (&client.secret, &client.keys, &client.certificate) {
        (Some(_), _, _) => format!(" --client-secret-file {}", file_or(secret_file(options, client))),
        (None, _, Some(_)) => format!(
            " --client-auth {} --client-cert-file {} --client-key-file {}",
            client
                .method
                .map(ClientAuthenticationMethod::as_str)
                .unwrap_or_default(),
            file_or(in_folder(CLIENT)),
            file_or(in_folder(CLIENT_KEY))
        ),
        (None, Some(_), None) => " --client-key-file FILE".to_owned(),
        (None, None, None) => String::new(),
    };
    if let Some(authority) = in_folder(AUTHORITY) {
        flags.push_str(&format!(" --cacert {authority}"));
    }
    flags
}

/// The file that `--client ID:SECRET_FILE` names.
fn secret_file(options: &ServeOptions, client: &RegisteredClient) -> Option<String> {
    let mut named = options.client.iter().filter_map(|text| text.split_once(':'));
    let (_, file) = named.find(|(id, _)| *id == client.id.as_str())?;
    Some(shell_words::quote(file).into_owned())
}

/// The issuer; with `--json` also who may sign in, and as what.
fn announcement(server: &Server, settings: &ServeSettings, json: bool) -> String {
    let issuer = server.authorization_server().issuer();
    if !json {
        return format!("{issuer}\n");
    }
    let clients: Vec<Value> = settings
        .clients
        .iter()
        .map(|client| {
            json!({
                "client_id": client.id.as_str(),
                "confidential": client.is_confidential(),
                "redirect_uris": client.redirect_uris.iter().map(ToString::to_string).collect::<Vec<_>>(),
            })
        })
        .collect();
    let users: Vec<&str> = settings.users.iter().map(|user| user.name.as_str()).collect();
    let metadata: Value = serde_json::from_slice(server.authorization_server().metadata()).unwrap_or_default();
    let endpoints: serde_json::Map<String, Value> = metadata
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| name.ends_with("_endpoint") || *name == "jwks_uri")
        .map(|(name, url)| (name.clone(), url.clone()))
        .collect();
    let mut object = json!({ "issuer": issuer.as_str(), "clients": clients, "users": users, "endpoints": endpoints });
    if let Some(folder) = &settings.tls {
        object["tls"] = json!({
            "authority": folder.join(AUTHORITY),
            "client_certificate": folder.join(CLIENT),
            "client_key": folder.join(CLIENT_KEY),
            "client_subject": CLIENT_SUBJECT,
        });
    }
    if !settings.violations.is_empty() {
        object["broken"] = settings.violations.rules().map(as_object).collect();
    }
    format!("{object}\n")
}
