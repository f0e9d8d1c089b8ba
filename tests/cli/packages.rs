//! The Debian package: what is in it, and that what is in it runs. The archives
//! of a release: that they are where other package managers look for them. The
//! files for those: that nothing in them is left to fill in, and that the AUR's
//! puts everything in its place (`tests/debian` runs those for Homebrew and Nix).

use super::support::binary::Home;
use super::support::installed;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn repository(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn script(name: &str) -> Command {
    Command::new(repository("packaging").join(name))
}

/// A program of this name that is `oauth` and takes no room.
fn small_oauth(file: &Path) {
    let binary = assert_cmd::cargo::cargo_bin!("oauth");
    std::fs::write(file, format!("#!/bin/sh\nexec '{}' \"$@\"\n", binary.display())).expect("writing it");
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).expect("its mode");
}

/// The targets that the release workflow builds for.
fn targets() -> Vec<String> {
    let workflow = std::fs::read_to_string(repository(".github/workflows/release.yml")).expect("the workflow");
    let values = workflow.lines().filter_map(|line| line.split_once("{ target: "));
    values
        .map(|(_, rest)| rest.split(',').next().expect("a target").to_owned())
        .collect()
}

/// What `cargo binstall` makes of a template of `Cargo.toml` for this target.
/// Where the format is `tgz` it tries both endings that there are.
fn for_binstall(template: &str, target: &str) -> String {
    let is_windows = target.contains("windows");
    let (suffix, binary) = if is_windows { (".zip", ".exe") } else { (".tar.gz", "") };
    [
        ("{ repo }", "https://code.example/someone/oauth"),
        ("{ version }", VERSION),
        ("{ target }", target),
        ("{ archive-suffix }", suffix),
        ("{ bin }", "oauth"),
        ("{ binary-ext }", binary),
    ]
    .iter()
    .fold(template.to_owned(), |text, (name, value)| text.replace(name, value))
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

#[test]
fn the_archives_of_a_release_are_what_cargo_binstall_and_winget_fetch() {
    if !installed::all(&["zip", "python3"], "zip python3") {
        return;
    }
    let home = Home::new();
    let manifest = std::fs::read_to_string(repository("Cargo.toml")).expect("the manifest");
    let manifest: toml_edit::DocumentMut = manifest.parse().expect("TOML");
    let binstall = &manifest["package"]["metadata"]["binstall"];
    let template = |name: &str| binstall[name].as_str().expect("a template");
    assert_eq!(template("pkg-fmt"), "tgz");
    let mut names = String::new();
    let targets = targets();
    assert_eq!(targets.len(), 5, "{targets:?}");
    for target in &targets {
        let is_windows = target.contains("windows");
        if is_windows {
            assert_eq!(binstall["overrides"][target]["pkg-fmt"].as_str(), Some("zip"));
        }
        let binary = home.path().join(if is_windows { "oauth.exe" } else { "oauth" });
        small_oauth(&binary);
        let mut pack = script("archive");
        let archive = output(pack.arg(&binary).arg(target).arg(home.path().join("packages")));
        let archive = Path::new(archive.trim_end());
        let name = archive.file_name().and_then(|name| name.to_str()).expect("a name");
        let url = for_binstall(template("pkg-url"), target);
        assert_eq!(
            url,
            format!("https://code.example/someone/oauth/releases/download/v{VERSION}/{name}")
        );
        let mut list = match is_windows {
            true => Command::new("python3"),
            false => Command::new("tar"),
        };
        match is_windows {
            true => list.args(["-m", "zipfile", "-l"]),
            false => list.arg("-tf"),
        };
        let listing = output(list.arg(archive));
        let members: Vec<&str> = listing.split_whitespace().collect();
        let folder = format!("oauth-{VERSION}-{target}");
        let program = for_binstall(template("bin-dir"), target);
        for member in [
            program,
            format!("{folder}/man/oauth-login.1"),
            format!("{folder}/completions/oauth.bash"),
            format!("{folder}/LICENSE-MIT"),
        ] {
            assert!(members.contains(&member.as_str()), "{member}:\n{listing}");
        }
        names += &format!("{}  {name}\n", "ab".repeat(32));
    }

    // and their checksums are those that the other files are filled in with
    names += &format!("{}  oauth-{VERSION}.tar.gz\n", "cd".repeat(32));
    let sums = home.path().join("SHA256SUMS");
    std::fs::write(&sums, names).expect("the sums");
    let filled = home.path().join("filled");
    let mut fill = script("fill");
    output(
        fill.args([VERSION, "https://code.example/someone/oauth"])
            .args([&sums, &filled]),
    );
    let winget = std::fs::read_to_string(filled.join("winget/oauth.installer.yaml")).expect("the file");
    let binary = for_binstall(template("bin-dir"), "x86_64-pc-windows-msvc").replace('/', "\\");
    assert!(winget.contains(&format!("RelativeFilePath: {binary}\n")), "{winget}");
}

/// Runs the functions of the PKGBUILD of `$1` as makepkg does, with a `cargo`
/// that has built the binary of the tests already, and prints its fields.
const MAKEPKG: &str = r#"
set -eu
folder=$1 oauth=$2
srcdir=$folder/src pkgdir=$folder/pkg
cargo() { case $1 in build) mkdir -p "$CARGO_TARGET_DIR/release" && ln -s "$oauth" "$CARGO_TARGET_DIR/release/oauth" ;; esac; }
rustc() { echo "host: x86_64-unknown-linux-gnu"; }
. "$folder/PKGBUILD"
for step in prepare build package; do
  (cd "$srcdir" && $step)
done
printf '%s\n' "$pkgname" "$pkgver" "${source[@]}" "${sha256sums[@]}"
"#;

#[test]
fn the_build_for_arch_puts_everything_in_its_place() {
    let home = Home::new();
    let (sum, windows) = ("ab".repeat(32), format!("oauth-{VERSION}-x86_64-pc-windows-msvc.zip"));
    let sums = home.path().join("SHA256SUMS");
    std::fs::write(&sums, format!("{sum}  oauth-{VERSION}.tar.gz\n{sum}  {windows}\n")).expect("the sums");
    let mut fill = script("fill");
    output(
        fill.args([VERSION, "https://code.example/someone/oauth"])
            .args([&sums, home.path()]),
    );
    let folder = home.path().join("aur");
    let source = folder.join("src").join(format!("oauth-{VERSION}"));
    std::fs::create_dir_all(&source).expect("a folder");
    for name in ["completions", "LICENSE-MIT"] {
        std::os::unix::fs::symlink(repository(name), source.join(name)).expect("a link");
    }
    let binary = home.path().join("oauth");
    small_oauth(&binary);
    let mut makepkg = Command::new("bash");
    let fields = output(
        makepkg
            .args(["-c", MAKEPKG, "bash"])
            .args([&folder, &binary])
            .env("LC_ALL", "C"),
    );
    let url = format!("https://code.example/someone/oauth/releases/download/v{VERSION}/oauth-{VERSION}.tar.gz");
    assert_eq!(fields.lines().collect::<Vec<_>>(), ["oauth", VERSION, &url, &sum]);
    let installed = folder.join("pkg/usr");
    for (file, mode) in [
        ("bin/oauth", 0o755),
        ("share/man/man1/oauth.1", 0o644),
        ("share/man/man1/oauth-login.1", 0o644),
        ("share/bash-completion/completions/oauth", 0o644),
        ("share/zsh/site-functions/_oauth", 0o644),
        ("share/fish/vendor_completions.d/oauth.fish", 0o644),
        ("share/licenses/oauth/LICENSE-MIT", 0o644),
    ] {
        let metadata = std::fs::metadata(installed.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(metadata.permissions().mode() & 0o777, mode, "{file}");
    }
}
