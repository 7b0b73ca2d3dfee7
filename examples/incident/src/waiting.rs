//! Who waits for whom.

use std::fmt;
use std::time::Duration;

use workflow_runtime::store::Query;
use workflow_runtime::{Engine, Result, Status, Timestamp};

use crate::workflow::{Response, ResponseState};

/// An incident that waits for somebody.
#[derive(Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Which incident.
    pub incident: String,
    /// Whom it waits for.
    pub who: String,
    /// What they are to do.
    pub what: String,
    /// Since when.
    pub since: Timestamp,
    /// Until when; then it goes on without them.
    pub until: Option<Timestamp>,
}

impl ResponseState {
    /// Whom it waits for, and what they are to do; `None` where it waits for nobody.
    #[must_use]
    pub fn waits_for(&self) -> Option<(String, String)> {
        match self {
            Self::Paged(s) => Some((s.person.clone(), "to take it".to_owned())),
            Self::Fixing(s) => Some((s.person.clone(), "to propose a fix".to_owned())),
            Self::Approving(s) => Some((format!("not {}", s.person), format!("to decide: {}", s.fix))),
            Self::Paging(_) | Self::Applying(_) | Self::Resolved(_) | Self::Dismissed(_) => None,
        }
    }
}

/// Every incident that waits for somebody.
///
/// # Errors
/// That of the engine.
pub async fn waiting(engine: &Engine) -> Result<Vec<Waiting>> {
    let mut waiting = Vec::new();
    let mut query = Query::of::<Response>().status(Status::Waiting);
    loop {
        let page = engine.list(&query).await?;
        for summary in page.executions {
            let state = engine.execution::<Response>(summary.id.as_str())?.state().await?;
            if let Some((who, what)) = state.waits_for() {
                let incident = summary.id.to_string();
                waiting.push(Waiting { incident, who, what, since: summary.entered_at, until: summary.wake_at });
            }
        }
        match page.next {
            Some(next) => query = query.after(next),
            None => return Ok(waiting),
        }
    }
}

impl Waiting {
    /// The line of a list that is read at this time.
    #[must_use]
    pub fn line(&self, now: Timestamp) -> String {
        let Self { incident, who, what, since, until } = self;
        let left = until.map_or(String::new(), |until| format!(", {} left", Seconds(until.since(now))));
        format!("  {incident:<8} waits for {who:<10} {what} (since {}{left})", Seconds(now.since(*since)))
    }
}

struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:.1} s", self.0.as_secs_f64())
    }
}
