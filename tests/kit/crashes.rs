//! What survives a crash at every point.

use workflow_runtime::prelude::*;
use workflow_runtime::testing::{CrashTest, Sim, crash_everywhere, repeat_everywhere};

use super::fixture::*;

async fn order(sim: Sim, order: u32) -> Result<Vec<String>> {
    let outside = Outside::failing(1);
    let of_shop = outside.clone();
    sim.workflow(move || Shop { outside: of_shop.clone() });
    let run = sim.start::<Shop>(format!("order-{order}"), Unpaid { order }).await?;
    run.send(Paid).await?;
    let outcome = run.outcome().await?;
    assert_eq!(matches!(outcome, ShopOutcome::GivenUp(_)), order == 13);
    Ok(outside.done())
}

#[test]
fn steps_branches_and_retries_survive() {
    let report = crash_everywhere(|sim| order(sim, 1));
    assert_eq!((report.steps, report.single as u64), (7, 2 * report.writes + report.steps));
    assert!(report.pairs == 200 && report.pairs_there_are > 200, "{report}");
}

#[test]
fn unwinding_survives() {
    let report = crash_everywhere(|sim| order(sim, 13));
    assert!(report.writes >= 6, "{report}");
}

#[test]
fn steps_that_run_twice_are_known_by_their_keys() {
    let report = repeat_everywhere(|sim| order(sim, 1));
    assert_eq!((report.single as u64, report.pairs), (report.steps + 1, 0), "each alone, and all of them");
}

#[test]
fn timers_and_reminders_survive() {
    let report = CrashTest::new().pairs(20).run(|sim| async move {
        let outside = Outside::default();
        let of_shop = outside.clone();
        sim.workflow(move || Shop { outside: of_shop.clone() });
        let run = sim.start::<Shop>("order-1", Unpaid { order: 1 }).await?;
        sim.advance("4d").await;
        run.send(Paid).await?;
        let outcome = run.outcome().await?;
        Ok((outcome, outside.done()))
    });
    assert!(report.pairs == 20, "{report}");
}
