//! What becomes of one incident: the whole machine.

use std::time::Duration;

use workflow_runtime::prelude::*;

use crate::messages::{Acknowledge, Decide, Dismiss, Propose};
use crate::outside::{Outside, Roster};

/// Somebody is to be called up: the first of the roster, or the next.
#[state]
#[derive(Debug)]
pub struct Paging {
    pub(crate) text: String,
    pub(crate) level: usize,
}

/// Somebody was called up, and is to take it.
#[state]
#[derive(Debug)]
pub struct Paged {
    pub(crate) text: String,
    pub(crate) level: usize,
    pub(crate) person: String,
}

/// Somebody works on it, and is to propose a fix.
#[state]
#[derive(Debug)]
pub struct Fixing {
    pub(crate) text: String,
    pub(crate) person: String,
}

/// A fix is proposed. Somebody else is to approve it.
#[state]
#[derive(Debug)]
pub struct Approving {
    pub(crate) text: String,
    pub(crate) person: String,
    pub(crate) fix: String,
}

/// The fix is approved, and is made.
#[state]
#[derive(Debug)]
pub struct Applying {
    pub(crate) fix: String,
    pub(crate) people: [String; 2],
}

/// It is over.
#[state(end)]
#[derive(Debug)]
pub struct Resolved {
    pub(crate) fix: String,
    pub(crate) people: [String; 2],
}

/// There was nothing to it.
#[state(end)]
#[derive(Debug)]
pub struct Dismissed {
    pub(crate) person: String,
}

/// Has one incident seen to.
#[derive(Debug)]
pub struct Response {
    /// Who is called up.
    pub roster: Roster,
    /// Telephones and servers.
    pub outside: Outside,
}

#[workflow(start = Paging)]
impl Response {
    #[state]
    async fn page(&self, cx: &Cx, s: Paging) -> Result<Paged> {
        let person = self.roster.person(s.level).to_owned();
        self.call_up(cx, &person, &s.text).await?;
        Ok(Paged { text: s.text, level: s.level, person })
    }

    #[on]
    fn acknowledged(&self, s: Paged, taken: Acknowledge) -> Fixing {
        Fixing { text: s.text, person: taken.person }
    }

    /// Nobody took it: escalate.
    #[after(Self::patience)]
    fn escalate(&self, s: Paged) -> Paging {
        Paging { text: s.text, level: s.level + 1 }
    }

    fn patience(&self, s: &Paged) -> Duration {
        self.roster.patience(s.level)
    }

    #[on]
    fn proposed(&self, s: Fixing, proposal: Propose) -> Approving {
        Approving { text: s.text, person: proposal.person, fix: proposal.fix }
    }

    /// It takes too long: whoever comes first on the roster is to look at it anew.
    #[after("4h")]
    fn stuck(&self, s: Fixing) -> Paging {
        Paging { text: s.text, level: 0 }
    }

    /// Nobody approves of a fix of their own.
    #[on]
    fn decided(&self, s: Approving, decision: Decide) -> Next<(Applying, Fixing, Wait)> {
        if decision.person == s.person {
            goto(Wait)
        } else if decision.approved {
            goto(Applying { fix: s.fix, people: [s.person, decision.person] })
        } else {
            goto(Fixing { text: s.text, person: s.person })
        }
    }

    /// Nobody wants to decide: the proposal lapses.
    #[after("1h")]
    fn lapsed(&self, s: Approving) -> Fixing {
        Fixing { text: s.text, person: s.person }
    }

    /// Whoever says so, and whenever, until a fix is made.
    #[on]
    fn dismissed(&self, _: ResponseLive, dismissal: Dismiss) -> Dismissed {
        Dismissed { person: dismissal.person }
    }

    #[state]
    async fn apply(&self, cx: &Cx, s: Applying) -> Result<Resolved> {
        self.make_fix(cx, &s.fix).await?;
        Ok(Resolved { fix: s.fix, people: s.people })
    }

    #[step(retry(max = 20, backoff = "100ms..1m"), timeout = "10s")]
    async fn call_up(&self, cx: &Cx, person: &str, text: &str) -> Result<()> {
        self.outside.call_up(cx.id().as_str(), person, text, cx.idempotency_key()).await
    }

    #[step(retry(max = 5), timeout = "1m")]
    async fn make_fix(&self, cx: &Cx, fix: &str) -> Result<()> {
        self.outside.make_fix(cx.id().as_str(), fix, cx.idempotency_key()).await
    }
}

#[cfg(test)]
mod tests;
