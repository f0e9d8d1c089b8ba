//! The binary as a user and as a peer sees it: exact requests, exit codes,
//! stdout, files.
//!
//! What stands behind `cfg(unix)` needs what Windows lacks: a pseudo-terminal,
//! signals, named pipes, or programs that are scripts of a shell (browsers,
//! helpers) or that Unix alone has. `target_os = "linux"`: `/proc`, or a layout
//! on the terminal, which is the same on every Unix.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(
    unreachable_pub,
    dead_code,
    reason = "support modules are shared by tests that come and go"
)]

mod authorization_details;
mod aws_helper;
mod bound_tokens;
mod broken_rules;
#[cfg(unix)]
mod callback;
#[cfg(unix)]
mod certificate_bound_tokens;
mod check;
#[cfg(unix)]
mod client_assertions;
mod client_credentials;
mod client_id_documents;
mod client_metadata;
#[cfg(unix)]
mod completions;
#[cfg(unix)]
mod credential_helper;
#[cfg(unix)]
mod deadline;
mod decode;
#[cfg(unix)]
mod demo;
#[cfg(unix)]
mod device;
mod diagnosis;
mod discover;
mod docker_helper;
mod dpop;
#[cfg(target_os = "linux")]
mod every_page;
#[cfg(unix)]
mod exec;
#[cfg(windows)]
mod exec_on_windows;
mod fapi2_client;
mod field_metadata;
mod field_proxies;
#[cfg(unix)]
mod files;
#[cfg(unix)]
mod foreign;
#[cfg(unix)]
mod foreign_clients;
#[cfg(unix)]
mod full_disk;
mod git_helper;
mod global;
#[cfg(unix)]
mod hints;
#[cfg(unix)]
mod https_callback;
#[cfg(unix)]
mod in_a_browser;
mod introspect;
mod json_page;
#[cfg(all(unix, not(target_os = "macos")))]
mod keyring;
mod login;
#[cfg(unix)]
mod login_for_programs;
mod login_wait;
mod logout;
mod machine_grants;
mod man;
mod mcp;
#[cfg(unix)]
mod mcp_session;
mod mcp_tool_headers;
#[cfg(unix)]
mod messages;
mod mutual_tls;
#[cfg(windows)]
mod names_on_windows;
mod narrowed;
mod odd_answers;
#[cfg(target_os = "linux")]
mod packages;
#[cfg(unix)]
mod passphrase;
#[cfg(unix)]
mod paste;
mod peers;
#[cfg(target_os = "linux")]
mod pictures;
mod pkce;
#[cfg(target_os = "linux")]
mod private_addresses;
#[cfg(target_os = "linux")]
mod process;
mod profile;
mod profile_of_url;
#[cfg(unix)]
mod progress;
#[cfg(target_os = "linux")]
mod prompts;
mod providers;
mod pushed_requests;
mod refresh;
#[cfg(unix)]
mod relocation;
mod relying_party;
mod request;
mod request_objects;
mod revoke;
#[cfg(target_os = "linux")]
mod secrets;
#[cfg(target_os = "linux")]
mod secrets_of_strong_clients;
mod serve;
mod serve_client_assertions;
mod serve_machine_grants;
mod serve_mcp;
mod serve_people;
mod serve_requests;
mod serve_setup;
#[cfg(unix)]
mod serve_tls;
mod server_errors;
mod signed_responses;
mod status;
#[cfg(unix)]
mod step_up;
mod support;
#[cfg(target_os = "linux")]
mod terminal_layout;
#[cfg(target_os = "linux")]
mod terminal_rows;
mod token;
mod token_formats;
#[cfg(unix)]
mod trace;
#[cfg(target_os = "linux")]
mod turns;
mod userinfo;
#[cfg(unix)]
mod wizard;
