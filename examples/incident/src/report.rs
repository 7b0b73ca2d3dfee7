//! What became of the incidents, and whether that is right.

use example_support::say;
use workflow_runtime::store::Query;
use workflow_runtime::{Engine, HistoryKind, Result};

use crate::outside::Outside;
use crate::workflow::{Response, ResponseOutcome};

/// Waits until every incident is over, and says whether all is right: each was fixed once, by one person with the
/// approval of another, or dismissed, and each call was made once.
///
/// # Errors
/// If the engine stops, or something cannot be read.
pub async fn report(engine: &Engine, outside: &Outside) -> Result<bool> {
    let mut faults = Vec::new();
    for summary in engine.list(&Query::of::<Response>()).await?.executions {
        let id = summary.id.as_str();
        let incident = engine.execution::<Response>(id)?;
        let (fixes, verdict) = match incident.outcome().await? {
            ResponseOutcome::Resolved(resolved) => {
                let [by, approved_by] = &resolved.people;
                if by == approved_by {
                    faults.push(format!("{by} has approved of their own fix of {id}"));
                }
                let verdict = format!("{}, by {by}, approved by {approved_by}", resolved.fix);
                (vec![resolved.fix], verdict)
            }
            ResponseOutcome::Dismissed(dismissed) => (Vec::new(), format!("dismissed by {}", dismissed.person)),
        };
        let called = outside.called(id).await?;
        say(format!("{id}: {verdict}; called up: {}", called.join(", ")));
        let history = incident.history(0, 1_000).await?;
        let escalations = history.iter().filter(|row| match &row.record.kind {
            HistoryKind::Started { to } | HistoryKind::Transition { to, .. } => to == "paging",
            _ => false,
        });
        if escalations.count() != called.len() {
            faults.push(format!("{id} has made {} calls", called.len()));
        }
        if outside.fixes(id).await? != fixes {
            faults.push(format!("{id} was to be fixed {} times", fixes.len()));
        }
    }
    faults.iter().for_each(|fault| say(format!("WRONG: {fault}")));
    if faults.is_empty() {
        say("checked: each was fixed once, by one person with the approval of another, or dismissed");
    }
    Ok(faults.is_empty())
}
