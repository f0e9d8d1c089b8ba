//! Prompts: what a service answers with where it wants to ask a person first.
//! They are run where this run may ask, and dismissed everywhere else.

use super::bus::{Bus, BusError};
use super::failure::{Fault, bus_fault};
use super::names::BUS_NAME;
use super::wire::{Body, Message, MessageType, MethodCall};
use crate::store::keyring::error::{KeyringError, Operation};
use std::time::{Duration, Instant};

const PROMPT_INTERFACE: &str = "org.freedesktop.Secret.Prompt";
/// The path that stands for no object.
const NO_OBJECT: &str = "/";

/// How a person may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PromptPolicy {
    pub(super) is_allowed: bool,
    /// For the person to answer.
    pub(super) deadline: Duration,
    pub(super) call_deadline: Duration,
}

/// Does what the prompt asks for, where `prompt` is one.
pub(super) fn complete(bus: &mut Bus, prompt: &str, policy: PromptPolicy, operation: Operation) -> Result<(), Fault> {
    if prompt == NO_OBJECT {
        return Ok(());
    }
    if !policy.is_allowed {
        dismiss(bus, prompt);
        return Err(Fault::Permanent(match operation {
            Operation::Unlock => KeyringError::Locked,
            _ => KeyringError::PromptNotAllowed { operation },
        }));
    }
    bus.set_deadline(Instant::now() + policy.deadline);
    let answered = run(bus, prompt);
    bus.set_deadline(Instant::now() + policy.call_deadline);
    match answered {
        Ok(true) => Ok(()),
        Ok(false) => Err(Fault::Permanent(match operation {
            Operation::Unlock => KeyringError::UnlockDismissed,
            _ => KeyringError::PromptDismissed { operation },
        })),
        Err(BusError::TimedOut) => {
            dismiss(bus, prompt);
            Err(Fault::Permanent(KeyringError::TimedOut {
                waited_s: policy.deadline.as_secs(),
            }))
        }
        Err(error) => Err(bus_fault(error, operation, policy.deadline)),
    }
}

/// Shows the prompt and waits for the person; whether they did what it asks for.
fn run(bus: &mut Bus, prompt: &str) -> Result<bool, BusError> {
    // The answer can come before the call that shows the prompt has returned
    let completed = format!("type='signal',interface='{PROMPT_INTERFACE}',member='Completed',path='{prompt}'");
    let owner_changed = format!("type='signal',member='NameOwnerChanged',arg0='{BUS_NAME}'");
    for rule in [completed, owner_changed] {
        bus.send_to_bus("AddMatch", Body::new("s", |body| body.string(&rule)));
    }
    // Of no window: a terminal has none that it knows of
    let shown = bus.send(&call(prompt, "Prompt", Body::new("s", |body| body.string(""))));
    bus.answer(shown)?;
    let answer = bus.wait_for(|message| {
        let is_signal = message.message_type == MessageType::Signal;
        is_signal && (is_completion(message, prompt) || message.member == "NameOwnerChanged")
    })?;
    if !is_completion(&answer, prompt) {
        return Err(BusError::Lost(std::io::ErrorKind::ConnectionReset.into()));
    }
    Ok(!answer.body("bv")?.boolean()?)
}

fn is_completion(message: &Message, prompt: &str) -> bool {
    message.member == "Completed" && message.path == prompt
}

/// Tells the service that the prompt will not be shown. What it says to that
/// changes nothing.
fn dismiss(bus: &mut Bus, prompt: &str) {
    let sent = bus.send(&call(prompt, "Dismiss", Body::empty()));
    let _ = bus.answer(sent);
}

fn call<'a>(prompt: &'a str, member: &'a str, body: Body) -> MethodCall<'a> {
    MethodCall {
        destination: BUS_NAME,
        path: prompt,
        interface: PROMPT_INTERFACE,
        member,
        body,
    }
}
