//! Other texts that stand for codes and tokens of this server: too short ones,
//! ones that say too little, ones of another kind.
//!
//! Everything behind the way in knows only the real ones.

use crate::protocol::abnf::base64url;
use crate::protocol::random::{Randomness, RandomnessFailed};
use crate::protocol::time::UnixSeconds;
use crate::secret::Secret;
use crate::server::expiring_map::ExpiringMap;
use crate::server::route::Route;
use sha2::{Digest, Sha256};
use std::sync::{Mutex, PoisonError};

/// Texts that are remembered, at most.
const MAX_ALIASES: usize = 10_000;
/// How long they are; longer than what they stand for.
const ALIAS_S: i64 = 60 * 24 * 3600;

/// How much chance there is in a text.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Entropy {
    /// 32 bits, as 8 hexadecimal digits.
    Bits32,
    /// 144 bits, as 24 characters of BASE64URL.
    Bits144,
}

struct TokenAlias {
    real: Secret,
    /// Where alone it is taken; `None`: everywhere.
    only_at: Option<Route>,
}

/// What stands for what. The texts themselves are kept as hashes.
pub(crate) struct AliasTable(Mutex<ExpiringMap<[u8; 32], TokenAlias>>);

impl AliasTable {
    pub(crate) fn new() -> Self {
        AliasTable(Mutex::new(ExpiringMap::new(MAX_ALIASES)))
    }

    /// What this text stands for at this endpoint.
    pub(crate) fn resolve(&self, now: UnixSeconds, route: Route, text: &str) -> Option<Secret> {
        let aliases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = aliases.get(now, &hash(text))?;
        found
            .only_at
            .is_none_or(|only_at| only_at == route)
            .then(|| found.real.clone())
    }

    /// Lets a text stand for a code or token, everywhere or at one endpoint.
    pub(crate) fn alias(&self, now: UnixSeconds, text: &Secret, real: Secret, only_at: Option<Route>) {
        let mut aliases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let alias = TokenAlias { real, only_at };
        aliases.insert(now, hash(text.expose()), alias, now.plus_seconds(ALIAS_S));
    }

    /// A text with this little randomness that stands for a code or token.
    ///
    /// # Errors
    /// [`RandomnessFailed`].
    pub(crate) fn issue_weak_token(
        &self,
        now: UnixSeconds,
        randomness: &mut dyn Randomness,
        real: Secret,
        entropy: Entropy,
    ) -> Result<Secret, RandomnessFailed> {
        let text = match entropy {
            Entropy::Bits32 => {
                let mut bytes = [0; 4];
                randomness.fill(&mut bytes)?;
                format!("{:08x}", u32::from_be_bytes(bytes))
            }
            Entropy::Bits144 => {
                let mut bytes = [0; 18];
                randomness.fill(&mut bytes)?;
                base64url(&bytes)
            }
        };
        let text = Secret::new(text);
        self.alias(now, &text, real, None);
        Ok(text)
    }
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}
