//! A person at the pages of `oauth serve`, played with literal HTTP: reads the
//! form, types name and password, presses the button, follows the redirects.

use super::callback::{self, Answer};
use super::literal_server::value_of;
use url::Url;

/// More pages than this are a loop.
const MOST_PAGES: usize = 10;

/// Opens the authorization URL, signs in, consents, and brings the browser
/// back. Gives the page that the browser ended on, which is the client's.
pub fn sign_in_and_consent(authorization_url: &str, name: &str, password: &str) -> Answer {
    let server = Url::parse(authorization_url).expect("an authorization URL");
    let authority = callback::authority(&server);
    let mut cookies: Vec<(String, String)> = Vec::new();
    let mut answer = {
        let target = callback::target(&server);
        callback::get(&authority, &target, &callback::BROWSER_NAVIGATION).expect("the first page")
    };
    let mut here = server.clone();
    for _ in 0..MOST_PAGES {
        for (_, cookie) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let pair = cookie.split(';').next().expect("a cookie");
            let (name, value) = pair.split_once('=').expect("a name and a value");
            cookies.retain(|(known, _)| known != name);
            cookies.push((name.to_owned(), value.to_owned()));
        }
        let cookies: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookie_header = format!("Cookie: {}", cookies.join("; "));
        let mut headers = callback::BROWSER_NAVIGATION.to_vec();
        headers.push(&cookie_header);
        match answer.status {
            302 | 303 => {
                here = here
                    .join(answer.header("location").expect("a location"))
                    .expect("a URL");
                if here.origin() != server.origin() {
                    return callback::get_url(here.as_str()).expect("the client's page");
                }
                answer = callback::get(&authority, &callback::target(&here), &headers).expect("a page");
            }
            200 => {
                let form = Form::on(&answer.body_text());
                here = here.join(&form.action).expect("a URL");
                let origin = format!("Origin: {}", server.origin().ascii_serialization());
                headers.retain(|line| !line.starts_with("Sec-Fetch-Site"));
                headers.extend([
                    "Sec-Fetch-Site: same-origin",
                    "Content-Type: application/x-www-form-urlencoded",
                    origin.as_str(),
                ]);
                let filled = form.filled(name, password);
                answer = callback::post(&authority, &callback::target(&here), &headers, &filled).expect("an answer");
            }
            status => panic!("status {status}: {}", answer.body_text()),
        }
    }
    panic!("no end after {MOST_PAGES} pages, the last is: {}", answer.body_text());
}

/// The first form of a page.
struct Form {
    action: String,
    fields: Vec<(String, String)>,
    buttons: Vec<(String, String)>,
}

impl Form {
    fn on(page: &str) -> Self {
        let start = page.find("<form").unwrap_or_else(|| panic!("no form: {page}"));
        let form = &page[start..];
        let form = &form[..form.find("</form>").expect("the form's end")];
        let tags = |name: &str| -> Vec<(String, String)> {
            form.split(&format!("<{name} "))
                .skip(1)
                .map(|rest| &rest[..rest.find('>').expect("the tag's end")])
                .filter_map(|tag| Some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default())))
                .collect()
        };
        let head = &form[..form.find('>').expect("the tag's end")];
        Form {
            action: attribute(head, "action").expect("an action"),
            fields: tags("input"),
            buttons: tags("button"),
        }
    }

    fn filled(mut self, name: &str, password: &str) -> String {
        for (field, value) in &mut self.fields {
            match field.as_str() {
                "username" => name.clone_into(value),
                "password" => password.clone_into(value),
                _ => {}
            }
        }
        let yes = |(_, value): &&(String, String)| ["sign-in", "allow"].contains(&value.as_str());
        let button = self.buttons.iter().find(yes).expect("a button to go on");
        self.fields.push(button.clone());
        assert!(value_of(&self.fields, &button.0).is_some());
        url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.fields)
            .finish()
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = tag.find(&format!("{name}=\""))? + name.len() + 2;
    let length = tag[start..].find('"')?;
    let text = &tag[start..start + length];
    Some(text.replace("&amp;", "&").replace("&quot;", "\"").replace("&#39;", "'"))
}
