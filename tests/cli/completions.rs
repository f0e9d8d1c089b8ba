//! The completion scripts: the committed ones are those that the binary
//! prints, and they work in the shells that they are for, profile names
//! included.

use super::support::binary::Home;
use super::support::installed;
use super::support::literal_server::PATIENCE;
use super::support::outcome::run;
use super::support::terminal::Terminal;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;

const SCRIPTS: [(&str, &str); 5] = [
    ("bash", "oauth.bash"),
    ("zsh", "_oauth"),
    ("fish", "oauth.fish"),
    ("powershell", "_oauth.ps1"),
    ("elvish", "oauth.elv"),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("completions")
}

#[test]
fn the_committed_scripts_are_those_that_the_binary_prints() {
    for (shell, file) in SCRIPTS {
        let printed = run(Home::new().oauth().args(["completions", shell]))
            .expect_code(0)
            .stdout;
        let committed = std::fs::read_to_string(folder().join(file)).unwrap_or_default();
        assert!(
            printed == committed,
            "completions/{file} is out of date; make it again: cargo run -- completions {shell} > completions/{file}"
        );
        assert!(
            !printed.contains("\"__profiles\"") && !printed.contains("'__profiles"),
            "{shell}"
        );
    }
    run(Home::new().oauth().args(["completions", "tcsh"]))
        .expect_error(2)
        .says(&["fish"]);
}

#[test]
fn the_names_come_from_a_command_that_never_complains() {
    let home = home();
    let names = run(home.oauth().arg("__profiles")).expect_code(0);
    assert_eq!(names.stdout, "work\nwide.one\nplay\n");
    home.configure("[profile.broken");
    let names = run(home.oauth().arg("__profiles")).expect_code(0);
    assert_eq!((names.stdout, names.stderr), (String::new(), String::new()));
    let names = run(Home::new().oauth().arg("__profiles")).expect_code(0);
    assert_eq!((names.stdout, names.stderr), (String::new(), String::new()));
}

/// A home with the profiles `work`, `wide.one` and `play`.
fn home() -> Home {
    let home = Home::new();
    home.configure("[profile.work]\n[profile.\"wide.one\"]\n[profile.play]\n");
    home
}

/// Where `oauth` stands first in `PATH`: the binary under test for the names
/// of profiles, and for everything else a script that tells its arguments to
/// whoever reads the pipe.
struct Stage {
    home: Home,
}

impl Stage {
    fn new() -> Self {
        let stage = Stage { home: home() };
        let made = Command::new("mkfifo").arg(stage.pipe()).status().expect("mkfifo");
        assert!(made.success());
        let program = stage.home.path().join("bin/oauth");
        std::fs::create_dir(program.parent().expect("a folder")).expect("making it");
        let script = format!(
            "#!/bin/sh\nif [ \"$1\" = __profiles ]; then exec '{}' __profiles; fi\necho \"$@\" > '{}'\n",
            stage.home.oauth().get_program().to_string_lossy(),
            stage.pipe().display()
        );
        std::fs::write(&program, script).expect("writing it");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("its mode");
        stage
    }

    fn pipe(&self) -> PathBuf {
        self.home.path().join("arguments")
    }

    /// A shell in which `oauth` is the one of this stage; `None`, loudly, when it is not installed.
    fn shell(&self, name: &str) -> Option<Command> {
        if !installed::all(&[name], name) {
            return None;
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut folders = vec![self.home.path().join("bin")];
        folders.extend(std::env::split_paths(&path));
        let mut command = Command::new(name);
        command
            .env_clear()
            .env("HOME", self.home.path())
            .env("TERM", "xterm")
            .env("PATH", std::env::join_paths(folders).expect("a path"))
            .current_dir(self.home.path());
        Some(command)
    }

    /// What `oauth` is run with after these keys on the terminal of an interactive shell.
    fn after_keys(&self, shell: &mut Command, keys: &str) -> String {
        let mut terminal = Terminal::open();
        let mut child = terminal.start(shell);
        let (told, arguments) = mpsc::channel();
        let pipe = self.pipe();
        std::thread::spawn(move || told.send(std::fs::read_to_string(pipe).expect("the pipe")));
        terminal.types(keys);
        let arguments = arguments.recv_timeout(PATIENCE);
        let _ = child.kill();
        let _ = child.wait();
        let arguments = arguments.unwrap_or_else(|_| panic!("on the screen: {}", terminal.screen()));
        arguments.trim_end().to_owned()
    }
}

/// What bash offers for these words, of which the last is being typed.
fn bash_offers(stage: &Stage, words: &[&str]) -> Vec<String> {
    let mut shell = stage.shell("bash").expect("bash is needed for the tests");
    let (current, before) = words.split_last().expect("words");
    let script = format!(
        r#"source '{}' || exit 9
        function_name="$(complete -p oauth | sed 's/.*-F \([^ ]*\).*/\1/')"
        COMP_WORDS=("$@")
        COMP_CWORD=$(( $# - 1 ))
        "$function_name" oauth '{current}' '{}' || exit 9
        printf '%s\n' "${{COMPREPLY[@]}}""#,
        folder().join("oauth.bash").display(),
        before.last().expect("a word before it"),
    );
    let outcome = run(shell.args(["--norc", "--noprofile", "-c", &script, "bash"]).args(words)).expect_code(0);
    assert_eq!(outcome.stderr, "");
    outcome
        .stdout
        .lines()
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Where a name is expected, and what has been typed before it.
const PLACES: [&[&str]; 14] = [
    &["login"],
    &["token"],
    &["logout"],
    &["status"],
    &["profile", "show"],
    &["profile", "set"],
    &["profile", "use"],
    &["profile", "remove"],
    &["token", "--profile"],
    &["status", "-p"],
    &["login", "--issuer", "x", "--profile"],
    &["--json", "-v", "token"],
    &["--config", "token", "logout"],
    &["token", "--min-ttl", "5m", "--json"],
];

#[test]
fn bash_offers_profile_names_where_they_belong() {
    let stage = Stage::new();
    for place in PLACES {
        let offers = |typed| bash_offers(&stage, &[&["oauth"], place, &[typed]].concat());
        assert_eq!(offers("w"), ["work", "wide.one"], "{place:?}");
        assert_eq!(offers(""), ["work", "wide.one", "play"], "{place:?}");
        assert_eq!(offers("wo"), ["work"], "{place:?}");
        assert_eq!(offers("x"), Vec::<String>::new(), "{place:?}");
    }
    // bash takes --profile=w apart
    assert_eq!(
        bash_offers(&stage, &["oauth", "token", "--profile", "=", "w"]),
        ["work", "wide.one"]
    );
    assert_eq!(bash_offers(&stage, &["oauth", "token", "--profile", "="]).len(), 3);
}

#[test]
fn bash_offers_commands_options_and_values_as_before() {
    let stage = Stage::new();
    let offers = |words: &[&str]| bash_offers(&stage, &[&["oauth"], words].concat());
    assert_eq!(offers(&["lo"]), ["login", "logout"]);
    let commands = offers(&[""]);
    assert!(commands.contains(&"token".to_owned()) && !commands.contains(&"__profiles".to_owned()));
    assert_eq!(offers(&["token", "--fo"]), ["--format", "--force-refresh"]);
    assert_eq!(offers(&["token", "--format", "he"]), ["header", "headers"]);
    assert_eq!(offers(&["profile", "re"]), ["remove"]);
    assert_eq!(offers(&["completions", "fi"]), ["fish"]);
    for words in [
        &["token", "work", "p"][..],
        &["token", "--min-ttl", "w"],
        &["login", "--client-id", "w"],
        &["profile", "list", "w"],
        &["demo", "w"],
        &["profile", "set", "work", "p"],
    ] {
        let offered = offers(words);
        assert!(
            !offered.iter().any(|name| ["work", "play"].contains(&name.as_str())),
            "{words:?}: {offered:?}"
        );
    }
}

#[test]
fn pressing_tab_in_bash_completes() {
    for (keys, arguments) in [
        ("oauth token wo\t\n", "token work"),
        ("oauth sta\twi\t--js\t\n", "status wide.one --json"),
        ("oauth profile us\tp\t\n", "profile use play"),
        ("oauth token --profile=wo\t\n", "token --profile=work"),
        ("oauth token --format hea\t\n", "token --format header"),
    ] {
        let stage = Stage::new();
        let Some(mut shell) = stage.shell("bash") else { return };
        let rc = stage.home.path().join("rc");
        std::fs::write(&rc, format!("source '{}'\n", folder().join("oauth.bash").display())).expect("writing");
        shell.arg("--noprofile").arg("--rcfile").arg(&rc).arg("-i");
        assert_eq!(stage.after_keys(&mut shell, keys), arguments, "{keys:?}");
    }
}

#[test]
fn pressing_tab_in_zsh_completes() {
    for (keys, arguments) in [
        ("oauth token wo\t\n", "token work"),
        ("oauth status --profile pl\t\n", "status --profile play"),
        ("oauth profile remove wi\t\n", "profile remove wide.one"),
        ("oauth token --form\tjs\t\n", "token --format=json"),
    ] {
        let stage = Stage::new();
        let Some(mut shell) = stage.shell("zsh") else { return };
        let start = format!(
            "fpath=('{}' $fpath)\nautoload -Uz compinit\ncompinit -u -D\n",
            folder().display()
        );
        std::fs::write(stage.home.path().join(".zshrc"), start).expect("writing");
        shell.args(["-d", "-i"]);
        assert_eq!(stage.after_keys(&mut shell, keys), arguments, "{keys:?}");
    }
}

#[test]
fn fish_offers_profile_names_where_they_belong() {
    let stage = Stage::new();
    let offers = |words: &[&str]| {
        let mut shell = stage.shell("fish")?;
        let script = format!(
            "source '{}'; complete -C '{}'",
            folder().join("oauth.fish").display(),
            words.join(" ")
        );
        shell.args(["--no-config", "-c", &script]).stdin(Stdio::null());
        let outcome = run(&mut shell).expect_code(0);
        assert_eq!(outcome.stderr, "");
        let lines = outcome.stdout.lines();
        let mut offered: Vec<String> = lines
            .map(|line| line.split('\t').next().unwrap_or_default().to_owned())
            .collect();
        offered.sort();
        Some(offered)
    };
    for place in PLACES {
        let Some(offered) = offers(&[&["oauth"], place, &["w"]].concat()) else {
            return;
        };
        assert_eq!(offered, ["wide.one", "work"], "{place:?}");
    }
    assert_eq!(offers(&["oauth", "token", "work", "p"]), Some(Vec::new()));
    assert_eq!(
        offers(&["oauth", "lo"]),
        Some(vec!["login".to_owned(), "logout".to_owned()])
    );
    assert_eq!(
        offers(&["oauth", "token", "--format", "he"]),
        Some(vec!["header".to_owned(), "headers".to_owned()])
    );
}

#[test]
fn the_static_scripts_have_every_command() {
    for file in ["_oauth.ps1", "oauth.elv"] {
        let script = std::fs::read_to_string(folder().join(file)).expect("the script");
        for command in [
            "login",
            "token",
            "logout",
            "status",
            "profile",
            "serve",
            "demo",
            "completions",
        ] {
            assert!(script.contains(command), "{file} lacks {command}");
        }
        assert!(!script.contains("__profiles"));
    }
}
