//! Each way through the machine, without an engine, where time is moved by hand; and crashed everywhere.

use std::path::Path;

use example_support::testing::assert_shows;
use tempfile::TempDir;
use workflow_runtime::testing::{Sim, crash_everywhere, repeat_everywhere};
use workflow_runtime::{Rest, Stepper, block_on};

use super::*;
use crate::outside::Duty;

workflow_runtime::lock!(Response);

const SECOND: Duration = Duration::from_secs(1);

fn roster() -> Roster {
    let duty = |person: &str, patience_ms| Duty { person: person.into(), patience_ms };
    Roster::new(vec![duty("ada", 10_000), duty("grace", 20_000)]).unwrap()
}

struct Fixture {
    outside: Outside,
    machine: Stepper<Response>,
    _folder: TempDir,
}

impl Fixture {
    /// An incident that ada, then grace have been called up for, unless they take it within 10 s and 20 s.
    async fn reported() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let outside = Outside::open(&folder.path().join("outside.db")).unwrap();
        let paging = Paging { text: "slow".into(), level: 0 };
        let mut machine = Stepper::start(Response { roster: roster(), outside: outside.clone() }, paging).unwrap();
        machine.run().await.unwrap();
        Self { outside, machine, _folder: folder }
    }

    async fn proposed() -> Self {
        let mut fixture = Self::reported().await;
        fixture.machine.send(Acknowledge { person: "ada".into() }).await.unwrap();
        fixture.machine.send(Propose { person: "ada".into(), fix: "restart".into() }).await.unwrap();
        fixture
    }

    async fn decide(&mut self, person: &str, approved: bool) -> Rest {
        self.machine.send(Decide { person: person.into(), approved }).await.unwrap()
    }

    async fn called(&self) -> Vec<String> {
        self.outside.called("stepper").await.unwrap()
    }

    fn waits_for(&self) -> Option<(String, String)> {
        self.machine.state().unwrap().waits_for()
    }
}

fn waits_for(who: &str, what: &str) -> Option<(String, String)> {
    Some((who.to_owned(), what.to_owned()))
}

#[test]
fn who_takes_it_in_time_is_the_only_one_called_up() {
    block_on(async {
        let mut fixture = Fixture::reported().await;
        assert_eq!(fixture.waits_for(), waits_for("ada", "to take it"));
        fixture.machine.advance(9 * SECOND).await.unwrap();
        fixture.machine.send(Acknowledge { person: "ada".into() }).await.unwrap();
        fixture.machine.advance(60 * SECOND).await.unwrap();
        assert_eq!(fixture.waits_for(), waits_for("ada", "to propose a fix"));
        assert_eq!(fixture.called().await, ["ada"]);
    });
}

#[test]
fn what_nobody_takes_goes_up_the_roster_and_stays_with_the_last() {
    block_on(async {
        let mut fixture = Fixture::reported().await;
        fixture.machine.advance(10 * SECOND).await.unwrap();
        assert_eq!(fixture.called().await, ["ada", "grace"]);
        fixture.machine.advance(19 * SECOND).await.unwrap();
        assert_eq!(fixture.waits_for(), waits_for("grace", "to take it"));
        assert_eq!(fixture.called().await, ["ada", "grace"]);
        fixture.machine.advance(21 * SECOND).await.unwrap();
        assert_eq!(fixture.called().await, ["ada", "grace", "grace", "grace"]);
    });
}

#[test]
fn nobody_approves_of_their_own_fix() {
    block_on(async {
        let mut fixture = Fixture::proposed().await;
        fixture.decide("ada", true).await;
        assert_eq!(fixture.waits_for(), waits_for("not ada", "to decide: restart"));
        assert_eq!(fixture.decide("grace", true).await, Rest::Ended);
        let Some(ResponseOutcome::Resolved(resolved)) = fixture.machine.outcome().unwrap() else { panic!("not over") };
        assert_eq!(resolved.people, ["ada", "grace"]);
        assert_eq!(fixture.outside.fixes("stepper").await.unwrap(), ["restart"]);
    });
}

#[test]
fn what_is_rejected_is_proposed_anew() {
    block_on(async {
        let mut fixture = Fixture::proposed().await;
        fixture.decide("grace", false).await;
        assert_eq!(fixture.waits_for(), waits_for("ada", "to propose a fix"));
        assert!(fixture.outside.fixes("stepper").await.unwrap().is_empty());
    });
}

#[test]
fn a_proposal_that_nobody_decides_lapses_and_work_that_takes_too_long_is_looked_at_anew() {
    block_on(async {
        let mut fixture = Fixture::proposed().await;
        fixture.machine.advance(3_600 * SECOND).await.unwrap();
        assert_eq!(fixture.waits_for(), waits_for("ada", "to propose a fix"));
        fixture.machine.advance(4 * 3_600 * SECOND).await.unwrap();
        assert_eq!(fixture.waits_for(), waits_for("ada", "to take it"));
        assert_eq!(fixture.called().await, ["ada", "ada"]);
    });
}

#[test]
fn an_incident_is_dismissed_in_any_state() {
    block_on(async {
        for mut fixture in [Fixture::reported().await, Fixture::proposed().await] {
            assert_eq!(fixture.machine.send(Dismiss { person: "grace".into() }).await.unwrap(), Rest::Ended);
            let Some(ResponseOutcome::Dismissed(dismissed)) = fixture.machine.outcome().unwrap() else {
                panic!("fixed")
            };
            assert_eq!(dismissed.person, "grace");
        }
    });
}

/// An incident in a simulated world that ada does not take, grace does, and both see to; who was called up, and what was done.
async fn escalated(sim: Sim) -> Result<(Vec<String>, Vec<String>)> {
    let outside = Outside::open(Path::new(":memory:"))?;
    let of_workflow = outside.clone();
    sim.workflow(move || Response { roster: roster(), outside: of_workflow.clone() });
    let incident = sim.start::<Response>("slow", Paging { text: "slow".into(), level: 0 }).await?;
    sim.advance("15s").await;
    incident.send(Acknowledge { person: "grace".into() }).await?;
    incident.send(Propose { person: "grace".into(), fix: "restart".into() }).await?;
    // Nobody decides for an hour, so it is proposed again.
    sim.advance("2h").await;
    incident.send(Propose { person: "grace".into(), fix: "restart it twice".into() }).await?;
    for person in ["grace", "ada"] {
        incident.send(Decide { person: person.into(), approved: true }).await?;
    }
    incident.outcome().await?;
    Ok((outside.called("slow").await?, outside.fixes("slow").await?))
}

#[test]
fn an_incident_survives_a_crash_at_every_point() {
    crash_everywhere(escalated);
}

#[test]
fn an_incident_bears_that_every_step_is_repeated() {
    repeat_everywhere(escalated);
}

#[test]
fn the_readme_shows_the_machine() {
    assert_shows(include_str!("../../README.md"), ResponseState::GRAPH);
}
