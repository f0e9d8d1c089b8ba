//! A profile moves from one store to another: written to the new one, read
//! back, and only then removed from the old one.

use super::session::Session;
use super::{CredentialStore, ProfileName, StoreError};

/// A record that stands in both stores.
pub struct CopiedSession {
    /// As it stands in the new store.
    pub session: Session,
    /// What stood in the new store before.
    replaced: Option<Session>,
    /// Two names of one store: what is removed from the old one is gone from the new one too.
    is_same_place: bool,
}

/// Copies the record into the new store, in the place of what may be left
/// there, and reads it back. `None` where the old store has none.
///
/// # Errors
/// [`StoreError`]. Both stores are then as they were, as far as they can be written.
pub fn copy(
    profile: &ProfileName,
    old: &mut dyn CredentialStore,
    new: &mut dyn CredentialStore,
) -> Result<Option<CopiedSession>, StoreError> {
    let Some(session) = old.load(profile)? else {
        return Ok(None);
    };
    new.probe(profile)?;
    // What is damaged there may be replaced, or the trial would have failed
    let replaced = new.load(profile).ok().flatten();
    let newest = replaced.as_ref().map_or(0, |replaced| replaced.generation);
    let session = Session {
        generation: session.generation.max(newest).saturating_add(1),
        ..session
    };
    let written = new.save(profile, &session).and_then(|()| new.load(profile));
    // Not known is not no: the record would be removed from the only place where it is
    let is_same_place = contains(profile, old, &session);
    let copied = CopiedSession {
        session,
        replaced,
        is_same_place: matches!(is_same_place, Ok(true)),
    };
    let error = match written.and_then(|read| is_same_place.map(|_| read)) {
        Ok(Some(read)) if read.is_same_as(&copied.session) => return Ok(Some(copied)),
        Ok(_) => StoreError::NotReadBack {
            profile: profile.clone(),
            store: new.describe(),
        },
        Err(error) => error,
    };
    let _ = copied.undo(profile, new);
    Err(error)
}

impl CopiedSession {
    /// Removes the record from the old store.
    ///
    /// # Errors
    /// [`StoreError`]: then it stands in both.
    pub fn leave(&self, profile: &ProfileName, old: &mut dyn CredentialStore) -> Result<(), StoreError> {
        match self.is_same_place {
            true => Ok(()),
            false => old.delete(profile).map(drop),
        }
    }

    /// Makes the new store what it was before; the old one still is.
    ///
    /// # Errors
    /// [`StoreError`]: then the record stands in both.
    pub fn undo(&self, profile: &ProfileName, new: &mut dyn CredentialStore) -> Result<(), StoreError> {
        if self.is_same_place {
            return Ok(());
        }
        match &self.replaced {
            Some(replaced) => new.save(profile, replaced),
            None => new.delete(profile).map(drop),
        }
    }
}

/// Whether exactly this record is what a store holds. Where it was written to
/// another one, both are the same place.
///
/// # Errors
/// [`StoreError`]: what it holds cannot be read.
pub fn contains(profile: &ProfileName, store: &mut dyn CredentialStore, session: &Session) -> Result<bool, StoreError> {
    let held = store.load(profile)?;
    Ok(held.is_some_and(|held| held.is_same_as(session)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::super::FileStoreError;
    use super::super::session::tests::full_session;
    use super::*;
    use std::collections::HashMap;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Memory {
        items: Arc<Mutex<HashMap<String, Session>>>,
        /// Calls that fail: `load`, `save`, `delete`, `probe`.
        failing: Vec<&'static str>,
        /// Says that it has written, and has not.
        forgetful: bool,
        /// After how many loads each one fails.
        loads: Option<u32>,
    }

    impl Memory {
        fn with(generation: u64) -> Self {
            let memory = Memory::default();
            let mut items = memory.items.lock().unwrap();
            items.insert("work".to_owned(), full_session(generation));
            drop(items);
            memory
        }

        fn generation(&self) -> Option<u64> {
            self.items.lock().unwrap().get("work").map(|session| session.generation)
        }

        fn called(&self, call: &str) -> Result<(), StoreError> {
            match self.failing.contains(&call) {
                true => Err(FileStoreError::TooLarge.into()),
                false => Ok(()),
            }
        }
    }

    impl CredentialStore for Memory {
        fn describe(&self) -> String {
            "memory".to_owned()
        }

        fn name(&self) -> String {
            "memory".to_owned()
        }

        fn load(&mut self, profile: &ProfileName) -> Result<Option<Session>, StoreError> {
            self.called("load")?;
            if let Some(loads) = &mut self.loads {
                *loads = loads.checked_sub(1).ok_or(FileStoreError::TooLarge)?;
            }
            Ok(self.items.lock().unwrap().get(profile.as_str()).cloned())
        }

        fn save(&mut self, profile: &ProfileName, session: &Session) -> Result<(), StoreError> {
            self.called("save")?;
            if !self.forgetful {
                self.items.lock().unwrap().insert(profile.to_string(), session.clone());
            }
            Ok(())
        }

        fn delete(&mut self, profile: &ProfileName) -> Result<bool, StoreError> {
            self.called("delete")?;
            Ok(self.items.lock().unwrap().remove(profile.as_str()).is_some())
        }

        fn probe(&mut self, _profile: &ProfileName) -> Result<(), StoreError> {
            self.called("probe")
        }
    }

    fn work() -> ProfileName {
        ProfileName::parse("work").unwrap()
    }

    #[test]
    fn a_record_moves_whole_over_what_was_left_there() {
        for (mut old, mut new, generation) in [
            (Memory::with(3), Memory::default(), 4),
            (Memory::with(3), Memory::with(7), 8),
        ] {
            let copied = copy(&work(), &mut old, &mut new).unwrap().unwrap();
            assert_eq!((old.generation(), new.generation()), (Some(3), Some(generation)));
            let expected = full_session(generation);
            assert!(new.load(&work()).unwrap().unwrap().is_same_as(&expected));
            copied.leave(&work(), &mut old).unwrap();
            assert_eq!((old.generation(), new.generation()), (None, Some(generation)));
        }
        let nothing = copy(&work(), &mut Memory::default(), &mut Memory::with(1)).unwrap();
        assert!(nothing.is_none());
    }

    #[test]
    fn whatever_fails_the_record_stays_where_it_was() {
        for failing in ["load", "save", "probe"] {
            let mut old = Memory::with(3);
            let mut new = Memory {
                failing: vec![failing],
                ..Memory::default()
            };
            assert!(copy(&work(), &mut old, &mut new).is_err(), "{failing}");
            new.failing.clear();
            assert_eq!((old.generation(), new.generation()), (Some(3), None), "{failing}");
        }
        let mut old = Memory::with(3);
        for left_there in [None, Some(7)] {
            let mut new = Memory {
                forgetful: true,
                ..left_there.map_or_else(Memory::default, Memory::with)
            };
            let error = copy(&work(), &mut old, &mut new).err().unwrap();
            assert!(matches!(error, StoreError::NotReadBack { .. }), "{error:?}");
            assert_eq!((old.generation(), new.generation()), (Some(3), left_there));
        }
        old.failing = vec!["load"];
        assert!(copy(&work(), &mut old, &mut Memory::default()).is_err());
    }

    #[test]
    fn a_copy_is_undone_to_what_was_there() {
        for replaced in [None, Some(7)] {
            let mut old = Memory::with(3);
            let mut new = replaced.map_or_else(Memory::default, Memory::with);
            let copied = copy(&work(), &mut old, &mut new).unwrap().unwrap();
            copied.undo(&work(), &mut new).unwrap();
            assert_eq!((old.generation(), new.generation()), (Some(3), replaced));
        }
    }

    #[test]
    fn two_names_of_one_store_lose_nothing() {
        let mut old = Memory::with(3);
        let mut new = old.clone();
        let copied = copy(&work(), &mut old, &mut new).unwrap().unwrap();
        copied.leave(&work(), &mut old).unwrap();
        assert_eq!(new.generation(), Some(4));
        copied.undo(&work(), &mut new).unwrap();
        assert_eq!(new.generation(), Some(4));
    }

    #[test]
    fn what_may_be_one_store_under_two_names_is_not_moved() {
        let mut new = Memory::with(3);
        let mut old = Memory {
            loads: Some(1),
            ..new.clone()
        };
        assert!(copy(&work(), &mut old, &mut new).is_err());
        assert_eq!(new.generation(), Some(3));
    }
}
