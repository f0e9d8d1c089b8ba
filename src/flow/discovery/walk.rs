//! The walk over the well-known URLs of an issuer: one place that knows what
//! an answer at such a URL means. It does no IO by itself: the code that fetches
//! asks for the next URL and records what came, so that a login, `oauth
//! discover` and `oauth check` go the same way.

use super::DiscoveryError;
use crate::flow::caller::Caller;
use crate::foreign_text::{MAX_CHARS, Quoted, WordOrQuoted};
use crate::protocol::endpoint::Issuer;
use crate::protocol::http::{HttpRequest, HttpResponse};
use crate::protocol::json::{JsonError, parse_object};
use crate::protocol::metadata::MetadataError;
use crate::trace::Event;
use crate::transport::TransportError;
use serde_json::{Map, Value};
use std::collections::VecDeque;
use url::{Position, Url};

/// One URL that was asked for, and what came.
#[derive(Debug)]
pub struct Attempt {
    pub url: Url,
    pub outcome: Outcome,
}

/// What an answer at a well-known URL means.
#[derive(Debug)]
pub enum Outcome {
    /// A JSON object, and why it is the one that is used.
    Used(&'static str),
    /// A JSON object that is not used as a whole, and why.
    NotUsed(&'static str),
    /// A JSON object that must not be used.
    Refused(MetadataError),
    /// Status 200 with something else than a JSON object.
    NotAnObject {
        media_type: Option<String>,
        /// What is wrong with it.
        problem: JsonError,
    },
    /// A 3xx, which is not followed.
    Redirect {
        status: u16,
        /// Where it leads, if that is a URL.
        target: Option<Url>,
    },
    Status {
        status: u16,
        /// The media type of its body.
        media_type: Option<String>,
    },
    /// An answer of the protected resource itself (RFC 9728 §5.1).
    Challenge {
        status: u16,
        /// What its challenge says.
        found: String,
    },
    /// No answer, or one that cannot be read.
    Failed(TransportError),
}

impl Outcome {
    /// What an answer is; `Ok` with the members of a JSON object.
    pub fn from_response(url: &Url, response: &HttpResponse) -> Result<Map<String, Value>, Outcome> {
        let media_type = response.media_type();
        match response.status {
            200 => parse_object(response.body.expose()).map_err(|problem| Outcome::NotAnObject { media_type, problem }),
            status @ 300..400 => Err(Outcome::Redirect {
                status,
                target: response.header("location").and_then(|target| url.join(target).ok()),
            }),
            status => Err(Outcome::Status { status, media_type }),
        }
    }
}

impl Attempt {
    /// The status; `None` where no answer came that can be read.
    pub fn status(&self) -> Option<u16> {
        match &self.outcome {
            Outcome::Used(_) | Outcome::NotUsed(_) | Outcome::Refused(_) | Outcome::NotAnObject { .. } => Some(200),
            Outcome::Redirect { status, .. } | Outcome::Status { status, .. } | Outcome::Challenge { status, .. } => {
                Some(*status)
            }
            Outcome::Failed(_) => None,
        }
    }

    /// Whether its document is the one that is used.
    pub fn is_used(&self) -> bool {
        matches!(self.outcome, Outcome::Used(_))
    }

    /// Why its document is used, or why not. May hold text from the network.
    pub fn reason(&self) -> String {
        match &self.outcome {
            Outcome::Used(reason) | Outcome::NotUsed(reason) => (*reason).to_owned(),
            Outcome::Refused(problem) => format!("refused because {problem}"),
            Outcome::NotAnObject { media_type, problem } => match media_type {
                Some(media_type) if is_json(media_type) => format!("200, but {}", json_problem(problem)),
                Some(media_type) => format!("200 with {}, no JSON object", media_type_text(media_type)),
                None => "200 without a JSON object".to_owned(),
            },
            Outcome::Redirect { status, target } => match target {
                Some(target) => {
                    let shown = &target[..Position::AfterPath];
                    format!("{status}, a redirect to {shown}, which is not followed")
                }
                None => format!("{status}, a redirect, which is not followed"),
            },
            Outcome::Status { status: 404, .. } => "404".to_owned(),
            Outcome::Status { status, media_type } => match media_type {
                Some(media_type) => format!("{status} with {}", media_type_text(media_type)),
                None => status.to_string(),
            },
            Outcome::Challenge { found, .. } => found.clone(),
            Outcome::Failed(error) if error.is_unreadable_answer() => error.to_string(),
            Outcome::Failed(error) => format!("no answer: {error}"),
        }
    }

    /// Whether this may come from something that answers every request.
    pub fn is_page_or_redirect(&self) -> bool {
        match &self.outcome {
            Outcome::NotAnObject { media_type, .. } => media_type.as_deref() == Some("text/html"),
            Outcome::Redirect { .. } => true,
            _ => false,
        }
    }

    /// Whether a document is there, and nothing can be read from it.
    pub fn is_broken_document(&self) -> bool {
        let is_announced = |media_type: &Option<String>| media_type.as_deref().is_some_and(is_json);
        matches!(&self.outcome, Outcome::NotAnObject { media_type, .. } if is_announced(media_type))
    }

    /// Whether it says that there is no document, and nothing else.
    pub fn is_absence(&self) -> bool {
        match &self.outcome {
            Outcome::Status { status, .. } => matches!(status, 404 | 405 | 410),
            Outcome::NotAnObject { media_type, .. } => !media_type.as_deref().is_some_and(is_json),
            Outcome::Challenge { .. } => true,
            _ => false,
        }
    }
}

/// What [`attempts_text`] has at most before the count of the others, so that
/// the message that it is part of is not cut.
const MAX_ATTEMPTS_CHARS: usize = MAX_CHARS - 100;

/// How many URLs were asked for, and what came of each, as far as there is room.
pub fn attempts_text(attempts: &[Attempt]) -> String {
    let mut text = format!("{} tried: ", attempts.len());
    for (number, attempt) in attempts.iter().enumerate() {
        let separator = if number == 0 { "" } else { "; " };
        let piece = format!("{separator}{}: {}", attempt.url, attempt.reason());
        if number > 0 && text.chars().count() + piece.chars().count() > MAX_ATTEMPTS_CHARS {
            text += &format!("; and {} more", attempts.len() - number);
            break;
        }
        text += &piece;
    }
    text
}

fn json_problem(problem: &JsonError) -> String {
    match problem {
        JsonError::Malformed(text) => format!("its JSON is not valid: {}", text.replace(" column ", ", column ")),
        JsonError::NotAnObject => "it is JSON, but not an object".to_owned(),
    }
}

/// `text/html`, or whatever is there in quotes.
fn media_type_text(media_type: &str) -> String {
    match media_type.split_once('/') {
        Some((kind, rest)) => format!("{}/{}", WordOrQuoted(kind), WordOrQuoted(rest)),
        None => Quoted::name(media_type).to_string(),
    }
}

fn is_json(media_type: &str) -> bool {
    media_type == "application/json" || media_type.ends_with("+json")
}

/// A document that was found.
#[derive(Debug, Clone)]
pub struct FoundDocument {
    pub url: Url,
    /// What was asked about: an issuer or a resource.
    pub asked: String,
    pub media_type: Option<String>,
    pub bytes: Vec<u8>,
    pub members: Map<String, Value>,
}

/// The walk: URLs that are still to be asked for, and attempts.
#[derive(Debug)]
pub struct Walk {
    asked: String,
    remaining: VecDeque<Url>,
    /// Whether a protected resource publishes the documents.
    is_of_resource: bool,
    /// Each URL in the order in which it was asked for.
    pub attempts: Vec<Attempt>,
}

impl Walk {
    /// Over the well-known URLs of an issuer (RFC 8414 §3.1, OpenID Connect Discovery §4.1).
    pub fn new(issuer: &Issuer) -> Self {
        Walk::over(issuer.as_str(), issuer.well_known_urls())
    }

    /// Over these URLs of a protected resource's metadata (RFC 9728 §3).
    pub fn of_resource(asked: &str, urls: impl IntoIterator<Item = Url>) -> Self {
        Walk {
            is_of_resource: true,
            ..Walk::over(asked, urls)
        }
    }

    /// Over these URLs of an authorization server.
    pub fn over(asked: &str, urls: impl IntoIterator<Item = Url>) -> Self {
        Walk {
            asked: asked.to_owned(),
            remaining: urls.into_iter().collect(),
            is_of_resource: false,
            attempts: Vec::new(),
        }
    }

    /// The URL to ask for next.
    pub fn next_url(&mut self) -> Option<Url> {
        self.remaining.pop_front()
    }

    /// Records what came. A document counts as not used until
    /// [`conclude`](Self::conclude) says otherwise. Where the server was not
    /// reached, the other URLs, which are on the same host, are given up.
    pub fn record(&mut self, url: Url, answer: Result<HttpResponse, TransportError>) -> Option<FoundDocument> {
        let (outcome, document) = match answer {
            Err(error) => {
                if !error.may_have_been_received() {
                    self.remaining.clear();
                }
                (Outcome::Failed(error), None)
            }
            Ok(response) => match Outcome::from_response(&url, &response) {
                Err(outcome) => (outcome, None),
                Ok(members) => (Outcome::NotUsed(""), Some((response, members))),
            },
        };
        let document = document.map(|(response, members)| FoundDocument {
            url: url.clone(),
            asked: self.asked.clone(),
            media_type: response.media_type(),
            bytes: response.body.expose().clone(),
            members,
        });
        self.attempts.push(Attempt { url, outcome });
        document
    }

    /// Says what became of the document that was recorded last.
    pub fn conclude(&mut self, outcome: Outcome, caller: &mut Caller<'_>) {
        if let Some(attempt) = self.attempts.last_mut() {
            attempt.outcome = outcome;
            observe(attempt, caller);
        }
    }

    /// Fetches one URL after the other up to the next document, whose attempt
    /// is then to be concluded.
    pub async fn next_document(&mut self, caller: &mut Caller<'_>) -> Option<FoundDocument> {
        while let Some(url) = self.next_url() {
            let request = match self.is_of_resource {
                true => HttpRequest::get_from_resource(url.clone()),
                false => HttpRequest::get(url.clone()),
            };
            let answer = caller.send(&request).await;
            let document = self.record(url, answer);
            if document.is_some() {
                return document;
            }
            if let Some(attempt) = self.attempts.last() {
                observe(attempt, caller);
            }
        }
        None
    }

    /// Why no document was found.
    pub fn into_failure(self) -> DiscoveryError {
        DiscoveryError::from_attempts(self.asked, self.attempts)
    }
}

fn observe(attempt: &Attempt, caller: &mut Caller<'_>) {
    let reason = attempt.reason();
    caller.observe(&Event::DiscoveryTried {
        url: attempt.url.as_str(),
        not_taken: (!attempt.is_used()).then_some(&reason),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_tried_is_whole_or_ends_with_how_many_are_left_out() {
        let attempts = |count: usize| -> Vec<Attempt> {
            let url = |number| Url::parse(&format!("https://id.example.com/tenants/{number}/.well-known/x")).unwrap();
            let attempt = |number| Attempt {
                url: url(number),
                outcome: Outcome::Status {
                    status: 404,
                    media_type: None,
                },
            };
            (0..count).map(attempt).collect()
        };
        let few = attempts_text(&attempts(3));
        assert!(few.starts_with("3 tried: https://id.example.com/tenants/0/"), "{few}");
        assert!(few.ends_with("/2/.well-known/x: 404"), "{few}");
        let many = attempts_text(&attempts(20));
        assert!(many.chars().count() < MAX_CHARS, "{many}");
        let (shown, left_out) = many.rsplit_once("; and ").unwrap();
        let shown = shown.matches("https://").count();
        assert_eq!(left_out, format!("{} more", 20 - shown), "{many}");
    }
}
