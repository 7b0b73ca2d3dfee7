//! What a lock says of the code as it is.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use super::Lock;
use super::section::{Edge, Kind, Root, Section};
use super::shape::Shape;
use super::trace::{Named, Traced, Tracer};
use crate::machine::{Graph, SavedTypes, Workflow};

impl Lock {
    /// What the workflow saves as its code is now: its present version, and the older ones whose states it names.
    ///
    /// The types are traced, nothing of the workflow is run.
    #[must_use]
    pub fn of<W: Workflow>() -> Self {
        let mut traces = Traces::default();
        W::saved_types(&mut traces);
        let mut versions = BTreeMap::from([(W::VERSION, traces.section(W::GRAPH))]);
        for leap in W::MIGRATIONS {
            let mut traces = Traces::default();
            if W::old_types(leap.from, &mut traces) {
                versions.insert(leap.from, traces.into_section());
            }
        }
        Self { workflow: W::NAME.to_owned(), versions }
    }
}

/// The types that were told, traced.
#[derive(Debug, Default)]
struct Traces {
    tracer: Tracer,
    traced: BTreeMap<(Kind, String), Traced>,
}

impl SavedTypes for Traces {
    fn saved<T: DeserializeOwned>(&mut self, what: Kind, name: &'static str) {
        // Several handlers may answer one event, all with one type.
        if !self.traced.contains_key(&(what, name.to_owned())) {
            let traced = self.tracer.trace::<T>();
            self.traced.insert((what, name.to_owned()), traced);
        }
    }
}

impl Traces {
    fn into_section(self) -> Section {
        let mut named = Named::default();
        let roots = self.traced.into_iter().map(|(key, traced)| {
            let shape = named.shape(&self.tracer, traced);
            (key, Root { shape, was: Default::default() })
        });
        let roots = roots.collect();
        Section { roots, types: named.types, ..Section::default() }
    }

    /// With what the graph knows: other names, edges, and what could not be traced at all.
    fn section(self, graph: &Graph) -> Section {
        let mut section = self.into_section();
        let states = graph.states.iter().map(|state| (Kind::State, state.name, state.was));
        let events = graph.events.iter().map(|event| (Kind::Event, event.name, event.was));
        let steps = graph.steps.iter().map(|step| (Kind::Step, step.name, NEVER_RENAMED));
        for (kind, name, was) in states.chain(events).chain(steps) {
            let unknown = || Root { shape: Shape::Opaque("not read by serde".to_owned()), was: Default::default() };
            let root = section.roots.entry((kind, name.to_owned())).or_insert_with(unknown);
            root.was = was.iter().map(|was| (*was).to_owned()).collect();
        }
        section.edges = graph
            .edges()
            .map(|edge| Edge {
                from: edge.from.to_owned(),
                to: edge.to.to_owned(),
                handler: edge.handler.name.to_owned(),
            })
            .collect();
        section
    }
}

const NEVER_RENAMED: &[&str] = &[];
