//! What can be typed, one file a group of commands; the flags of a login are in
//! `args/login`. The doc comments are the help texts; nothing is looked up
//! here, that is for `settings`.

mod check;
mod client_metadata;
mod credential;
mod exec;
mod global;
mod help;
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
use clap::{FromArgMatches, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::Path;

/// Log in with OAuth 2.0, keep the session in the system keyring, and print valid access tokens.
#[derive(Debug, Parser)]
#[command(
    name = "oauth",
    bin_name = "oauth",
    version,
    max_term_width = 80,
    override_usage = "oauth [OPTIONS] [COMMAND]",
    args_override_self = true
)]
#[command(after_help = "Start here:\n  \
    oauth demo\n      \
    Show the whole flow on this machine; needs no account\n  \
    oauth login https://id.example.com --client-id ID\n      \
    Log in with your browser\n  \
    curl -H @<(oauth token --format header) URL\n      \
    Use the token, and keep it off the command line")]
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
            return CommandLine::parse(command.iter().chain(rest));
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
        if let Some(help) = help::options_help(arguments) {
            return Err(help);
        }
        let mut line = CommandLine::parse(arguments)?;
        if let Some(Command::Login(command)) = &mut line.command {
            command.words = arguments.to_vec();
        }
        Ok(line)
    }

    /// The definition with help that fits a screen.
    pub fn definition() -> clap::Command {
        help::definition()
    }

    fn parse(arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Result<Self, clap::Error> {
        let mut definition = CommandLine::definition();
        let mut matches = definition.try_get_matches_from_mut(arguments)?;
        CommandLine::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut definition))
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Log in with your browser (authorization code flow with PKCE)
    Login(Box<LoginCommand>),
    /// Print a valid access token
    Token(TokenCommand),
    /// Run a command with a valid token in its environment
    Exec(ExecOptions),
    /// Send an HTTP request with a valid token
    #[command(allow_missing_positional = true)]
    Request(RequestOptions),
    /// Connect stdin and stdout to an MCP server, with a valid token
    Mcp(McpOptions),
    /// Be a credential helper for git, docker or AWS
    #[command(subcommand)]
    Credential(CredentialCommand),
    /// Revoke the tokens at the server and delete them here
    Logout(LogoutOptions),
    /// Show the saved sessions: who is signed in where, until when
    Status(StatusOptions),
    /// List, show, change and remove profiles
    #[command(subcommand, arg_required_else_help = false)]
    Profile(ProfileCommand),
    /// Test an authorization server against the OAuth and OpenID Connect specifications
    Check(Box<CheckOptions>),
    /// Fetch a server's metadata; show what it supports and what is wrong
    Discover(DiscoverOptions),
    /// Decode a JWT and verify its signature
    Decode(DecodeOptions),
    /// Print or check a client-ID metadata document
    ClientMetadata(ClientMetadataOptions),
    /// Make a PKCE code verifier and its S256 challenge
    Pkce(PkceOptions),
    /// Fetch claims about the user (OpenID Connect UserInfo)
    Userinfo(TokenInput),
    /// Ask the server about a token (introspection, RFC 7662)
    Introspect(TokenInput),
    /// Revoke one token at the server (RFC 7009)
    Revoke(TokenInput),
    /// Run an authorization server for development and tests
    Serve(Box<ServeOptions>),
    /// Show the whole flow on this machine, without any setup
    Demo(DemoOptions),
    /// List known providers, or show the details of one
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

    /// Whether standard input belongs to someone else: to a command that is
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
