//! The files that a report is written to, and what they say where there was
//! nothing to report.

use crate::app::context::Context;
use crate::args::cli::CheckOptions;
use crate::check::{Report, Selection, failed, render};
use crate::error::Error;
use crate::exit::{Diagnosis, ExitCode};
use crate::output::causes::{causes, error_chain};
use crate::system::files::output::{self, OutputError};
use crate::trace::{Event, Observer};
use std::path::{Path, PathBuf};
use url::Url;

/// The files that were asked for.
pub(super) struct ReportFiles<'a> {
    junit: Option<ReportFile<'a>>,
    sarif: Option<ReportFile<'a>>,
    html: Option<ReportFile<'a>>,
}

impl<'a> ReportFiles<'a> {
    /// # Errors
    /// Where one of them could not be written.
    pub(super) fn at(options: &'a CheckOptions) -> Result<Self, Error> {
        let at = |path: &'a Option<PathBuf>, is_report| {
            let path = path.as_deref();
            path.map(|path| ReportFile::at(path, is_report)).transpose()
        };
        Ok(ReportFiles {
            junit: at(&options.junit, is_xml)?,
            sarif: at(&options.sarif, is_json)?,
            html: at(&options.html, render::html::is_report)?,
        })
    }

    /// # Errors
    /// Those of the first file that is not written.
    pub(super) fn write(&self, context: &Context, report: &Report) -> Result<(), Error> {
        if let Some(junit) = &self.junit {
            junit.write(&render::junit::render(report))?;
        }
        if let Some(sarif) = &self.sarif {
            sarif.write(&render::sarif::render(report))?;
        }
        if let Some(html) = &self.html {
            let command_line = context.command_line();
            html.write(&render::html::render(report, &command_line, jiff::Timestamp::now()))?;
        }
        Ok(())
    }

    /// Writes why there is nothing to report, in the place of an earlier report,
    /// which would be taken for that of this run. The error is that of the command.
    pub(super) fn write_failure(
        &self,
        context: &Context,
        options: &CheckOptions,
        rules: Selection,
        error: Error,
    ) -> Error {
        let reason = [vec![error.to_string()], causes(&*error)].concat().join(": ");
        let report = failed(rules, &asked(options), reason, error.exit_code());
        if let Err(unwritten) = self.write(context, &report) {
            let warning = error_chain(&unwritten.to_string(), &*unwritten);
            context.observer().observe(&Event::Warning(&warning));
        }
        error
    }
}

/// What was to be examined, as it was named: without what may be a secret in a URL.
fn asked(options: &CheckOptions) -> String {
    let login = &options.login;
    let named = login.target.as_ref().or(login.server.issuer.as_ref());
    let named = named.or(login.profile.as_ref()).map_or("the server", String::as_str);
    match Url::parse(named) {
        Ok(url) if url.has_host() => url.origin().ascii_serialization() + url.path().trim_end_matches('/'),
        _ => named.to_owned(),
    }
}

/// A report that was asked for.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be written", path.display())]
struct ReportNotWritten {
    path: PathBuf,
    source: OutputError,
}

impl Diagnosis for ReportNotWritten {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hints(&self) -> Vec<String> {
        vec!["Choose another file.".to_owned()]
    }
}

/// A file that the report will be written to; until the check has ended an
/// earlier report stays.
struct ReportFile<'a> {
    path: &'a Path,
    is_report: fn(&[u8]) -> bool,
}

impl<'a> ReportFile<'a> {
    /// `is_report` says whether a file that begins so may be an earlier report,
    /// which is replaced.
    fn at(path: &'a Path, is_report: fn(&[u8]) -> bool) -> Result<Self, Error> {
        output::check_place(path, is_report).map_err(|source| unwritable(path, source))?;
        Ok(ReportFile { path, is_report })
    }

    fn write(&self, report: &str) -> Result<(), Error> {
        let written = output::replace(self.path, report.as_bytes(), self.is_report);
        written.map_err(|source| unwritable(self.path, source))
    }
}

fn is_xml(head: &[u8]) -> bool {
    head.trim_ascii_start().starts_with(b"<")
}

fn is_json(head: &[u8]) -> bool {
    head.trim_ascii_start().starts_with(b"{")
}

fn unwritable(path: &Path, source: OutputError) -> Error {
    let path = path.to_path_buf();
    ReportNotWritten { path, source }.into()
}
