//! The files for Homebrew, Nix and winget and the release workflow, read by
//! ruby and Nix as their users' machines read them; none of them is built here.

use crate::place::program;
use crate::support::binary::Home;
use crate::support::outcome::{Outcome, run};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn repository(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// A home with this file of the repository below it.
fn copy(home: &Home, name: &str) {
    let to = home.path().join(name);
    std::fs::create_dir_all(to.parent().expect("a folder")).expect("making it");
    std::fs::copy(repository(name), to).expect("copying it");
}

/// A home with the files that `packaging/fill` fills in.
fn filled() -> Home {
    let home = Home::new();
    let sum = "ab".repeat(32);
    let sums = home.path().join("SHA256SUMS");
    let names = [
        format!("{sum}  oauth-{VERSION}.tar.gz"),
        format!("{sum}  oauth-{VERSION}-x86_64-pc-windows-msvc.zip\n"),
    ];
    std::fs::write(&sums, names.join("\n")).expect("the sums");
    let mut fill = Command::new(repository("packaging/fill"));
    fill.args([VERSION, "https://code.example/someone/oauth"])
        .args([&sums, home.path()]);
    run(&mut fill).expect_code(0);
    home
}

fn ruby(home: &Home, arguments: &[&str]) -> Outcome {
    run(program(home, "ruby").args(arguments)).expect_code(0)
}

/// A file of YAML, as ruby reads it.
fn yaml(home: &Home, file: &str) -> Value {
    let script = "puts JSON.generate(YAML.load_file(ARGV[0]))";
    let outcome = ruby(home, &["-ryaml", "-rjson", "-e", script, file]);
    serde_json::from_str(&outcome.stdout).expect("JSON")
}

/// What a formula may name, as far as ours does: it is installed and tested
/// with the binary of the tests in the place of the one that is built.
const HOMEBREW: &str = r##"
require "pathname"
FIELDS = {}
class Formula
  class << self
    %i[desc homepage url sha256 license depends_on].each { |name| define_method(name) { |value| FIELDS[name] = value } }
    def test(&block) = define_method(:try, &block)
  end
  def bin = Pathname("/mnt")
  def man1 = Pathname("man1")
  def std_cargo_args = ["--locked"]
  def system(*words, **options)
    words[0] == "cargo" || Kernel.system(*words.map(&:to_s), **options) || abort("#{words} failed")
  end
  def shell_output(line) = `#{line}`.tap { $?.success? || abort("#{line} failed") }
  def assert_match(part, text) = text.include?(part) || abort("#{part} is not in #{text}")
  def generate_completions_from_executable(*words)
    %w[bash zsh fish].each { |shell| system(*words, shell, out: File::NULL) }
  end
end
load ARGV[0]
Oauth.new.install
Oauth.new.try
puts FIELDS.map { |name, value| "#{name}: #{value}" }
"##;

#[test]
fn the_formula_for_homebrew_is_ruby_and_what_it_runs_works() {
    let home = filled();
    let checked = ruby(&home, &["-wc", "homebrew/oauth.rb"]);
    assert_eq!((checked.stdout.trim_end(), checked.stderr.as_str()), ("Syntax OK", ""));
    let outcome = ruby(&home, &["-e", HOMEBREW, "homebrew/oauth.rb"]);
    for field in [
        format!("url: https://code.example/someone/oauth/releases/download/v{VERSION}/oauth-{VERSION}.tar.gz\n"),
        format!("sha256: {}\n", "ab".repeat(32)),
    ] {
        assert!(outcome.stdout.contains(&field), "{outcome:?}");
    }
    assert!(home.path().join("man1/oauth-login.1").exists());
}

/// The attributes of the package, with stand-ins for what nixpkgs gives it.
const NIX: &str = r#"
let package = import ./packaging/nix/package.nix {
  lib = { cleanSource = path: path; licenses = { mit = 1; asl20 = 2; }; platforms.unix = []; };
  rustPlatform.buildRustPackage = attributes: attributes;
  installShellFiles = "installShellFiles";
};
in builtins.toJSON {
  inherit (package) pname version postInstall;
  lock = builtins.pathExists package.cargoLock.lockFile;
  program = package.meta.mainProgram;
  call = (import ./packaging/nix { pkgs.callPackage = path: arguments: builtins.pathExists path; });
}
"#;

#[test]
fn the_package_for_nix_has_the_version_of_the_sources() {
    let home = Home::new();
    for name in [
        "Cargo.toml",
        "Cargo.lock",
        "packaging/nix/package.nix",
        "packaging/nix/default.nix",
    ] {
        copy(&home, name);
    }
    let mut evaluate = program(&home, "nix-instantiate");
    evaluate
        .env("NIX_STORE_DIR", home.path().join("store"))
        .env("NIX_STATE_DIR", home.path().join("state"))
        .args(["--eval", "--strict", "--json", "-E", NIX]);
    let outcome = run(&mut evaluate).expect_code(0);
    let text: String = serde_json::from_str(&outcome.stdout).expect("a string");
    let package: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(package["pname"], "oauth");
    assert_eq!(package["version"], VERSION);
    assert_eq!(package["program"], "oauth");
    assert_eq!((&package["lock"], &package["call"]), (&true.into(), &true.into()));
    // what it installs is there under these names
    let script = package["postInstall"].as_str().expect("a script");
    for file in ["completions/oauth.bash", "completions/_oauth", "completions/oauth.fish"] {
        assert!(
            script.contains(file) && repository(file).exists(),
            "{file} in:\n{script}"
        );
    }
}

#[test]
fn the_files_for_winget_agree_with_each_other() {
    let home = filled();
    let files = ["", ".installer", ".locale.en-US"].map(|part| yaml(&home, &format!("winget/oauth{part}.yaml")));
    for file in &files {
        assert_eq!(file["PackageIdentifier"], "someone.oauth");
        assert_eq!(file["PackageVersion"], VERSION);
        assert_eq!(file["ManifestVersion"], files[0]["ManifestVersion"]);
    }
    let kinds = files.each_ref().map(|file| file["ManifestType"].as_str());
    assert_eq!(kinds, [Some("version"), Some("installer"), Some("defaultLocale")]);
    assert_eq!(files[0]["DefaultLocale"], files[2]["PackageLocale"]);
    let installer = &files[1]["Installers"][0];
    let url = installer["InstallerUrl"].as_str().expect("a URL");
    assert!(
        url.ends_with(&format!("/v{VERSION}/oauth-{VERSION}-x86_64-pc-windows-msvc.zip")),
        "{url}"
    );
    let sum = installer["InstallerSha256"].as_str().expect("a checksum");
    assert!(
        sum.len() == 64
            && sum
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase()),
        "{sum}"
    );
    for (member, limit) in [("ShortDescription", 256), ("Publisher", 256), ("PackageName", 256)] {
        let length = files[2][member].as_str().expect("a text").chars().count();
        assert!((2..=limit).contains(&length), "{member}");
    }
}

#[test]
fn the_release_workflow_runs_commands_of_this_repository() {
    let home = Home::new();
    copy(&home, ".github/workflows/release.yml");
    let workflow = yaml(&home, ".github/workflows/release.yml");
    let jobs = workflow["jobs"].as_object().expect("jobs");
    let mut commands = String::new();
    for (name, job) in jobs {
        if let Some(needed) = job["needs"].as_str() {
            assert!(jobs.contains_key(needed), "{name} needs {needed}");
        }
        for step in job["steps"].as_array().expect("steps") {
            let is_one = step["uses"].is_string() != step["run"].is_string();
            assert!(is_one, "{name}: {step}");
            if let Some(script) = step["run"].as_str() {
                let mut check = Command::new("bash");
                run(check.args(["-n", "-c", script])).expect_code(0);
                commands += script;
                commands.push('\n');
            }
        }
    }
    for script in ["packaging/musl", "packaging/archive", "packaging/deb", "packaging/fill"] {
        assert!(commands.contains(&format!("{script} ")), "{script} in:\n{commands}");
        let mut check = Command::new("bash");
        run(check.arg("-n").arg(repository(script))).expect_code(0);
    }
    let manifest = std::fs::read_to_string(repository("Cargo.toml")).expect("the manifest");
    assert!(
        manifest.contains(&format!("\nversion = \"{VERSION}\"\n")),
        "as the workflow reads it"
    );
}
