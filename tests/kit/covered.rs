//! What tests take of a workflow, in one test.

use std::panic::{AssertUnwindSafe, catch_unwind};

use workflow_runtime::Cancel;
use workflow_runtime::prelude::*;
use workflow_runtime::testing::coverage::{CoverageKind, CoverageReport};
use workflow_runtime::testing::{Coverage, Sim, crash_everywhere};

use super::fixture::*;

#[event]
pub struct Look;
#[event]
pub struct Withdraw;
#[state]
pub struct Open {
    pub trouble: bool,
}
#[state]
pub struct Checking {
    pub trouble: bool,
}
#[state(end)]
#[derive(Debug)]
pub struct Settled;
#[state(end)]
#[derive(Debug)]
pub struct Dropped;
#[state(end)]
#[derive(Debug)]
pub struct Disturbed;

/// A claim with an edge of each kind.
pub struct Claim;

#[workflow(start = Open, allow(endless_wait, fragile_step))]
impl Claim {
    /// Waits for whoever looks at it.
    #[state]
    fn open(&self, open: Open) -> Next<(Checking, Wait)> {
        if open.trouble { goto(Checking { trouble: true }) } else { goto(Wait) }
    }
    #[on]
    fn looked(&self, open: Open, _: Look) -> Checking {
        Checking { trouble: open.trouble }
    }
    #[on]
    fn withdrawn(&self, _: ClaimLive, _: Withdraw) -> Dropped {
        Dropped
    }
    #[on]
    fn cancelled(&self, _: Open, _: Cancel) -> Dropped {
        Dropped
    }
    #[cfg(any())]
    #[after("1d")]
    fn nobody(&self, _: Open) -> Dropped {
        Dropped
    }
    #[state]
    async fn check(&self, cx: &Cx, checking: Checking) -> Result<Settled> {
        self.inspect(cx, checking.trouble).await?;
        Ok(Settled)
    }
    #[catch]
    fn disturbed(&self, _: Checking, _: Error) -> Disturbed {
        Disturbed
    }
    #[step(retry(max = 3, backoff = "1s..9s"))]
    async fn inspect(&self, _: &Cx, trouble: bool) -> Result<()> {
        if trouble { Err(Error::msg("it is on fire")) } else { Ok(()) }
    }
}

fn play<F: Future<Output = Result<()>>>(scenario: impl FnOnce(Sim) -> F) {
    Sim::run(3, |sim| {
        sim.workflow(|| Claim);
        scenario(sim)
    });
}

fn open() -> Open {
    Open { trouble: false }
}

fn missing(report: &CoverageReport) -> Vec<String> {
    report.missing().map(ToString::to_string).collect()
}

fn said(action: impl FnOnce()) -> String {
    *catch_unwind(AssertUnwindSafe(action)).unwrap_err().downcast::<String>().unwrap()
}

#[test]
fn each_kind_of_edge_is_taken_by_what_takes_it_and_by_nothing_else() {
    let coverage = Coverage::of::<Claim>();
    let all = [
        "state `open`",
        "state `checking`",
        "state `dropped`",
        "state `settled`",
        "state `disturbed`",
        "edge `open` -> `checking`: open",
        "edge `open` -> `checking`: looked · look",
        "edge `open` -> `dropped`: withdrawn · withdraw",
        "edge `checking` -> `dropped`: withdrawn · withdraw",
        "edge `open` -> `dropped`: cancelled · cancel",
        "edge `checking` -> `settled`: check",
        "edge `checking` -> `disturbed`: disturbed · catch Error",
        "stay `open`: open (stays)",
        "error path `inspect` fails for good",
    ];
    let mut left: Vec<&str> = all.to_vec();
    let mut took = |taken: &[&str]| {
        left.retain(|item| !taken.contains(item));
        let report = coverage.report();
        assert_eq!(missing(&report), left, "{report}");
    };
    assert_eq!(missing(&coverage.report()), all);
    assert!(coverage.report().is_empty());

    play(|sim| async move {
        sim.start::<Claim>("a", open()).await?;
        Ok(())
    });
    took(&["state `open`", "stay `open`: open (stays)"]);

    play(|sim| async move {
        let claim = sim.start::<Claim>("a", open()).await?;
        claim.send(Look).await?;
        claim.outcome().await?;
        Ok(())
    });
    took(&[
        "state `checking`",
        "state `settled`",
        "edge `open` -> `checking`: looked · look",
        "edge `checking` -> `settled`: check",
    ]);

    play(|sim| async move {
        sim.start::<Claim>("a", open()).await?.send(Withdraw).await?;
        Ok(())
    });
    took(&["state `dropped`", "edge `open` -> `dropped`: withdrawn · withdraw"]);

    play(|sim| async move {
        sim.start::<Claim>("a", open()).await?.cancel("enough").await?;
        Ok(())
    });
    took(&["edge `open` -> `dropped`: cancelled · cancel"]);

    // Interrupted between two attempts of the step, which has not failed for good then.
    play(|sim| async move {
        let claim = sim.start::<Claim>("a", Open { trouble: true }).await?;
        claim.send(Withdraw).await?;
        claim.outcome().await?;
        Ok(())
    });
    took(&["edge `open` -> `checking`: open", "edge `checking` -> `dropped`: withdrawn · withdraw"]);

    play(|sim| async move {
        sim.start::<Claim>("a", Open { trouble: true }).await?.outcome().await?;
        Ok(())
    });
    took(&[
        "state `disturbed`",
        "edge `checking` -> `disturbed`: disturbed · catch Error",
        "error path `inspect` fails for good",
    ]);
    coverage.require(100);
    let table = coverage.report().to_string();
    assert!(table.starts_with("Claim: 100 % taken (5 of 5 states, 7 of 7 edges, 1 of 1 stays, 1 of 1 error paths)\n"));
    assert!(table.contains("yes: caught by `disturbed` |"), "{table}");
}

#[test]
fn a_threshold_that_is_not_reached_names_what_was_not_taken() {
    let coverage = Coverage::of::<Claim>();
    play(|sim| async move {
        sim.start::<Claim>("a", open()).await?.cancel("enough").await?;
        Ok(())
    });
    coverage.require(28);
    let failure = said(|| coverage.require(29));
    assert!(
        failure.starts_with("the tests take 28 % of Claim, and 29 % are demanded. Not taken:\n  state `checking`\n")
    );
    assert!(failure.contains("\n  error path `inspect` fails for good\n"), "{failure}");
    assert!(failure.contains("\n| edge       | `open` -> `checking`: looked · look"), "{failure}");

    // What is left out counts neither way.
    let coverage = coverage.without("inspect").without("disturbed").without("withdrawn").without("checking");
    assert_eq!(missing(&coverage.report()), ["state `settled`"]);
    assert_eq!(coverage.report().percent(), 80);
    let wrong = said(|| drop(Coverage::of::<Claim>().without("inspekt")));
    assert!(wrong.contains("Claim has no state, handler or step `inspekt`; it has `cancelled`, `check`"), "{wrong}");
    let wrong = said(|| coverage.require(101));
    assert!(wrong.contains("101 % are demanded"), "{wrong}");
}

#[test]
fn nothing_seen_is_said_and_is_not_zero_per_cent_of_something() {
    play(|sim| async move {
        sim.start::<Claim>("a", open()).await?;
        Ok(())
    });
    let coverage = Coverage::of::<Claim>();
    let failure = said(|| coverage.require(0));
    assert_eq!(
        failure,
        "no simulation of Claim has ended in this thread since its coverage was made: make it before the first one"
    );
}

#[test]
fn a_crash_at_every_point_takes_what_the_run_without_takes_and_undos_are_seen() {
    let scenario = |sim: Sim| async move {
        let outside = Outside::failing(1);
        sim.workflow(move || Shop { outside: outside.clone() });
        let run = sim.start::<Shop>("order-13", Unpaid { order: 13 }).await?;
        sim.advance("4d").await;
        run.send(Paid).await?;
        Ok(format!("{:?}", run.outcome().await?))
    };
    let once = Coverage::of::<Shop>();
    Sim::run(0, scenario);
    let report = once.report();
    let undone: Vec<_> = report.items().filter(|item| item.kind() == CoverageKind::Undo).collect();
    assert!(undone.len() == 2 && undone.iter().all(|item| item.is_taken()), "{report}");
    assert!(report.items().any(|item| item.label() == "`unpaid`: remind · after 3d (stays)" && item.is_taken()));
    let unwinding = "`packing` -> `given_up`: pack (unwinds)";
    assert!(report.items().any(|item| item.label() == unwinding && item.is_taken()), "{report}");
    drop(once);

    let everywhere = Coverage::of::<Shop>();
    crash_everywhere(scenario);
    assert_eq!(missing(&everywhere.report()), missing(&report));
}

#[test]
fn what_becomes_of_a_failure_is_told() {
    let coverage = Coverage::of::<Shop>();
    Sim::run(0, |sim| async move {
        let outside = Outside::failing(20);
        sim.workflow(move || Shop { outside: outside.clone() });
        let run = sim.start::<Shop>("order-1", Unpaid { order: 1 }).await?;
        run.send(Paid).await?;
        sim.advance("10d").await;
        run.retry("it is up again").await?;
        run.outcome().await?;
        Ok(())
    });
    let report = coverage.report().to_string();
    assert!(report.contains("| `reserve` fails for good"), "{report}");
    assert!(report.contains("| yes: parked |"), "{report}");
    assert!(report.contains("| NO: it ran "), "{report}");
    assert!(report.contains("\nSeen besides, and not counted:\n\n* parked in `packing`\n"), "{report}");
}

#[test]
fn ten_thousand_executions_are_as_many_facts_as_one() {
    let coverage = Coverage::of::<Claim>();
    let run = |many: u32| {
        play(|sim| async move {
            for number in 0..many {
                sim.start::<Claim>(format!("claim-{number}"), open()).await?.send(Look).await?;
            }
            Ok(())
        });
        coverage.report()
    };
    let one = run(1);
    assert_eq!(one, run(10_000));
}

#[test]
fn the_diagram_has_each_arrow_in_its_colour() {
    let coverage = Coverage::of::<Claim>().without("withdrawn");
    play(|sim| async move {
        sim.start::<Claim>("a", open()).await?.send(Look).await?;
        Ok(())
    });
    let expected = "\
flowchart TD
    state_open[\"open\"]:::taken
    state_checking[\"checking\"]:::taken
    state_dropped([\"✗ dropped\"]):::missed
    state_settled([\"settled\"]):::taken
    state_disturbed([\"✗ disturbed\"]):::missed
    begin((\" \")) --> state_open
    state_open -->|\"✗ open\"| state_checking
    state_open -->|\"open (stays)\"| state_open
    state_open -->|\"looked · look\"| state_checking
    state_open -->|\"withdrawn · withdraw\"| state_dropped
    state_checking -->|\"withdrawn · withdraw\"| state_dropped
    state_open -->|\"✗ cancelled · cancel\"| state_dropped
    state_checking -->|\"check\"| state_settled
    state_checking -->|\"✗ disturbed · catch Error\"| state_disturbed
    fails_inspect{{\"✗ inspect fails for good\"}}:::missed
    classDef taken fill:#dcf5dc,stroke:#2e7d32,color:#1b1b1b
    classDef missed fill:#fbe0e0,stroke:#c62828,color:#1b1b1b,stroke-dasharray:4 3
    linkStyle 2,3,7 stroke:#2e7d32,stroke-width:2px
    linkStyle 1,6,8 stroke:#c62828,stroke-dasharray:4 3
";
    assert_eq!(coverage.report().to_mermaid(), expected);
    let page = coverage.report().to_markdown();
    assert!(page.contains(&format!("\n```mermaid\n{expected}```\n")), "{page}");
}

mod v1 {
    use super::Look;
    use workflow_runtime::prelude::*;

    #[state]
    pub struct Asked;
    #[state(end)]
    pub struct Answered;

    pub struct Case;

    #[workflow(start = Asked, version = 1, keep, allow(endless_wait))]
    impl Case {
        #[on]
        fn answered(&self, _: Asked, _: Look) -> Answered {
            Answered
        }
    }
}

mod v2 {
    use super::{Look, v1};
    use workflow_runtime::prelude::*;

    #[state(name = "inquired", was = "asked")]
    pub struct Inquired;
    #[state(end)]
    pub struct Answered;

    pub struct Case;

    #[workflow(start = Inquired, version = 2, from(1 = v1::CaseState), allow(endless_wait))]
    impl Case {
        #[migrate(from = 1)]
        fn asked(_: v1::Asked) -> Inquired {
            Inquired
        }
        #[migrate(from = 1)]
        fn answer(_: v1::Answered) -> Answered {
            Answered
        }
        #[on]
        fn replied(&self, _: Inquired, _: Look) -> Answered {
            Answered
        }
    }
}

#[test]
fn a_kept_version_has_a_coverage_of_its_own() {
    let (old, new) = (Coverage::of::<v1::Case>(), Coverage::of::<v2::Case>());
    Sim::run(0, |sim| async move {
        sim.workflow(|| v1::Case);
        sim.workflow(|| v2::Case);
        let case = sim.start::<v1::Case>("old", v1::Asked).await?;
        case.send(Look).await?;
        sim.start::<v2::Case>("new", v2::Inquired).await?;
        Ok(())
    });
    old.require(100);
    let report = new.report();
    assert_eq!(missing(&report), ["state `answered`", "edge `inquired` -> `answered`: replied · look"]);
    assert!(report.to_string().contains("* executions of version 1, which do not count for version 2\n"), "{report}");
}
