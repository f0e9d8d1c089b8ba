//! Forms that are posted to endpoints that are not for browsers.

use crate::protocol::params::Params;
use crate::secret::Secret;
use crate::server::message::{MAX_PARAMETERS, Request};
use crate::server::rejection::Rejection;

/// The form of a POST: no query, the right media type, no parameter twice.
pub(super) fn parse_form(http: &Request, citation: &'static str) -> Result<Params, Rejection> {
    if http.query.is_some() {
        let reason = "parameters belong in the body, not in the query";
        return Err(Rejection::new(reason, citation));
    }
    let form = http.form_params().ok_or_else(|| {
        let reason = "the body is not a form in UTF-8 with Content-Type application/x-www-form-urlencoded";
        Rejection::new(reason, citation)
    })?;
    if form.iter().count() > MAX_PARAMETERS {
        let reason = format!("there are more than {MAX_PARAMETERS} parameters");
        return Err(Rejection::new(reason, citation));
    }
    match form.first_repeated() {
        Some(repeated) => Err(Rejection::from_text(&repeated.to_string(), citation)),
        None => Ok(form),
    }
}

/// The parameter `token` of a revocation or introspection request.
pub(super) fn required_token(form: &Params, citation: &'static str) -> Result<Secret, Rejection> {
    let token = form.single("token").ok().flatten();
    token
        .map(Secret::from)
        .ok_or_else(|| Rejection::new("token is missing", citation))
}
