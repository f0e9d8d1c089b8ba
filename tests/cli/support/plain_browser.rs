//! A browser of the simplest kind, for playing a resource owner over HTTP:
//! keeps cookies, follows redirects within one server, fills in forms. It
//! stops at a redirect to another origin, which is where the client listens.

use super::callback::{self, Answer};
use url::Url;

/// The browser, at one server.
pub struct PlainBrowser {
    cookies: Vec<(String, String)>,
}

/// Where a navigation ended.
pub enum Landing {
    /// A page of the server.
    Page(PlainPage),
    /// A redirect to another origin, which was not followed.
    Elsewhere(Url),
}

impl Landing {
    pub fn page(self) -> PlainPage {
        match self {
            Landing::Page(page) => page,
            Landing::Elsewhere(url) => panic!("a page was expected and not a redirect to {url}"),
        }
    }

    pub fn elsewhere(self) -> Url {
        match self {
            Landing::Elsewhere(url) => url,
            Landing::Page(page) => panic!("a redirect was expected and not {}", page.html),
        }
    }
}

/// A page.
pub struct PlainPage {
    pub url: Url,
    pub status: u16,
    pub html: String,
}

impl PlainBrowser {
    pub fn new() -> Self {
        PlainBrowser { cookies: Vec::new() }
    }

    /// Goes to this URL and on from there.
    pub fn go_to(&mut self, url: &str) -> Landing {
        self.navigate(Url::parse(url).expect("a URL"), None)
    }

    /// Sends the first form of a page, with these fields beside the hidden ones.
    pub fn submit(&mut self, page: &PlainPage, fields: &[(&str, &str)]) -> Landing {
        let form = element(&page.html, "<form", "</form>").expect("a form");
        let action = attribute(&form, "action").expect("where the form goes");
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        for input in form.split("<input").skip(1) {
            if attribute(input, "type").as_deref() == Some("hidden") {
                let name = attribute(input, "name").expect("a name");
                body.append_pair(&name, &attribute(input, "value").unwrap_or_default());
            }
        }
        body.extend_pairs(fields);
        self.navigate(page.url.join(&action).expect("a URL"), Some(body.finish()))
    }

    fn navigate(&mut self, mut url: Url, mut form: Option<String>) -> Landing {
        let origin = url.origin();
        for _ in 0..10 {
            let answer = self.send(&url, form.take());
            let Some(location) = answer
                .header("location")
                .filter(|_| (300..400).contains(&answer.status))
            else {
                return Landing::Page(PlainPage {
                    status: answer.status,
                    html: answer.body_text(),
                    url,
                });
            };
            url = url.join(location).expect("a URL to go to");
            if url.origin() != origin {
                return Landing::Elsewhere(url);
            }
        }
        panic!("too many redirects, the last one to {url}");
    }

    fn send(&mut self, url: &Url, form: Option<String>) -> Answer {
        let (authority, target) = (callback::authority(url), callback::target(url));
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let cookie_line = format!("Cookie: {}", cookies.join("; "));
        let origin_line = format!("Origin: {}", url.origin().ascii_serialization());
        let mut headers = vec!["Accept: text/html", "Connection: close"];
        if !cookies.is_empty() {
            headers.push(&cookie_line);
        }
        let answer = match form {
            None => callback::get(&authority, &target, &headers),
            Some(form) => {
                headers.push(&origin_line);
                callback::post(&authority, &target, &headers, &form)
            }
        };
        let answer = answer.expect("an answer of the server");
        for (_, line) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let pair = line.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("name and value");
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        answer
    }
}

fn element(html: &str, start: &str, end: &str) -> Option<String> {
    let from = html.find(start)?;
    let length = html[from..].find(end)?;
    Some(html[from..from + length].to_owned())
}

/// The attribute of the tag that this text begins with.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let tag = tag.split('>').next()?;
    let value = tag.split_once(&format!(" {name}=\""))?.1.split('"').next()?;
    Some(
        value
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&amp;", "&"),
    )
}
