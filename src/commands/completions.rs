//! `oauth completions`: scripts for five shells, made from the same
//! definition as the parser, without what that hides.
//!
//! What `clap_complete` makes is static. For bash, zsh and fish it is extended
//! here, so that wherever the definition has the hint
//! [`PROFILE_NAME`] the names of the saved profiles complete: the
//! script asks the hidden command `oauth __profiles`. PowerShell and Elvish
//! complete commands and options only.

use crate::app::context::Context;
use crate::args::cli::{CommandLine, PROFILE_NAME, Shell};
use crate::error::Error;
use crate::output::report;
use clap::{Arg, Command, CommandFactory};
use clap_complete::Shell as Generator;
use std::collections::BTreeSet;

pub(super) fn run(shell: Shell) -> Result<(), Error> {
    report::print(script(shell).as_bytes())
}

/// One name a line; nothing where the configuration cannot be read, since a
/// completion must not print errors into the line being typed.
pub(super) fn profile_names(context: &Context) -> Result<(), Error> {
    let Ok(config) = context.config() else { return Ok(()) };
    let names: String = config.profiles().map(|(name, _)| format!("{name}\n")).collect();
    report::print(names.as_bytes())
}

/// The completion script of a shell.
fn script(shell: Shell) -> String {
    let mut definition = definition();
    match shell {
        Shell::Bash => bash(&mut definition),
        Shell::Zsh => zsh(&mut definition),
        Shell::Fish => fish(&mut definition),
        Shell::Powershell => generate(Generator::PowerShell, &mut definition),
        Shell::Elvish => generate(Generator::Elvish, &mut definition),
    }
}

fn generate(generator: Generator, definition: &mut Command) -> String {
    let mut script = Vec::new();
    clap_complete::generate(generator, definition, "oauth", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// The commands that help shows.
fn definition() -> Command {
    let whole = CommandLine::command();
    let shown = whole.get_subcommands().filter(|command| !command.is_hide_set());
    Command::new("oauth")
        .version(env!("CARGO_PKG_VERSION"))
        .disable_help_subcommand(true)
        .args(whole.get_arguments())
        .subcommands(shown.cloned())
}

/// Where profile names stand on the command line.
struct ProfilePlaces {
    /// Commands whose first argument is one: `token`, `profile show`.
    commands: Vec<String>,
    /// Options whose value is one: `--profile`, `-p`.
    options: BTreeSet<String>,
    /// All options with a value, which therefore is not an argument.
    options_with_value: BTreeSet<String>,
}

impl ProfilePlaces {
    fn of(definition: &Command) -> Self {
        let mut places = ProfilePlaces {
            commands: Vec::new(),
            options: BTreeSet::new(),
            options_with_value: BTreeSet::new(),
        };
        places.look_into(definition, &[]);
        places
    }

    fn look_into(&mut self, command: &Command, path: &[&str]) {
        let is_profile = |argument: &Arg| argument.get_value_hint() == PROFILE_NAME;
        for option in command
            .get_arguments()
            .filter(|argument| !argument.is_positional() && argument.get_action().takes_values())
        {
            let spellings = option
                .get_long()
                .map(|long| format!("--{long}"))
                .into_iter()
                .chain(option.get_short().map(|short| format!("-{short}")));
            for spelling in spellings {
                if is_profile(option) {
                    self.options.insert(spelling.clone());
                }
                self.options_with_value.insert(spelling);
            }
        }
        if command.get_positionals().next().is_some_and(is_profile) {
            self.commands.push(path.join(" "));
        }
        for inner in command.get_subcommands() {
            self.look_into(inner, &[path, &[inner.get_name()]].concat());
        }
    }
}

fn alternatives(words: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let quoted = words.into_iter().map(|word| format!("'{}'", word.as_ref()));
    quoted.collect::<Vec<_>>().join(" | ")
}

fn quoted_list(words: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    alternatives(words).replace(" | ", " ")
}

/// Around the static function: where a profile name is, its answer is replaced.
fn bash(definition: &mut Command) -> String {
    let mut script = generate(Generator::Bash, definition).replace("-F _oauth ", "-F _oauth_with_profile_names ");
    let places = ProfilePlaces::of(definition);
    let options = alternatives(&places.options);
    let options_with_value = alternatives(&places.options_with_value);
    let commands = alternatives(&places.commands);
    script += &format!(
        r#"
# Completes the names of the saved profiles, which `oauth __profiles` prints,
# and everything else as _oauth does.
_oauth_with_profile_names() {{
    _oauth "$@"
    local cur="$2" word option="" words="" i
    for (( i = 1; i < COMP_CWORD; i++ )); do
        word="${{COMP_WORDS[i]}}"
        if [[ ${{word}} == "=" ]]; then
            continue
        elif [[ -n ${{option}} ]]; then
            option=""
            continue
        fi
        case "${{word}}" in
            {options_with_value}) option="${{word}}" ;;
            -*) ;;
            *) words="${{words:+${{words}} }}${{word}}" ;;
        esac
    done
    if [[ ${{cur}} == "=" ]]; then
        cur=""
    fi
    if [[ -n ${{option}} ]]; then
        case "${{option}}" in
            {options}) ;;
            *) return 0 ;;
        esac
    else
        case "${{words}}" in
            {commands}) ;;
            *) return 0 ;;
        esac
        if [[ ${{cur}} == -* ]]; then
            return 0
        fi
    fi
    local names
    names="$("$1" __profiles 2>/dev/null)"
    if [[ -n ${{names}} ]]; then
        COMPREPLY=( $(compgen -W "${{names}}" -- "${{cur}}") )
    fi
    return 0
}}
"#
    );
    script
}

/// A function in the place of that which completes users.
fn zsh(definition: &mut Command) -> String {
    let script = generate(Generator::Zsh, definition).replace(":_users'", ":_oauth_profile_names'");
    let names = r#"# The names of the saved profiles.
(( $+functions[_oauth_profile_names] )) ||
_oauth_profile_names() {
    local expl
    local -a names
    names=( ${(f)"$(_call_program profiles oauth __profiles 2>/dev/null)"} )
    _wanted profiles expl 'profile' compadd -a names
}

"#;
    // The file's last lines run or register the main function, so everything is before them.
    let end = script.rfind("if [ \"$funcstack").unwrap_or(script.len());
    format!("{}{names}{}", &script[..end], &script[end..])
}

/// A function in the place of that which completes users; arguments, which the
/// static script leaves out, come behind it.
fn fish(definition: &mut Command) -> String {
    let script = generate(Generator::Fish, definition).replace("(__fish_complete_users)", "(__oauth_profile_names)");
    let places = ProfilePlaces::of(definition);
    let options_with_value = quoted_list(&places.options_with_value);
    let commands = quoted_list(&places.commands);
    format!(
        r#"# Print the names of the saved profiles.
function __oauth_profile_names
    command oauth __profiles 2>/dev/null
end

# Whether the next argument is the name of a profile.
function __oauth_profile_is_next
    set -l words
    set -l is_value 0
    for word in (commandline -opc)[2..-1]
        if test $is_value -eq 1
            set is_value 0
        else if contains -- $word {options_with_value}
            set is_value 1
        else if not string match -q -- '-*' $word
            set -a words $word
        end
    end
    contains -- "$words" {commands}
end

{script}complete -c oauth -n "__oauth_profile_is_next" -f -a "(__oauth_profile_names)"
"#
    )
}
