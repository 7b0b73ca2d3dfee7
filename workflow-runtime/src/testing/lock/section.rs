//! What a lock knows of one version of a workflow.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::shape::{Definition, Shape};
pub(super) use crate::machine::Saved as Kind;

/// One version of a workflow: what it saves, by persisted names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) roots: BTreeMap<(Kind, String), Root>,
    pub(super) edges: BTreeSet<Edge>,
    pub(super) types: BTreeMap<String, Definition>,
}

impl Kind {
    /// In the order of a lock.
    pub(super) const ALL: [Self; 7] =
        [Self::State, Self::Event, Self::Reply, Self::Refusal, Self::Step, Self::Error, Self::Undo];

    /// The word for it in a lock.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Event => "event",
            Self::Reply => "reply",
            Self::Refusal => "refusal",
            Self::Step => "step",
            Self::Error => "error",
            Self::Undo => "undo",
        }
    }

    /// What it is called where a person is told of it.
    pub(super) const fn told(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Event => "event",
            Self::Reply => "the answer to",
            Self::Refusal => "the refusal of",
            Self::Step => "the result of step",
            Self::Error => "the error of step",
            Self::Undo => "the arguments of step",
        }
    }
}

/// What is saved under one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Root {
    pub(super) shape: Shape,
    /// Other names under which it may have been saved before.
    pub(super) was: BTreeSet<String>,
}

/// A way from a state to another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edge {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) handler: String,
}

impl fmt::Display for Edge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` from `{}` to `{}`", self.handler, self.from, self.to)
    }
}

impl Section {
    /// What is saved under this name, now or in former times.
    pub(super) fn find(&self, kind: Kind, name: &str) -> Option<&Root> {
        let key = (kind, name.to_owned());
        self.roots.get(&key).or_else(|| {
            let mut others = self.roots.iter().filter(|((other, _), _)| *other == kind);
            others.find(|(_, root)| root.was.contains(name)).map(|(_, root)| root)
        })
    }

    /// The shape that a type stands for where it is saved as what it holds.
    pub(super) fn bare<'a>(&'a self, shape: &'a Shape) -> &'a Shape {
        let mut shape = shape;
        // A type that holds nothing but itself cannot be made, and is not gone round in.
        for _ in 0..=self.types.len() {
            let Shape::Type(name) = shape else { return shape };
            match self.types.get(name) {
                Some(Definition::Data(super::shape::Content::Newtype(inner))) => shape = inner,
                _ => return shape,
            }
        }
        shape
    }
}
