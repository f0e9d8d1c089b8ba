//! `oauth profile` and the configuration file: what each command prints and
//! changes, what a broken or unwritable file is told, and that changes at
//! the same time lose nothing.

use super::support::authorization_server;
use super::support::binary::Home;
use super::support::literal_server::LiteralServer;
use super::support::outcome::{Outcome, run};
use super::support::sessions::{log_in, log_in_with, scope, session};
use serde_json::json;
#[cfg(unix)]
use std::path::Path;
#[cfg(unix)]
use std::process::Command;

const ISSUER: &str = "https://id.example.com";

const EXAMPLE: &str = r#"# kept in my dotfiles
default_profile = "work"

[profile.work] # the office
issuer = "https://id.example.com"
client_id = "desktop"
scope = ["openid", "offline_access"] # all of it
resource = ["https://api.example.com"]
allow_http = false
port = [4711, 4712]
param = { login_hint = "me@example.com" }

[profile.play]
client_id = "toy"
"#;

fn profile(home: &Home, arguments: &[&str]) -> Outcome {
    run(home.oauth().arg("profile").args(arguments))
}

#[test]
fn a_file_that_was_chosen_and_does_not_exist_is_named() {
    let home = example();
    let missing = home.path().join("nope.toml").display().to_string();
    let by_flag = format!("There is no file `{missing}`, which --config names.");
    for (arguments, code) in [
        (&["token"][..], 4),
        (&["token", "work"], 2),
        (&["profile", "use", "work"], 2),
    ] {
        let outcome = run(home.oauth().args(arguments).args(["--config", &missing])).expect_error(code);
        assert!(outcome.hints().contains(&by_flag), "{outcome:?}");
        let outcome = run(home.oauth().args(arguments).env("OAUTH_CONFIG", &missing)).expect_error(code);
        assert!(outcome.hints().contains("which OAUTH_CONFIG names."), "{outcome:?}");
    }
    run(home.oauth().args(["token", "nope"]))
        .expect_error(2)
        .does_not_say("There is no file");
}

#[test]
fn a_profile_of_an_api_has_its_url_and_a_registered_client_in_the_list() {
    let home = Home::new();
    home.configure("[profile.api]\napi = \"https://api.example.com/mcp\"\n\n[profile.bare]\nscope = [\"a\"]\n");
    let outcome = profile(&home, &["list"]).expect_code(0);
    let lines: Vec<Vec<&str>> = outcome
        .stdout
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(lines[0], ["PROFILE", "SERVER", "CLIENT_ID"]);
    assert_eq!(lines[1], ["api", "https://api.example.com/mcp", "registered"]);
    assert_eq!(lines[2], ["bare", "-", "-"]);
}

fn example() -> Home {
    let home = Home::new();
    home.configure(EXAMPLE);
    home
}

#[test]
fn list_names_every_profile_and_marks_the_default() {
    let home = example();
    let outcome = profile(&home, &["list"]).expect_code(0);
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{}", outcome.stdout);
    assert!(lines[1].starts_with('*') && lines[1].contains("work") && lines[1].contains(ISSUER));
    assert!(!lines[2].starts_with('*') && lines[2].contains("play") && lines[2].contains("toy"));

    let array = profile(&home, &["list", "--json"]).expect_code(0).json();
    assert_eq!(array[0]["profile"], "work");
    assert_eq!(
        (&array[0]["default"], &array[1]["default"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(array[0]["scope"], json!(["openid", "offline_access"]));
    assert_eq!(profile(&Home::new(), &["list", "--json"]).expect_code(0).stdout, "[]\n");
    assert_eq!(profile(&Home::new(), &["list"]).expect_code(0).stdout, "");
}

#[test]
fn show_tells_one_profile_with_every_kind_of_value() {
    let home = example();
    let outcome = profile(&home, &["show"]).expect_code(0);
    for (key, value) in [
        ("profile", "work"),
        ("issuer", ISSUER),
        ("scope", "openid offline_access"),
        ("allow_http", "false"),
        ("port", "4711,4712"),
        ("param", "login_hint=me@example.com"),
    ] {
        let line = outcome.stdout.lines().find(|line| line.starts_with(key));
        let line = line.unwrap_or_else(|| panic!("no {key}: {}", outcome.stdout));
        assert!(line.ends_with(value), "{line}");
    }
    assert_eq!(
        profile(&home, &["show", "work", "--json"]).expect_code(0).json(),
        json!({
            "profile": "work",
            "default": true,
            "issuer": ISSUER,
            "client_id": "desktop",
            "scope": ["openid", "offline_access"],
            "resource": ["https://api.example.com"],
            "allow_http": false,
            "port": [4711, 4712],
            "param": { "login_hint": "me@example.com" },
        })
    );
    let play = profile(&home, &["show", "play"]).expect_code(0);
    assert!(play.stdout.contains("toy") && !play.stdout.contains("desktop"));
    profile(&home, &["show", "nosuch"])
        .expect_error(2)
        .says(&["\"nosuch\"", "work", "play"]);
}

#[test]
fn set_takes_each_kind_of_value_and_leaves_the_rest_alone() {
    let home = example();
    // with a drive on Windows
    let cacert = std::path::absolute("/etc/ca.pem")
        .expect("a path")
        .display()
        .to_string();
    let outcome = profile(
        &home,
        &[
            "set",
            "work",
            "issuer=https://new.example.com",
            "scope=openid email",
            "resource=https://a.example https://b.example",
            "allow_http=true",
            "port=5000,5001",
            "param.prompt=login",
            "token_param.tenant=x=y",
            "browser=firefox -P work %s",
            &format!("cacert={cacert}"),
            "audience=api",
        ],
    );
    let outcome = outcome.expect_code(0);
    assert_eq!(outcome.stdout, "");
    let shown = profile(&home, &["show", "work", "--json"]).json();
    assert_eq!(
        shown,
        json!({
            "profile": "work",
            "default": true,
            "issuer": "https://new.example.com",
            "client_id": "desktop",
            "scope": ["openid", "email"],
            "resource": ["https://a.example", "https://b.example"],
            "allow_http": true,
            "port": [5000, 5001],
            "param": { "login_hint": "me@example.com", "prompt": "login" },
            "token_param": { "tenant": "x=y" },
            "browser": "firefox -P work %s",
            "cacert": cacert,
            "audience": "api",
        })
    );
    let text = home.configuration();
    for kept in [
        "# kept in my dotfiles\n",
        "# the office\n",
        "# all of it\n",
        "[profile.play]\nclient_id = \"toy\"\n",
    ] {
        assert!(text.contains(kept), "{kept:?} is lost:\n{text}");
    }
    let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("no {part}:\n{text}"));
    assert!(place("issuer") < place("client_id") && place("client_id") < place("scope"));
    assert!(place("[profile.work]") < place("[profile.play]"));
}

#[test]
fn set_makes_a_profile_and_an_empty_value_removes_a_key() {
    let home = Home::new();
    profile(
        &home,
        &[
            "set",
            "new",
            "issuer=https://id.example.com",
            "client_id=a",
            "param.prompt=login",
            "param.ui=x",
        ],
    )
    .expect_code(0);
    profile(&home, &["set", "new", "client_id=", "param.prompt="]).expect_code(0);
    assert_eq!(
        profile(&home, &["show", "new", "--json"]).json(),
        json!({ "profile": "new", "default": true, "issuer": ISSUER, "param": { "ui": "x" } })
    );
    profile(&home, &["set", "new", "param=", "issuer="]).expect_code(0);
    let left = profile(&home, &["show", "new", "--json"]).expect_code(0).json();
    assert_eq!(left.get("issuer"), None);
    assert_eq!(left.get("param"), None);
    // what is not there can be removed
    profile(&home, &["set", "new", "scope="]).expect_code(0);
}

#[test]
fn set_refuses_what_login_would_refuse_and_changes_nothing() {
    let home = example();
    for (setting, said) in [
        ("clientid=x", "client_id"),
        ("scopes=x", "scope"),
        ("client-id=x", "client_id"),
        ("nonsense=x", "client_id"),
        ("client_secret=x", "client_secret"),
        ("prompt=login", "prompt"),
        ("scope", "="),
        ("port=http", "port"),
        ("port=70000", "port"),
        ("allow_http=maybe", "allow_http"),
        ("param=x", "param"),
        ("issuer=id.example.com", "issuer"),
        ("issuer=http://id.example.com", "issuer"),
        ("token_endpoint=ftp://id.example.com/token", "token_endpoint"),
        ("redirect_uri=nonsense", "redirect_uri"),
        ("resource=https://api.example.com/#part", "resource"),
        ("scope=a\\b", "scope"),
        ("client_auth=magic", "client_auth"),
        ("response_mode=fragment", "response_mode"),
        // OAUTH_STORE, which wins here, does not make it right
        ("store=shoebox", "shoebox"),
        ("proxy=http://me:hunter2@proxy.example", "user name or password"),
        ("param.state=x", "state"),
        ("token_param.code_verifier=x", "code_verifier"),
    ] {
        // a good setting beside it is not taken either
        profile(&home, &["set", "work", "audience=good", setting])
            .expect_error(2)
            .says(&[said]);
        assert_eq!(home.configuration(), EXAMPLE, "{setting}");
    }
    for name in ["a b", "-x", "a/b", ""] {
        profile(&home, &["set", "--", name, "audience=good"]).expect_error(2);
    }
    profile(&home, &["set", "work"]).expect_error(2);
    assert_eq!(home.configuration(), EXAMPLE);
}

#[test]
fn use_sets_the_default() {
    let home = example();
    assert_eq!(profile(&home, &["use", "play"]).expect_code(0).stdout, "");
    assert_eq!(home.configuration(), EXAMPLE.replacen("\"work\"", "\"play\"", 1));
    profile(&home, &["use", "nosuch"])
        .expect_error(2)
        .says(&["work", "play"]);
    profile(&home, &["use", "a b"]).expect_error(2);
}

#[test]
fn remove_deletes_the_profile_its_session_and_its_default() {
    let home = example();
    home.keep("work", &session(ISSUER));
    home.keep("play", &session(ISSUER));
    let removed = profile(&home, &["remove", "work"]).expect_code(0);
    assert_eq!(removed.stdout, "");
    let session = "the session of profile \"work\" is deleted, and its tokens are not revoked: the server may take them until they expire";
    let said_at = |text: &str| {
        removed
            .stderr
            .find(text)
            .unwrap_or_else(|| panic!("{text}: {removed:?}"))
    };
    assert!(said_at(session) < said_at("removed profile \"work\""), "{removed:?}");
    assert!(
        removed.stderr.contains("profile \"play\" is the default now"),
        "{removed:?}"
    );
    assert!(home.kept("work").is_none());
    assert!(home.kept("play").is_some());
    assert_eq!(
        home.configuration().trim_start(),
        "default_profile = \"play\"\n\n[profile.play]\nclient_id = \"toy\"\n"
    );
    run(home.oauth().args(["token", "work"]))
        .expect_error(2)
        .says(&["play"]);
    profile(&home, &["remove", "work"]).expect_error(2).says(&["play"]);
}

#[test]
fn mistakes_in_the_file_name_file_line_and_nearest_key() {
    let home = Home::new();
    let file = home.config_file().display().to_string();
    for (text, line, said) in [
        ("[profile.work]\n\nissuer_ = \"x\"\n", 3, "\"issuer\""),
        ("# one\ndefault-profile = \"x\"\n", 2, "\"default_profile\""),
        ("[profiles.work]\n", 1, "\"profile\""),
        ("[profile.work]\nclient_id = 7\n", 2, "client_id must be a string"),
        (
            "[profile.work]\nscope = \"openid\"\n",
            2,
            "scope must be a list of strings",
        ),
        ("[profile.work]\nport = 99999\n", 2, "port"),
        ("\n\n[profile.\"a b\"]\n", 3, "\"a b\""),
        ("[profile.work]\nclient_id = \"x\"\nclient_id = \"y\"\n", 3, "TOML"),
        ("[profile.work\n", 1, "TOML"),
    ] {
        home.configure(text);
        let place = format!("{file}:{line}: ");
        for command in [
            &["token", "work"][..],
            &["status"],
            &["logout", "work"],
            &["login", "work"],
            &["profile", "list"],
            &["profile", "set", "work", "client_id=x"],
        ] {
            run(home.oauth().args(command)).expect_error(2).says(&[&place, said]);
        }
        assert_eq!(home.configuration(), text, "a broken file is left as it is");
    }
    home.configure("[profile.work]\nissuer_ = \"x\"\n");
    let error = run(home.oauth().args(["status", "--json"])).json_error(2);
    assert_eq!(error["name"], "usage");
    assert_eq!(error["hints"], json!(["Did you mean \"issuer\"?"]));
    // bytes that are not text
    std::fs::write(home.config_file(), b"[profile.work]\nissuer = \"\xff\"\n").expect("writing");
    run(home.oauth().arg("status")).expect_error(2).says(&[&file]);
    std::fs::remove_file(home.config_file()).expect("removing it");
    std::fs::create_dir(home.config_file()).expect("a folder in its place");
    run(home.oauth().arg("status")).expect_error(2).says(&[&file]);
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_to_the_file_stays_one() {
    let home = Home::new();
    let dotfiles = home.path().join("dotfiles");
    std::fs::create_dir(&dotfiles).expect("a folder");
    let real = dotfiles.join("oauth.toml");
    std::fs::write(&real, EXAMPLE).expect("writing");
    std::fs::create_dir_all(home.config_file().parent().expect("a folder")).expect("a folder");
    std::os::unix::fs::symlink("../../dotfiles/oauth.toml", home.config_file()).expect("a link");
    profile(&home, &["use", "play"]).expect_code(0);
    profile(&home, &["remove", "work"]).expect_code(0);
    let link = std::fs::symlink_metadata(home.config_file()).expect("the link");
    assert!(link.is_symlink());
    let text = std::fs::read_to_string(&real).expect("the file");
    assert!(text.contains("default_profile = \"play\"") && !text.contains("[profile.work]"));
    let beside: Vec<_> = std::fs::read_dir(&dotfiles).expect("the folder").collect();
    assert_eq!(beside.len(), 1, "nothing is left beside it: {beside:?}");

    // one that leads nowhere yet
    let home = Home::new();
    std::fs::create_dir_all(home.config_file().parent().expect("a folder")).expect("a folder");
    std::os::unix::fs::symlink(home.path().join("new.toml"), home.config_file()).expect("a link");
    profile(&home, &["set", "work", "client_id=a"]).expect_code(0);
    assert!(home.path().join("new.toml").exists());
}

#[cfg(unix)]
#[test]
fn the_file_keeps_its_mode_and_a_new_one_is_the_users_own() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| std::fs::metadata(path).expect("the file").permissions().mode() & 0o777;
    let home = Home::new();
    profile(&home, &["set", "work", "client_id=a"]).expect_code(0);
    assert_eq!(mode(&home.config_file()), 0o600);
    std::fs::set_permissions(home.config_file(), std::fs::Permissions::from_mode(0o640)).expect("its mode");
    profile(&home, &["set", "work", "client_id=b"]).expect_code(0);
    assert_eq!(mode(&home.config_file()), 0o640);
}

#[test]
fn sets_at_once_lose_nothing() {
    let home = example();
    let running: Vec<_> = (0..12)
        .map(|number| {
            let mut command = home.oauth();
            let setting = format!("audience=a{number}");
            command.args(["profile", "set", &format!("p{number}"), &setting]);
            std::thread::spawn(move || run(&mut command))
        })
        .collect();
    for thread in running {
        thread.join().expect("a run").expect_code(0);
    }
    let text = home.configuration();
    for number in 0..12 {
        assert!(
            text.contains(&format!("[profile.p{number}]\naudience = \"a{number}\"")),
            "{text}"
        );
    }
    assert!(text.starts_with(EXAMPLE.trim_end()), "{text}");
    let folder = home.config_file().parent().expect("a folder").to_owned();
    let left: Vec<String> = std::fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.contains("new") || name.contains("tmp"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn logins_at_once_lose_nothing() {
    let home = Home::new();
    let server = authorization_server::start();
    let names = ["one", "two", "three"];
    std::thread::scope(|scope| {
        for name in names {
            let (home, server) = (&home, &server);
            scope.spawn(move || {
                let arguments = [&server.origin(), "--client-id=desktop", "--no-browser", "-p", name];
                log_in(home, server, &arguments);
            });
        }
    });
    for name in names {
        assert!(home.configuration().contains(&format!("[profile.{name}]")));
        run(home.oauth().args(["token", name])).expect_code(0);
    }
}

/// `oauth` as somebody who is not root: root may read and write everything.
/// `None`, loudly, where that cannot be had.
#[cfg(unix)]
pub(super) fn as_ordinary_user(home: &Home) -> Option<Command> {
    use std::os::unix::fs::PermissionsExt;
    let oauth = home.oauth();
    if !rustix::process::geteuid().is_root() {
        return Some(oauth);
    }
    // nobody
    let (user, group) = (65534, 65534);
    let mut probe = Command::new("setpriv");
    probe.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]);
    let works = probe.arg(oauth.get_program()).arg("--version").output();
    if !works.is_ok_and(|output| output.status.success()) {
        super::support::installed::skip(
            "root may read and write everything, and setpriv cannot run the binary as nobody",
        );
        return None;
    }
    let mut folders = vec![home.path().to_owned()];
    while let Some(path) = folders.pop() {
        std::os::unix::fs::chown(&path, Some(user), Some(group)).expect("giving it to nobody");
        if path.is_dir() {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a mode");
            folders.extend(
                std::fs::read_dir(&path)
                    .expect("a folder")
                    .map(|entry| entry.expect("an entry").path()),
            );
        }
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
        .arg(oauth.get_program())
        .env_clear()
        .current_dir(home.path());
    for (name, value) in oauth.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    Some(command)
}

/// The home is the user's own again.
#[cfg(unix)]
pub(super) fn take_back(home: &Home) {
    let user = rustix::process::geteuid().as_raw().to_string();
    let given = Command::new("chown").args(["-R", &user]).arg(home.path()).status();
    assert!(given.expect("chown").success());
}

#[cfg(unix)]
pub(super) fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("a mode");
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_read_is_named() {
    let home = example();
    for arguments in [
        &["token", "work"][..],
        &["status"],
        &["profile", "list"],
        &["login", "work"],
    ] {
        let Some(mut command) = as_ordinary_user(&home) else {
            return;
        };
        set_mode(&home.config_file(), 0o000);
        run(command.args(arguments)).expect_error(2).says(&[
            &home.config_file().display().to_string(),
            "caused by: ",
            "--config",
        ]);
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_is_told_before_anybody_signs_in() {
    let server = authorization_server::start();
    let home = example();
    let folder = home.config_file().parent().expect("a folder").to_owned();
    let arguments = [
        "login",
        &server.origin(),
        "-p",
        "new",
        "--client-id=desktop",
        "--no-browser",
    ];
    let Some(mut command) = as_ordinary_user(&home) else {
        return;
    };
    set_mode(&folder, 0o555);
    run(command.args(arguments)).expect_error(2).says(&[
        &home.config_file().display().to_string(),
        "hint: ",
        "--no-save",
    ]);
    assert!(server.requests_to("/token").is_empty());
    for arguments in [
        &["set", "work", "client_id=x"][..],
        &["use", "play"],
        &["remove", "play"],
    ] {
        let Some(mut command) = as_ordinary_user(&home) else {
            return;
        };
        set_mode(&folder, 0o555);
        run(command.arg("profile").args(arguments)).expect_error(2);
    }
    assert_eq!(home.configuration(), EXAMPLE);

    // --no-save leaves the file alone, and so its folder may be as it is
    let Some(mut command) = as_ordinary_user(&home) else {
        return;
    };
    set_mode(&folder, 0o555);
    command.args(arguments).args(["--no-save", "--no-store"]);
    let outcome = log_in_with(&mut command, &server).expect_code(0);
    assert_eq!(outcome.json()["access_token"], authorization_server::ACCESS_TOKEN);
}

#[cfg(unix)]
#[test]
fn a_store_that_cannot_be_written_is_told_before_anybody_signs_in() {
    let server = authorization_server::start();
    let home = Home::new();
    let data = home.path().join(".local/share");
    std::fs::create_dir_all(&data).expect("a folder");
    let Some(mut command) = as_ordinary_user(&home) else {
        return;
    };
    set_mode(&data, 0o555);
    let arguments = ["login", &server.origin(), "--client-id=desktop", "--no-browser"];
    let outcome = run(command.args(arguments)).expect_error(8);
    assert!(!outcome.stderr.contains("/authorize"), "{outcome:?}");
    assert!(server.requests_to("/token").is_empty());
}

#[cfg(unix)]
#[test]
fn with_nothing_to_keep_a_home_that_cannot_be_written_will_do() {
    let server = authorization_server::start();
    let home = Home::new();
    let Some(mut command) = as_ordinary_user(&home) else {
        return;
    };
    set_mode(home.path(), 0o555);
    let arguments = [
        "login",
        &server.origin(),
        "--client-id=desktop",
        "--no-browser",
        "--no-save",
        "--no-store",
    ];
    let outcome = log_in_with(command.args(arguments), &server).expect_code(0);
    assert_eq!(outcome.json()["access_token"], authorization_server::ACCESS_TOKEN);
    assert_eq!(home.files(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_login_that_stores_no_session_says_what_the_saved_profile_is_good_for() {
    let server = authorization_server::start();
    let home = Home::new();
    let log_in = |more: &[&str]| {
        let origin = server.origin();
        let mut command = home.oauth();
        command.args([
            "login",
            &origin,
            "--client-id=desktop",
            "--no-browser",
            "--no-store",
            "-p",
        ]);
        log_in_with(command.args(more), &server).expect_code(0)
    };
    log_in(&["once", "--no-save"]).does_not_say("is saved");
    assert!(!home.config_file().exists());
    log_in(&["once"]).says(&[
        "the profile \"once\" is saved",
        "it has no session to take a token from",
    ]);
    let saved = home.configuration();
    assert!(
        saved.contains("store = \"none\"") && !saved.contains("default_profile"),
        "{saved}"
    );
    run(home.oauth().env_remove("OAUTH_STORE").args(["token", "once"])).expect_error(4);
    run(home.oauth().env_remove("OAUTH_STORE").arg("status")).expect_code(0);

    // one that has a session keeps its store
    home.configure("[profile.work]\nclient_id = \"desktop\"\nstore = \"file\"\n");
    log_in(&["work"]);
    assert!(
        home.configuration().contains("store = \"file\""),
        "{}",
        home.configuration()
    );
}

#[test]
fn parameters_are_set_one_by_one() {
    let home = Home::new();
    home.configure("[profile.work]\nclient_id = \"c\"\n");
    let outcome = profile(&home, &["set", "work", "param=login"]).expect_error(2);
    assert!(outcome.hints().contains("param=NAME=VALUE"), "{outcome:?}");
    profile(
        &home,
        &["set", "work", "param=prompt=login", "param.ui=x", "token_param=a=b=c"],
    )
    .expect_code(0);
    let shown = || profile(&home, &["show", "work", "--json"]).expect_code(0).json();
    assert_eq!(shown()["param"], json!({"prompt": "login", "ui": "x"}));
    assert_eq!(shown()["token_param"], json!({"a": "b=c"}));
    profile(&home, &["set", "work", "param=prompt="]).expect_code(0);
    assert_eq!(shown()["param"], json!({"ui": "x"}));
}

#[test]
fn nobody_is_asked_for_a_list() {
    let server = LiteralServer::start();
    let home = Home::new();
    home.configure(&format!("[profile.work]\nissuer = \"{}\"\n", server.origin()));
    for arguments in [
        &["list"][..],
        &["show", "work"],
        &["set", "work", "client_id=x"],
        &["remove", "work"],
    ] {
        profile(&home, arguments).expect_code(0);
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn only_what_is_really_near_is_suggested() {
    let home = Home::new();
    home.configure("[profile.try]\nissuer = \"https://id.example.com\"\n");
    for (command, near) in [
        (&["token", "tyr"][..], Some("Did you mean \"try\"?")),
        (&["status", "tyr"], Some("Did you mean \"try\"?")),
        (&["login", "tyr"], Some("Did you mean \"try\"?")),
        (&["token", "other"], None),
        (&["profile", "set", "try", "scop=x"], Some("Did you mean \"scope\"?")),
        (&["profile", "set", "try", "foo=bar"], None),
        (&["profile", "rename", "try", "x"], None),
        (&["profile", "unset", "try", "scope"], None),
        (&["profile", "remvoe", "try"], Some("'remove'")),
        (&["userinfo", "try"], Some("oauth userinfo -p try")),
        (&["revoke", "try"], Some("oauth revoke -p try")),
        (
            &["request", "-X", "POST", "https://a.example/"],
            Some("oauth request POST URL"),
        ),
    ] {
        let outcome = run(home.oauth().args(command)).expect_code(2);
        match near {
            Some(near) => outcome.says(&[near]),
            None => {
                outcome.does_not_say("Did you mean");
                outcome.does_not_say("a similar");
                continue;
            }
        };
    }
    let hints = run(home.oauth().args(["login", "tyr"])).expect_code(2).hints();
    assert!(
        hints.find("Known profiles: try.") < hints.find("To make this one"),
        "{hints}"
    );
}

#[test]
fn a_change_that_the_session_does_not_fit_is_said_at_once() {
    let home = Home::new();
    home.configure("[profile.work]\nissuer = \"https://id.example.com\"\nscope = [\"openid\"]\n");
    let mut kept = session("https://id.example.com");
    kept.requested.scope = scope("openid");
    home.keep("work", &kept);
    let set = |setting: &str| run(home.oauth().args(["profile", "set", "work", setting])).expect_code(0);
    let note = "note: the session was made with other settings; it is used again after: oauth login work";
    set("allow_host=a.example").does_not_say(note);
    set("scope=").says(&[note]);
    run(home.oauth().args(["token", "work"])).expect_error(4).says(&[
        "the scope of profile \"work\" was changed after its login: from \"openid\" to none",
        "oauth login work",
    ]);
    set("scope=openid").does_not_say(note);
    run(home.oauth().args(["token", "work"])).expect_code(0);
}
