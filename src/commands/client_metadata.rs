//! `oauth client-metadata`: the metadata document of this program as a client,
//! and whether servers take one that is hosted.

use crate::app::context::{Context, caller};
use crate::app::signals::interruptible;
use crate::args::cli::{ClientMetadataCommand, ClientMetadataOptions};
use crate::args::settings;
use crate::error::Error;
use crate::exit::{Diagnosis, ExitCode};
use crate::foreign_text::sanitize;
use crate::output::counted::counted;
use crate::output::report;
use crate::output::table::align_columns;
use crate::protocol::client_metadata_document::{ClientMetadataDocument, DocumentProblem, Severity, problems};
use crate::protocol::client_metadata_url::ClientMetadataUrl;
use crate::protocol::http::HttpRequest;
use crate::protocol::redirect_uri::{LOOPBACK_REDIRECT_URIS, RedirectUri};
use crate::trace::ordered_json::{OrderedJson, object};
use crate::trace::{Event, Observer};
use crate::transport::{TransportError, UrlSource};

/// In the place of a missing URL.
const EXAMPLE_URL: &str = "https://example.com/oauth-client.json";

pub(super) fn run(context: &Context, options: &ClientMetadataOptions) -> Result<(), Error> {
    match &options.command {
        None => print_document(context, options),
        Some(ClientMetadataCommand::Check { url }) => check(context, url.as_deref()),
    }
}

fn print_document(context: &Context, options: &ClientMetadataOptions) -> Result<(), Error> {
    let url = settings::client_metadata_url(options.url.as_deref(), &context.environment, &context.config()?)?;
    let redirect_uris = settings::client_redirect_uris(&options.redirect_uri)?;
    if url.is_none() {
        context.observer().observe(&Event::Warning(
            "client_id is an example: it has to be the URL where the document will be (--url URL)",
        ));
    }
    let document = ClientMetadataDocument {
        client_id: url.as_ref().map_or(EXAMPLE_URL, |url| url.client_id().as_str()),
        client_name: &options.name,
        redirect_uris: match redirect_uris.is_empty() {
            true => LOOPBACK_REDIRECT_URIS.to_vec(),
            false => redirect_uris.iter().map(RedirectUri::as_str).collect(),
        },
    };
    report::print(format!("{:#}\n", document.to_json()).as_bytes())
}

fn check(context: &Context, url: Option<&str>) -> Result<(), Error> {
    let url = settings::client_metadata_url(url, &context.environment, &context.config()?)?;
    let url = url.ok_or_else(settings::no_client_metadata_url)?;
    let transport = context.transport(None, false)?;
    transport
        .prepare(url.url(), UrlSource::User)
        .map_err(DocumentError::NotFetched)?;
    let mut observer = context.observer();
    let mut caller = caller(&transport, &mut observer);
    let request = HttpRequest::get(url.url().clone());
    let response = context.runtime()?.block_on(interruptible(caller.send(&request)))?;
    let found = problems(&url, &response.map_err(DocumentError::NotFetched)?);
    print_problems(context, &url, &found)?;
    match found
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
        .count()
    {
        0 => Ok(()),
        errors => Err(DocumentError::Refused { errors }.into()),
    }
}

fn print_problems(context: &Context, url: &ClientMetadataUrl, found: &[DocumentProblem]) -> Result<(), Error> {
    if context.style.json {
        let problems = found.iter().map(|problem| {
            object([
                ("level", problem.severity.as_str().into()),
                ("message", problem.message.as_str().into()),
            ])
        });
        let result = object([
            ("url", url.client_id().as_str().into()),
            ("problems", OrderedJson::List(problems.collect())),
        ]);
        return report::print(format!("{}\n", result.line()).as_bytes());
    }
    if found.is_empty() {
        return report::print(b"servers can accept this document\n");
    }
    let rows: Vec<[String; 2]> = found
        .iter()
        .map(|problem| [problem.severity.as_str().to_owned(), sanitize(&problem.message)])
        .collect();
    report::print_lines(&align_columns(&rows, report::stdout_width()))
}

/// Why a document is of no use.
#[derive(Debug, thiserror::Error)]
enum DocumentError {
    #[error("the document cannot be fetched")]
    NotFetched(#[source] TransportError),
    #[error("servers refuse this document: {}", counted(*errors, "error"))]
    Refused { errors: usize },
}

impl Diagnosis for DocumentError {
    fn exit_code(&self) -> ExitCode {
        match self {
            DocumentError::NotFetched(source) => source.exit_code(),
            DocumentError::Refused { .. } => ExitCode::Findings,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            DocumentError::NotFetched(source) => source.hints(),
            DocumentError::Refused { .. } => {
                vec!["Mend the document; a right one is printed by: oauth client-metadata --url URL".to_owned()]
            }
        }
    }
}
