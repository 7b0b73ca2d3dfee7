//! An audit exporter for any workflow: its definition, and what its executions did, as JSON lines.
//!
//! It knows no workflow. Everything comes from the traits that `#[workflow]` implements.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::marker::PhantomData;

use serde::Serialize;
use workflow_runtime::record::{Cause, HistoryKind};
use workflow_runtime::store::Query;
use workflow_runtime::{Engine, EngineError, Transition, Workflow, WorkflowState};

/// Exports the executions of `W`.
#[derive(Debug)]
pub struct Exporter<W> {
    /// Every edge, by the handler that takes it and the state it enters.
    edges: BTreeMap<(&'static str, &'static str), String>,
    workflow: PhantomData<fn() -> W>,
}

/// One execution, as it is exported.
#[derive(Serialize)]
#[serde(bound = "S: Serialize")]
struct Line<'a, S> {
    id: &'a str,
    state: S,
    ended: bool,
    took: Vec<String>,
}

impl<W: Workflow> Default for Exporter<W> {
    fn default() -> Self {
        let edges = W::Transition::ALL.iter().map(|edge| ((edge.handler(), edge.to()), format!("{edge:?}")));
        Self { edges: edges.collect(), workflow: PhantomData }
    }
}

impl<W: Workflow> Exporter<W> {
    /// The definition: one line a state, one line an edge.
    #[must_use]
    pub fn definition(&self) -> String {
        let mut text = String::new();
        for state in W::GRAPH.states {
            let kind = if state.end { "end" } else { "state" };
            writeln!(text, "{kind} {}: {}", state.name, state.doc.trim()).unwrap();
        }
        for edge in W::Transition::ALL {
            writeln!(text, "edge {edge:?}: {} to {} by {}", edge.from(), edge.to(), edge.handler()).unwrap();
        }
        text
    }

    /// Every execution of `W`, one line each, in the order of their ids.
    ///
    /// # Errors
    /// Those of the engine.
    pub async fn export(&self, engine: &Engine) -> Result<Vec<String>, EngineError> {
        let mut lines = Vec::new();
        let mut query = Query::of::<W>();
        loop {
            let page = engine.list(&query).await?;
            for summary in &page.executions {
                let execution = engine.execution::<W>(summary.id.as_str())?;
                let state = execution.state().await?;
                let mut took = Vec::new();
                for row in execution.history(0, usize::MAX).await? {
                    if let HistoryKind::Transition { to, cause, from, .. } = row.record.kind {
                        took.push(self.edge(&from, &to, &cause));
                    }
                }
                let ended = state.is_end();
                let line = Line { id: summary.id.as_str(), state, ended, took };
                lines.push(serde_json::to_string(&line).unwrap());
            }
            match page.next {
                Some(next) => query = query.after(next),
                None => return Ok(lines),
            }
        }
    }

    /// The name of the edge that was taken, or what the code does not have any more.
    fn edge(&self, from: &str, to: &str, cause: &Cause) -> String {
        let entry = W::GRAPH.handlers_of(from).find(|handler| handler.trigger == workflow_runtime::Trigger::Entry);
        let handler = match cause {
            Cause::Event { handler, .. } | Cause::Timer { handler } | Cause::Caught { handler, .. } => handler.as_str(),
            _ => entry.map_or("", |handler| handler.name),
        };
        let edge = self.edges.iter().find(|((by, target), _)| *by == handler && *target == to);
        edge.map_or_else(|| format!("unknown: {from} to {to} by {handler}"), |(_, name)| name.clone())
    }
}
