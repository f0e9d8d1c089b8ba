//! The Debian package: what is in it, and that what is in it runs. The files
//! for other package managers: that nothing in them is left to fill in.

use super::support::binary::Home;
use super::support::installed;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn script(name: &str) -> Command {
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging").join(name))
}

#[track_caller]
fn output(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().expect("a program that runs");
    assert!(status.success(), "{command:?}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).expect("UTF-8")
}

#[test]
fn the_debian_package_has_everything_in_its_place_and_no_scripts() {
    if !installed::all(&["dpkg-deb", "objdump", "gzip"], "dpkg binutils gzip") {
        return;
    }
    let home = Home::new();
    let package = output(
        script("deb")
            .arg(assert_cmd::cargo::cargo_bin!("oauth"))
            .arg(home.path().join("packages"))
            .env("DEB_COMPRESSION", "none"),
    );
    let package = PathBuf::from(package.trim_end());

    let control = home.path().join("control");
    output(Command::new("dpkg-deb").arg("--control").arg(&package).arg(&control));
    let mut members: Vec<_> = std::fs::read_dir(&control)
        .expect("the control members")
        .map(|entry| entry.expect("a member").file_name())
        .collect();
    members.sort();
    assert_eq!(members, ["control", "md5sums"], "no script runs at installation");
    let fields = std::fs::read_to_string(control.join("control")).expect("the fields");
    for field in [
        "Package: oauth\n",
        "Depends: libc6 (>= 2.",
        concat!("Version: ", env!("CARGO_PKG_VERSION"), "\n"),
    ] {
        assert!(fields.contains(field), "{field} is not in:\n{fields}");
    }

    let listing = output(Command::new("dpkg-deb").arg("--contents").arg(&package));
    for (mode, path) in [
        ("-rwxr-xr-x root/root", "./usr/bin/oauth"),
        ("-rw-r--r-- root/root", "./usr/share/man/man1/oauth.1.gz"),
        ("-rw-r--r-- root/root", "./usr/share/man/man1/oauth-login.1.gz"),
        ("-rw-r--r-- root/root", "./usr/share/bash-completion/completions/oauth"),
        ("-rw-r--r-- root/root", "./usr/share/zsh/vendor-completions/_oauth"),
        (
            "-rw-r--r-- root/root",
            "./usr/share/fish/vendor_completions.d/oauth.fish",
        ),
        ("-rw-r--r-- root/root", "./usr/share/doc/oauth/copyright"),
    ] {
        let line = listing.lines().find(|line| line.ends_with(path));
        assert!(
            line.is_some_and(|line| line.starts_with(mode)),
            "{mode} {path}:\n{listing}"
        );
    }

    let root = home.path().join("root");
    output(Command::new("dpkg-deb").arg("--extract").arg(&package).arg(&root));
    let version = output(Command::new(root.join("usr/bin/oauth")).arg("--version").env_clear());
    assert_eq!(version, concat!("oauth ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn the_files_for_other_package_managers_are_filled_in_whole() {
    let home = Home::new();
    let sums = home.path().join("SHA256SUMS");
    let (source, windows) = ("ab".repeat(32), "cd".repeat(32));
    std::fs::write(
        &sums,
        format!("{source}  oauth-1.2.3.tar.gz\n{windows}  oauth-1.2.3-x86_64-pc-windows-msvc.zip\n"),
    )
    .expect("the sums");
    let fill = |version: &str| {
        let mut command = script("fill");
        command
            .args([version, "https://code.example/someone/oauth/"])
            .arg(&sums)
            .arg(home.path().join("filled"));
        command
    };
    let filled = output(&mut fill("1.2.3"));
    let texts: Vec<String> = filled
        .lines()
        .map(|file| std::fs::read_to_string(file).expect("a filled file"))
        .collect();
    assert_eq!(texts.len(), 5);
    assert!(
        texts.iter().all(|text| text.contains("1.2.3") && !text.contains('@')),
        "{texts:#?}"
    );
    let all = texts.concat();
    for part in [
        "https://code.example/someone/oauth/releases/download/v1.2.3/oauth-1.2.3-x86_64-pc-windows-msvc.zip",
        &source,
        &windows.to_uppercase(),
        "someone.oauth",
    ] {
        assert!(all.contains(part), "{part} is not in:\n{all}");
    }
    // a release that lacks a file is not filled in with nothing
    let refused = fill("9.9.9").output().expect("the script");
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("oauth-9.9.9.tar.gz"));
}
