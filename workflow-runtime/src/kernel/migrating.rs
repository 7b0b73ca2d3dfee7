//! Bringing an execution to the version of the code, before anything else of it is done.
//!
//! | the execution | what happens |
//! |---|---|
//! | is of the version of the code, or has ended | nothing |
//! | becomes the same state, by its present name or an old one | the visit goes on: what runs, its journal and its timers stay |
//! | becomes another state | the same, but the state counts as entered now, and its entry handler is to run |
//! | becomes an end state | it ends |
//! | unwinds into a state | that state's data becomes one of the new version, too |
//! | unwinds to be closed or parked | nothing, before that is done |
//! | begins later | its start state becomes one of the new version |
//! | is parked | the same as above, and it stays parked |
//! | cannot be brought there | it is parked as it was, until a retry; what a person asks for is done all the same |
//!
//! Timers stay by the names of their handlers; those that the state has not any more are dropped, and those that are new
//! count from the entry. The inbox and the stack of undos are as they were. All of it is one commit, with what follows.

use super::searching::{QUEUED, index};
use super::{Kernel, MigratedState, NewExecution, Plan};
use crate::base::Timestamp;
use crate::record::{Activity, ErrorKind, ErrorRecord, HistoryKind, UnwindInto};

impl Kernel {
    /// Brings it to the version of `plan`, if it is of an older one.
    pub(super) fn migrate(&mut self, plan: &Plan, now: Timestamp) {
        if !self.is_to_migrate(plan) || self.has_failed_to_migrate() {
            return;
        }
        if let Err(error) = self.try_to_migrate(plan, now)
            && self.record.parked.is_none()
        {
            self.park(error, now);
        }
    }

    /// The same for whoever wants to know why it could not be; what is left of it to do then is up to [`decide`](Self::decide).
    /// Says whether it was of an older version.
    ///
    /// # Errors
    /// If it could not be: then nothing has changed.
    pub fn try_to_migrate(&mut self, plan: &Plan, now: Timestamp) -> Result<bool, ErrorRecord> {
        self.at(now);
        let from = self.record.version;
        if !self.is_to_migrate(plan) {
            return Ok(false);
        }
        let migrated = plan.migrate(from, &self.record.state, &self.record.data)?;
        let into = match &self.record.activity {
            Activity::Unwinding { into: UnwindInto::State { state, data }, .. } => {
                Some(plan.migrate(from, state, data)?)
            }
            _ => None,
        };
        if self.has_failed_to_migrate() {
            self.unpark(now);
        }
        if let (Some(MigratedState { state, data }), Activity::Unwinding { into, .. }) =
            (into, &mut self.record.activity)
        {
            *into = UnwindInto::State { state, data };
        }
        self.become_state(migrated, plan, now);
        Ok(true)
    }

    fn is_to_migrate(&self, plan: &Plan) -> bool {
        let needs_state = match &self.record.activity {
            Activity::Ended => false,
            // Undos know nothing of the state.
            Activity::Unwinding { into, .. } => into.state().is_some(),
            Activity::Entry | Activity::Handler { .. } | Activity::Waiting => true,
        };
        needs_state && self.record.version < plan.version()
    }

    /// Whether it is parked because it could not be brought to a newer version.
    pub(super) fn has_failed_to_migrate(&self) -> bool {
        self.record.parked.as_ref().is_some_and(|parked| parked.error.kind == ErrorKind::Migration)
    }

    /// Whether it has come to another state since it was read, or was about to and could not.
    #[must_use]
    pub fn has_moved(&self) -> bool {
        self.record.visit != self.loaded_visit || self.has_failed_to_migrate()
    }

    fn become_state(&mut self, migrated: MigratedState, plan: &Plan, now: Timestamp) {
        let MigratedState { state, data } = migrated;
        let stays = plan.is_same(&self.record.state, &state);
        let kind = HistoryKind::Migrated {
            from: self.record.version,
            to: plan.version(),
            state: std::mem::replace(&mut self.record.state, state.clone()),
            into: state,
        };
        self.note(kind, now);
        self.record.data = data;
        self.record.version = plan.version();
        self.keep_data();
        let queued = self.record.attributes.remove(QUEUED);
        index(&mut self.record, plan);
        self.record.attributes.extend(queued.map(|queued| (QUEUED.to_owned(), queued)));
        let is_unwinding = matches!(self.record.activity, Activity::Unwinding { .. });
        if self.record.starts_at.is_none() && !is_unwinding {
            if !stays {
                self.come_to_other_state(plan, now);
            }
            self.follow_data(plan, now);
            // In the same commit, or a crash after it would leave a state whose timers nobody has set. What cannot be told is told
            // when they are looked at next.
            if let Some(state) = plan.state(&self.record.state).cloned() {
                let _ = self.add_new_timers(&state, plan);
            }
        }
    }

    /// What an old state has become is entered now, as far as time goes, and goes on with what the old one was doing.
    fn come_to_other_state(&mut self, plan: &Plan, now: Timestamp) {
        let Some(state) = plan.state(&self.record.state).cloned() else { return };
        if state.end {
            self.settle_in(plan, now);
            self.drop_journal(now);
            self.clear_undo();
            self.leave_events(now);
            self.report_end(now);
            return;
        }
        if state.pivot {
            self.clear_undo();
        }
        // A parked one has no time: its timers are moved by all that it was parked for.
        self.record.entered_at = self.record.parked.as_ref().map_or(now, |parked| parked.at);
        if matches!(self.record.activity, Activity::Waiting) && state.entry.is_some() {
            self.record.activity = Activity::Entry;
        }
        if matches!(self.record.activity, Activity::Entry) {
            self.go_on();
        }
        self.look_again_at_inbox();
    }
}

impl NewExecution {
    /// The same of another version than that of the code that it was made with: what it starts in is brought to that when
    /// it is first looked at.
    #[must_use]
    pub fn of_version(mut self, version: u32) -> Self {
        let record = &mut self.record;
        if record.version != version {
            record.version = version;
            record.timers.clear();
            record.attributes.clear();
            record.activity = Activity::Entry;
        }
        self
    }
}
