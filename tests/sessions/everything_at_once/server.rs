//! An authorization server that drops, delays, rotates and answers oddly, in
//! front of the [`Ledger`], which is never in doubt.

use super::history::History;
use super::ledger::{Granted, Ledger, Process, Refresh, Sender};
use crate::support::literal_server::{LiteralServer, Reply, Request, html, json, redirect, status, value_of};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

/// So short that half of all calls refresh.
const LIFETIME_S: u32 = 2;

const REFUSED: &str = r#"{"error":"invalid_grant","error_description":"spent"}"#;

/// What the server does with a refresh.
#[derive(Clone, Copy)]
enum Mood {
    Honest,
    /// Answers late, after everything is decided.
    Slow,
    /// Says nothing usable, and has done nothing.
    NotNow(Trouble),
    /// Has rotated the refresh token, and the answer is lost.
    Lost(Trouble),
    /// Rotates, in an answer with a fault beside the refresh token.
    Faulty,
    /// Gives a new access token alone.
    NoRotation,
}

#[derive(Clone, Copy)]
enum Trouble {
    Reset,
    Silent,
    Unavailable,
    TooMany,
    Page,
    Cut,
}

pub(super) fn start(ledger: &Arc<Mutex<Ledger>>, history: &Arc<History>) -> LiteralServer {
    let server = LiteralServer::start();
    let origin = server.origin();
    let metadata = format!(
        r#"{{"issuer":"{origin}","authorization_endpoint":"{origin}/authorize","token_endpoint":"{origin}/token","revocation_endpoint":"{origin}/revoke","response_types_supported":["code"],"code_challenge_methods_supported":["S256"],"token_endpoint_auth_methods_supported":["client_secret_basic"],"grant_types_supported":["authorization_code","refresh_token"]}}"#
    );
    server.on("GET", "/.well-known/oauth-authorization-server", json(200, &metadata));
    let known = Arc::clone(ledger);
    server.on_call("GET", "/authorize", move |request| {
        authorize(&mut known.lock().expect("the ledger"), request)
    });
    let (known, history) = (Arc::clone(ledger), Arc::clone(history));
    server.on_call("POST", "/token", move |request| {
        let mut ledger = known.lock().expect("the ledger");
        let reply = token(&mut ledger, request);
        write_down(&ledger, request, &history);
        reply
    });
    let known = Arc::clone(ledger);
    server.on_call("POST", "/revoke", move |request| {
        revoke(&mut known.lock().expect("the ledger"), request)
    });
    server
}

/// Which refresh token a process sent, and which one counts now.
fn write_down(ledger: &Ledger, request: &Request, history: &History) {
    let (form, process) = (request.form(), process(request));
    let sent = value_of(&form, "refresh_token");
    let newest = match sent {
        Some(sent) => ledger.newest(sent),
        None => ledger.started_by(process).and_then(|family| ledger.newest_of(family)),
    };
    let Some((client, newest)) = newest else { return };
    let text = format!("(server) {process} sent {sent:?}; what counts is {newest}");
    history.write(super::profile_number(client), history.since(history.now()), &text);
}

fn authorize(ledger: &mut Ledger, request: &Request) -> Reply {
    let query = request.query();
    let value = |name| value_of(&query, name).expect("a parameter");
    let code = ledger.code(value("client_id"));
    let parameters = format!("code={code}&state={}", value("state"));
    redirect(303, &format!("{}?{parameters}", value("redirect_uri")))
}

/// Which process it is: its number is its client secret.
fn process(request: &Request) -> Process {
    let basic = request.header("authorization").expect("credentials");
    let basic = STANDARD.decode(basic.trim_start_matches("Basic ")).expect("base64");
    let basic = String::from_utf8(basic).expect("text");
    let (_, secret) = basic.split_once(':').expect("a secret");
    secret.trim_start_matches("process-").parse().expect("a number")
}

fn token(ledger: &mut Ledger, request: &Request) -> Reply {
    let (form, process) = (request.form(), process(request));
    let Some(refresh_token) = value_of(&form, "refresh_token") else {
        let redeemed = ledger.redeem(value_of(&form, "code").unwrap_or_default(), process);
        return match redeemed {
            Some((access_token, refresh_token)) => {
                let answer = json(200, &answer(&access_token, Some(&refresh_token)));
                // an answer that is lost here is a session that was never here
                match !ledger.is_honest && ledger.chance.percent(4) {
                    true => Reply::reset(),
                    false => answer,
                }
            }
            None => json(400, REFUSED),
        };
    };
    let mood = match ledger.is_honest {
        true => Mood::Honest,
        false => ledger.chance.mood(),
    };
    match mood {
        Mood::NotNow(trouble) => trouble.reply(""),
        Mood::NoRotation if ledger.grants(refresh_token) => {
            let access_token = ledger.refresh_without_rotation(refresh_token);
            json(200, &answer(&access_token.unwrap_or_default(), None))
        }
        mood => {
            let connection = request.connection;
            rotate(ledger, refresh_token, Sender { process, connection }, mood)
        }
    }
}

fn rotate(ledger: &mut Ledger, refresh_token: &str, to: Sender, mood: Mood) -> Reply {
    let granted = Granted {
        to,
        at: SystemTime::now(),
        is_readable: !matches!(mood, Mood::Lost(_)),
    };
    let delay = ledger.chance.time_ms(10, 1500);
    match (ledger.refresh(refresh_token, granted), mood) {
        (Refresh::Refused, _) => json(400, REFUSED),
        (Refresh::Granted { refresh_token, .. }, Mood::Faulty) => json(
            200,
            &format!(r#"{{"access_token":7,"refresh_token":"{refresh_token}"}}"#),
        ),
        (
            Refresh::Granted {
                access_token,
                refresh_token,
            },
            mood,
        ) => {
            let body = answer(&access_token, Some(&refresh_token));
            match mood {
                Mood::Lost(trouble) => trouble.reply(&body),
                Mood::Slow => json(200, &body).after(delay),
                _ => json(200, &body),
            }
        }
    }
}

fn answer(access_token: &str, refresh_token: Option<&str>) -> String {
    let refresh_token = refresh_token.map_or(String::new(), |token| format!(r#","refresh_token":"{token}""#));
    format!(r#"{{"access_token":"{access_token}","token_type":"Bearer","expires_in":{LIFETIME_S}{refresh_token}}}"#)
}

fn revoke(ledger: &mut Ledger, request: &Request) -> Reply {
    let form = request.form();
    if !ledger.is_honest && ledger.chance.percent(10) {
        return status(503);
    }
    ledger.revoke(value_of(&form, "token").unwrap_or_default());
    match !ledger.is_honest && ledger.chance.percent(5) {
        true => Reply::reset(),
        false => status(200),
    }
}

impl super::chance::Chance {
    fn mood(&mut self) -> Mood {
        match self.below(100) {
            0..40 => Mood::Honest,
            40..70 => Mood::Slow,
            70..84 => Mood::NotNow(self.trouble()),
            84..87 => Mood::Lost(self.trouble()),
            87..93 => Mood::Faulty,
            _ => Mood::NoRotation,
        }
    }

    fn trouble(&mut self) -> Trouble {
        *self.of(&[
            &Trouble::Reset,
            &Trouble::Silent,
            &Trouble::Unavailable,
            &Trouble::TooMany,
            &Trouble::Page,
            &Trouble::Cut,
        ])
    }
}

impl Trouble {
    /// Nothing of the body can be read whole.
    fn reply(self, body: &str) -> Reply {
        match self {
            Trouble::Reset => Reply::reset(),
            Trouble::Silent => Reply::nothing().after(Duration::from_millis(300)),
            Trouble::Unavailable => json(503, "{}"),
            Trouble::TooMany => json(429, "{}"),
            Trouble::Page => html(200, "<h1>Please wait</h1>"),
            Trouble::Cut => {
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                    body.len() + 200
                );
                Reply::bytes(head.into_bytes())
                    .then(&body.as_bytes()[..body.len() / 2])
                    .then_reset()
            }
        }
    }
}
