//! The resource owner, scripted over HTTP for an unattended demo: what a
//! browser and the person before it would do with each page of this server.
//!
//! Invariant: no IO. Each answer of the server goes in, the next request comes
//! out, until the browser would go back to the client. The forms are found in
//! the HTML of the pages, so what a person could not click is not sent.

use super::html::unescape;
use super::settings::users::User;
use crate::protocol::endpoint::Issuer;
use crate::protocol::http::{HeaderValue, HttpRequest, HttpResponse};
use crate::protocol::params::Params;
use crate::secret::Secret;
use url::Url;

/// More pages than the way through this server has.
const MAX_STEPS: u32 = 10;

/// Someone with an account, a browser, and no doubts.
pub struct ScriptedUser {
    user: User,
    issuer: Url,
    cookies: Vec<(String, Secret)>,
    steps: u32,
}

/// What the resource owner does next.
#[derive(Debug)]
pub enum Step {
    /// The browser follows a redirect within the server.
    Follow(HttpRequest),
    /// User name and password are typed and sent.
    SignIn(HttpRequest),
    Consent(HttpRequest),
    /// The browser goes back to the client: the client's listener gets this URL.
    Callback(Url),
}

/// Why the resource owner does not know what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnexpectedPage {
    /// No page and no redirect.
    #[error("the authorization server answered the browser with status {0}")]
    Status(u16),
    /// A redirect to nowhere.
    #[error("the authorization server redirected the browser to no URL")]
    Location,
    /// A page without a form to sign in or to consent.
    #[error("the authorization server showed a page that is neither sign-in nor consent")]
    Page,
    /// The account does not exist.
    #[error("the authorization server did not take the user name and password")]
    WrongPassword,
    #[error("the authorization server showed more than {MAX_STEPS} pages")]
    TooManySteps,
}

impl ScriptedUser {
    /// Someone with this account at the server with this issuer.
    pub fn new(issuer: &Issuer, user: User) -> Self {
        ScriptedUser {
            user,
            issuer: issuer.url().clone(),
            cookies: Vec::new(),
            steps: 0,
        }
    }

    /// Opens the authorization URL.
    pub fn open(&self, authorization_url: Url) -> HttpRequest {
        self.request(authorization_url, None)
    }

    /// Looks at what came back for the request to `url`.
    ///
    /// # Errors
    /// [`UnexpectedPage`].
    pub fn next(&mut self, url: &Url, response: &HttpResponse) -> Result<Step, UnexpectedPage> {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            return Err(UnexpectedPage::TooManySteps);
        }
        for (_, cookie) in response.headers.iter().filter(|(name, _)| name == "set-cookie") {
            self.keep_cookie(cookie);
        }
        if (300..400).contains(&response.status) {
            let location = response.header("location").and_then(|location| url.join(location).ok());
            let location = location.ok_or(UnexpectedPage::Location)?;
            return Ok(if location.origin() == self.issuer.origin() {
                Step::Follow(self.request(location, None))
            } else {
                Step::Callback(location)
            });
        }
        let html = std::str::from_utf8(response.body.expose()).map_err(|_| UnexpectedPage::Page)?;
        let form = Form::find(html).ok_or(if response.status == 200 {
            UnexpectedPage::Page
        } else {
            UnexpectedPage::Status(response.status)
        })?;
        let action = url.join(&form.action).map_err(|_| UnexpectedPage::Page)?;
        let mut params = form.hidden;
        if form.has_password {
            if response.status != 200 {
                return Err(UnexpectedPage::WrongPassword);
            }
            params.push("username", &self.user.name);
            params.push("password", self.user.password.expose());
            Ok(Step::SignIn(self.request(action, Some(params))))
        } else if form.can_allow {
            params.push("decision", "allow");
            Ok(Step::Consent(self.request(action, Some(params))))
        } else {
            Err(UnexpectedPage::Page)
        }
    }

    fn request(&self, url: Url, form: Option<Params>) -> HttpRequest {
        let mut request = match form {
            None => HttpRequest::get(url),
            Some(form) => HttpRequest::post(url, form),
        };
        request.headers = vec![("accept".into(), HeaderValue::Plain("text/html".into()))];
        if !self.cookies.is_empty() {
            let pairs = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={}", value.expose()));
            let cookie = Secret::new(pairs.collect::<Vec<_>>().join("; "));
            request.push_header("cookie", HeaderValue::Secret(cookie));
        }
        request
    }

    fn keep_cookie(&mut self, header: &str) {
        let pair = header.split(';').next().unwrap_or_default();
        if let Some((name, value)) = pair.split_once('=') {
            self.cookies.retain(|(own, _)| own != name);
            self.cookies.push((name.to_owned(), Secret::from(value)));
        }
    }
}

/// The one form of a page of this server.
struct Form {
    action: String,
    hidden: Params,
    has_password: bool,
    can_allow: bool,
}

impl Form {
    fn find(html: &str) -> Option<Self> {
        let (_, rest) = html.split_once("<form ")?;
        let (form, _) = rest.split_once("</form>")?;
        let mut tags = form.split('<');
        let action = attribute(tags.next()?, "action")?;
        let mut hidden = Params::new();
        let mut has_password = false;
        let mut can_allow = false;
        for tag in tags {
            let kind = attribute(tag, "type");
            let (name, value) = (attribute(tag, "name"), attribute(tag, "value"));
            match (kind.as_deref(), name, value) {
                (Some("hidden"), Some(name), Some(value)) => hidden.push(&name, &value),
                (Some("password"), ..) => has_password = true,
                (None, Some(name), Some(value)) if name == "decision" && value == "allow" => can_allow = true,
                _ => {}
            }
        }
        Some(Form {
            action,
            hidden,
            has_password,
            can_allow,
        })
    }
}

/// The value of an attribute, quoted as our pages quote it.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!("{name}=\""))?;
    let (value, _) = rest.split_once('"')?;
    Some(unescape(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_without_a_form_is_told() {
        assert!(Form::find("<h1>no</h1>").is_none());
        let form = Form::find(
            "<form method=\"post\" action=\"/a?b=1&amp;c=2\"><input type=\"hidden\" name=\"csrf\" value=\"x\"></form>",
        );
        let form = form.unwrap();
        assert_eq!(form.action, "/a?b=1&c=2");
        assert_eq!(form.hidden.single("csrf"), Ok(Some("x")));
        assert!(!form.has_password && !form.can_allow);
    }
}
