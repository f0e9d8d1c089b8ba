//! `oauth man`: manual pages, made from the same definition as the parser.

use crate::args::cli::{CommandLine, ManOptions};
use crate::error::Error;
use crate::exit::{Diagnosis, ExitCode};
use crate::output::report;
use crate::system::files::FileError;
use crate::system::files::named::write_public;
use clap::{Command, CommandFactory};
use clap_mangen::Man;
use std::io;
use std::path::PathBuf;

/// The heading of every page.
const MANUAL: &str = "OAuth manual";

/// Why the pages cannot be written.
#[derive(Debug, thiserror::Error)]
enum ManError {
    #[error("the manual pages cannot be written into {}", dir.display())]
    Write {
        dir: PathBuf,
        #[source]
        source: FileError,
    },
    /// Rendering into memory failed.
    #[error("a manual page cannot be made")]
    Render(#[source] io::Error),
}

impl Diagnosis for ManError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hints(&self) -> Vec<String> {
        match self {
            ManError::Write { .. } => {
                vec!["Name a folder that you can write: oauth man --dir ~/.local/share/man/man1".to_owned()]
            }
            ManError::Render(_) => Vec::new(),
        }
    }
}

pub(super) fn run(options: &ManOptions) -> Result<(), Error> {
    let mut root = CommandLine::command().disable_help_subcommand(true);
    root.build();
    let Some(dir) = &options.dir else {
        return report::print(&page(&root)?);
    };
    for command in pages(&root) {
        let name = format!("{}.1", page_name(command));
        write_public(dir, &name, &page(command)?).map_err(|source| ManError::Write {
            dir: dir.clone(),
            source,
        })?;
    }
    Ok(())
}

/// The command and all that help shows below it.
fn pages(command: &Command) -> Vec<&Command> {
    let shown = command.get_subcommands().filter(|inner| !inner.is_hide_set());
    std::iter::once(command).chain(shown.flat_map(pages)).collect()
}

/// `oauth-login` for `oauth login`, once the definition is built.
fn page_name(command: &Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}

fn page(command: &Command) -> Result<Vec<u8>, ManError> {
    let page = Man::new(command.clone())
        .title(page_name(command))
        .source(concat!("oauth ", env!("CARGO_PKG_VERSION")))
        .manual(MANUAL);
    let mut text = Vec::new();
    page.render(&mut text).map_err(ManError::Render)?;
    Ok(text)
}
