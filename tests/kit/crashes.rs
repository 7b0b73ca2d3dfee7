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
    assert!(report.pairs == 100 && report.pairs_there_are > 200, "{report}");
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

#[state]
#[derive(Debug)]
pub struct Ten;
#[state(end)]
#[derive(Debug)]
pub struct Counted {
    pub sum: u32,
}

/// Ten steps, one after another.
pub struct Steps;

#[workflow(start = Ten, allow(fragile_step, small_machine))]
impl Steps {
    #[state]
    async fn count(&self, cx: &Cx, _: Ten) -> Result<Counted> {
        let mut sum = 0;
        for number in 1..=10 {
            sum = self.add(cx, sum, number).await?;
        }
        Ok(Counted { sum })
    }

    #[step]
    async fn add(&self, _: &Cx, sum: u32, number: u32) -> Result<u32> {
        Ok(sum + number)
    }
}

#[test]
fn ten_steps_survive_with_every_pair() {
    let report = CrashTest::new().pairs(usize::MAX).run(|sim: Sim| async move {
        sim.workflow(|| Steps);
        let StepsOutcome::Counted(counted) = sim.start::<Steps>("a", Ten).await?.outcome().await?;
        assert_eq!(counted.sum, 55);
        Ok(())
    });
    assert_eq!((report.writes, report.steps, report.single), (11, 10, 32));
    assert!(report.pairs > 400 && report.pairs == report.pairs_there_are, "{report}");
}
