//! Every format of trace files, on the same recordings.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use super::fixtures::archive::check_archive;
use super::fixtures::secrets_in_urls::{REVOCATION_COMMAND, revocation_url, secrets_in_urls};
use super::fixtures::{Recording, SECRETS, compare_with_golden, context, failed_login, play, recorded_login};
use super::render::har::Har;
use super::render::html::Html;
use super::render::json::JsonLines;
use super::render::mermaid::Mermaid;
use super::renderer::Renderer;
use crate::secret::Secret;
use serde_json::Value;
use url::Url;

/// One of each, with the ending of its files.
fn renderers(show_secrets: bool) -> [(&'static str, Box<dyn Renderer>); 4] {
    let context = context(show_secrets);
    [
        ("json", Box::new(JsonLines::new(context.clone()))),
        ("har", Box::new(Har::new(context.clone()))),
        ("html", Box::new(Html::new(context.clone()))),
        ("mmd", Box::new(Mermaid::new(context))),
    ]
}

/// The file as it is after each event, the last one whole.
fn stages(renderer: &mut dyn Renderer, recording: Recording) -> Vec<String> {
    let mut text = renderer.head();
    let mut stages = vec![text.clone() + &renderer.tail()];
    play(
        &mut |event, since_start| {
            text += &renderer.event(event, since_start);
            stages.push(text.clone() + &renderer.tail());
        },
        recording,
    );
    stages
}

fn whole(renderer: &mut dyn Renderer, recording: Recording) -> String {
    stages(renderer, recording).pop().unwrap()
}

const RECORDINGS: [(&str, Recording); 2] = [("login", recorded_login), ("failed", failed_login)];

#[test]
fn each_renderer_makes_the_golden_file_of_each_recording() {
    for (name, recording) in RECORDINGS {
        for (ending, mut renderer) in renderers(false) {
            let text = whole(renderer.as_mut(), recording);
            compare_with_golden(&format!("trace/{name}.{ending}"), &text);
        }
    }
}

#[test]
fn no_renderer_shows_a_secret_or_lets_foreign_text_act() {
    for recording in [recorded_login, failed_login, secrets_in_urls] {
        for (ending, mut renderer) in renderers(false) {
            let text = whole(renderer.as_mut(), recording);
            for secret in SECRETS {
                assert!(!text.contains(secret), "{secret} in .{ending}:\n{text}");
            }
            assert!(text.contains("sha256 "), ".{ending}:\n{text}");
            let harmful = |character: char| character.is_control() && character != '\n';
            assert!(!text.contains(harmful), ".{ending}:\n{text}");
            assert!(!text.contains("<script>") || ending == "json", ".{ending}:\n{text}");
        }
    }
}

#[test]
fn a_secret_in_a_url_is_redacted_and_a_variable_of_the_command() {
    let [json, har, html, mmd] = renderers(false).map(|(_, mut renderer)| whole(renderer.as_mut(), secrets_in_urls));
    let lines = json_lines(&json);
    let about = |event: &str| {
        let mut events = lines.iter().filter(|line| line["event"] == event);
        events.nth(if event == "request" { 2 } else { 1 }).unwrap().clone()
    };
    let request = about("request");
    assert!(
        request["curl"].as_str().unwrap().starts_with(REVOCATION_COMMAND),
        "{request}"
    );
    for event in ["request", "response", "request_failed"] {
        assert_eq!(about(event)["url"], revocation_url());
    }

    let archive: Value = serde_json::from_str(&har).expect("JSON");
    check_archive(&archive);
    let request = &archive["log"]["entries"][2]["request"];
    assert_eq!(request["url"], Url::parse(&revocation_url()).unwrap().as_str());
    let token = Secret::from("tGzv3JOkF0XG5Qx2TlKWIA").redacted();
    let query = serde_json::json!([
        { "name": "token", "value": token },
        { "name": "token_type_hint", "value": "refresh_token" },
    ]);
    assert_eq!(request["queryString"], query);

    let url = revocation_url()
        .replace('&', "&amp;")
        .replace(&token, &format!("<i>{token}</i>"));
    let command = REVOCATION_COMMAND.replace('&', "&amp;").replace('"', "&quot;");
    for shown in [url, format!("<th>token</th><td><i>{token}</i></td>"), command] {
        assert!(html.contains(&shown), "{shown} in:\n{html}");
    }

    assert!(mmd.contains("  client->>server: GET /revoke\n"), "{mmd}");
    assert!(mmd.contains("  client->>resource: GET /userinfo\n"), "{mmd}");

    for (ending, mut renderer) in renderers(true) {
        let text = whole(renderer.as_mut(), secrets_in_urls);
        let is_shown = text.contains("revoke?token=tGzv3JOkF0XG5Qx2TlKWIA");
        assert_eq!(is_shown, ending != "mmd", ".{ending}:\n{text}");
    }
}

#[test]
fn whoever_asks_for_secrets_gets_a_file_that_says_so() {
    for ((ending, mut renderer), mark) in renderers(true).into_iter().zip([
        "\"contains_secrets\":true",
        "\"comment\":\"CONTAINS SECRETS",
        "This page contains secrets",
        "CONTAINS SECRETS",
    ]) {
        let text = whole(renderer.as_mut(), recorded_login);
        assert!(text.contains(mark) && !text.contains("[redacted"), ".{ending}:\n{text}");
        assert!(text.contains("SplxlOBeZQQYbYS6WxSbIA"), ".{ending}:\n{text}");
        let (_, mut redacting) = renderers(false)
            .into_iter()
            .find(|(other, _)| *other == ending)
            .unwrap();
        assert!(!whole(redacting.as_mut(), recorded_login).contains(mark));
    }
}

#[test]
fn a_file_is_whole_after_every_event() {
    for (_, recording) in RECORDINGS {
        for (ending, mut renderer) in renderers(false) {
            for text in stages(renderer.as_mut(), recording) {
                match ending {
                    "json" => json_lines(&text).clear(),
                    "har" => check_archive(&serde_json::from_str(&text).expect("JSON")),
                    "html" => assert!(text.contains("</main>\n<section") && text.ends_with("</body>\n</html>\n")),
                    _ => assert!(text.starts_with("sequenceDiagram\n") && text.ends_with('\n')),
                }
            }
        }
    }
}

fn json_lines(text: &str) -> Vec<Value> {
    assert!(text.ends_with('\n'));
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

#[test]
fn each_line_of_json_has_version_time_event_and_parties() {
    let [(_, mut renderer), ..] = renderers(false);
    let lines = json_lines(&whole(renderer.as_mut(), recorded_login));
    assert_eq!(lines[0]["event"], "trace_begins");
    assert_eq!(lines[0]["began_at"], "2026-11-22T13:58:20.000Z");
    let mut last_ms = 0;
    for line in &lines {
        assert_eq!(line["v"], 1, "{line}");
        let since_start_ms = line["since_start_ms"].as_u64().expect("a time");
        assert!(since_start_ms >= last_ms, "{line}");
        last_ms = since_start_ms;
        for name in ["event", "from", "to"] {
            assert!(line[name].is_string(), "{line}");
        }
    }
    assert_eq!(last_ms, 15_000);
}
