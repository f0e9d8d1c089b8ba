//! What can be typed. The doc comments are the help texts; nothing is looked
//! up here, that is for `settings`.

use crate::args::login_grant::LoginGrant;
use crate::output::duration::parse_duration;
use crate::protocol::authorization::ResponseMode;
use crate::protocol::client::ClientAuthenticationMethod;
use crate::rules::Rule;
use crate::server::settings::Approval;
use clap::builder::PossibleValue;
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Completion scripts know no hint for profile names. A user's name stands
/// for them in the definition; `commands::completions` puts profiles in its place.
pub(crate) const PROFILE_NAME: ValueHint = ValueHint::Username;

/// Log in with OAuth 2.0, keep the session in the system's keyring, hand out valid tokens.
#[derive(Debug, Parser)]
#[command(name = "oauth", version, max_term_width = 100, args_override_self = true)]
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
        if arguments.get(1).is_some_and(|command| command == "token")
            && let Ok(line) = TokenCommandLine::try_parse_from(&arguments[1..])
        {
            return Ok(CommandLine {
                global: line.global,
                command: Some(Command::Token(line.options)),
            });
        }
        if let [_, only] = arguments
            && (only == "--version" || only == "-V")
        {
            VersionCommandLine::try_parse_from(arguments)?;
        }
        CommandLine::try_parse_from(arguments)
    }
}

/// Options that every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalOptions {
    /// Show the seven steps (-v), each HTTP exchange (-vv), decisions (-vvv); secrets redacted
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
    /// Show secrets whole in the trace
    #[arg(long, global = true)]
    pub show_secrets: bool,
    /// Write the trace to a file too: .json, .har, .html or .mmd; repeatable [env: OAUTH_TRACE]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub trace: Vec<PathBuf>,
    /// End the whole command by then [env: OAUTH_DEADLINE]
    #[arg(long, global = true, value_name = "TIME", value_parser = parse_duration)]
    pub deadline: Option<Duration>,
    /// Only errors, and what a person must act on
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Results as JSON on stdout, messages as JSON lines on stderr
    #[arg(long, global = true)]
    pub json: bool,
    /// When to colour [default: auto; NO_COLOR and CLICOLOR_FORCE count]
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_default_value = true
    )]
    pub color: Colour,
    /// Configuration file [env: OAUTH_CONFIG]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Where the session is kept: keyring, file, command:PROGRAM, none [default: keyring] [env: OAUTH_STORE]
    #[arg(long, global = true, value_name = "STORE")]
    pub store: Option<String>,
    /// Secret Service session: plain or encrypted [env: OAUTH_KEYRING_SESSION]
    #[arg(long, global = true, value_name = "KIND")]
    pub keyring_session: Option<String>,
    /// Longest time for one HTTP exchange
    #[arg(long, global = true, value_name = "TIME", default_value = "30s", value_parser = parse_duration)]
    pub http_timeout: Duration,
    /// Certificate authorities to trust instead of the system's (PEM)
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub cacert: Option<PathBuf>,
    /// Client certificate (PEM), with --key
    #[arg(long, global = true, value_name = "FILE", requires = "key", value_hint = ValueHint::FilePath)]
    pub cert: Option<PathBuf>,
    /// Private key of the client certificate (PEM), with --cert
    #[arg(long, global = true, value_name = "FILE", requires = "cert", value_hint = ValueHint::FilePath)]
    pub key: Option<PathBuf>,
    /// Proxy for all requests but those to this machine
    #[arg(long, global = true, value_name = "URL")]
    pub proxy: Option<String>,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Log in: the whole authorization code flow with PKCE
    Login(Box<LoginOptions>),
    /// Print a valid access token
    Token(TokenOptions),
    /// Revoke the tokens at the server and forget them
    Logout(LogoutOptions),
    /// Show who is signed in where, and until when
    Status(StatusOptions),
    /// List, show, change and remove the profiles of the configuration file
    #[command(subcommand, arg_required_else_help = false)]
    Profile(ProfileCommand),
    /// Test whether an authorization server keeps the rules
    Check(Box<CheckOptions>),
    /// Show what a server publishes about itself, what it can do, and what is wrong with it
    Discover(DiscoverOptions),
    /// Show what stands in a JWT, and whether its issuer signed it
    Decode(DecodeOptions),
    /// Make a PKCE code verifier and its S256 challenge, for a flow by hand
    Pkce(PkceOptions),
    /// Show what the server says of the person whose token it is
    Userinfo(TokenInput),
    /// Show what the server says that a token stands for
    Introspect(TokenInput),
    /// Tell the server to forget one token
    Revoke(TokenInput),
    /// Run an authorization server for development and tests
    Serve(ServeOptions),
    /// Show the whole flow on this machine, with nothing configured
    Demo(DemoOptions),
    /// Print the completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    #[command(name = "__profiles", hide = true)]
    /// Print the names of the saved profiles, for completion scripts
    ProfileNames,
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

/// The profile, by argument or by option.
#[derive(Debug, Default, Args)]
pub struct ProfileChoice {
    /// Profile name, or the server's URL [env: OAUTH_PROFILE]
    #[arg(value_name = "PROFILE", value_hint = PROFILE_NAME)]
    pub argument: Option<String>,
    /// Profile name [env: OAUTH_PROFILE]
    #[arg(short = 'p', long = "profile", value_name = "NAME", conflicts_with = "argument", value_hint = PROFILE_NAME)]
    pub option: Option<String>,
}

/// How long a login waits for the resource owner unless it is told otherwise.
pub const DEFAULT_LOGIN_TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// Options of `oauth login`.
#[derive(Debug, Default, Args)]
pub struct LoginOptions {
    /// A saved profile, or the URL of the authorization server
    #[arg(value_name = "PROFILE | URL", value_hint = PROFILE_NAME)]
    pub target: Option<String>,
    /// The profile: what was saved under this name is used, and what is given is saved [env: OAUTH_PROFILE]
    #[arg(short, long, value_name = "NAME", value_hint = PROFILE_NAME)]
    pub profile: Option<String>,

    /// Authorization server; its metadata is discovered
    #[arg(long, value_name = "URL", help_heading = "Server")]
    pub issuer: Option<String>,
    /// Instead of the discovered endpoint; with --token-endpoint no discovery is needed
    #[arg(long, value_name = "URL", help_heading = "Server")]
    pub authorization_endpoint: Option<String>,
    /// Instead of the discovered endpoint
    #[arg(long, value_name = "URL", help_heading = "Server")]
    pub token_endpoint: Option<String>,
    /// Instead of the discovered endpoint
    #[arg(long, value_name = "URL", help_heading = "Server")]
    pub revocation_endpoint: Option<String>,
    /// Instead of the discovered endpoint
    #[arg(long, value_name = "URL", help_heading = "Server")]
    pub userinfo_endpoint: Option<String>,
    /// Instead of the discovered endpoint
    #[arg(long, value_name = "URL", help_heading = "Server")]
    pub introspection_endpoint: Option<String>,
    /// Where the server's keys are, instead of the discovered address
    #[arg(long, value_name = "URL", help_heading = "Server")]
    pub jwks_uri: Option<String>,
    /// Permit http endpoints outside this machine
    #[arg(long, help_heading = "Server")]
    pub allow_http: bool,

    /// The client's name at the server [env: OAUTH_CLIENT_ID]
    #[arg(long, value_name = "ID", help_heading = "Client")]
    pub client_id: Option<String>,
    /// File with the client secret [env: OAUTH_CLIENT_SECRET holds the secret itself]
    #[arg(long, value_name = "FILE", conflicts_with = "client_secret_stdin", help_heading = "Client", value_hint = ValueHint::FilePath)]
    pub client_secret_file: Option<PathBuf>,
    /// Read the client secret from standard input
    #[arg(long, conflicts_with_all = ["refresh_token_stdin", "paste"], help_heading = "Client")]
    pub client_secret_stdin: bool,
    /// none, client_secret_basic or client_secret_post; by default what the server's metadata say
    #[arg(long, value_name = "METHOD", help_heading = "Client")]
    pub client_auth: Option<ClientAuthenticationMethod>,

    /// How to get the tokens: authorization-code (a person signs in) or client-credentials [default: authorization-code]
    #[arg(long, value_name = "GRANT", help_heading = "What to ask for")]
    pub grant: Option<LoginGrant>,
    /// Scope to ask for; repeatable, or one space-separated value
    #[arg(long, value_name = "S", help_heading = "What to ask for")]
    pub scope: Vec<String>,
    /// Resource server the token is for (RFC 8707); repeatable
    #[arg(long, value_name = "URI", help_heading = "What to ask for")]
    pub resource: Vec<String>,
    /// Resource server, for servers that call it audience
    #[arg(long, value_name = "A", help_heading = "What to ask for")]
    pub audience: Option<String>,
    /// Extra parameter of the authorization request; repeatable
    #[arg(long = "param", value_name = "K=V", help_heading = "What to ask for")]
    pub param: Vec<String>,
    /// Extra parameter of the token request; repeatable
    #[arg(long = "token-param", value_name = "K=V", help_heading = "What to ask for")]
    pub token_param: Vec<String>,
    /// Extra parameter of the refresh request (scope, too); repeatable
    #[arg(long = "refresh-param", value_name = "K=V", help_heading = "What to ask for")]
    pub refresh_param: Vec<String>,
    /// How long access tokens live where the server does not say so
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "What to ask for")]
    pub assume_ttl: Option<Duration>,

    /// Where the browser comes back; port 0 is any free port [default: http://127.0.0.1:0/callback]
    #[arg(long, value_name = "URI", help_heading = "Callback")]
    pub redirect_uri: Option<String>,
    /// Ports to listen on, tried in order
    #[arg(long, value_name = "P[,P…]", value_delimiter = ',', help_heading = "Callback")]
    pub port: Vec<u16>,
    /// Address to bind where it differs from the redirect URI (containers)
    #[arg(long, value_name = "IP[:PORT]", help_heading = "Callback")]
    pub listen: Option<ListenAddress>,
    /// How the response comes back
    #[arg(long, value_name = "MODE", help_heading = "Callback")]
    pub response_mode: Option<ResponseMode>,
    /// How long to wait for the browser
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = parse_duration, help_heading = "Callback")]
    pub timeout: Duration,
    /// No listener: paste the URL that the browser ended on
    #[arg(long, help_heading = "Callback")]
    pub paste: bool,

    /// Browser command; the URL replaces %s, else is appended
    #[arg(long, value_name = "CMD", help_heading = "Browser")]
    pub browser: Option<String>,
    /// Print the URL only
    #[arg(long, conflicts_with = "browser", help_heading = "Browser")]
    pub no_browser: bool,

    /// Show the authorization response and the token request that would be sent; store nothing
    #[arg(
        long,
        value_name = "STEP",
        conflicts_with = "refresh_token_stdin",
        help_heading = "Session"
    )]
    pub stop_before: Option<StopBefore>,
    /// Take a refresh token from standard input instead of a login in the browser
    #[arg(long, conflicts_with_all = ["paste", "browser", "no_browser", "listen", "port"], help_heading = "Session")]
    pub refresh_token_stdin: bool,
    /// Leave the configuration file alone
    #[arg(long, help_heading = "Session")]
    pub no_save: bool,
    /// Keep nothing: print the token response as JSON (= --store none)
    #[arg(long, help_heading = "Session")]
    pub no_store: bool,
}

/// Options of `oauth check`.
#[derive(Debug, Args)]
pub struct CheckOptions {
    /// The server and the client, as for a login. Nothing is saved or stored.
    #[command(flatten)]
    pub login: LoginOptions,
    /// Test this rule only; repeatable
    #[arg(long, value_name = "ID", help_heading = "Rules")]
    pub rule: Vec<Rule>,
    /// Leave this rule out; repeatable
    #[arg(long, value_name = "ID", help_heading = "Rules")]
    pub skip: Vec<Rule>,
    /// List the rules and test nothing
    #[arg(long, help_heading = "Rules")]
    pub list: bool,
    /// Write the report as JUnit XML, too
    #[arg(long, value_name = "FILE", help_heading = "Rules", value_hint = ValueHint::FilePath)]
    pub junit: Option<PathBuf>,
}

/// `--stop-before`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StopBefore {
    /// Step 6: the code is not exchanged
    Exchange,
}

impl ValueEnum for ResponseMode {
    fn value_variants<'a>() -> &'a [Self] {
        &[ResponseMode::Query, ResponseMode::FormPost]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            ResponseMode::Query => "In the query of the redirect",
            ResponseMode::FormPost => "In the body of a POST",
        };
        Some(PossibleValue::new(self.as_str()).help(help))
    }
}

/// `--listen`: an address with or without a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenAddress {
    /// The address to bind.
    pub address: std::net::IpAddr,
    /// The port to bind; that of the redirect URI where absent.
    pub port: Option<u16>,
}

impl std::str::FromStr for ListenAddress {
    type Err = std::net::AddrParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(socket) = text.parse::<SocketAddr>() {
            return Ok(ListenAddress {
                address: socket.ip(),
                port: Some(socket.port()),
            });
        }
        let bare = text.trim_start_matches('[').trim_end_matches(']');
        bare.parse().map(|address| ListenAddress { address, port: None })
    }
}

/// Options of `oauth token`.
#[derive(Debug, Default, Args)]
pub struct TokenOptions {
    /// Whose token.
    #[command(flatten)]
    pub profile: ProfileChoice,
    /// How to print it [default: raw]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<TokenFormat>,
    /// Print the ID token instead
    #[arg(long)]
    pub id_token: bool,
    /// How long the token must still be valid [default: 60s, or half its lifetime if that is less]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub min_ttl: Option<Duration>,
    /// Refresh first, however long the token is still valid
    #[arg(long)]
    pub force_refresh: bool,
    /// A token for this resource server only, from the same session; repeatable
    #[arg(long, value_name = "URI")]
    pub resource: Vec<String>,
    /// A token with these scope values only, from the same session; repeatable, or one space-separated value
    #[arg(long, value_name = "S")]
    pub scope: Vec<String>,
    /// Log in first where that is needed and a terminal is there
    #[arg(long)]
    pub login: bool,
}

/// `oauth token --format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TokenFormat {
    /// The token and a newline
    Raw,
    /// Authorization: Bearer …
    Header,
    /// One JSON object
    Json,
    /// export lines for a shell
    Env,
}

/// Options of `oauth logout`.
#[derive(Debug, Args)]
pub struct LogoutOptions {
    /// Whose session.
    #[command(flatten)]
    pub profile: ProfileChoice,
    /// Every saved profile
    #[arg(long, conflicts_with_all = ["argument", "option"])]
    pub all: bool,
    /// Forget the session without telling the server
    #[arg(long)]
    pub local: bool,
}

/// Options of `oauth status`.
#[derive(Debug, Args)]
pub struct StatusOptions {
    /// Whose session; all when absent.
    #[command(flatten)]
    pub profile: ProfileChoice,
}

/// Options of `oauth discover`.
#[derive(Debug, Args)]
pub struct DiscoverOptions {
    /// Issuer or protected resource
    #[arg(value_name = "URL", value_hint = ValueHint::Url)]
    pub url: String,
}

/// Which token a command is about. Never one on the command line.
#[derive(Debug, Args)]
pub struct TokenInput {
    /// Token on standard input (-) or in a file; the stored session's when absent
    #[arg(value_name = "- | FILE", value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,
    /// Profile name [env: OAUTH_PROFILE]
    #[arg(short, long, value_name = "NAME", value_hint = PROFILE_NAME)]
    pub profile: Option<String>,
}

/// Options of `oauth pkce`.
#[derive(Debug, Args)]
pub struct PkceOptions {
    /// The challenge of the verifier on standard input, not of a new one
    #[arg(long)]
    pub verifier_stdin: bool,
}

/// Options of `oauth decode`.
#[derive(Debug, Args)]
pub struct DecodeOptions {
    /// Which token.
    #[command(flatten)]
    pub input: TokenInput,
    /// The session's ID token instead of its access token
    #[arg(long, conflicts_with = "file")]
    pub id_token: bool,
    /// Whose keys to ask for, where no profile is of the token's issuer
    #[arg(long, value_name = "URL", requires = "file")]
    pub issuer: Option<String>,
    /// Do not fetch the issuer's keys; show the token without verifying it
    #[arg(long, conflicts_with = "issuer")]
    pub no_verify: bool,
}

/// `oauth profile`.
#[derive(Debug, Subcommand)]
pub enum ProfileCommand {
    /// List the saved profiles
    List,
    /// Show one profile's settings
    Show {
        /// Profile name; the default one when absent
        #[arg(value_hint = PROFILE_NAME)]
        name: Option<String>,
    },
    /// Change settings; an empty value removes the key
    Set {
        /// Profile name
        #[arg(value_hint = PROFILE_NAME)]
        name: String,
        /// Such as client_id=desktop or "scope=openid email"
        #[arg(required = true, value_name = "KEY=VALUE")]
        settings: Vec<String>,
    },
    /// Make a profile the default
    Use {
        /// Profile name
        #[arg(value_hint = PROFILE_NAME)]
        name: String,
    },
    /// Delete a profile with its session and secrets
    Remove {
        /// Profile name
        #[arg(value_hint = PROFILE_NAME)]
        name: String,
    },
}

/// Options of `oauth serve`.
#[derive(Debug, Args)]
pub struct ServeOptions {
    /// Port on 127.0.0.1; 0 is any free one
    #[arg(long, value_name = "P", default_value_t = 9000)]
    pub port: u16,
    /// Registered client; a secret file makes it confidential; repeatable [default: oauth-cli]
    #[arg(long, value_name = "ID[:SECRET_FILE]")]
    pub client: Vec<String>,
    /// Redirect URI of the registered clients; repeatable
    // not in the doc comment, where the brackets of the address would be a link
    #[arg(
        long,
        value_name = "URI",
        help = "Redirect URI of the registered clients; repeatable [default: http://127.0.0.1/callback and http://[::1]/callback on any port]"
    )]
    pub redirect_uri: Vec<String>,
    /// Account that can sign in; repeatable [default: demo:demo]
    #[arg(long, value_name = "NAME:PASSWORD")]
    pub user: Vec<String>,
    /// Who decides: the person at the browser, or nobody (for scripts)
    #[arg(long, value_name = "HOW", default_value = "ask")]
    pub approve: Approval,
    /// Lifetime of codes
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = parse_duration)]
    pub code_ttl: Duration,
    /// Lifetime of access tokens
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = parse_duration)]
    pub access_token_ttl: Duration,
    /// Lifetime of refresh tokens
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = parse_duration)]
    pub refresh_token_ttl: Duration,
    /// Whether a refresh token works once
    #[arg(long, value_name = "SWITCH", default_value = "on")]
    pub refresh_rotation: Switch,
    /// How long a spent refresh token still works
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = parse_duration)]
    pub refresh_grace: Duration,
    /// Wait before each answer, before anything is committed
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = parse_duration)]
    pub latency: Duration,
    /// Answer an endpoint with a status, for testing clients; repeatable
    #[arg(long, value_name = "ENDPOINT=STATUS[:COUNT]")]
    pub fail: Vec<String>,
    /// Origin of browser applications that may call token, userinfo and revocation; * for all; repeatable
    #[arg(long, value_name = "ORIGIN")]
    pub cors: Vec<String>,
    /// Break a rule for servers on purpose; repeatable; list prints them all
    #[arg(long = "break", value_name = "RULE")]
    pub broken: Vec<String>,
}

impl ValueEnum for Approval {
    fn value_variants<'a>() -> &'a [Self] {
        &[Approval::Ask, Approval::Auto, Approval::Deny]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (name, help) = match self {
            Approval::Ask => ("ask", "Sign-in and consent pages in the browser"),
            Approval::Auto => ("auto", "Yes at once, for the first user"),
            Approval::Deny => ("deny", "No at once"),
        };
        Some(PossibleValue::new(name).help(help))
    }
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// On
    On,
    /// Off
    Off,
}

/// Options of `oauth demo`.
#[derive(Debug, Args)]
pub struct DemoOptions {
    /// Play the resource owner as well: no browser
    #[arg(long, conflicts_with = "browser")]
    pub unattended: bool,
    /// Browser command; the URL replaces %s, else is appended
    #[arg(long, value_name = "CMD")]
    pub browser: Option<String>,
    /// How long to wait for the browser
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = parse_duration)]
    pub timeout: Duration,
}
