//! What the kernel needs of a graph.

use super::{Graph, Trigger};
use crate::kernel::{AfterPlan, HandlerPlan, OnPlan, Plan, StatePlan};

/// What the kernel needs of this graph.
#[must_use]
pub fn plan(graph: &Graph) -> Plan {
    let mut plan = Plan::default();
    for state in graph.states {
        let mut state_plan = StatePlan { end: state.end, ..StatePlan::default() };
        for handler in graph.handlers_of(state.name) {
            let of = HandlerPlan { name: handler.name.to_owned(), pure: handler.pure };
            match handler.trigger {
                Trigger::Entry => state_plan.entry = Some(of),
                Trigger::On { event } => {
                    let was = graph.event(event).map_or(&[] as &[&str], |event| event.was);
                    let events = [event].iter().chain(was).map(|name| (*name).to_owned()).collect();
                    state_plan.on.push(OnPlan { events, handler: of });
                }
                Trigger::After { delay } => state_plan.after.push(AfterPlan { delay, handler: of }),
                Trigger::Catch { .. } => state_plan.catch.push(of),
            }
        }
        plan.add(state.name, state.was, state_plan);
    }
    plan
}
