//! What the kernel needs of a workflow.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::migrating::migrate_record;
use super::{Graph, Timer, Trigger, Workflow, panic_text};
use crate::base::{Error, Name, Timestamp};
use crate::kernel::{AfterPlan, HandlerPlan, OnPlan, Plan, StatePlan, TimerRule};
use crate::record::{ErrorKind, ErrorRecord, ExecutionRecord};

/// What the kernel needs of this workflow.
#[must_use]
pub fn plan<W: Workflow>(workflow: &Arc<W>) -> Plan {
    let workflow = Arc::clone(workflow);
    plan_of(W::GRAPH)
        .with_version(W::VERSION, Arc::new(migrate_record::<W>))
        .with_timers(Arc::new(move |handler, record| due(&*workflow, handler, record)))
}

fn plan_of(graph: &Graph) -> Plan {
    let mut plan = Plan::default();
    plan.set_on_failure(graph.on_failure);
    for event in graph.events {
        for name in std::iter::once(&event.name).chain(event.was) {
            plan.set_policy(name, event.policy);
        }
    }
    for state in graph.states {
        let mut state_plan = StatePlan {
            end: state.end,
            pivot: state.pivot,
            attributes: state.attributes.iter().map(|attribute| attribute.name.to_owned()).collect(),
            ..StatePlan::default()
        };
        for handler in graph.handlers_of(state.name) {
            let of = HandlerPlan { name: Name::constant(handler.name), pure: handler.pure };
            let mut after = |rule, handler| state_plan.after.push(AfterPlan { rule, handler });
            match handler.trigger {
                Trigger::Entry => state_plan.entry = Some(of),
                Trigger::On { event } => {
                    let was = graph.event(event).map_or(&[] as &[&str], |event| event.was);
                    let events = [event].iter().chain(was).map(|name| (*name).to_owned()).collect();
                    state_plan.on.push(OnPlan { events, handler: of });
                }
                Trigger::After { delay } => after(TimerRule::After(delay), of),
                Trigger::AfterFn { .. } => after(TimerRule::Computed, of),
                Trigger::At { .. } => after(TimerRule::At, of),
                Trigger::Every { period } => after(TimerRule::Every(period), of),
                Trigger::Catch { .. } => state_plan.catch.push(of),
            }
        }
        plan.add(state.name, state.was, state_plan);
    }
    plan
}

/// The user's function is run here, outside of any turn, so a panic of it is caught here.
fn due<W: Workflow>(workflow: &W, handler: &str, record: &ExecutionRecord) -> Result<Option<Timestamp>, ErrorRecord> {
    let timer = catch_unwind(AssertUnwindSafe(|| workflow.timer(handler, &record.state, &record.data)));
    let (kind, error) = match timer {
        Ok(Ok(Some(Timer::After(delay)))) => return Ok(Some(record.entered_at + delay)),
        Ok(Ok(Some(Timer::At(due)))) => return Ok(Some(due)),
        Ok(Ok(None)) => return Ok(None),
        Ok(Err(error)) => (ErrorKind::Unreadable, error),
        Err(panic) => (ErrorKind::Panicked, Error::msg(format!("it panicked: {}", panic_text(&*panic)))),
    };
    let error = error.context(format!("the time of the handler `{handler}` cannot be told"));
    Err(ErrorRecord::new(kind, &error))
}
