//! A connection to the bus with a session at the Secret Service: its calls, in
//! the order of the fewest turns, and what their failures mean.

use super::Options;
use super::bus::{Bus, BusError, Greeting, Serial};
use super::encryption::{DIFFIE_HELLMAN, KeyAgreement, PLAIN, Session};
use super::failure::{Fault, bus_fault};
use super::names::{BUS_NAME, COLLECTION, PROPERTIES, SERVICE, SERVICE_PATH};
use super::prompt;
use super::wire::{self, Body, Message, MethodCall};
use crate::store::KeyringSession;
use crate::store::keyring::error::{KeyringError, Operation};
use std::time::{Duration, Instant};

/// A connection to the bus with a session at the service.
pub(super) struct Connection {
    pub(super) bus: Bus,
    pub(super) session: Session,
    pub(super) options: Options,
}

impl Connection {
    /// Connects, searches and opens a session.
    pub(super) fn open(
        options: &Options,
        greeting: Greeting,
        attributes: &[(&str, &str)],
    ) -> Result<(Self, Found), Fault> {
        let call_deadline = options.prompts.call_deadline;
        let fault = |error| bus_fault(error, Operation::Connect, call_deadline);
        let mut bus = Bus::connect(&options.addresses, greeting, Instant::now() + call_deadline).map_err(fault)?;
        let answer = search_first(&mut bus, attributes).map_err(fault)?;
        let is_encrypted =
            options.session == Some(KeyringSession::Encrypted) || (options.session.is_none() && !bus.is_local());
        let session = if is_encrypted {
            open_encrypted(&mut bus, call_deadline)?
        } else {
            let opening = send_open_session(&mut bus, PLAIN, |input| {
                input.variant("s", |variant| variant.string(""))
            });
            open_plain(&mut bus, opening, options)?
        };
        let mut connection = Connection {
            bus,
            session,
            options: options.clone(),
        };
        let found = match answer {
            Some(answer) => connection.found(&answer)?,
            None => connection.search(attributes)?,
        };
        Ok((connection, found))
    }

    pub(super) fn send(&mut self, path: &str, interface: &str, member: &str, body: Body) -> Serial {
        send(&mut self.bus, path, interface, member, body)
    }

    pub(super) fn flush(&mut self, operation: Operation) -> Result<(), Fault> {
        let sent = self.bus.flush();
        sent.map_err(|error| self.fault(error, operation))
    }

    pub(super) fn answer(&mut self, to: Serial, operation: Operation) -> Result<Message, Fault> {
        let answer = self.bus.answer(to);
        answer.map_err(|error| self.fault(error, operation))
    }

    pub(super) fn body<'m>(
        &self,
        answer: &'m Message,
        signature: &str,
        operation: Operation,
    ) -> Result<wire::Reader<'m>, Fault> {
        answer.body(signature).map_err(|error| self.malformed(error, operation))
    }

    pub(super) fn fault(&self, error: BusError, operation: Operation) -> Fault {
        bus_fault(error, operation, self.options.prompts.call_deadline)
    }

    pub(super) fn malformed(&self, error: wire::Malformed, operation: Operation) -> Fault {
        self.fault(error.into(), operation)
    }

    /// A body with a secret in it, and what comes before and after that.
    pub(super) fn secret_body(
        &self,
        signature: &'static str,
        secret: &[u8],
        before: impl FnOnce(&mut wire::Writer),
        after: impl FnOnce(&mut wire::Writer),
    ) -> Result<Body, Fault> {
        let mut is_written = None;
        let body = Body::new(signature, |body| {
            before(body);
            is_written = self.session.write_secret(secret, body);
            after(body);
        });
        is_written.map(|()| body).ok_or_else(no_randomness)
    }

    pub(super) fn search(&mut self, attributes: &[(&str, &str)]) -> Result<Found, Fault> {
        let sent = send_search(&mut self.bus, attributes);
        let answer = self.answer(sent, Operation::Find)?;
        self.found(&answer)
    }

    fn found(&self, answer: &Message) -> Result<Found, Fault> {
        let mut body = self.body(answer, "aoao", Operation::Find)?;
        let paths = body
            .string_array()
            .and_then(|unlocked| Ok((unlocked, body.string_array()?)));
        let (unlocked, locked) = paths.map_err(|error| self.malformed(error, Operation::Find))?;
        Ok(Found { unlocked, locked })
    }

    /// The collection for new items, where there is one.
    pub(super) fn default_collection(&mut self) -> Result<Option<String>, Fault> {
        let name = Body::new("s", |body| body.string("default"));
        let sent = self.send(SERVICE_PATH, SERVICE, "ReadAlias", name);
        let answer = self.answer(sent, Operation::Find)?;
        let path = self.path_of(&answer, Operation::Find)?;
        Ok(Some(path).filter(|path| path != "/"))
    }

    pub(super) fn is_locked(&mut self, collection: &str) -> Result<bool, Fault> {
        let property = Body::new("ss", |body| {
            body.string(COLLECTION);
            body.string("Locked");
        });
        let sent = self.send(collection, PROPERTIES, "Get", property);
        let answer = self.answer(sent, Operation::Find)?;
        let mut body = self.body(&answer, "v", Operation::Find)?;
        let locked = body.variant("b").and_then(|()| body.boolean());
        locked.map_err(|error| self.malformed(error, Operation::Find))
    }

    /// Unlocks a collection or an item. Some services need no prompt for that.
    pub(super) fn unlock(&mut self, path: &str) -> Result<(), Fault> {
        let objects = Body::new("ao", |body| body.array(4, |paths| paths.string(path)));
        let sent = self.send(SERVICE_PATH, SERVICE, "Unlock", objects);
        let answer = self.answer(sent, Operation::Unlock)?;
        let mut body = self.body(&answer, "aoo", Operation::Unlock)?;
        let prompt = body
            .string_array()
            .and_then(|_unlocked| body.string())
            .map_err(|error| self.malformed(error, Operation::Unlock))?;
        self.complete(prompt, Operation::Unlock)
    }

    pub(super) fn complete(&mut self, prompt: &str, operation: Operation) -> Result<(), Fault> {
        prompt::complete(&mut self.bus, prompt, self.options.prompts, operation)
    }

    /// The path that an answer consists of.
    pub(super) fn path_of(&self, answer: &Message, operation: Operation) -> Result<String, Fault> {
        let mut body = self.body(answer, "o", operation)?;
        let path = body.string().map_err(|error| self.malformed(error, operation))?;
        Ok(path.to_owned())
    }
}

fn send(bus: &mut Bus, path: &str, interface: &str, member: &str, body: Body) -> Serial {
    bus.send(&MethodCall {
        destination: BUS_NAME,
        path,
        interface,
        member,
        body,
    })
}

/// The search as the first call, which is waited for: up to version 50,
/// gnome-keyring-daemon makes its record of a client beside the client's first
/// call, and sometimes after it; an OpenSession that comes first then ends the
/// whole daemon (GNOME/gnome-keyring#196). A search that comes before the record
/// is refused, and is `None` here: it is to be repeated.
fn search_first(bus: &mut Bus, attributes: &[(&str, &str)]) -> Result<Option<Message>, BusError> {
    let sent = send_search(bus, attributes);
    match bus.answer(sent) {
        Ok(answer) => Ok(Some(answer)),
        // Where nothing answers, the next call is told the same.
        Err(BusError::Answer { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn send_search(bus: &mut Bus, attributes: &[(&str, &str)]) -> Serial {
    let body = Body::new("a{ss}", |body| body.string_dictionary(attributes));
    send(bus, SERVICE_PATH, SERVICE, "SearchItems", body)
}

fn send_open_session(bus: &mut Bus, algorithm: &str, input: impl FnOnce(&mut wire::Writer)) -> Serial {
    let body = Body::new("sv", |body| {
        body.string(algorithm);
        input(body);
    });
    send(bus, SERVICE_PATH, SERVICE, "OpenSession", body)
}

fn open_plain(bus: &mut Bus, opening: Serial, options: &Options) -> Result<Session, Fault> {
    let call_deadline = options.prompts.call_deadline;
    let fault = |error| bus_fault(error, Operation::Connect, call_deadline);
    match bus.answer(opening) {
        Err(BusError::Answer { name, .. }) if name == "org.freedesktop.DBus.Error.NotSupported" => {
            match options.session {
                None => open_encrypted(bus, call_deadline),
                Some(_) => Err(Fault::Permanent(KeyringError::NoPlainSession)),
            }
        }
        Err(error) => Err(fault(error)),
        Ok(answer) => {
            let path = answer.body("vo").and_then(|mut body| {
                body.variant("s")?;
                body.string()?;
                body.string().map(str::to_owned)
            });
            path.map(Session::plain).map_err(|error| fault(error.into()))
        }
    }
}

fn open_encrypted(bus: &mut Bus, call_deadline: Duration) -> Result<Session, Fault> {
    let fault = |error| bus_fault(error, Operation::Connect, call_deadline);
    let agreement = KeyAgreement::draw().ok_or_else(no_randomness)?;
    let public_key = agreement.public_key();
    let opening = send_open_session(bus, DIFFIE_HELLMAN, |input| {
        input.variant("ay", |variant| variant.byte_array(&public_key));
    });
    let answer = bus.answer(opening).map_err(fault)?;
    let session = answer.body("vo").and_then(|mut body| {
        body.variant("ay")?;
        let service_key = body.byte_array()?;
        agreement.agree(body.string()?.to_owned(), service_key)
    });
    session.map_err(|error| fault(error.into()))
}

fn no_randomness() -> Fault {
    Fault::Permanent(KeyringError::Refused {
        operation: Operation::Write,
        cause: "the system has no randomness".to_owned(),
    })
}

/// The items that a search found.
pub(super) struct Found {
    pub(super) unlocked: Vec<String>,
    pub(super) locked: Vec<String>,
}

impl Found {
    pub(super) fn is_empty(&self) -> bool {
        self.unlocked.is_empty() && self.locked.is_empty()
    }
}
