//! The Debian package in a system in which nothing else is.

use crate::place::root;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Installs PACKAGE in a copy of ROOT that is gone afterwards, and prints what
/// then works: ROOT PACKAGE FOLDER, which the copy is made in.
const TRY: &str = r#"
set -e
root=$1 package=$2 folder=$3
mount -t tmpfs tmpfs "$folder"
mkdir "$folder/upper" "$folder/work" "$folder/root"
mount -t overlay overlay -o "lowerdir=$root,upperdir=$folder/upper,workdir=$folder/work" "$folder/root"
cp "$package" "$folder/root/oauth.deb"
mount --rbind /dev "$folder/root/dev"
mount -t proc proc "$folder/root/proc"
exec /usr/sbin/chroot "$folder/root" /bin/bash -c '
  set -e
  find / -xdev | sort > /tmp/before
  dpkg -i /oauth.deb > /dev/null
  echo "== demo"; HOME=/root oauth demo --unattended 2>&1 | tail -n 1; echo "${PIPESTATUS[0]}"
  echo "== man"; man oauth | head -n 1; man oauth-login | head -n 1
  echo "== completions"
  . /usr/share/bash-completion/bash_completion
  _comp_load oauth
  COMP_WORDS=(oauth logi) COMP_CWORD=1
  _oauth oauth logi oauth
  echo "${COMPREPLY[@]}"
  dpkg -r oauth > /dev/null
  rm -f /root/.bash_history
  find / -xdev | sort > /tmp/after
  echo "== left"; comm -13 /tmp/before /tmp/after | grep -vE "^/(tmp/|var/(lib/dpkg|cache|log)/)" || true
'
"#;

fn package(folder: &Path) -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/deb");
    let output = Command::new(script)
        .arg(assert_cmd::cargo::cargo_bin!("oauth"))
        .arg(folder)
        .env("DEB_COMPRESSION", "none")
        .output()
        .expect("the script");
    assert!(output.status.success(), "{output:?}");
    PathBuf::from(String::from_utf8(output.stdout).expect("a path").trim_end())
}

#[test]
fn in_the_smallest_system_the_demo_runs_manuals_show_and_completions_load() {
    let folder = tempfile::tempdir().expect("a folder");
    let package = package(folder.path());
    let copy = tempfile::tempdir().expect("a folder");
    let output = Command::new("/usr/bin/unshare")
        .args(["--mount", "--pid", "--fork", "/bin/sh", "-c", TRY, "sh"])
        .arg(root("bare"))
        .arg(&package)
        .arg(copy.path())
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .output()
        .expect("a program that runs");
    let stdout = String::from_utf8(output.stdout).expect("UTF-8");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stdout}\n{stderr}");
    let section = |name: &str| {
        let (_, rest) = stdout.split_once(&format!("== {name}\n")).expect("the section");
        rest.split("== ").next().expect("its lines").trim_end().to_owned()
    };
    assert!(section("demo").ends_with("\n0"), "{stdout}\n{stderr}");
    let manuals: Vec<String> = section("man").lines().map(str::to_lowercase).collect();
    assert!(
        manuals[0].starts_with("oauth(1)") && manuals[1].starts_with("oauth-login(1)"),
        "{stdout}"
    );
    assert_eq!(section("completions"), "login", "{stderr}");
    assert_eq!(section("left"), "", "what is left after its removal");
}
