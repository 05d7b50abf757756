//! Things by number: each different one is kept once, so that states are small.

use std::fmt::{self, Debug};
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use indexmap::{IndexMap, IndexSet};

use super::hash::Fast;

/// The number of a thing in its store.
pub struct Number<T> {
    index: u32,
    of: PhantomData<T>,
}

impl<T> Number<T> {
    fn new(index: usize) -> Self {
        Self {
            index: u32::try_from(index).expect("fewer than four billion things"),
            of: PhantomData,
        }
    }
}

impl<T> Clone for Number<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Number<T> {}

impl<T> PartialEq for Number<T> {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index
    }
}

impl<T> Eq for Number<T> {}

impl<T> Hash for Number<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u32(self.index);
    }
}

impl<T> Debug for Number<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.index)
    }
}

/// Things that can be hashed.
#[derive(Debug)]
pub struct Set<T> {
    things: IndexSet<T, Fast>,
}

impl<T> Default for Set<T> {
    fn default() -> Self {
        Self {
            things: IndexSet::default(),
        }
    }
}

impl<T: Eq + Hash> Set<T> {
    /// The number of a thing.
    pub fn put(&mut self, thing: T) -> Number<T> {
        Number::new(self.things.insert_full(thing).0)
    }

    /// The thing of a number that this set gave out.
    pub fn get(&self, number: Number<T>) -> &T {
        &self.things[number.index as usize]
    }
}

/// Things of the API, which have no hash: each is all that it prints.
#[derive(Debug)]
pub struct Store<T> {
    things: IndexMap<String, T, Fast>,
}

impl<T> Default for Store<T> {
    fn default() -> Self {
        Self {
            things: IndexMap::default(),
        }
    }
}

impl<T: Debug> Store<T> {
    /// The number of a thing.
    pub fn put(&mut self, thing: T) -> Number<T> {
        Number::new(self.things.insert_full(format!("{thing:?}"), thing).0)
    }

    /// The thing of a number that this store gave out.
    pub fn get(&self, number: Number<T>) -> &T {
        &self.things[number.index as usize]
    }

    /// How many different things there are.
    pub fn len(&self) -> usize {
        self.things.len()
    }
}
