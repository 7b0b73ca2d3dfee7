//! The timers of a visit: when they are set, what they are due at, and what becomes of them when they fire.
//!
//! | edge | set | due | after it has fired, and the visit goes on |
//! |---|---|---|---|
//! | `#[after("15m")]` | at the entry | that long after the entry | never again |
//! | `#[after(Self::delay)]` | at the entry | as long after the entry as the data of the entry says | never again |
//! | `#[every("2d")]` | at the entry | that long after the entry | a period after it was due; periods that were missed count as one |
//! | `#[at(field)]` | at the entry, and whenever the field changes | when the field says, if it says so | again when the field changes, or says the same and that is still to come |
//!
//! A parked execution has no time: when it is retried, its timers are as far off as they were, but for `#[at]`.

use std::time::Duration;

use super::{Kernel, Plan, StatePlan, TimerRule};
use crate::base::{Name, Timestamp};
use crate::record::{ErrorRecord, ExecutionRecord, TimerKind, TimerRecord};

impl Kernel {
    /// Timers of edges that the code has got since the state was entered, and of those that could not be told then.
    pub(super) fn add_new_timers(&mut self, state: &StatePlan, plan: &Plan) -> Result<(), ErrorRecord> {
        for edge in &state.after {
            if self.record.timers.iter().all(|timer| timer.handler != edge.handler.name)
                && let Some(timer) = new_timer(&self.record, edge, plan)?
            {
                self.record.timers.push(timer);
                self.changed = true;
            }
        }
        let known = |timer: &TimerRecord| state.after.iter().any(|edge| edge.handler.name == timer.handler);
        if !self.record.timers.iter().all(known) {
            self.record.timers.retain(known);
            self.changed = true;
        }
        Ok(())
    }

    /// Sets the timers anew whose time stands in the data, where it is another one now; and where it is the same one, still to
    /// come, though it has fired: somebody has turned back the clock, and the handler left the time as it was.
    pub(super) fn follow_data(&mut self, plan: &Plan, now: Timestamp) {
        let Some(state) = plan.state(&self.record.state).cloned() else { return };
        for edge in state.after.iter().filter(|edge| edge.rule == TimerRule::At) {
            let name = &edge.handler.name;
            // What cannot be told is missing from now on, which is told when the timers are looked at next.
            let timer = new_timer(&self.record, edge, plan).ok().flatten();
            let before = self.record.timers.iter().position(|before| before.handler == *name);
            match (before.and_then(|index| self.record.timers.get_mut(index)), timer) {
                (Some(before), Some(timer)) if before.due != timer.due || timer.due > now => *before = timer,
                (None, Some(timer)) => self.record.timers.push(timer),
                (Some(_), None) => self.record.timers.retain(|before| before.handler != *name),
                (Some(_), Some(_)) | (None, None) => {}
            }
        }
    }
}

/// Sets the timers of the state that was just entered. Says whether each could be told.
pub(super) fn set_timers(record: &mut ExecutionRecord, state: &StatePlan, plan: &Plan) -> bool {
    let timers: Vec<_> = state.after.iter().map(|edge| new_timer(record, edge, plan)).collect();
    let all = timers.iter().all(Result::is_ok);
    record.timers = timers.into_iter().filter_map(|timer| timer.ok().flatten()).collect();
    all
}

fn new_timer(
    record: &ExecutionRecord,
    edge: &super::AfterPlan,
    plan: &Plan,
) -> Result<Option<TimerRecord>, ErrorRecord> {
    let handler = &edge.handler.name;
    let (kind, due) = match edge.rule {
        TimerRule::After(delay) => (TimerKind::After, Some(record.entered_at + delay)),
        TimerRule::Every(period) => (TimerKind::Every, Some(record.entered_at + period)),
        TimerRule::Computed => (TimerKind::After, plan.due(handler, record)?),
        TimerRule::At => (TimerKind::At, plan.due(handler, record)?),
    };
    Ok(due.map(|due| TimerRecord { handler: handler.clone(), due, fired: false, kind }))
}

/// The timer that has been due the longest; of several, the first declared.
pub(super) fn next_due_timer(record: &ExecutionRecord, now: Timestamp) -> Option<usize> {
    let due = record.timers.iter().enumerate().filter(|(_, timer)| !timer.fired && timer.due <= now);
    due.min_by_key(|(_, timer)| timer.due).map(|(index, _)| index)
}

/// Has the timer that is due fire, and says which handler it runs.
pub(super) fn fire_next(record: &mut ExecutionRecord, state: &StatePlan, now: Timestamp) -> Option<Name> {
    let index = next_due_timer(record, now)?;
    let timer = record.timers.get_mut(index)?;
    let rule = state.after.iter().find(|edge| edge.handler.name == timer.handler).map(|edge| edge.rule);
    match rule {
        Some(TimerRule::Every(period)) => timer.due = next_period(timer.due, period, now),
        _ => timer.fired = true,
    }
    Some(timer.handler.clone())
}

/// The first due time after `now`, in whole periods from `due`: what was missed meanwhile is not made up for.
fn next_period(due: Timestamp, period: Duration, now: Timestamp) -> Timestamp {
    let period = u64::try_from(period.as_millis()).unwrap_or(u64::MAX).max(1);
    let missed = u64::try_from(now.since(due).as_millis()).unwrap_or(u64::MAX) / period;
    due + Duration::from_millis(period.saturating_mul(missed.saturating_add(1)))
}

#[cfg(test)]
#[path = "timers_tests.rs"]
mod tests;
