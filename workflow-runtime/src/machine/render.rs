//! The graph as a picture, in the notations of others.
//!
//! Both notations show the same: a box per state, a pivot marked as one, an arrow per edge, marked "unwinds" where all is
//! undone on the way, and a loop marked "stays" for a handler that may keep the visit. What an arrow says is written by [`label`] alone; each notation adds its own escaping.

mod dot;
mod mermaid;

#[cfg(any(test, feature = "testing"))]
pub(crate) use mermaid::escape as escape_mermaid;

use super::{Graph, HandlerInfo, Trigger};
use crate::base::HumanDuration;

impl Graph {
    /// The graph as a [Mermaid](https://mermaid.js.org) state diagram, which GitHub, GitLab and many editors draw.
    ///
    /// Each arrow is labelled with its handler and what makes it run: `paid · Payment`, `unpaid · after 15m`,
    /// `gave_up · catch ShipError`. The text ends with a newline.
    #[must_use]
    pub fn to_mermaid(&self) -> String {
        mermaid::draw(self)
    }

    /// The graph in the DOT language of [Graphviz](https://graphviz.org), for `dot -Tsvg`.
    ///
    /// Arrows are labelled as in [`to_mermaid`](Self::to_mermaid); the doc comments of states and handlers are tooltips.
    /// The text ends with a newline.
    #[must_use]
    pub fn to_dot(&self) -> String {
        dot::draw(self)
    }
}

/// What stands on the arrows of a handler, not escaped.
fn label(handler: &HandlerInfo) -> String {
    let name = handler.name;
    match handler.trigger {
        Trigger::Entry => name.to_owned(),
        // The built-in event has a mark before its name, which Mermaid would take for something.
        Trigger::On { event } => format!("{name} · {}", event.trim_start_matches('~')),
        Trigger::After { delay } => format!("{name} · after {}", HumanDuration(delay)),
        Trigger::AfterFn { function } => format!("{name} · after {function}"),
        Trigger::At { field } => format!("{name} · at {field}"),
        Trigger::Every { period } => format!("{name} · every {}", HumanDuration(period)),
        Trigger::Catch { error } => format!("{name} · catch {error}"),
    }
}

/// What stands on the arrow of a handler to this state, not escaped.
pub(crate) fn label_to(handler: &HandlerInfo, to: &str) -> String {
    let unwinds = if handler.unwinds_to(to) { " (unwinds)" } else { "" };
    format!("{}{unwinds}", label(handler))
}

/// What stands on the loop of a handler that may keep the visit, not escaped.
pub(crate) fn label_of_stay(handler: &HandlerInfo) -> String {
    format!("{} (stays)", label(handler))
}

#[cfg(test)]
mod tests;
