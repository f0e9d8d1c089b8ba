//! What to ask for: how the person signs in, and the scopes.

use super::questions::{Questions, position};
use super::server::Server;
use crate::error::Error;
use crate::foreign_text::Quoted;
use crate::protocol::members::Members;
use crate::protocol::scope::Scope;

/// More choices than that are not help.
const MAX_CHOICES: usize = 40;

/// For no scope at all.
const NONE: &str = "-";

/// Scopes that most logins want, where the server has them.
const USUAL: [&str; 2] = ["openid", "offline_access"];

/// How tokens are had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Browser,
    Device,
    /// The client speaks for itself, without a person.
    ClientCredentials,
}

impl Way {
    fn title(self) -> &'static str {
        match self {
            Way::Browser => "in the browser of this machine",
            Way::Device => "in a browser on another device, with a code",
            Way::ClientCredentials => "nobody: this is a program with a client ID and a secret of its own",
        }
    }

    /// The flags.
    pub(super) fn words(self) -> Vec<String> {
        let words: &[&str] = match self {
            Way::Browser => &[],
            Way::Device => &["--device"],
            Way::ClientCredentials => &["--grant", "client-credentials"],
        };
        words.iter().map(|word| (*word).to_owned()).collect()
    }
}

/// Asks how to sign in, where the server knows more than one way.
///
/// # Errors
/// Where no answer comes.
pub(super) fn ask_way(questions: &mut Questions<'_>, server: &Server) -> Result<Way, Error> {
    let members = Members(&server.members);
    let has_device_endpoint = |provider: &crate::providers::Provider| {
        let mut endpoints = provider.endpoints.iter();
        endpoints.any(|(name, _)| *name == "device_authorization_endpoint")
    };
    let mut ways = vec![Way::Browser];
    if members.text("device_authorization_endpoint").is_some()
        || server.provider.as_ref().is_some_and(has_device_endpoint)
    {
        ways.push(Way::Device);
    }
    if members.grant_types().contains(&"client_credentials") {
        ways.push(Way::ClientCredentials);
    }
    if ways.len() == 1 {
        return Ok(Way::Browser);
    }
    let titles: Vec<&str> = ways.iter().map(|way| way.title()).collect();
    let chosen = questions.choose("How do you want to sign in?", &titles)?;
    Ok(ways.get(chosen).copied().unwrap_or(Way::Browser))
}

/// Asks for the scopes, those of the server by number.
///
/// # Errors
/// Where no answer comes.
pub(super) fn ask_scopes(questions: &mut Questions<'_>, server: &Server, way: Way) -> Result<Vec<String>, Error> {
    let choices = choices(server);
    let is_preset = |scope: &&String| {
        server.usual_scopes.contains(scope)
            || server.api_scopes.contains(scope)
            || (way != Way::ClientCredentials && USUAL.contains(&scope.as_str()))
    };
    let preset: Vec<String> = choices.iter().filter(is_preset).cloned().collect();
    let question = match choices.is_empty() {
        true => "The scopes to ask for, separated by spaces (nothing for none):",
        false => {
            questions.tell("What is the token to be for? The scopes of this server:");
            questions.list(&choices.iter().map(String::as_str).collect::<Vec<_>>());
            "Their numbers or names, separated by spaces (- for none):"
        }
    };
    let default = match (preset.is_empty(), choices.is_empty()) {
        (false, _) => Some(preset.join(" ")),
        (true, false) => Some(NONE.to_owned()),
        (true, true) => None,
    };
    loop {
        let answer = questions.ask(question, default.as_deref())?;
        match chosen(&answer, &choices) {
            Ok(scopes) => return Ok(scopes),
            Err(wrong) => questions.tell(&format!(
                "{} is neither a number of the list nor a scope",
                Quoted::name(&wrong)
            )),
        }
    }
}

/// The scopes to choose from, each once, those that can be sent at all.
fn choices(server: &Server) -> Vec<String> {
    let mut choices: Vec<String> = Vec::new();
    let usual = server.usual_scopes.iter().map(String::as_str);
    for scope in usual.chain(server.scopes()) {
        let is_one = Scope::from_tokens([scope]).is_ok_and(|scope| scope.tokens().len() == 1);
        if is_one && !choices.iter().any(|known| known == scope) && choices.len() < MAX_CHOICES {
            choices.push(scope.to_owned());
        }
    }
    choices
}

/// What an answer chooses; the word that chooses nothing.
fn chosen(answer: &str, choices: &[String]) -> Result<Vec<String>, String> {
    let mut scopes: Vec<String> = Vec::new();
    if answer == NONE {
        return Ok(scopes);
    }
    for word in answer.split([' ', ',']).filter(|word| !word.is_empty()) {
        let by_number = position(word, choices.len()).and_then(|position| choices.get(position).cloned());
        let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
        let scope = match by_number {
            Some(scope) => scope,
            None if !is_number && Scope::from_tokens([word]).is_ok() => word.to_owned(),
            None => return Err(word.to_owned()),
        };
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    Ok(scopes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_chosen_by_number_and_by_name_each_once() {
        let choices = ["openid", "offline_access", "hello"].map(str::to_owned);
        let taken = |answer: &str| chosen(answer, &choices).map(|scopes| scopes.join(" "));
        assert_eq!(taken("1 3").as_deref(), Ok("openid hello"));
        assert_eq!(taken("hello, 3 other").as_deref(), Ok("hello other"));
        assert_eq!(taken("-").as_deref(), Ok(""));
        assert_eq!(taken("").as_deref(), Ok(""));
        assert_eq!(taken("1 4"), Err("4".to_owned()));
        assert_eq!(taken("0"), Err("0".to_owned()));
        assert_eq!(taken("a\"b"), Err("a\"b".to_owned()));
    }

    #[test]
    fn what_a_server_lists_beside_scopes_is_no_choice() {
        let listed = serde_json::json!({"scopes_supported": ["a b", "", "c", "c", "\u{1b}[2J", 7, "d"]});
        let server = Server {
            members: listed.as_object().cloned().unwrap_or_default(),
            ..Server::default()
        };
        assert_eq!(choices(&server), ["c", "d"]);
    }
}
