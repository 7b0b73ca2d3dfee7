//! Carries out what executions have done to others.

use std::sync::Arc;

use super::core::Core;
use crate::kernel::{Acknowledged, Command, CommandAnswer, CommandCall, CommandRefused, Kernel, StartCommand};
use crate::record::{ChildCallRecord, ChildEnd, ExecutionKey, ExecutionRecord, OutgoingRecord, ParentRecord};
use crate::store::{Change, Commit, Committed, Refused, StoreError, one_of_many};

/// How many commands are written at once.
const BATCH: usize = 1_000;

type Answer = Result<Acknowledged, CommandRefused>;

impl Core {
    /// Carries out `calls`, in their order. When this returns, what was acknowledged is on disk.
    pub(super) async fn execute(self: &Arc<Self>, calls: Vec<CommandCall>) -> Result<Vec<CommandAnswer>, StoreError> {
        let mut answers = Vec::with_capacity(calls.len());
        let mut calls = calls.into_iter().peekable();
        while calls.peek().is_some() {
            self.execute_batch(calls.by_ref().take(BATCH), &mut answers).await?;
        }
        Ok(answers)
    }

    async fn execute_batch(
        self: &Arc<Self>,
        calls: impl Iterator<Item = CommandCall>,
        answers: &mut Vec<CommandAnswer>,
    ) -> Result<(), StoreError> {
        let (mut commits, mut waiting) = (Vec::new(), Vec::new());
        for CommandCall { key, command } in calls {
            let parent = match &command {
                Command::Start(start) => start.parent.clone(),
                Command::Deliver { .. } => None,
            };
            match self.commit_of(command) {
                Ok(commit) => {
                    waiting.push((key, commit.key.clone(), self.following(&commit), parent));
                    commits.push(commit);
                }
                Err(refused) => answers.push(CommandAnswer { key, result: Err(refused) }),
            }
        }
        if commits.is_empty() {
            return Ok(());
        }
        for ((key, execution, following, parent), result) in waiting.into_iter().zip(self.store.commit(commits).await?)
        {
            self.follow(&execution, following, result == Ok(Committed::Applied));
            let result = match (result, parent) {
                (Ok(Committed::Existed), Some(parent)) => self.check_parent(&execution, &parent).await?,
                (Ok(Committed::Existed), None) => Ok(Acknowledged::Existed),
                (Ok(_), _) => Ok(Acknowledged::Applied),
                (Err(refused), _) => Err(self.refused(refused, &execution)),
            };
            if matches!(result, Ok(Acknowledged::Existed)) {
                self.activate(&execution);
            }
            answers.push(CommandAnswer { key, result });
        }
        Ok(())
    }

    /// Puts the events that an execution has for others into their inboxes. Those that have ended, and those that there are
    /// not, get none.
    pub(super) async fn deliver(
        self: &Arc<Self>,
        from: &ExecutionKey,
        outgoing: &[OutgoingRecord],
    ) -> Result<(), StoreError> {
        for outgoing in outgoing.chunks(BATCH) {
            let mut commits = Vec::with_capacity(outgoing.len());
            for outgoing in outgoing {
                let Some(key) = outgoing.receiver() else { continue };
                if let Some(call) = &outgoing.only_of
                    && !self.has_started(from, call, &key).await?
                {
                    continue;
                }
                commits.push(Commit { key, change: Change::Deliver { event: outgoing.event.clone() } });
            }
            let keys: Vec<_> = commits.iter().map(|commit| commit.key.clone()).collect();
            for (key, result) in keys.iter().zip(self.store.commit(commits).await?) {
                if result.is_ok() {
                    self.activate(key);
                }
            }
        }
        Ok(())
    }

    /// The change that carries out `command`.
    fn commit_of(&self, command: Command) -> Result<Commit, CommandRefused> {
        match command {
            Command::Start(start) => {
                let StartCommand { key, version, state, data, at, parent } = *start;
                let Some((workflow, versions)) = self.registry.get(&key.workflow) else {
                    return Err(CommandRefused::UnknownWorkflow { workflow: key.workflow.to_string() });
                };
                self.check_command_size(&state, data.text().len())?;
                let key = ExecutionKey { workflow: Arc::clone(workflow), id: key.id };
                let now = self.now();
                let plan = versions.of_version(version).plan();
                let new = Kernel::start_at(state, data, plan, at.unwrap_or(now), now).of_version(version);
                let new = new.keeping_state_data(self.keep_state_data);
                let record = ExecutionRecord { parent, ..new.record };
                Ok(Commit { key, change: Change::Create { record: Box::new(record), history: vec![new.history] } })
            }
            Command::Deliver { to, event } => {
                self.check_command_size(&event.name, event.payload.text().len())?;
                Ok(Commit { key: to, change: Change::Deliver { event } })
            }
        }
    }

    fn check_command_size(&self, name: &str, len: usize) -> Result<(), CommandRefused> {
        match self.services.payload_limit {
            limit if len > limit => Err(CommandRefused::TooLarge { name: name.to_owned(), len, limit }),
            _ => Ok(()),
        }
    }

    /// What it means for a start that there is an execution of its key: it is the one that this call has started before,
    /// or another child of the same parent, or somebody else's.
    async fn check_parent(&self, execution: &ExecutionKey, parent: &ParentRecord) -> Result<Answer, StoreError> {
        let taken = || Err(CommandRefused::IdTaken { execution: execution.to_string() });
        let Some(stored) = self.store.load(execution).await? else { return Ok(taken()) };
        Ok(match &stored.record.parent {
            Some(other) if other == parent => Ok(Acknowledged::Existed),
            Some(other) if (&other.workflow, &other.id) != (&parent.workflow, &parent.id) => taken(),
            Some(_) if !parent.reports => Ok(Acknowledged::Existed),
            Some(_) => ChildEnd::of(&stored.record).map(Acknowledged::HadEnded).map_or_else(taken, Ok),
            None => taken(),
        })
    }

    /// Whether this call of `parent` has started an execution. A damaged one is taken for somebody else's: what it is told
    /// would be of no use before a person has looked at it.
    async fn has_started(
        &self,
        parent: &ExecutionKey,
        call: &ChildCallRecord,
        execution: &ExecutionKey,
    ) -> Result<bool, StoreError> {
        let stored = one_of_many(self.store.load(execution).await)?.ok().flatten();
        Ok(stored.and_then(|stored| stored.record.parent).is_some_and(|by| by.is_call(parent, call)))
    }

    fn refused(&self, refused: Refused, execution: &ExecutionKey) -> CommandRefused {
        match refused {
            _ if self.registry.get(&execution.workflow).is_none() => {
                CommandRefused::UnknownWorkflow { workflow: execution.workflow.to_string() }
            }
            Refused::Ended => CommandRefused::Ended { execution: execution.to_string() },
            Refused::Unknown | Refused::Fenced => CommandRefused::UnknownExecution { execution: execution.to_string() },
        }
    }
}
