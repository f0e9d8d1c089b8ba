//! Certificates and everything around them.

use super::*;

#[test]
fn a_certificate_of_the_given_authority_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let server = start_tls(&authority.issue(&["127.0.0.1", "localhost"]));
    server.on("POST", "/token", json(200, "{}")).expected();
    for origin in [server.origin(), format!("https://localhost:{}", server.port())] {
        let response = send_with(trusting(&authority, &folder), &post(&format!("{origin}/token")));
        assert_eq!(response.unwrap().status, 200);
    }
    let by_environment = TransportSettings {
        ssl_cert_file: Some(authority.write(folder.path())),
        ..settings()
    };
    assert!(send_with(by_environment, &post(&server.url("/token"))).is_ok());
    let by_folder = TransportSettings {
        ssl_cert_dir: vec![folder.path().to_owned()],
        ..settings()
    };
    assert!(send_with(by_folder, &post(&server.url("/token"))).is_ok());
}

#[test]
fn the_given_authority_replaces_the_ones_of_the_environment() {
    let (folder, other_folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (trusted, other) = (Authority::new(), Authority::new());
    let server = start_tls(&trusted.issue(&["127.0.0.1"]));
    let replaced = TransportSettings {
        ssl_cert_file: Some(trusted.write(folder.path())),
        ..trusting(&other, &other_folder)
    };
    let error = send_with(replaced, &post(&server.url("/token"))).unwrap_err();
    assert!(
        matches!(
            error,
            TransportError::Tls {
                failure: TlsFailure::UnknownIssuer,
                ..
            }
        ),
        "{error:?}"
    );
}

#[test]
fn a_certificate_with_a_fault_is_refused_and_the_fault_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let names = ["127.0.0.1"];
    let cases = [
        (
            authority.issue_expired(&names),
            TlsFailure::Expired,
            "has expired",
            "clock",
        ),
        (
            authority.issue(&["id.example.com"]),
            TlsFailure::WrongName,
            "for another name",
            "host name",
        ),
        (
            self_signed(&names),
            TlsFailure::UnknownIssuer,
            "trusted authority",
            "--cacert FILE",
        ),
        (
            Authority::new().issue(&names),
            TlsFailure::UnknownIssuer,
            "trusted authority",
            "captive portal",
        ),
        (
            authority.issue_with(&names, |params| {
                params.not_before = rcgen::date_time_ymd(2120, 1, 1);
                params.not_after = rcgen::date_time_ymd(2121, 1, 1);
            }),
            TlsFailure::NotYetValid,
            "not valid yet",
            "clock",
        ),
    ];
    for (identity, expected, message, hint) in cases {
        let server = start_tls(&identity);
        let error = send_with(trusting(&authority, &folder), &post(&server.url("/token"))).unwrap_err();
        let TransportError::Tls { failure, .. } = error else {
            panic!("{error:?}");
        };
        assert_eq!(failure, expected);
        let peer = format!("127.0.0.1:{} cannot be trusted", server.port());
        refused_with(&error, ExitCode::Unreachable, &[&peer, message, hint]);
        assert!(!error.may_have_been_received());
        assert!(server.requests().is_empty());
    }
}

#[test]
fn the_system_does_not_trust_a_made_up_authority() {
    let server = start_tls(&Authority::new().issue(&["127.0.0.1"]));
    let variables_set_to_nothing = TransportSettings {
        ssl_cert_file: Some(PathBuf::new()),
        ssl_cert_dir: vec![PathBuf::new()],
        ..settings()
    };
    let error = send_with(variables_set_to_nothing, &post(&server.url("/token"))).unwrap_err();
    // a system without any trusted certificates says so
    let acceptable = match &error {
        TransportError::NoRoots => true,
        // Windows gives another reason where it looks for revocation first, as wine does
        TransportError::Tls { failure, .. } => {
            matches!(failure, TlsFailure::UnknownIssuer)
                || cfg!(windows) && matches!(failure, TlsFailure::BadCertificate)
        }
        _ => false,
    };
    assert!(acceptable, "{error:?}");
    assert!(server.requests().is_empty());
}

#[test]
fn a_public_name_that_points_here_fails_at_the_certificate() {
    // what DNS rebinding to 127.0.0.1 comes to: the name is not in the certificate
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let server = start_tls(&authority.issue(&["id.example.com"]));
    let by_other_name = format!("https://localhost:{}/", server.port());
    let error = send_with(trusting(&authority, &folder), &get(&by_other_name)).unwrap_err();
    assert!(
        matches!(
            error,
            TransportError::Tls {
                failure: TlsFailure::WrongName,
                ..
            }
        ),
        "{error:?}"
    );
}

#[test]
fn old_tls_and_no_tls_are_told_apart() {
    // a ServerHello of TLS 1.0: handshake record, version 3.1, random, no session, TLS_RSA_WITH_AES_128_CBC_SHA
    let mut server_hello = vec![0x16, 3, 1, 0, 42, 2, 0, 0, 38, 3, 1];
    server_hello.extend([7; 32]);
    server_hello.extend([0, 0, 0x2f, 0]);
    for (bytes, expected) in [
        (server_hello, TlsFailure::TooOld),
        (b"\x15\x03\x01\x00\x02\x02\x46".to_vec(), TlsFailure::TooOld),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), TlsFailure::NotTls),
    ] {
        let server = LiteralServer::start();
        server.greet(Reply::bytes(bytes).then_silence());
        let error = send(&get(&format!("https://127.0.0.1:{}/", server.port()))).unwrap_err();
        let TransportError::Tls { failure, .. } = error else {
            panic!("{error:?}");
        };
        assert_eq!(failure, expected);
        refused_with(&error, ExitCode::Unreachable, &["cannot be trusted"]);
    }
    let server = LiteralServer::start();
    server.greet(Reply::nothing());
    let error = send(&get(&format!("https://127.0.0.1:{}/", server.port()))).unwrap_err();
    assert!(
        matches!(
            error,
            TransportError::ConnectionLost {
                after_sending: false,
                ..
            }
        ),
        "{error:?}"
    );
}

#[test]
fn a_tls_connection_that_is_cut_off_is_not_the_end_of_a_body() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let server = start_tls(&authority.issue(&["127.0.0.1"]));
    let unframed = Reply::bytes("HTTP/1.1 200 OK\r\n\r\n{\"issuer\":");
    server.on("GET", "/cut", unframed.clone().then_cut_off());
    server.on("GET", "/reset", unframed.clone().then_reset());
    server.on("GET", "/ended", unframed.then_close());
    server.on(
        "POST",
        "/token",
        Reply::bytes("HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{").then_close(),
    );
    let transport = Transport::new(trusting(&authority, &folder));
    for request in [
        get(&server.url("/cut")),
        get(&server.url("/reset")),
        post(&server.url("/token")),
    ] {
        let error = send_over(&transport, &request, &mut NoopObserver).unwrap_err();
        assert!(
            matches!(
                error,
                TransportError::ConnectionLost {
                    after_sending: true,
                    ..
                }
            ),
            "{error:?}"
        );
    }
    let ended = send_over(&transport, &get(&server.url("/ended")), &mut NoopObserver);
    assert_eq!(ended.unwrap().body.expose(), b"{\"issuer\":");
}

#[test]
fn a_client_certificate_is_presented() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, clients) = (Authority::new(), Authority::new());
    let server = start_mutual_tls(&authority.issue(&["127.0.0.1"]), &clients);
    server.on("POST", "/token", json(200, "{}"));

    let identified = TransportSettings {
        client_certificate: Some(clients.issue(&["client"]).write(folder.path(), "client")),
        ..trusting(&authority, &folder)
    };
    assert!(send_with(identified, &post(&server.url("/token"))).is_ok());

    let error = send_with(trusting(&authority, &folder), &post(&server.url("/token"))).unwrap_err();
    assert!(
        matches!(
            error,
            TransportError::Tls {
                failure: TlsFailure::ClientCertificate,
                ..
            }
        ),
        "{error:?}"
    );
    refused_with(&error, ExitCode::Unreachable, &["--cert FILE --key FILE"]);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn files_that_cannot_be_used_are_named_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let missing = folder.path().join("missing.pem");
    let empty = write("empty.pem", "");
    let prose = write("prose.pem", "this is not a certificate\n");
    let broken = write(
        "broken.pem",
        "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n",
    );
    let not_der = write(
        "not-der.pem",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    );
    let authority = Authority::new();
    let (certificate, key) = authority.issue(&["client"]).write(folder.path(), "client");
    let (_, other_key) = authority.issue(&["other"]).write(folder.path(), "other");

    let refused = |settings: TransportSettings, file: &PathBuf, parts: &[&str]| {
        let transport = Transport::new(settings);
        let target = url("https://127.0.0.1:1/token");
        let error = transport.prepare(&target, UrlSource::User).unwrap_err();
        refused_with(&error, ExitCode::Usage, parts);
        refused_with(&error, ExitCode::Usage, &[&file.display().to_string()]);
        let error = send_over(&transport, &post(target.as_str()), &mut NoopObserver).unwrap_err();
        refused_with(&error, ExitCode::Usage, parts);
        assert!(!error.may_have_been_received());
        // For http on this machine, a file that a flag names must be usable, too; the variables do not count.
        let on_this_machine = transport.prepare(&url("http://127.0.0.1:1/"), UrlSource::User);
        if parts[0].starts_with("SSL_CERT_") {
            assert!(on_this_machine.is_ok());
        } else {
            refused_with(&on_this_machine.unwrap_err(), ExitCode::Usage, parts);
        }
    };
    for (file, problem) in [
        (&missing, "cannot be read"),
        (&empty, "there is no certificate in it"),
        (&prose, "there is no certificate in it"),
        (&broken, "not well-formed PEM"),
        (&not_der, "there is no certificate in it"),
        (&key, "there is no certificate in it"),
    ] {
        let ca_file = TransportSettings {
            ca_file: Some(file.clone()),
            ..settings()
        };
        refused(ca_file, file, &["--cacert", problem]);
        let ssl_cert_file = TransportSettings {
            ssl_cert_file: Some(file.clone()),
            ..settings()
        };
        refused(ssl_cert_file, file, &["SSL_CERT_FILE", problem]);
    }
    let with_client = |certificate: &PathBuf, key: &PathBuf| TransportSettings {
        client_certificate: Some((certificate.clone(), key.clone())),
        ..trusting(&authority, &folder)
    };
    refused(with_client(&missing, &key), &missing, &["--cert", "cannot be read"]);
    refused(with_client(&prose, &key), &prose, &["--cert", "no certificate"]);
    refused(
        with_client(&certificate, &missing),
        &missing,
        &["--key", "cannot be read"],
    );
    refused(
        with_client(&certificate, &certificate),
        &certificate,
        &["--key", "no unencrypted private key"],
    );
    refused(
        with_client(&certificate, &other_key),
        &other_key,
        &["cannot be used together"],
    );
}

#[test]
fn a_server_that_speaks_http_2_alone_is_named_as_that() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let server = start_tls_for(&authority.issue(&["127.0.0.1"]), &[b"h2"]);
    let error = send_with(trusting(&authority, &folder), &post(&server.url("/token"))).unwrap_err();
    let peer = format!("127.0.0.1:{} cannot be used", server.port());
    refused_with(
        &error,
        ExitCode::Unreachable,
        &[&peer, "does not speak HTTP/1.1", "HTTP/2", "HTTP/1.1 must be enabled"],
    );
    assert!(!error.may_have_been_received());
    assert!(server.requests().is_empty());
}

/// The certificates are in files: what makes the others refuses to sign so.
#[test]
fn certificates_that_are_too_weak_are_refused_with_what_is_weak_about_them() {
    let folder = tempfile::tempdir().unwrap();
    for (certificate, key, authority, failure, parts) in [
        (
            include_str!("weak/sha1.pem"),
            include_str!("weak/sha1.key.pem"),
            include_str!("weak/sha1-authority.pem"),
            TlsFailure::Sha1,
            ["SHA-1", "must be replaced"],
        ),
        (
            include_str!("weak/rsa1024.pem"),
            include_str!("weak/rsa1024.key.pem"),
            include_str!("weak/rsa1024-authority.pem"),
            TlsFailure::WeakKey(1024),
            ["RSA key of 1024 bits", "must be replaced"],
        ),
    ] {
        let server = start_tls(&Identity::from_pem(certificate, key));
        let trusted = folder.path().join("authority.pem");
        std::fs::write(&trusted, authority).unwrap();
        let trusting_it = TransportSettings {
            ca_file: Some(trusted),
            ..settings()
        };
        let error = send_with(trusting_it, &post(&server.url("/token"))).unwrap_err();
        assert!(
            matches!(error, TransportError::Tls { failure: found, .. } if found == failure),
            "{error:?}"
        );
        refused_with(&error, ExitCode::Unreachable, &parts);
        for debug in ["Error", "{", "Context"] {
            assert!(!told(&error).contains(debug), "{}", told(&error));
        }
        assert!(server.requests().is_empty());
    }
}

#[test]
fn of_several_folders_those_that_are_there_count() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let server = start_tls(&authority.issue(&["127.0.0.1"]));
    server.on("POST", "/token", json(200, "{}"));
    authority.write(folder.path());
    let missing = folder.path().join("missing");
    let by_folders = |folders: &[&std::path::Path]| TransportSettings {
        ssl_cert_dir: folders.iter().map(|folder| folder.to_path_buf()).collect(),
        ..settings()
    };
    assert!(send_with(by_folders(&[&missing, folder.path()]), &post(&server.url("/token"))).is_ok());
    let error = send_with(by_folders(&[&missing]), &post(&server.url("/token"))).unwrap_err();
    refused_with(&error, ExitCode::Usage, &["SSL_CERT_DIR", "missing"]);
}
