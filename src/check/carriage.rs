//! In which way the server takes the authorization requests of this client.

use super::exchange::Outcome;
use super::prober::Prober;
use super::report::Failure;
use crate::trace::Event;

/// The answer to a good request, which travels in the first way that the server
/// takes.
pub(super) fn first_answer(prober: &mut Prober<'_, '_>) -> Result<Outcome, Failure> {
    let at_first = prober.carriage_at_first();
    prober.carriage = at_first;
    let first = ask_plainly(prober)?;
    if is_refusal(&first) {
        for other in prober.other_carriages(at_first) {
            prober.carriage = other;
            if let Ok(outcome) = ask_plainly(prober)
                && !is_refusal(&outcome)
            {
                announce_carriage(prober);
                return Ok(outcome);
            }
        }
        prober.carriage = at_first;
    }
    announce_carriage(prober);
    Ok(first)
}

fn ask_plainly(prober: &mut Prober<'_, '_>) -> Result<Outcome, Failure> {
    let probe = prober.probe()?;
    prober.authorize(&probe)
}

fn is_refusal(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Redirect(response) => !response.grants() && response.value("response").is_none(),
        Outcome::Error(page) => !page.is_outage(),
        Outcome::PushRefused(refusal) => !refusal.is_outage(),
        Outcome::Page => false,
    }
}

fn announce_carriage(prober: &mut Prober<'_, '_>) {
    let note = match (prober.carriage.is_pushed, prober.carriage.is_signed) {
        (false, false) => return,
        (true, false) => "authorization requests are pushed, also those that the server should refuse (RFC 9126)",
        (false, true) => "authorization requests are signed (RFC 9101)",
        (true, true) => {
            "authorization requests are signed and pushed, also those that the server should refuse (RFC 9101, RFC 9126)"
        }
    };
    prober.world.caller.observe(&Event::Note(note));
}
