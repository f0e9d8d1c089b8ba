//! Other texts that stand for codes and tokens of this server: too short ones,
//! ones that say too little, ones of another kind.
//!
//! Everything behind the way in knows only the real ones.

use super::super::authorization_server::AuthorizationServer;
use super::super::bounded::Bounded;
use super::super::route::Route;
use crate::protocol::abnf::base64url;
use crate::protocol::random::{Randomness, RandomnessFailed};
use crate::protocol::time::UnixSeconds;
use crate::secret::Secret;
use sha2::{Digest, Sha256};
use std::sync::{Mutex, PoisonError};

/// Texts that are remembered, at most.
const MAX_STAND_INS: usize = 10_000;
/// How long they are; longer than what they stand for.
const STAND_IN_S: i64 = 60 * 24 * 3600;

/// How much chance there is in a text.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Entropy {
    /// 32 bits, as 8 hexadecimal digits.
    Guessable,
    /// 144 bits, as 24 characters of BASE64URL.
    Middling,
}

struct StandIn {
    real: Secret,
    /// Where alone it is taken; `None`: everywhere.
    only_at: Option<Route>,
}

/// What stands for what. The texts themselves are kept as hashes.
pub(crate) struct StandIns(Mutex<Bounded<[u8; 32], StandIn>>);

impl StandIns {
    pub(crate) fn new() -> Self {
        StandIns(Mutex::new(Bounded::new(MAX_STAND_INS)))
    }

    /// What this text stands for at this endpoint.
    pub(super) fn real(&self, now: UnixSeconds, route: Route, text: &str) -> Option<Secret> {
        let stand_ins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = stand_ins.get(now, &hash(text))?;
        found
            .only_at
            .is_none_or(|only_at| only_at == route)
            .then(|| found.real.clone())
    }

    fn put(&self, now: UnixSeconds, text: &Secret, stand_in: StandIn) {
        let mut stand_ins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stand_ins.insert(now, hash(text.expose()), stand_in, now.plus_seconds(STAND_IN_S));
    }
}

impl AuthorizationServer {
    /// A text of this little chance that stands for a code or token.
    ///
    /// # Errors
    /// [`RandomnessFailed`].
    pub(crate) fn weaken(
        &self,
        now: UnixSeconds,
        randomness: &mut dyn Randomness,
        real: Secret,
        entropy: Entropy,
    ) -> Result<Secret, RandomnessFailed> {
        let text = match entropy {
            Entropy::Guessable => {
                let mut bytes = [0; 4];
                randomness.fill(&mut bytes)?;
                format!("{:08x}", u32::from_be_bytes(bytes))
            }
            Entropy::Middling => {
                let mut bytes = [0; 18];
                randomness.fill(&mut bytes)?;
                base64url(&bytes)
            }
        };
        let text = Secret::new(text);
        self.let_stand_for(now, &text, real, None);
        Ok(text)
    }

    /// Lets a text stand for a code or token, everywhere or at one endpoint.
    pub(crate) fn let_stand_for(&self, now: UnixSeconds, text: &Secret, real: Secret, only_at: Option<Route>) {
        self.stand_ins.put(now, text, StandIn { real, only_at });
    }
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}
