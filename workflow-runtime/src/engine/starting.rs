//! Begins executions: where a place is free, with the record that was committed, and without reading it again.
//!
//! The place is taken before the record is committed, so that whatever is delivered to the execution meanwhile signals it
//! there. What has nothing to do yet takes none.

use std::sync::Arc;

use super::EngineError;
use super::core::Core;
use super::run::Run;
use crate::base::Timestamp;
use crate::record::{ExecutionKey, ExecutionRecord};
use crate::store::{Change, Commit, Committed, Refused, Stored};

/// What is to follow once a commit is answered.
pub(super) enum Following {
    /// A new execution runs, with this place and record. If the commit comes to nothing, the place is given back.
    Run(Reserved),
    /// A new execution has nothing to do before this time, if it ever has by itself.
    Rest(Option<Timestamp>),
    /// The execution is looked at.
    Look,
}

/// A place that is taken for an execution before it is there.
pub(super) struct Reserved {
    core: Arc<Core>,
    run: Option<(Run, Box<Stored>)>,
}

impl Reserved {
    fn begin(mut self) {
        if let Some((run, stored)) = self.run.take() {
            self.core.begin(run, Some(stored));
        }
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let Some((run, _)) = self.run.take() else { return };
        // Somebody may count on the place, as there is an execution of this key already.
        if let Some(run) = run.give_up() {
            self.core.begin(run, None);
        }
    }
}

impl Core {
    /// Begins executions, and says how many of them are new.
    pub(super) async fn start_all(self: &Arc<Self>, commits: Vec<Commit>) -> Result<usize, EngineError> {
        let mut new = 0;
        for (key, result) in self.commit_all(commits).await? {
            new += usize::from(result.map_err(|refused| EngineError::refused(refused, &key))? == Committed::Applied);
        }
        Ok(new)
    }

    /// Commits what makes executions due, has each looked at to which it was applied, and says what became of each.
    pub(super) async fn commit_all(
        self: &Arc<Self>,
        commits: Vec<Commit>,
    ) -> Result<Vec<(ExecutionKey, Result<Committed, Refused>)>, EngineError> {
        let core = Arc::clone(self);
        self.see_through(async move {
            let following: Vec<_> = commits.iter().map(|commit| (commit.key.clone(), core.following(commit))).collect();
            let results = core.commit(commits).await?;
            let all = following.into_iter().zip(results).map(|((key, following), result)| {
                core.follow(&key, following, result == Ok(Committed::Applied));
                (key, result)
            });
            Ok(all.collect())
        })
        .await
    }

    /// What is to follow this commit, with a place for it if that is an execution that runs.
    pub(super) fn following(self: &Arc<Self>, commit: &Commit) -> Following {
        let Change::Create { record, .. } = &commit.change else { return Following::Look };
        let wake_at = record.wake_at();
        if wake_at.is_none_or(|wake_at| wake_at > self.now()) {
            return Following::Rest(wake_at);
        }
        let run = self.registry.get(&commit.key.workflow).and_then(|(_, versions)| {
            let place = self.active.reserve(&commit.key)?;
            Some(Run::new(Arc::clone(self), Arc::clone(versions), place))
        });
        match run {
            Some(run) => Following::Run(Reserved {
                core: Arc::clone(self),
                run: Some((run, Box::new(Stored::new(ExecutionRecord::clone(record))))),
            }),
            None => Following::Look,
        }
    }

    /// Does what follows a commit that was applied; else gives back what was taken for it.
    pub(super) fn follow(self: &Arc<Self>, key: &ExecutionKey, following: Following, is_applied: bool) {
        match following {
            _ if !is_applied => {}
            Following::Run(reserved) => reserved.begin(),
            Following::Rest(wake_at) => wake_at.into_iter().for_each(|wake_at| self.alarm.set(wake_at)),
            Following::Look => {
                self.activate(key);
            }
        }
    }
}
