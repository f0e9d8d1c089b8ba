//! Where this process runs, as far as it decides whether a browser can be
//! opened and whether its callback can come back: SSH, containers, WSL, no
//! display. Signs, not proofs: they change what is said, never what is done,
//! but for the system's opener, which needs a display.
//!
//! Invariants: the environment and the file system are arguments; what is
//! taken from the environment into a command line is checked first.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::Path;

/// Looks a variable up, as [`std::env::var_os`] does.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Where this process runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostEnvironment {
    /// The SSH connection that it was reached by.
    pub ssh: Option<SshConnection>,
    /// The kind of container around it, such as `Docker`.
    pub container: Option<&'static str>,
    /// The Windows Subsystem for Linux.
    pub wsl: bool,
    /// Whether a graphical browser can be expected to open.
    pub display: bool,
}

/// What SSH told about its connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SshConnection {
    /// This machine's address, as the connection reached it.
    pub server_address: Option<IpAddr>,
    /// The port of the SSH server.
    pub server_port: Option<u16>,
    pub user: Option<String>,
}

const KUBERNETES: &str = "Kubernetes";

/// Machines elsewhere, reached through a web page or an editor.
const CLOUD_SHELLS: [(&str, &str); 3] = [
    ("CODESPACES", "GitHub Codespaces"),
    ("CLOUD_SHELL", "Cloud Shell"),
    ("GITPOD_WORKSPACE_ID", "Gitpod"),
];

const CONTAINER_FILES: [(&str, &str); 2] = [("/.dockerenv", "Docker"), ("/run/.containerenv", "Podman")];

/// Files of containers that share the network of the machine around them, so
/// that the callback reaches them like any other process.
const NETWORK_SHARED_FILES: [&str; 2] = ["/run/.toolboxenv", "/.flatpak-info"];

/// Looks around. `exists` says whether a file exists.
pub fn detect(environment: Environment<'_>, exists: &dyn Fn(&Path) -> bool) -> HostEnvironment {
    look_from(environment, exists, cfg!(any(windows, target_os = "macos")))
}

/// `desktop_system`: macOS and Windows have a display without saying so.
fn look_from(environment: Environment<'_>, exists: &dyn Fn(&Path) -> bool, desktop_system: bool) -> HostEnvironment {
    let is_set = |name: &str| environment(name).is_some_and(|value| !value.is_empty());
    let ssh = ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"]
        .iter()
        .any(|name| is_set(name));
    let wsl = is_set("WSL_DISTRO_NAME") || is_set("WSL_INTEROP");
    let display = if desktop_system {
        !ssh
    } else {
        // WSL reaches the browser of Windows without a display of its own
        is_set("DISPLAY") || is_set("WAYLAND_DISPLAY") || is_set("WSL_INTEROP")
    };
    HostEnvironment {
        ssh: ssh.then(|| ssh_connection(environment)),
        container: container(environment, exists),
        wsl,
        display,
    }
}

/// `SSH_CONNECTION` is `client-address client-port server-address server-port`.
fn ssh_connection(environment: Environment<'_>) -> SshConnection {
    let text = |name: &str| environment(name).and_then(|value| value.into_string().ok());
    let connection = text("SSH_CONNECTION").unwrap_or_default();
    let mut server = connection.split_ascii_whitespace().skip(2);
    // an IPv6 address may name its interface, which means nothing elsewhere
    let address = server.next().and_then(|address| address.split('%').next());
    let user = text("USER").or_else(|| text("LOGNAME"));
    SshConnection {
        // a loopback address is the end of a tunnel, and nobody's from outside
        server_address: address
            .and_then(|address| address.parse().ok())
            .filter(|address: &IpAddr| !address.is_loopback()),
        server_port: server.next().and_then(|port| port.parse().ok()),
        user: user.filter(|user| is_plain_word(user)),
    }
}

/// A word that means itself in every shell, and is not an option.
fn is_plain_word(word: &str) -> bool {
    let plain = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
    !word.is_empty() && !word.starts_with('-') && word.chars().all(plain)
}

fn container(environment: Environment<'_>, exists: &dyn Fn(&Path) -> bool) -> Option<&'static str> {
    let text = |name: &str| {
        environment(name)
            .and_then(|value| value.into_string().ok())
            .unwrap_or_default()
    };
    if NETWORK_SHARED_FILES.iter().any(|file| exists(Path::new(file))) {
        return None;
    }
    if let Some((_, kind)) = CLOUD_SHELLS.iter().find(|(name, _)| !text(name).is_empty()) {
        return Some(kind);
    }
    if !text("KUBERNETES_SERVICE_HOST").is_empty() {
        return Some(KUBERNETES);
    }
    if let Some((_, kind)) = CONTAINER_FILES.iter().find(|(file, _)| exists(Path::new(file))) {
        return Some(kind);
    }
    match text("container").as_str() {
        "" | "flatpak" => None,
        "docker" => Some("Docker"),
        "podman" => Some("Podman"),
        "lxc" | "lxc-libvirt" => Some("LXC"),
        "systemd-nspawn" => Some("systemd-nspawn"),
        _ => Some("a container"),
    }
}

/// How the callback is listened for, for [`HostEnvironment::advice`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listening<'a> {
    /// The loopback address as a URL writes it: `127.0.0.1` or `[::1]`.
    pub address: &'a str,
    /// The port of the redirect URI.
    pub port: u16,
    /// Whether `--listen` was given: the container then lets callers in.
    pub elsewhere: bool,
    /// Whether a URL can be pasted here, which is said elsewhere.
    pub paste_accepted: bool,
    /// Whether the server takes logins by a code that is entered elsewhere (RFC 8628).
    pub takes_device_codes: bool,
}

impl HostEnvironment {
    /// Whether a browser can be opened here and will reach this process, as
    /// far as can be seen.
    pub fn is_plain(&self) -> bool {
        self.ssh.is_none() && self.container.is_none() && !self.wsl && self.display
    }

    /// What a person runs on the machine with the browser, so that the callback
    /// gets here; `None` where nothing has to be run, or not one command will do.
    pub fn forward_command(&self, listening: &Listening<'_>) -> Option<String> {
        let port = listening.port;
        match (&self.ssh, self.container) {
            (_, Some(KUBERNETES)) => Some(format!("kubectl port-forward POD {port}:{port}")),
            (Some(ssh), kind) if !kind.is_some_and(is_hosted) => Some(ssh.forward_command(listening)),
            _ => None,
        }
    }

    /// What a person must know to get the callback here, one line each; lines
    /// to be run begin with four spaces. Empty where there is nothing to say.
    pub fn advice(&self, listening: &Listening<'_>) -> Vec<String> {
        let mut lines = Vec::new();
        if self.is_plain() {
            return lines;
        }
        let Listening { address, port, .. } = listening;
        // SSH into a container ends at a server within it, which forwards as any other
        let beyond_ssh = self.container.filter(|kind| self.ssh.is_none() || is_hosted(kind));
        if let Some(kind) = beyond_ssh {
            lines.extend(container_advice(kind, listening));
        } else if let Some(ssh) = &self.ssh {
            lines.push(format!(
                "this is an SSH session: a browser on your own machine reaches {address}:{port} here \
                 only while this runs there (user and host are guessed from SSH_CONNECTION):"
            ));
            lines.push(format!("    {}", ssh.forward_command(listening)));
        } else if self.wsl {
            lines.push(format!(
                "this is WSL: a browser on Windows reaches {address}:{port} here while localhost forwarding \
                 is on (`localhostForwarding` or `networkingMode=mirrored` in .wslconfig)"
            ));
        } else {
            lines.push(format!(
                "no display was found: open the URL in a browser on this machine; \
                 one on another machine does not reach {address}:{port} here"
            ));
        }
        if !listening.paste_accepted {
            lines.push(
                "or paste the address that the browser ends on: run the same command in a terminal, with --paste"
                    .to_owned(),
            );
        }
        if listening.takes_device_codes {
            lines.push("or enter a code in a browser on any device: run the same command with --device".to_owned());
        }
        lines
    }
}

fn is_hosted(kind: &str) -> bool {
    CLOUD_SHELLS.iter().any(|(_, hosted)| *hosted == kind)
}

fn container_advice(kind: &str, listening: &Listening<'_>) -> Vec<String> {
    let Listening { address, port, .. } = listening;
    if kind == KUBERNETES {
        return vec![
            format!("this runs in {kind}: a browser reaches {address}:{port} here only while this runs beside it:"),
            format!("    kubectl port-forward POD {port}:{port}"),
        ];
    }
    if is_hosted(kind) {
        return vec![format!(
            "this runs in {kind}: a browser on your own machine reaches {address}:{port} here \
             only if a tool there forwards that port"
        )];
    }
    if listening.elsewhere {
        return vec![format!(
            "this runs in {kind}: a browser outside reaches it only if the container was started with `-p 127.0.0.1:{port}:{port}`"
        )];
    }
    vec![
        format!(
            "this runs in {kind}: a browser outside does not reach {address}:{port} here; \
             start the container with the first option, and log in with the second:"
        ),
        format!("    -p 127.0.0.1:{port}:{port}"),
        format!("    --listen 0.0.0.0:{port} --port {port}"),
    ]
}

impl SshConnection {
    fn forward_command(&self, listening: &Listening<'_>) -> String {
        let Listening { address, port, .. } = listening;
        let server_port = match self.server_port {
            None | Some(22) => String::new(),
            Some(port) => format!("-p {port} "),
        };
        let user = self.user.as_deref().unwrap_or("USER");
        let host = self
            .server_address
            .map_or_else(|| "HOST".to_owned(), |host| host.to_string());
        format!("ssh -N {server_port}-L {port}:{address}:{port} {user}@{host}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked(variables: &[(&str, &str)], files: &[&str]) -> HostEnvironment {
        let environment = |name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| OsString::from(value))
        };
        look_from(
            &environment,
            &|path| files.iter().any(|file| Path::new(file) == path),
            false,
        )
    }

    fn listening() -> Listening<'static> {
        Listening {
            address: "127.0.0.1",
            port: 49152,
            elsewhere: false,
            paste_accepted: true,
            takes_device_codes: false,
        }
    }

    #[test]
    fn a_desktop_needs_no_advice() {
        for variable in ["DISPLAY", "WAYLAND_DISPLAY"] {
            let desktop = looked(&[(variable, ":0"), ("USER", "me")], &[]);
            assert!(desktop.display && desktop.is_plain());
            assert_eq!(desktop.advice(&listening()), Vec::<String>::new());
        }
        let toolbox = looked(
            &[("DISPLAY", ":0"), ("container", "oci")],
            &["/run/.containerenv", "/run/.toolboxenv"],
        );
        assert!(toolbox.is_plain(), "a toolbox shares the network");
    }

    #[test]
    fn an_ssh_session_gets_the_line_that_forwards_the_port() {
        let line = |variables: &[(&str, &str)], listening: &Listening<'_>| {
            let lines = looked(variables, &[]).advice(listening);
            assert!(
                lines[0].contains("SSH session") && lines[0].contains("guessed"),
                "{lines:?}"
            );
            lines[1].clone()
        };
        let connection = ("SSH_CONNECTION", "192.0.2.7 50000 198.51.100.4 22");
        assert_eq!(
            line(&[connection, ("USER", "ada")], &listening()),
            "    ssh -N -L 49152:127.0.0.1:49152 ada@198.51.100.4"
        );
        let v6 = Listening {
            address: "[::1]",
            ..listening()
        };
        assert_eq!(
            line(
                &[
                    ("SSH_CONNECTION", "fe80::2%eth0 1 fe80::1%eth0 2222"),
                    ("LOGNAME", "ada")
                ],
                &v6
            ),
            "    ssh -N -p 2222 -L 49152:[::1]:49152 ada@fe80::1"
        );
        for user in ["-oProxyCommand=x", "a;b", "$(id)", "", "a b"] {
            let command = line(&[("SSH_CONNECTION", "x y $(id) z"), ("USER", user)], &listening());
            assert_eq!(command, "    ssh -N -L 49152:127.0.0.1:49152 USER@HOST", "{user}");
        }
        let tunnel = line(&[("SSH_CONNECTION", "127.0.0.1 1 127.0.0.1 2222")], &listening());
        assert_eq!(tunnel, "    ssh -N -p 2222 -L 49152:127.0.0.1:49152 USER@HOST");
        assert!(looked(&[("SSH_TTY", "/dev/pts/1")], &[]).ssh.is_some());
        let within = looked(&[connection], &["/.dockerenv"]).advice(&listening());
        assert!(within[1].contains("ssh -N"), "{within:?}");
        let hosted = looked(&[connection, ("CODESPACES", "true")], &[]).advice(&listening());
        assert!(hosted[0].contains("Codespaces") && hosted.len() == 1, "{hosted:?}");
    }

    #[test]
    fn a_container_gets_the_pair_of_flags() {
        let docker = looked(&[], &["/.dockerenv"]);
        assert_eq!(docker.container, Some("Docker"));
        let lines = docker.advice(&listening());
        assert_eq!(lines[1], "    -p 127.0.0.1:49152:49152");
        assert_eq!(lines[2], "    --listen 0.0.0.0:49152 --port 49152");
        let open = docker.advice(&Listening {
            elsewhere: true,
            ..listening()
        });
        assert!(
            open[0].contains("-p 127.0.0.1:49152:49152") && open.len() == 1,
            "{open:?}"
        );
        for (variables, files, kind) in [
            (&[][..], &["/run/.containerenv"][..], "Podman"),
            (&[("container", "systemd-nspawn")], &[], "systemd-nspawn"),
            (&[("container", "lxc")], &[], "LXC"),
            (&[("container", "something new")], &[], "a container"),
            (
                &[("KUBERNETES_SERVICE_HOST", "10.0.0.1")],
                &["/.dockerenv"],
                "Kubernetes",
            ),
            (&[("CODESPACES", "true")], &["/.dockerenv"], "GitHub Codespaces"),
            (&[("CLOUD_SHELL", "true")], &[], "Cloud Shell"),
        ] {
            let found = looked(variables, files);
            assert_eq!(found.container, Some(kind));
            assert!(!found.advice(&listening()).is_empty(), "{kind}");
        }
        let pod = looked(&[("KUBERNETES_SERVICE_HOST", "10.0.0.1")], &[]).advice(&listening());
        assert_eq!(pod[1], "    kubectl port-forward POD 49152:49152");
    }

    #[test]
    fn wsl_opens_the_browser_of_windows() {
        let wsl = looked(
            &[("WSL_DISTRO_NAME", "Debian"), ("WSL_INTEROP", "/run/WSL/1_interop")],
            &[],
        );
        assert!(wsl.wsl && wsl.display);
        assert!(wsl.advice(&listening())[0].contains(".wslconfig"));
    }

    #[test]
    fn without_a_display_pasting_is_named() {
        let console = looked(&[("DISPLAY", "")], &[]);
        assert_eq!(console, HostEnvironment::default());
        assert!(console.advice(&listening())[0].contains("no display"));
        let unattended = Listening {
            paste_accepted: false,
            takes_device_codes: false,
            ..listening()
        };
        assert!(console.advice(&unattended)[1].contains("--paste"));
        assert!(!console.advice(&unattended).concat().contains("--device"));
        let with_codes = Listening {
            takes_device_codes: true,
            ..unattended
        };
        let lines = console.advice(&with_codes);
        assert!(lines.last().is_some_and(|line| line.contains("--device")), "{lines:?}");
    }

    #[test]
    fn macos_and_windows_have_a_display_unless_reached_by_ssh() {
        let on = |variables: &'static [(&str, &str)]| {
            let environment = |name: &str| {
                let found = variables.iter().find(|(variable, _)| *variable == name);
                found.map(|(_, value)| OsString::from(value))
            };
            look_from(&environment, &|_| false, true).display
        };
        assert!(on(&[]));
        assert!(!on(&[("SSH_CONNECTION", "192.0.2.7 1 192.0.2.8 22")]));
    }
}
