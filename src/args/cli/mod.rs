//! What can be typed, one file a group of commands; the flags of a login are in
//! `args/login`. The doc comments are the help texts; nothing is looked up
//! here, that is for `settings`.

mod check;
mod client_metadata;
mod credential;
mod exec;
mod global;
mod inspect;
pub(in crate::args) mod profile;
mod request;
mod serve;
mod session;

pub use check::CheckOptions;
pub use client_metadata::{ClientMetadataCommand, ClientMetadataOptions};
pub use credential::{AwsOptions, CredentialCommand, HelperOptions};
pub use exec::ExecOptions;
pub use global::{Colour, GlobalOptions};
pub use inspect::{DecodeOptions, DiscoverOptions, ManOptions, PkceOptions, ProvidersOptions, TokenInput};
pub(crate) use profile::PROFILE_NAME;
pub use profile::{ProfileChoice, ProfileCommand};
pub use request::{McpOptions, RequestOptions};
pub use serve::{DemoOptions, Requirement, ServeOptions, Switch};
pub use session::{EnvShell, FormatOptions, LogoutOptions, StatusOptions, TokenCommand, TokenFormat, TokenOptions};

use crate::args::login::LoginCommand;
use clap::{Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::Path;

/// Log in with OAuth 2.0, keep the session in the system's keyring, hand out valid tokens.
#[derive(Debug, Parser)]
#[command(
    name = "oauth",
    bin_name = "oauth",
    version,
    max_term_width = 100,
    args_override_self = true
)]
#[command(after_help = "Start here:\n  \
    oauth demo                                       the whole flow on this machine, no account needed\n  \
    oauth login https://id.example.com --client-id ID    log in; opens the browser\n  \
    curl -H @<(oauth token --format header) URL      use the token, keep it off the command line")]
pub struct CommandLine {
    /// What holds for every command.
    #[command(flatten)]
    pub global: GlobalOptions,
    /// What to do; help when absent.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The program that docker runs for `"credsStore": "oauth"`: a link to this one.
const DOCKER_HELPER: &str = "docker-credential-oauth";

/// `oauth token` alone. It is what scripts call all day, and to build the
/// parser of all commands would be a third of its work.
#[derive(Debug, Parser)]
#[command(args_override_self = true)]
struct TokenCommandLine {
    #[command(flatten)]
    global: GlobalOptions,
    #[command(flatten)]
    options: TokenOptions,
}

/// `oauth --version` alone: the answer needs no parser of all commands either.
#[derive(Debug, Parser)]
#[command(name = "oauth", version)]
struct VersionCommandLine {}

impl CommandLine {
    /// Parses what was typed. What the small parsers do not take goes to the
    /// one of all commands, which knows what to say about it.
    ///
    /// # Errors
    /// [`clap::Error`], which is also how help and version come out.
    pub fn parse_from_arguments(arguments: &[OsString]) -> Result<Self, clap::Error> {
        if let Some((program, rest)) = arguments.split_first()
            && Path::new(program).file_stem().is_some_and(|name| name == DOCKER_HELPER)
        {
            let command = [program.clone(), "credential".into(), "docker".into()];
            return CommandLine::try_parse_from(command.iter().chain(rest));
        }
        if arguments.get(1).is_some_and(|command| command == "token")
            && let Ok(line) = TokenCommandLine::try_parse_from(&arguments[1..])
        {
            return Ok(CommandLine {
                global: line.global,
                command: Some(Command::Token(line.options.into())),
            });
        }
        if let [_, only] = arguments
            && (only == "--version" || only == "-V")
        {
            VersionCommandLine::try_parse_from(arguments)?;
        }
        let mut line = CommandLine::try_parse_from(arguments)?;
        if let Some(Command::Login(command)) = &mut line.command {
            command.words = arguments.to_vec();
        }
        Ok(line)
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Log in: the whole authorization code flow with PKCE
    Login(Box<LoginCommand>),
    /// Print a valid access token
    Token(TokenCommand),
    /// Run a command with a valid token in its environment
    Exec(ExecOptions),
    /// Send an HTTP request with a valid token
    #[command(allow_missing_positional = true)]
    Request(RequestOptions),
    /// Serve the MCP server at a URL on standard input and output, with a valid token
    Mcp(McpOptions),
    /// Give a token to git, docker or AWS in the protocol of their credential helpers
    #[command(subcommand)]
    Credential(CredentialCommand),
    /// Revoke the tokens at the server and forget them
    Logout(LogoutOptions),
    /// Show who is signed in where, and until when
    Status(StatusOptions),
    /// List, show, change and remove the profiles of the configuration file
    #[command(subcommand, arg_required_else_help = false)]
    Profile(ProfileCommand),
    /// Test whether an authorization server keeps the rules
    Check(Box<CheckOptions>),
    /// Show what a server publishes about itself, what it can do, and what is wrong
    Discover(DiscoverOptions),
    /// Show what stands in a JWT, and whether its issuer signed it
    Decode(DecodeOptions),
    /// Print or check a client-ID metadata document
    ClientMetadata(ClientMetadataOptions),
    /// Make a PKCE code verifier and its S256 challenge, for a flow by hand
    Pkce(PkceOptions),
    /// Show what the server says of the person whose token it is
    Userinfo(TokenInput),
    /// Show what the server says that a token stands for
    Introspect(TokenInput),
    /// Tell the server to forget one token
    Revoke(TokenInput),
    /// Run an authorization server for development and tests
    Serve(Box<ServeOptions>),
    /// Show the whole flow on this machine, with nothing configured
    Demo(DemoOptions),
    /// List the known providers, or show what is known of one
    Providers(ProvidersOptions),
    /// Print or write the manual pages
    Man(ManOptions),
    /// Print the completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    #[command(name = "__profiles", hide = true)]
    /// Print the names of the saved profiles, for completion scripts
    ProfileNames,
}

impl Command {
    /// As it is typed, without what belongs to it.
    pub fn name(&self) -> &'static str {
        match self {
            Command::Login(_) => "login",
            Command::Token(_) => "token",
            Command::Exec(_) => "exec",
            Command::Request(_) => "request",
            Command::Mcp(_) => "mcp",
            Command::Credential(_) => "credential",
            Command::Logout(_) => "logout",
            Command::Status(_) => "status",
            Command::Profile(_) => "profile",
            Command::Check(_) => "check",
            Command::Discover(_) => "discover",
            Command::Decode(_) => "decode",
            Command::ClientMetadata(_) => "client-metadata",
            Command::Pkce(_) => "pkce",
            Command::Userinfo(_) => "userinfo",
            Command::Introspect(_) => "introspect",
            Command::Revoke(_) => "revoke",
            Command::Serve(_) => "serve",
            Command::Demo(_) => "demo",
            Command::Providers(_) => "providers",
            Command::Man(_) => "man",
            Command::Completions { .. } => "completions",
            Command::ProfileNames => "__profiles",
        }
    }

    /// Whether standard input belongs to somebody else: to a command that is
    /// run, or to a protocol. A login then takes no pasted URL from it.
    pub fn takes_stdin(&self) -> bool {
        matches!(
            self,
            Command::Exec(_) | Command::Credential(_) | Command::Request(_) | Command::Mcp(_)
        )
    }
}

/// Shells with a completion script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// GNU Bash
    Bash,
    /// Z shell
    Zsh,
    /// fish
    Fish,
    /// PowerShell
    Powershell,
    /// Elvish
    Elvish,
}
