//! Files under attack: by other users, by links, by modes and umasks, by what
//! is not a file at all. Most of it takes root, who acts as the others.

use super::profile::{as_ordinary_user, set_mode};
use super::support::authorization_server;
use super::support::binary::Home;
use super::support::installed;
use super::support::literal_server::status;
use super::support::login::{complete, login};
use super::support::outcome::{Outcome, run};
use super::support::sessions::{KEPT_ACCESS_TOKEN, session};
use super::support::shell::after;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Another user, and a group that others are in.
const OTHER: u32 = 65534;
const CONFIG: &str = "[profile.work]\nissuer = \"https://id.example.com\"\nclient_id = \"desktop\"\n";

/// Whether this test may act as others; a reason that is shown where not.
fn is_root() -> bool {
    rustix::process::geteuid().is_root() || installed::skip("only root may act as other users")
}

fn give_away(path: &Path) {
    std::os::unix::fs::lchown(path, Some(OTHER), Some(OTHER)).expect("giving it away");
}

fn mode(path: &Path) -> u32 {
    std::fs::symlink_metadata(path).expect("a file").mode() & 0o7777
}

/// A home with a profile and a session.
fn home() -> Home {
    let home = Home::new();
    home.configure(CONFIG);
    home.keep("work", &session("https://id.example.com"));
    home
}

fn token(home: &Home) -> Outcome {
    run(home.oauth().args(["token", "work"]))
}

#[test]
fn everything_that_a_login_makes_is_private_whatever_the_umask() {
    for umask in ["000", "002", "777"] {
        let (home, server) = (Home::new(), authorization_server::start());
        let trace = home.path().join("trace.json");
        let mut command = login(&home, &server, &["--no-browser", "--trace", "trace.json"]);
        complete(&mut after(&format!("umask {umask}"), &command), &server.origin()).expect_code(0);
        command = home.oauth();
        run(command.args(["profile", "set", "desktop", "client_id=x"]));
        for file in home.files() {
            assert_eq!(mode(&file), 0o600, "umask {umask}: {}", file.display());
        }
        assert!(trace.exists());
        for folder in [
            ".config",
            ".config/oauth",
            ".local",
            ".local/share",
            ".local/share/oauth",
            ".local/share/oauth/sessions",
            ".local/share/oauth/locks",
        ] {
            assert_eq!(mode(&home.path().join(folder)), 0o700, "umask {umask}: {folder}");
        }
    }
}

#[test]
fn the_new_configuration_file_is_not_written_through_a_link_that_was_put_there() {
    let home = home();
    let victim = home.path().join("victim");
    std::fs::write(&victim, "precious").expect("a file");
    // the process keeps its number when the shell becomes it
    let links = "for ending in new tmp next; do ln -s ../../victim .config/oauth/.config.toml.$$.$ending; done; ln -s ../../victim .config/oauth/config.toml.$$";
    let mut command = home.oauth();
    command.args(["profile", "set", "work", "client_id=other"]);
    run(&mut after(links, &command)).expect_code(0);
    assert_eq!(std::fs::read_to_string(&victim).expect("a file"), "precious");
    assert!(home.configuration().contains("\"other\""));
}

#[test]
fn what_another_user_can_change_is_not_read_as_configuration() {
    if !is_root() {
        return;
    }
    // the file, and each folder above it
    for place in [".config/oauth/config.toml", ".config/oauth", ".config", ""] {
        let home = home();
        let place = home.path().join(place);
        give_away(&place);
        let outcome = token(&home).expect_error(2);
        assert!(
            outcome.causes().contains("belongs to another user (uid 65534)"),
            "{outcome:?}"
        );
        assert!(outcome.hints().contains("sudo -H"), "{outcome:?}");
        chown(&place, Some(0), Some(OTHER)).expect("getting it back");
        // the shared group, and everybody
        for others in [0o020, 0o002] {
            let before = mode(&place);
            set_mode(&place, before | others);
            let outcome = token(&home).expect_error(2);
            assert!(
                outcome.causes().contains("can be changed by other users"),
                "{outcome:?}"
            );
            assert!(outcome.hints().contains("chmod go-w"), "{outcome:?}");
            set_mode(&place, before);
        }
        assert_eq!(token(&home).expect_code(0).stdout, format!("{KEPT_ACCESS_TOKEN}\n"));
    }
}

#[test]
fn a_home_below_a_folder_of_another_user_is_refused_and_one_below_a_sticky_folder_is_not() {
    if !is_root() {
        return;
    }
    let outer = home();
    let inner = outer.path().join("inner");
    std::fs::create_dir(&inner).expect("a folder");
    for name in [".config", ".local"] {
        std::fs::rename(outer.path().join(name), inner.join(name)).expect("moving it");
    }
    let token = || run(outer.oauth().env("HOME", &inner).args(["token", "work"]));
    token().expect_code(0);
    set_mode(outer.path(), 0o1777);
    token().expect_code(0);
    set_mode(outer.path(), 0o755);
    give_away(outer.path());
    token().expect_error(2);
}

#[test]
fn root_in_the_home_of_another_user_changes_nothing_there_and_obeys_nothing() {
    if !is_root() {
        return;
    }
    let (home, victim) = (home(), tempfile::tempdir().expect("a folder"));
    for folder in ["sessions", "locks"] {
        std::fs::create_dir(victim.path().join(folder)).expect("a folder");
        set_mode(&victim.path().join(folder), 0o755);
    }
    let data = home.path().join(".local/share/oauth");
    std::fs::rename(&data, home.path().join("aside")).expect("moving it");
    symlink(victim.path(), &data).expect("a link");
    let everything = Command::new("chown")
        .args(["-Rh", &OTHER.to_string()])
        .arg(home.path())
        .status();
    assert!(everything.expect("chown").success());
    let server = authorization_server::start();
    for arguments in [
        &["token", "work"][..],
        &["status", "work"],
        &["logout", "work"],
        &["profile", "set", "work", "client_id=x"],
    ] {
        run(home.oauth().args(arguments)).expect_error(2);
    }
    // without a configuration file there is still nothing of ours in that home
    std::fs::remove_file(home.config_file()).expect("removing it");
    run(&mut login(&home, &server, &["--no-browser", "--no-save"])).expect_error(8);
    run(&mut login(&home, &server, &["--no-browser"])).expect_error(2);
    assert_eq!(server.connections(), 0);
    for folder in ["sessions", "locks"] {
        assert_eq!(mode(&victim.path().join(folder)), 0o755, "{folder}");
    }
    assert_eq!(std::fs::read_dir(victim.path()).expect("a folder").count(), 2);
}

#[test]
fn sessions_and_keys_of_another_user_or_with_a_second_name_are_refused() {
    if !is_root() {
        return;
    }
    for name in [
        ".local/share/oauth/sessions/work",
        ".local/share/oauth/sessions",
        ".config/oauth/store.key",
    ] {
        let home = home();
        let path = home.path().join(name);
        give_away(&path);
        let outcome = token(&home).expect_error(8);
        assert!(
            outcome.stderr.contains("belongs to another user"),
            "{name}: {outcome:?}"
        );
        chown(&path, Some(0), Some(0)).expect("getting it back");
        token(&home).expect_code(0);
        if path.is_file() {
            let second = home.path().join("second");
            std::fs::hard_link(&path, &second).expect("a second name");
            let outcome = token(&home).expect_error(8);
            assert!(outcome.stderr.contains("has a second name"), "{name}: {outcome:?}");
            std::fs::remove_file(second).expect("removing it");
            token(&home).expect_code(0);
        }
    }
}

#[test]
fn a_trace_is_a_new_file_and_replaces_nothing_but_traces() {
    let home = home();
    let path = |name: &str| home.path().join(name);
    let traced = |name: &str| run(home.oauth().args(["token", "work", "--trace", name]));
    traced("old.json").expect_code(0);
    let trace = std::fs::read_to_string(path("old.json")).expect("a trace");
    set_mode(&path("old.json"), 0o644);
    std::fs::hard_link(path("old.json"), path("second.json")).expect("a second name");
    std::fs::write(path("second.json"), format!("{trace}kept\n")).expect("a file");
    traced("old.json").expect_code(0);
    assert_eq!(mode(&path("old.json")), 0o600);
    assert!(
        std::fs::read_to_string(path("second.json"))
            .unwrap()
            .ends_with("kept\n")
    );

    std::fs::write(path("package.json"), "{}\n").expect("a file");
    traced("package.json")
        .expect_error(2)
        .says(&["is not a trace", "hint: "]);
    assert_eq!(std::fs::read_to_string(path("package.json")).expect("a file"), "{}\n");
}

#[test]
fn a_trace_file_that_another_user_made_first_shows_them_nothing() {
    if !is_root() {
        return;
    }
    let (home, shared) = (home(), tempfile::tempdir().expect("a folder"));
    set_mode(shared.path(), 0o1777);
    let path = shared.path().join("trace.json");
    std::fs::write(&path, "").expect("a file");
    set_mode(&path, 0o666);
    give_away(&path);
    let mut theirs = std::fs::File::open(&path).expect("their handle");
    let traced = |path: &Path| run(home.oauth().args(["token", "work", "--trace"]).arg(path));
    traced(&path).expect_code(0);
    let mut seen = String::new();
    theirs.read_to_string(&mut seen).expect("reading");
    assert_eq!(seen, "");
    let found = std::fs::metadata(&path).expect("a trace");
    assert_eq!((found.uid(), found.mode() & 0o7777), (0, 0o600));
    assert!(found.len() > 0);

    let pipe = shared.path().join("pipe.json");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    give_away(&pipe);
    let _reader = std::fs::File::options()
        .read(true)
        .write(true)
        .open(&pipe)
        .expect("a reader");
    let outcome = traced(&pipe).expect_error(2);
    assert!(outcome.causes().contains("belongs to another user"), "{outcome:?}");
    chown(&pipe, Some(0), Some(0)).expect("getting it back");
    traced(&pipe).expect_code(0);
}

#[test]
fn a_report_replaces_no_other_file() {
    let home = home();
    let report = home.path().join("notes.xml");
    std::fs::write(&report, "my notes").expect("a file");
    let check = || {
        run(home
            .oauth()
            .args(["check", "http://127.0.0.1:9", "--junit", "notes.xml"]))
    };
    check().expect_error(2).says(&["has other content", "hint: "]);
    assert_eq!(std::fs::read_to_string(&report).expect("a file"), "my notes");
}

#[test]
fn what_is_endless_or_not_a_file_is_refused_at_once_wherever_a_file_is_named() {
    let (home, server) = (home(), authorization_server::start());
    let folder = home.path().display().to_string();
    let login = [
        "login",
        "--issuer",
        &server.origin(),
        "--client-id=x",
        "--profile=new",
        "--no-browser",
    ];
    for device in ["/dev/zero", &folder] {
        let client = format!("x:{device}");
        for arguments in [
            &["token", "work", "--config", device][..],
            &[&login[..], &["--client-secret-file", device]].concat(),
            &[&login[..], &["--cacert", device]].concat(),
            &[&login[..], &["--cert", device, "--key", device]].concat(),
            &["serve", "--port=0", "--client", &client],
            &["decode", device],
        ] {
            let outcome = run(home.oauth().args(arguments));
            assert!(![Some(0), None].contains(&outcome.code), "{outcome:?}");
            outcome.says(&["is not a regular file or a pipe"]);
        }
        for variable in ["OAUTH_STORE_KEY_FILE", "OAUTH_STORE_PASSPHRASE_FILE", "OAUTH_CONFIG"] {
            let outcome = run(home.oauth().env(variable, device).args(["token", "work"]));
            assert!(![Some(0), None].contains(&outcome.code), "{outcome:?}");
            outcome.says(&["is not a regular file or a pipe"]);
        }
    }
    assert_eq!(server.connections(), 0);
}

/// The null device under a name of its own, where a test may make one: what is
/// wrong here would replace the one of the whole system.
fn null_device(home: &Home) -> PathBuf {
    let path = home.path().join("null");
    let made = Command::new("mknod").arg(&path).args(["c", "1", "3"]).output();
    match made.is_ok_and(|output| output.status.success()) && std::fs::read(&path).is_ok() {
        true => path,
        false => PathBuf::from("/dev/null"),
    }
}

#[test]
fn the_null_device_is_an_empty_configuration_and_stays_a_device() {
    let home = home();
    let device = null_device(&home);
    let with = |arguments: &[&str]| run(home.oauth().arg("--config").arg(&device).args(arguments));
    with(&["status"]).expect_code(0);
    with(&["profile", "set", "work", "client_id=x"]).expect_error(2);
    with(&["profile", "use", "work"]).expect_error(2);
    let mut login = login(&home, &authorization_server::start(), &[]);
    run(login.arg("--config").arg(&device))
        .expect_error(2)
        .says(&["is not a regular file", "--no-save"]);
    let found = std::fs::metadata(&device).expect("the device");
    assert!(!found.is_file(), "{found:?}");
}

#[test]
fn a_pipe_of_the_shell_is_taken_where_a_file_is_named() {
    let home = home();
    let key = std::fs::read(home.path().join(".config/oauth/store.key")).expect("the key");
    std::fs::write(home.path().join("key"), &key).expect("a file");
    // not root, whom nothing keeps from opening a pipe
    let Some(ordinary) = as_ordinary_user(&home) else {
        return;
    };
    let words = ordinary.get_args().map(|word| word.to_str().expect("UTF-8"));
    let (identity, oauth): (Vec<&str>, Vec<&str>) = match ordinary.get_program().to_str() {
        Some("setpriv") => words.partition(|word| word.starts_with("--")),
        program => (Vec::new(), Vec::from_iter(program)),
    };
    for (line, code) in [
        ("OAUTH_STORE_KEY_FILE=/dev/fd/7 exec \"$1\" token work 7< <(cat key)", 0),
        // another file has sessions of its own
        ("exec \"$1\" token work --config <(cat .config/oauth/config.toml)", 4),
        ("exec \"$1\" --store none token work --config <(printf 'x = 1')", 2),
    ] {
        let mut shell = Command::new(if identity.is_empty() { "env" } else { "setpriv" });
        shell.args(&identity).args(["bash", "-c", line, "bash"]).args(&oauth);
        shell.env_clear().current_dir(home.path());
        for (name, value) in home.oauth().get_envs() {
            shell.env(name, value.unwrap_or_default());
        }
        run(&mut shell).expect_code(code);
    }
}

#[test]
fn a_login_that_fails_makes_no_folder_for_the_configuration() {
    let (home, server) = (Home::new(), authorization_server::start());
    server.on("POST", "/token", status(500));
    let mut command = login(&home, &server, &[]);
    complete(command.env("OAUTH_STORE", "none"), &server.origin()).expect_error(3);
    assert!(!home.path().join(".config").exists(), "{:?}", home.files());

    let server = authorization_server::start();
    let mut command = login(&home, &server, &[]);
    complete(command.env("OAUTH_STORE", "none"), &server.origin()).expect_code(0);
    assert_eq!(mode(home.config_file().parent().expect("its folder")), 0o700);
}
