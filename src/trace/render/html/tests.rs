//! The page of whole recordings, and of failures of each kind.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::trace::Step;
use crate::trace::fixtures::{Recording, failed_login, play, recorded_login, response, token_request};
use crate::trace::redact::Redaction;
use jiff::Timestamp;

fn page(recording: Recording, ends_well: bool) -> String {
    let mut html = Html::new(TraceContext {
        command: "login",
        command_line: "oauth login https://id.example.com --scope 'openid <b>'".to_owned(),
        began_at: Timestamp::UNIX_EPOCH,
        redaction: Redaction::new(false),
    });
    let mut page = html.head();
    play(
        &mut |event, since_start| page += &html.event(event, since_start),
        recording,
    );
    if ends_well {
        html.finish();
    }
    page + &html.tail()
}

/// What is between the banner's tags.
fn banner(page: &str) -> &str {
    let start = page.find("<section class=\"banner ").unwrap();
    &page[start..start + page[start..].find("</section>").unwrap()]
}

/// The start tag of the element with this `id`.
fn tag_with_id<'a>(page: &'a str, id: &str) -> &'a str {
    let at = page
        .find(&format!(" id=\"{id}\""))
        .unwrap_or_else(|| panic!("{id} in {page}"));
    let start = page[..at].rfind('<').unwrap();
    &page[start..=start + page[start..].find('>').unwrap()]
}

#[test]
fn the_answer_that_a_command_fails_by_is_open_and_linked_at_the_top() {
    let page = page(failed_login, false);
    let banner = banner(&page);
    for text in [
        "class=\"banner failed\"",
        "<a href=\"#cause-1\">the code was not exchanged</a>",
        "refused: invalid_grant",
        "exit code 5 (refused), step 7/7",
        "<dt>server</dt><dd>https://id.example.com</dd>",
        "<dt>client</dt><dd>desktop</dd>",
    ] {
        assert!(banner.contains(text), "{text} in {banner}");
    }
    assert_eq!(
        tag_with_id(&page, "cause-1"),
        "<details class=\"arrow failure\" id=\"cause-1\" open>"
    );
    assert_eq!(
        page.matches(" open>").count(),
        2,
        "the answer and the error, nothing else"
    );
}

fn wrong_answer(tell: &mut dyn FnMut(u64, &Event<'_>)) {
    let (request, answer) = (token_request(), response(200, "application/json", "{}"));
    tell(0, &Event::RequestSent(&request));
    tell(
        1,
        &Event::ResponseReceived {
            request: &request,
            response: &answer,
        },
    );
    tell(2, &Event::StepBegins(Step::Store));
    tell(3, &failure(ExitCode::Protocol));
}

fn timeout(tell: &mut dyn FnMut(u64, &Event<'_>)) {
    let (request, answer) = (token_request(), response(200, "application/json", "{}"));
    tell(0, &Event::RequestSent(&request));
    tell(
        1,
        &Event::ResponseReceived {
            request: &request,
            response: &answer,
        },
    );
    tell(
        2,
        &Event::WaitBegins {
            timeout: Duration::from_secs(1),
            awaited: "the browser",
            paste: crate::trace::Paste::No,
        },
    );
    tell(1_002, &failure(ExitCode::Refused));
}

fn failure(exit_code: ExitCode) -> Event<'static> {
    Event::Failed {
        message: "it did not work",
        causes: &[],
        hints: &[],
        exit_code,
    }
}

#[test]
fn an_answer_with_status_200_that_breaks_the_protocol_is_marked_as_the_failure() {
    let page = page(wrong_answer, false);
    assert!(tag_with_id(&page, "cause-1").contains("failure"), "{page}");
    assert!(banner(&page).contains("href=\"#cause-1\""), "{page}");
}

#[test]
fn a_failure_after_the_client_went_on_is_about_itself() {
    let page = page(timeout, false);
    assert!(!page.contains("cause-1"), "{page}");
    assert!(banner(&page).contains("href=\"#failure-1\""), "{page}");
    assert!(tag_with_id(&page, "failure-1").contains("open"), "{page}");
}

#[test]
fn the_result_says_whether_the_command_came_to_its_end() {
    let whole = page(recorded_login, true);
    assert!(banner(&whole).contains("class=\"banner done\""), "{whole}");
    // and not what was printed on the way
    assert!(
        banner(&whole).contains("<b>✓</b>Signed in as alice at https://id.example.com<"),
        "{whole}"
    );
    let cut = page(recorded_login, false);
    assert!(banner(&cut).contains("Not finished"), "{cut}");
}

#[test]
fn a_lifeline_that_nothing_touches_is_hidden() {
    // client and authorization server
    let page = page(wrong_answer, false);
    assert!(page.contains("--count:2;"), "{page}");
    for position in [1, 2, 5, 6] {
        assert!(
            page.contains(&format!("span:nth-child({position}){{display:none}}")),
            "{page}"
        );
    }
    for position in [3, 4] {
        assert!(
            !page.contains(&format!("span:nth-child({position}){{display:none}}")),
            "{page}"
        );
    }
}

#[test]
fn a_row_has_the_time_since_the_row_before_and_a_step_since_the_start() {
    let page = page(failed_login, false);
    assert!(page.contains("<h2><time>5.00 s</time><b>6</b>"), "{page}");
    assert!(page.contains("<time>+37 ms</time>"), "{page}");
}
