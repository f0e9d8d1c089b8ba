//! A map whose entries expire and whose size has an upper limit, so that no
//! number of requests makes the server grow. When it is full, the entry that
//! would expire first makes room: a lost entry is an unknown code or token,
//! which is refused.

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
}

struct Entry<V> {
    place: (UnixSeconds, u64),
    value: V,
}

impl<K: Clone + Eq + Hash, V> ExpiringMap<K, V> {
    pub(crate) fn new(capacity: usize) -> Self {
        ExpiringMap {
            capacity,
            inserted: 0,
            entries: HashMap::new(),
            order: BTreeMap::new(),
        }
    }

    /// Puts an entry in that lives until `expires_at`, and sweeps what has expired by `now`.
    pub(crate) fn insert(&mut self, now: UnixSeconds, key: K, value: V, expires_at: UnixSeconds) {
        self.remove(now, &key);
        while let Some(first) = self.order.first_entry() {
            if first.key().0 > now && self.entries.len() < self.capacity {
                break;
            }
            let key = first.remove();
            self.entries.remove(&key);
        }
        self.inserted += 1;
        let place = (expires_at, self.inserted);
        self.order.insert(place, key.clone());
        self.entries.insert(key, Entry { place, value });
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
        (entry.place.0 > now).then_some(entry.value)
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        assert_eq!(self.entries.len(), self.order.len());
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
}
