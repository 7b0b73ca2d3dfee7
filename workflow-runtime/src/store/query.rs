//! What can be asked of a store without running anything.

use std::sync::Arc;
use std::time::Duration;

use crate::base::{ExecutionId, Timestamp};
use crate::machine::{State, Workflow};
use crate::record::{
    AttributeValue, ErrorKind, ErrorRecord, ExecutionKey, FIRST_VERSION, FailingRecord, HistoryRecord, Status,
};

/// Which executions to list. The default is all of them, 100 to a page.
///
/// ```
/// # use workflow_runtime::prelude::*;
/// # #[state] pub struct Draft;
/// # #[state(end)] pub struct Published;
/// # pub struct Article;
/// # #[workflow(start = Draft)]
/// # impl Article {
/// #     #[state] fn publish(&self, _: Draft) -> Published { Published }
/// # }
/// # workflow_runtime::block_on(async {
/// use workflow_runtime::record::Status;
/// use workflow_runtime::store::Query;
///
/// # let engine = workflow_runtime::Engine::in_memory().workflow(Article).start().await?;
/// let stuck = engine.list(&Query::of::<Article>().status(Status::Parked).limit(20)).await?;
/// for article in &stuck.executions {
///     println!("{} is stuck in {}: {:?}", article.id, article.state, article.error);
/// }
/// # workflow_runtime::Result::<()>::Ok(())
/// # }).unwrap();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Query {
    /// Only those of this workflow.
    pub workflow: Option<Arc<str>>,
    /// Only those in one of these states; empty for any.
    pub states: Vec<String>,
    /// Only those that stand in one of these ways; empty for any.
    pub statuses: Vec<Status>,
    /// Only those of this version of their workflow.
    pub version: Option<u32>,
    /// Only those of a version of their workflow before this one.
    pub before_version: Option<u32>,
    /// Only those that have been in their state since before this time.
    pub entered_before: Option<Timestamp>,
    /// Only those that have been in their state for longer than this. An engine makes of it an `entered_before`, by its
    /// clock; a store by itself has none, and takes no notice of it.
    pub older_than: Option<Duration>,
    /// Only those whose last error has this in its text, or in that of one of its sources. Upper and lower case of ASCII
    /// letters are the same. The last error is that of a parked execution, or of a step that is being retried.
    pub error: Option<String>,
    /// Only those whose last error is of one of these kinds; empty for any.
    pub error_kinds: Vec<ErrorKind>,
    /// Only those whose state has these values in these fields with `#[index]`.
    pub attributes: Vec<(String, AttributeValue)>,
    /// Only those that are stuck: that have a last error, or have been due since before this time and are looked at by nobody.
    pub stuck_before: Option<Timestamp>,
    /// Only those after this one: the last of the page before.
    pub after: Option<ExecutionKey>,
    /// The most to answer with.
    pub limit: usize,
}

impl Query {
    /// The executions of `W`.
    #[must_use]
    pub fn of<W: Workflow>() -> Self {
        Self { workflow: Some(W::NAME.into()), ..Self::default() }
    }

    /// Only those in the state `S`, under its present name or an old one, or in one that another call names.
    #[must_use]
    pub fn state<S: State>(mut self) -> Self {
        self.states.extend([S::NAME].iter().chain(S::WAS).map(|name| (*name).to_owned()));
        self
    }

    /// Only those that stand so, or as another call says.
    #[must_use]
    pub fn status(mut self, status: Status) -> Self {
        self.statuses.push(status);
        self
    }

    /// Only those of this version of their workflow: how many are left of it shows whether its code is still needed.
    #[must_use]
    pub fn version(mut self, version: u32) -> Self {
        self.version = Some(version);
        self
    }

    /// Only those of a version of their workflow before this one.
    #[must_use]
    pub fn before_version(mut self, version: u32) -> Self {
        self.before_version = Some(version);
        self
    }

    /// Only those that have been in their state since before `time`.
    #[must_use]
    pub fn entered_before(mut self, time: Timestamp) -> Self {
        self.entered_before = Some(time);
        self
    }

    /// Only those that have been in their state for longer than `age`, by the clock of the engine that is asked.
    #[must_use]
    pub fn older_than(mut self, age: Duration) -> Self {
        self.older_than = Some(age);
        self
    }

    /// Only those whose last error has `text` in its own text, or in that of one of its sources. The last error is that of a
    /// parked execution, or of a step that is being retried; upper and lower case of ASCII letters are the same.
    #[must_use]
    pub fn error(mut self, text: impl Into<String>) -> Self {
        self.error = Some(text.into());
        self
    }

    /// Only those whose last error is of this kind, or of one that another call names.
    #[must_use]
    pub fn error_kind(mut self, kind: ErrorKind) -> Self {
        self.error_kinds.push(kind);
        self
    }

    /// Only those whose state has `value` in the field that is saved as `name`, which has `#[index]`; and, if it is called
    /// again, the other value too. The query is to be one [of](Self::of) a workflow: an engine refuses a name that none of
    /// its states has an `#[index]` on, and a value of another kind.
    ///
    /// ```
    /// # use workflow_runtime::prelude::*;
    /// # use workflow_runtime::Engine;
    /// use workflow_runtime::store::Query;
    ///
    /// #[state]
    /// pub struct Open { #[index] customer: String, text: String }
    /// # #[state(end)] pub struct Done;
    /// # #[event] pub struct Close;
    /// # pub struct Ticket;
    /// # #[workflow(start = Open)]
    /// # impl Ticket {
    /// #     #[on(allow(endless_wait))] fn closed(&self, _: Open, _: Close) -> Done { Done }
    /// # }
    /// # workflow_runtime::block_on(async {
    /// # let engine = Engine::in_memory().workflow(Ticket).start().await?;
    /// # engine.start::<Ticket>("t1", Open { customer: "Ada".into(), text: "help".into() }).await?;
    /// let of_ada = engine.list(&Query::of::<Ticket>().attribute("customer", "Ada")).await?;
    /// assert_eq!(of_ada.executions.len(), 1);
    /// let typo = engine.list(&Query::of::<Ticket>().attribute("costumer", "Ada")).await.unwrap_err();
    /// assert!(typo.to_string().contains("has an attribute `costumer`: there is `customer`"));
    /// # workflow_runtime::Result::<()>::Ok(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn attribute(mut self, name: impl Into<String>, value: impl Into<AttributeValue>) -> Self {
        self.attributes.push((name.into(), value.into()));
        self
    }

    /// Only those after `last`: [`Page::next`] of the page before.
    #[must_use]
    pub fn after(mut self, last: ExecutionKey) -> Self {
        self.after = Some(last);
        self
    }

    /// At most `limit` to a page.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }
}

impl Default for Query {
    fn default() -> Self {
        Self {
            workflow: None,
            states: Vec::new(),
            statuses: Vec::new(),
            version: None,
            before_version: None,
            entered_before: None,
            older_than: None,
            error: None,
            error_kinds: Vec::new(),
            attributes: Vec::new(),
            stuck_before: None,
            after: None,
            limit: 100,
        }
    }
}

/// One execution in a list.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ExecutionSummary {
    /// The workflow's persisted name.
    pub workflow: Arc<str>,
    /// The caller's name for the execution.
    pub id: ExecutionId,
    /// The persisted name of its state.
    pub state: String,
    /// How it stands.
    pub status: Status,
    /// The version of the workflow that its state is one of.
    pub version: u32,
    /// How many states it has entered.
    pub visit: u64,
    /// When it entered its state.
    pub entered_at: Timestamp,
    /// When it is looked at again at the latest, if by itself.
    pub wake_at: Option<Timestamp>,
    /// Why it is parked, if it is.
    pub error: Option<ErrorRecord>,
    /// When it was parked, if it is.
    pub parked_at: Option<Timestamp>,
    /// The step that fails and is tried again, if one is.
    pub failing: Option<FailingRecord>,
}

impl ExecutionSummary {
    /// A summary with these parts, for stores outside this crate.
    #[must_use]
    pub fn new(key: ExecutionKey, state: String, status: Status, visit: u64, entered_at: Timestamp) -> Self {
        let ExecutionKey { workflow, id } = key;
        Self {
            workflow,
            id,
            state,
            status,
            version: FIRST_VERSION,
            visit,
            entered_at,
            wake_at: None,
            error: None,
            parked_at: None,
            failing: None,
        }
    }

    /// Which execution it is.
    #[must_use]
    pub fn key(&self) -> ExecutionKey {
        ExecutionKey { workflow: Arc::clone(&self.workflow), id: self.id.clone() }
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    /// The executions.
    pub executions: Vec<ExecutionSummary>,
    /// What to give as [`Query::after`] for the next page; `None` if this is the last.
    pub next: Option<ExecutionKey>,
}

/// How many executions are in a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateCount {
    /// The workflow's persisted name.
    pub workflow: Arc<str>,
    /// The persisted name of the state.
    pub state: String,
    /// How they stand.
    pub status: Status,
    /// How many.
    pub count: u64,
}

/// A row of a history, with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryRow {
    /// Its place in the history of its execution, from 1.
    pub seq: u64,
    /// What happened.
    pub record: HistoryRecord,
}
