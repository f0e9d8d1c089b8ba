//! A map whose entries expire and whose size has an upper limit, so that no
//! number of requests makes the server grow.
//!
//! When it is full, one of two rules decides. `insert` drops the entry that
//! would expire first: for what only the authenticated can fill.
//! `insert_fairly` replaces no entries of others: for what anyone
//! can fill.

use crate::protocol::time::UnixSeconds;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// An expiring map with at most `capacity` entries.
pub(crate) struct ExpiringMap<K, V> {
    capacity: usize,
    inserted: u64,
    entries: HashMap<K, Entry<V>>,
    /// By the second of expiry, then by age.
    order: BTreeMap<(UnixSeconds, u64), K>,
    /// How many entries each owner has, of those that were inserted fairly.
    shares: HashMap<Owner, usize>,
}

struct Entry<V> {
    place: (UnixSeconds, u64),
    owner: Option<Owner>,
    value: V,
}

/// On whose behalf an entry was put in, such as the hash of a redirect URI.
pub(crate) type Owner = [u8; 32];

/// The map is full, and the owner has no smaller share of it than others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many requests are pending")]
pub(crate) struct Full;

impl<K: Clone + Eq + Hash, V> ExpiringMap<K, V> {
    pub(crate) fn new(capacity: usize) -> Self {
        ExpiringMap {
            capacity,
            inserted: 0,
            entries: HashMap::new(),
            order: BTreeMap::new(),
            shares: HashMap::new(),
        }
    }

    /// Puts an entry in that lives until `expires_at`. A full map drops the
    /// entry that would expire first.
    pub(crate) fn insert(&mut self, now: UnixSeconds, key: K, value: V, expires_at: UnixSeconds) {
        self.remove(now, &key);
        self.sweep(now);
        while self.entries.len() >= self.capacity
            && let Some((_, first)) = self.order.first_key_value()
        {
            let first = first.clone();
            self.remove(now, &first);
        }
        self.put(key, value, expires_at, None);
    }

    /// The same for an owner. A full map drops the newest entry of the owner
    /// with the most entries, if that is another one.
    ///
    /// # Errors
    /// [`Full`], if it is this owner: what is in the map stays.
    pub(crate) fn insert_fairly(
        &mut self,
        now: UnixSeconds,
        key: K,
        value: V,
        expires_at: UnixSeconds,
        owner: Owner,
    ) -> Result<(), Full> {
        self.sweep(now);
        if self.entries.len() >= self.capacity {
            let own = self.shares.get(&owner).copied().unwrap_or_default();
            let largest = self.shares.values().copied().max().unwrap_or_default();
            if own >= largest {
                return Err(Full);
            }
            self.drop_newest_of_share(now, largest);
        }
        self.put(key, value, expires_at, Some(owner));
        Ok(())
    }

    fn put(&mut self, key: K, value: V, expires_at: UnixSeconds, owner: Option<Owner>) {
        self.inserted += 1;
        let place = (expires_at, self.inserted);
        if let Some(owner) = owner {
            *self.shares.entry(owner).or_default() += 1;
        }
        self.order.insert(place, key.clone());
        self.entries.insert(key, Entry { place, owner, value });
    }

    fn sweep(&mut self, now: UnixSeconds) {
        while let Some(((expires_at, _), first)) = self.order.first_key_value() {
            if *expires_at > now {
                break;
            }
            let first = first.clone();
            self.remove(now, &first);
        }
    }

    /// Drops the newest entry among those of owners with this many entries.
    fn drop_newest_of_share(&mut self, now: UnixSeconds, share: usize) {
        let has_share = |key: &K| {
            let owner = self.entries.get(key).and_then(|entry| entry.owner);
            owner.is_some_and(|owner| self.shares.get(&owner) == Some(&share))
        };
        let newest = self.order.values().rev().find(|key| has_share(key)).cloned();
        if let Some(newest) = newest {
            self.remove(now, &newest);
        }
    }

    /// The entry, unless it has expired.
    pub(crate) fn get_mut(&mut self, now: UnixSeconds, key: &K) -> Option<&mut V> {
        self.entries
            .get_mut(key)
            .filter(|entry| entry.place.0 > now)
            .map(|entry| &mut entry.value)
    }

    /// All values that have not expired.
    pub(crate) fn values(&self, now: UnixSeconds) -> impl Iterator<Item = &V> {
        let living = self.entries.values().filter(move |entry| entry.place.0 > now);
        living.map(|entry| &entry.value)
    }

    /// Removes every entry whose value this holds for.
    pub(crate) fn remove_where(&mut self, now: UnixSeconds, holds: impl Fn(&V) -> bool) {
        let found = self.entries.iter().filter(|(_, entry)| holds(&entry.value));
        let keys: Vec<K> = found.map(|(key, _)| key.clone()).collect();
        for key in keys {
            self.remove(now, &key);
        }
    }

    /// All values, for a change that concerns many.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.entries.values_mut().map(|entry| &mut entry.value)
    }

    /// The entry, unless it has expired.
    pub(crate) fn get(&self, now: UnixSeconds, key: &K) -> Option<&V> {
        self.entries
            .get(key)
            .filter(|entry| entry.place.0 > now)
            .map(|entry| &entry.value)
    }

    /// Lets an entry live until `expires_at`, if that is later than before.
    pub(crate) fn extend(&mut self, key: &K, expires_at: UnixSeconds) {
        if let Some(entry) = self.entries.get_mut(key)
            && entry.place.0 < expires_at
        {
            let place = (expires_at, entry.place.1);
            if let Some(key) = self.order.remove(&entry.place) {
                self.order.insert(place, key);
            }
            entry.place = place;
        }
    }

    /// Takes the entry out; `None` where there is none or it has expired.
    pub(crate) fn remove(&mut self, now: UnixSeconds, key: &K) -> Option<V> {
        let entry = self.entries.remove(key)?;
        self.order.remove(&entry.place);
        if let Some(owner) = entry.owner
            && let Some(share) = self.shares.get_mut(&owner)
        {
            *share -= 1;
            if *share == 0 {
                self.shares.remove(&owner);
            }
        }
        (entry.place.0 > now).then_some(entry.value)
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        assert_eq!(self.entries.len(), self.order.len());
        let owned = self.entries.values().filter(|entry| entry.owner.is_some()).count();
        assert_eq!(self.shares.values().sum::<usize>(), owned);
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> UnixSeconds {
        UnixSeconds(seconds)
    }

    #[test]
    fn entries_expire_and_are_swept() {
        let mut map = ExpiringMap::new(10);
        map.insert(at(0), "a", 1, at(60));
        assert_eq!(map.get(at(59), &"a"), Some(&1));
        assert_eq!(map.get(at(60), &"a"), None);
        assert_eq!(map.get_mut(at(60), &"a"), None);
        map.insert(at(60), "b", 2, at(120));
        assert_eq!(map.len(), 1);
        assert_eq!(map.remove(at(120), &"b"), None);
        assert_eq!(map.len(), 0);
    }

    #[test]
    fn a_full_map_drops_what_would_expire_first() {
        let mut map = ExpiringMap::new(3);
        for (key, expires_at) in [("a", 90), ("b", 60), ("c", 60), ("d", 70)] {
            map.insert(at(0), key, (), at(expires_at));
        }
        assert_eq!(map.len(), 3);
        assert!(map.get(at(0), &"b").is_none() && map.get(at(0), &"c").is_some());
        map.extend(&"c", at(100));
        map.insert(at(0), "e", (), at(65));
        assert!(map.get(at(0), &"d").is_none() && map.get(at(99), &"c").is_some());
        for key in 0..100_000 {
            map.insert(at(0), Box::leak(key.to_string().into_boxed_str()), (), at(60));
        }
        assert_eq!(map.len(), 3);
    }

    #[test]
    fn an_entry_put_in_twice_stands_once() {
        let mut map = ExpiringMap::new(3);
        map.insert(at(0), "a", 1, at(60));
        map.insert(at(0), "a", 2, at(30));
        assert_eq!(map.len(), 1);
        assert_eq!(map.get(at(29), &"a"), Some(&2));
    }

    #[test]
    fn the_entries_of_one_owner_never_push_out_those_of_another() {
        const CAPACITY: u32 = 100;
        let honest = [1; 32];
        for attacker in [
            (|_| [2; 32]) as fn(u32) -> Owner,
            |key| {
                let mut owner = [0; 32];
                owner[..4].copy_from_slice(&key.to_le_bytes());
                owner
            },
            |_| [1; 32],
        ] {
            let mut map = ExpiringMap::new(CAPACITY as usize);
            map.insert_fairly(at(0), 0, (), at(60), honest).unwrap();
            for key in 2..CAPACITY * 12 {
                let _ = map.insert_fairly(at(0), key, (), at(60), attacker(key));
            }
            assert_eq!(map.len(), CAPACITY as usize);
            assert!(map.get(at(59), &0).is_some());
        }
    }

    #[test]
    fn a_full_map_has_room_for_an_owner_with_a_smaller_share_and_for_all_after_expiry() {
        let (many, few) = ([1; 32], [2; 32]);
        let mut map = ExpiringMap::new(4);
        for key in 0..4 {
            map.insert_fairly(at(0), key, (), at(60), many).unwrap();
        }
        assert_eq!(map.insert_fairly(at(0), 4, (), at(60), many), Err(Full));
        map.insert_fairly(at(0), 5, (), at(60), few).unwrap();
        map.insert_fairly(at(0), 6, (), at(60), few).unwrap();
        assert!(map.get(at(0), &0).is_some() && map.get(at(0), &1).is_some());
        assert!(map.get(at(0), &2).is_none() && map.get(at(0), &3).is_none());
        assert_eq!(map.insert_fairly(at(0), 7, (), at(60), few), Err(Full));
        map.insert_fairly(at(60), 8, (), at(120), many).unwrap();
        assert_eq!(map.len(), 1);
    }
}
