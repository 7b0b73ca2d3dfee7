//! Each way through the machine, without an engine: time is moved by hand.

use example_support::testing::assert_shows;
use tempfile::TempDir;
use workflow_runtime::{Rest, Stepper, block_on};

use super::*;
use crate::outside::Duty;

workflow_runtime::lock!(Response);

const SECOND: Duration = Duration::from_secs(1);

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
        let duty = |person: &str, patience_ms| Duty { person: person.into(), patience_ms };
        let roster = Roster::new(vec![duty("ada", 10_000), duty("grace", 20_000)]).unwrap();
        let paging = Paging { text: "slow".into(), level: 0 };
        let mut machine = Stepper::start(Response { roster, outside: outside.clone() }, paging).unwrap();
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

#[test]
fn the_readme_shows_the_machine() {
    assert_shows(include_str!("../../README.md"), ResponseState::GRAPH);
}
