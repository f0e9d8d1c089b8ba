//! `oauth man`: one page a command, in a format that man takes.

use super::support::binary::Home;
use super::support::outcome::run;
use std::collections::BTreeSet;

#[test]
fn the_page_of_the_program_is_printed() {
    let home = Home::new();
    let page = run(home.oauth().arg("man")).expect_code(0).stdout;
    assert!(page.contains(".TH oauth 1"), "{page}");
    for part in ["oauth\\-login(1)", "oauth\\-token(1)", "oauth demo"] {
        assert!(page.contains(part), "{part} is not in:\n{page}");
    }
    assert!(!page.contains("__profiles"));
}

#[test]
fn every_command_that_help_shows_has_a_page_and_every_page_is_one() {
    let home = Home::new();
    let folder = home.path().join("made/man1");
    run(home.oauth().args(["man", "--dir", "made/man1"])).expect_code(0);
    let files: BTreeSet<String> = std::fs::read_dir(&folder)
        .expect("the folder")
        .map(|entry| entry.expect("a file").file_name().into_string().expect("a name"))
        .collect();
    for expected in [
        "oauth.1",
        "oauth-login.1",
        "oauth-profile.1",
        "oauth-profile-set.1",
        "oauth-credential-git.1",
        "oauth-man.1",
    ] {
        assert!(files.contains(expected), "{expected}: {files:?}");
    }
    assert!(
        !files.iter().any(|file| file.contains("__") || file.contains("help")),
        "{files:?}"
    );
    for file in &files {
        let page = std::fs::read_to_string(folder.join(file)).expect("a page");
        let name = file.trim_end_matches(".1");
        assert!(page.contains(&format!(".TH {name} 1")), "{file}:\n{page}");
        // the one command with a hyphen of its own
        let words = name.replace("client-metadata", "client_metadata").replace('-', " ");
        let words = words.replace('_', "-");
        let help: Vec<&str> = words.split(' ').skip(1).chain(["--help"]).collect();
        run(home.oauth().args(&help)).expect_code(0);
    }
    #[cfg(unix)]
    expect_man_shows(&folder.join("oauth-login.1"), "--client-id");
}

/// `man` takes the page without a complaint. Windows has no `man`.
#[cfg(unix)]
fn expect_man_shows(page: &std::path::Path, part: &str) {
    if super::support::installed::all(&["man"], "man-db") {
        let shown = std::process::Command::new("man")
            .args(["--warnings", "-P", "cat", "-l"])
            .arg(page)
            .env("MANWIDTH", "80")
            .output()
            .expect("man");
        let (text, complaints) = (
            String::from_utf8_lossy(&shown.stdout),
            String::from_utf8_lossy(&shown.stderr),
        );
        assert!(shown.status.success() && complaints.is_empty(), "{complaints}");
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let home = Home::new();
    std::fs::write(home.path().join("file"), "").expect("a file");
    run(home.oauth().args(["man", "--dir", "file/man1"]))
        .expect_error(2)
        .says(&["file/man1"]);
}
