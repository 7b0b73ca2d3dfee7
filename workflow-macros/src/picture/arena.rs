//! A list whose places are named by ids of their own type.

use std::cmp::Ordering;
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

/// Where something is in an [`Arena`] of `T`.
pub(super) struct Id<T> {
    index: usize,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Id<T> {}

impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index
    }
}

impl<T> Eq for Id<T> {}

impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.index.cmp(&other.index)
    }
}

/// A list that only grows, so that an id stays good. One diagram has one arena of a type, so ids are not mixed up.
pub(super) struct Arena<T> {
    items: Vec<T>,
}

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Self { items: Vec::new() }
    }
}

impl<T> Arena<T> {
    pub(super) fn push(&mut self, item: T) -> Id<T> {
        self.items.push(item);
        Id { index: self.items.len() - 1, of: PhantomData }
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.items.iter()
    }

    pub(super) fn ids(&self) -> impl DoubleEndedIterator<Item = Id<T>> + use<T> {
        (0..self.items.len()).map(|index| Id { index, of: PhantomData })
    }
}

impl<T> Index<Id<T>> for Arena<T> {
    type Output = T;

    #[allow(clippy::indexing_slicing, reason = "an id is made by `push` and `ids` alone, and nothing is ever removed")]
    fn index(&self, id: Id<T>) -> &T {
        &self.items[id.index]
    }
}

impl<T> IndexMut<Id<T>> for Arena<T> {
    #[allow(clippy::indexing_slicing, reason = "an id is made by `push` and `ids` alone, and nothing is ever removed")]
    fn index_mut(&mut self, id: Id<T>) -> &mut T {
        &mut self.items[id.index]
    }
}

/// A value of `V` for each item of an [`Arena`] of `T`.
pub(super) struct Column<T, V> {
    values: Vec<V>,
    of: PhantomData<fn() -> T>,
}

impl<T, V: Clone> Column<T, V> {
    /// The same value for each item that the arena has by now.
    pub(super) fn new(arena: &Arena<T>, value: V) -> Self {
        Self { values: vec![value; arena.items.len()], of: PhantomData }
    }
}

impl<T, V> Column<T, V> {
    pub(super) fn from_fn(arena: &Arena<T>, value: impl FnMut(Id<T>) -> V) -> Self {
        Self { values: arena.ids().map(value).collect(), of: PhantomData }
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.values.iter()
    }
}

impl<T, V> Index<Id<T>> for Column<T, V> {
    type Output = V;

    #[allow(clippy::indexing_slicing, reason = "a column is as long as the arena that the ids are from")]
    fn index(&self, id: Id<T>) -> &V {
        &self.values[id.index]
    }
}

impl<T, V> IndexMut<Id<T>> for Column<T, V> {
    #[allow(clippy::indexing_slicing, reason = "a column is as long as the arena that the ids are from")]
    fn index_mut(&mut self, id: Id<T>) -> &mut V {
        &mut self.values[id.index]
    }
}
