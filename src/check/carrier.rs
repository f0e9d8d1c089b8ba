//! How authorization requests travel: in the URL, as signed objects (RFC 9101),
//! pushed to the server first (RFC 9126), or both. What is wrong with a request
//! that is pushed is answered by the endpoint that it is pushed to, so that an
//! error may come from there instead of the authorization endpoint.

use super::exchange::{Exchange, PushRefusal};
use super::prober::{Carriage, Prober};
use super::report::{Evidence, Failure, inconclusive};
use super::token_requests::UNKNOWN_CLIENT;
use crate::flow::pushed_authorization_request::ParChoice;
use crate::protocol::authorization::{RequestObjectSigner, params_with_object};
use crate::protocol::client::{AuthenticationContext, Client};
use crate::protocol::endpoint::Endpoint;
use crate::protocol::http::HttpRequest;
use crate::protocol::params::Params;

/// What the browser takes, and the push before it.
pub(super) struct Carried {
    pub(super) params: Params,
    pub(super) pushed: Option<Evidence>,
}

/// What it takes to carry requests so.
pub(super) struct Carrier {
    client: Client,
    push_to: Option<Endpoint>,
    signer: Option<RequestObjectSigner>,
}

/// A request that is ready for the browser, or for the endpoint that it is pushed to.
pub(super) enum Parcel {
    /// What the browser takes to the authorization endpoint.
    ForBrowser(Params),
    ToPush(HttpRequest),
}

impl Carrier {
    /// Makes a request ready. Where its client is unknown or not named, no
    /// client could push it; a reference is there already where it has one.
    ///
    /// # Errors
    /// [`Failure::Inconclusive`] where it cannot be made.
    pub(super) fn pack(&self, params: &Params, context: &mut AuthenticationContext<'_>) -> Result<Parcel, Failure> {
        let mut ids = params.all("client_id");
        let client_id = ids.next();
        if client_id.is_none_or(|id| id == UNKNOWN_CLIENT) || params.all("request_uri").next().is_some() {
            return Ok(Parcel::ForBrowser(params.clone()));
        }
        let is_own = client_id == Some(self.client.id.as_str());
        // A claim appears once, so that only a plain request can have the client twice.
        let params = match &self.signer {
            Some(signer) if is_own && ids.next().is_none() => self.sign(params, signer, context)?,
            _ => params.clone(),
        };
        let Some(endpoint) = &self.push_to else {
            return Ok(Parcel::ForBrowser(params));
        };
        let mut form = params;
        let mut request = HttpRequest::post(endpoint.url().clone(), Params::new());
        if is_own {
            let authenticated = self.client.authenticate(&mut request, context);
            authenticated.map_err(|error| Failure::Inconclusive(error.to_string()))?;
            let mut proof = request.take_form();
            proof.remove("client_id");
            form.append(proof);
        }
        request.set_form(form);
        Ok(Parcel::ToPush(request))
    }

    /// The request as a signed object, unless it is one.
    fn sign(
        &self,
        params: &Params,
        signer: &RequestObjectSigner,
        context: &mut AuthenticationContext<'_>,
    ) -> Result<Params, Failure> {
        if params.all("request").next().is_some() {
            return Ok(params.clone());
        }
        let signed = signer.sign_params(params, &self.client.id, context);
        let object = signed.map_err(|error| Failure::Inconclusive(error.to_string()))?;
        Ok(params_with_object(&self.client.id, &object))
    }
}

/// What the browser takes after this answer to a pushed request.
pub(super) fn params_with_reference(pushed: &Exchange) -> Result<Params, PushRefusal> {
    let Some(request_uri) = reference(pushed) else {
        return Err(PushRefusal::new(pushed));
    };
    let mut params = Params::new();
    let form = pushed.request.form();
    let client_id = form.and_then(|form| form.all("client_id").next());
    params.push("client_id", client_id.unwrap_or_default());
    params.push("request_uri", &request_uri);
    Ok(params)
}

/// The reference in the answer to a pushed request.
pub(super) fn reference(exchange: &Exchange) -> Option<String> {
    let object = exchange.object().filter(|_| exchange.status() < 300)?;
    object.get("request_uri")?.as_str().map(str::to_owned)
}

impl Prober<'_, '_> {
    /// As the server's metadata and the user have it.
    pub(super) fn carriage_at_first(&self) -> Carriage {
        let (login, metadata) = (&self.request.login, &self.target.metadata);
        let possible = self.possible_carriage();
        Carriage {
            is_pushed: possible.is_pushed
                && (metadata.require_pushed_authorization_requests || login.par == ParChoice::Always),
            is_signed: possible.is_signed && (metadata.require_signed_request_object || login.request_object),
        }
    }

    /// What else a server may want that refuses requests that travel so: it
    /// need not say so in its metadata where it wants it from this client alone.
    pub(super) fn other_carriages(&self, tried: Carriage) -> Vec<Carriage> {
        let possible = self.possible_carriage();
        let pushed = Carriage {
            is_pushed: true,
            ..tried
        };
        let signed = Carriage {
            is_signed: true,
            ..tried
        };
        let both = Carriage {
            is_pushed: true,
            is_signed: true,
        };
        let mut others = Vec::new();
        for other in [pushed, signed, both] {
            let is_possible = (possible.is_pushed || !other.is_pushed) && (possible.is_signed || !other.is_signed);
            if is_possible && other != tried && !others.contains(&other) {
                others.push(other);
            }
        }
        others
    }

    fn possible_carriage(&self) -> Carriage {
        let metadata = &self.target.metadata;
        Carriage {
            is_pushed: metadata.pushed_authorization_request_endpoint.is_some()
                && self.request.login.par != ParChoice::Never,
            is_signed: self.client.credentials.key.is_some()
                && (metadata.require_signed_request_object
                    || metadata.request_object_signing_alg_values_supported.is_some()),
        }
    }

    /// What requests are carried by.
    ///
    /// # Errors
    /// [`Failure::Inconclusive`] where they cannot be signed.
    pub(super) fn carrier(&self) -> Result<Carrier, Failure> {
        let push_to = match self.carriage.is_pushed {
            true => Some(self.pushed_authorization_request_endpoint()?),
            false => None,
        };
        let signer = match self.carriage.is_signed {
            true => Some(self.request_object_signer()?),
            false => None,
        };
        Ok(Carrier {
            client: self.client.clone(),
            push_to,
            signer,
        })
    }

    /// These parameters as the server wants them pushed: a `request_uri` stays
    /// beside the object that the others are put in.
    ///
    /// # Errors
    /// [`Failure::Inconclusive`] where they cannot be signed.
    pub(super) fn params_to_push(&mut self, params: &Params) -> Result<Params, Failure> {
        let carrier = self.carrier()?;
        let Some(signer) = &carrier.signer else {
            return Ok(params.clone());
        };
        let mut signed = params.clone();
        signed.remove("request_uri");
        let context = &mut self.world.caller.authentication_context();
        let mut object = carrier.sign(&signed, signer, context)?;
        for request_uri in params.all("request_uri") {
            object.push("request_uri", request_uri);
        }
        Ok(object)
    }

    /// What request objects of this client are signed with.
    ///
    /// # Errors
    /// [`Failure::Inconclusive`] where there is no key, or no issuer that they are for.
    pub(super) fn request_object_signer(&self) -> Result<RequestObjectSigner, Failure> {
        let metadata = &self.target.metadata;
        let Some(key) = self.client.credentials.key.clone() else {
            return inconclusive("this needs a client with a key: add --client-key-file FILE");
        };
        let Some(issuer) = &metadata.issuer else {
            return inconclusive("the issuer is not known, for which request objects are made");
        };
        let listed = metadata.request_object_signing_alg_values_supported.as_deref();
        Ok(RequestObjectSigner {
            algorithm: key.algorithm_for_server(listed.unwrap_or_default()),
            key,
            audience: issuer.to_string(),
        })
    }

    /// What the browser takes for a request with these parameters, which is
    /// pushed where the server wants it so, with what was seen then.
    ///
    /// # Errors
    /// [`Failure::Inconclusive`] where it cannot be made or pushed.
    pub(super) fn carry(&mut self, params: &Params) -> Result<Result<Carried, PushRefusal>, Failure> {
        let carrier = self.carrier()?;
        match carrier.pack(params, &mut self.world.caller.authentication_context())? {
            Parcel::ForBrowser(params) => Ok(Ok(Carried { params, pushed: None })),
            Parcel::ToPush(request) => {
                let exchange = self.send(request)?;
                let pushed = Some(exchange.evidence());
                Ok(params_with_reference(&exchange).map(|params| Carried { params, pushed }))
            }
        }
    }
}
