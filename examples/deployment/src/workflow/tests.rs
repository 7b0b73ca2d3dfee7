//! Each way through the machine, without an engine, where time is moved by hand; and crashed everywhere.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use example_support::testing::assert_shows;
use tempfile::TempDir;
use workflow_runtime::testing::{Sim, crash_everywhere, repeat_everywhere};
use workflow_runtime::{Rest, Stepper, block_on};

use super::*;

workflow_runtime::lock!(Rollout);

struct Fixture {
    cluster: Cluster,
    _folder: TempDir,
}

impl Fixture {
    /// The first version of one service runs everywhere.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cluster = Cluster::open(&folder.path().join("cluster.db")).unwrap();
        for stage in [Stage::Dev, Stage::Staging, Stage::Production] {
            cluster.deploy(stage, &service("cart", 1), format!("before {stage}")).await.unwrap();
        }
        Self { cluster, _folder: folder }
    }

    async fn at_the_gate(&self, services: Vec<Service>) -> Stepper<Rollout> {
        let release = Release { name: "2".into(), services };
        let mut rollout = Stepper::start(Rollout { cluster: self.cluster.clone() }, Dev { release }).unwrap();
        rollout.run_to_gate().await;
        rollout
    }

    /// The versions of the cart, and whether mail is there, in dev, staging and production.
    async fn versions(&self) -> [(u32, bool); 3] {
        let mut versions = [(0, false); 3];
        for (stage, versions) in [Stage::Dev, Stage::Staging, Stage::Production].into_iter().zip(&mut versions) {
            let running = self.cluster.versions(stage).await.unwrap();
            *versions = (running["cart"], running.contains_key("mail"));
        }
        versions
    }
}

trait RunToGate {
    async fn run_to_gate(&mut self);
}

impl RunToGate for Stepper<Rollout> {
    async fn run_to_gate(&mut self) {
        self.advance(Duration::from_secs(1)).await.unwrap();
    }
}

fn service(name: &str, version: u32) -> Service {
    Service { name: name.into(), version, needs: BTreeMap::new(), silent_in: None }
}

fn silent_in(stage: Stage) -> Vec<Service> {
    vec![Service { silent_in: Some(stage), ..service("cart", 2) }, service("mail", 1)]
}

fn decision(approved: bool) -> Decision {
    Decision { by: "ada".into(), approved }
}

fn why(rollout: &Stepper<Rollout>) -> String {
    match rollout.outcome().unwrap() {
        Some(RolloutOutcome::RolledBack(back)) => back.why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_works_and_is_approved_goes_live() {
    block_on(async {
        let fixture = Fixture::new().await;
        let mut rollout = fixture.at_the_gate(vec![service("cart", 2), service("mail", 1)]).await;
        assert_eq!(fixture.versions().await, [(2, true), (2, true), (1, false)]);
        assert_eq!(rollout.send(decision(true)).await.unwrap(), Rest::Ended);
        assert_eq!(fixture.versions().await, [(2, true); 3]);
    });
}

#[test]
fn what_breaks_in_dev_is_taken_back_there() {
    block_on(async {
        let fixture = Fixture::new().await;
        let rollout = fixture.at_the_gate(silent_in(Stage::Dev)).await;
        assert_eq!(why(&rollout), "cart 2 in dev: it does not answer");
        assert_eq!(fixture.versions().await, [(1, false); 3]);
    });
}

#[test]
fn what_breaks_in_production_is_taken_back_there_alone() {
    block_on(async {
        let fixture = Fixture::new().await;
        let mut rollout = fixture.at_the_gate(silent_in(Stage::Production)).await;
        rollout.send(decision(true)).await.unwrap();
        assert_eq!(why(&rollout), "cart 2 in production: it does not answer");
        assert_eq!(fixture.versions().await, [(2, true), (2, true), (1, false)]);
    });
}

#[test]
fn what_is_not_approved_leaves_staging() {
    block_on(async {
        let fixture = Fixture::new().await;
        let mut rollout = fixture.at_the_gate(vec![service("cart", 2)]).await;
        rollout.send(decision(false)).await.unwrap();
        assert_eq!(why(&rollout), "ada said no");
        assert_eq!(fixture.versions().await, [(2, false), (1, false), (1, false)]);
    });
}

#[test]
fn what_nobody_decides_leaves_staging_too() {
    block_on(async {
        let fixture = Fixture::new().await;
        let mut rollout = fixture.at_the_gate(vec![service("cart", 2)]).await;
        rollout.advance(Duration::from_secs(3)).await.unwrap();
        assert_eq!(why(&rollout), "nobody decided in time");
        assert_eq!(fixture.versions().await, [(2, false), (1, false), (1, false)]);
    });
}

#[test]
fn a_service_that_needs_another_is_checked_against_what_runs() {
    block_on(async {
        let fixture = Fixture::new().await;
        let needy = Service { needs: BTreeMap::from([("tax".into(), 2)]), ..service("mail", 1) };
        let rollout = fixture.at_the_gate(vec![needy]).await;
        assert_eq!(why(&rollout), "mail 1 in dev: it needs tax 2, and finds 0");
        assert_eq!(fixture.versions().await, [(1, false); 3]);
    });
}

/// A release in a simulated world, with what is said at the gate; what runs in dev, staging and production in the end.
async fn rolled_out(sim: Sim, services: Vec<Service>, approved: bool) -> Result<(String, Vec<BTreeMap<String, u32>>)> {
    let cluster = Cluster::open(Path::new(":memory:"))?;
    let stages = [Stage::Dev, Stage::Staging, Stage::Production];
    for stage in stages {
        cluster.deploy(stage, &service("cart", 1), format!("before {stage}")).await?;
    }
    let of_workflow = cluster.clone();
    sim.workflow(move || Rollout { cluster: of_workflow.clone() });
    let release = Release { name: "2".into(), services };
    let rollout = sim.start::<Rollout>("2", Dev { release }).await?;
    sim.advance("1s").await;
    rollout.send(decision(approved)).await?;
    let outcome = rollout.outcome().await?;
    let mut versions = Vec::new();
    for stage in stages {
        versions.push(cluster.versions(stage).await?);
    }
    Ok((format!("{outcome:?}"), versions))
}

fn two_services() -> Vec<Service> {
    vec![service("cart", 2), service("mail", 1)]
}

#[test]
fn what_goes_live_survives_a_crash_at_every_point() {
    crash_everywhere(|sim| rolled_out(sim, two_services(), true));
}

#[test]
fn what_is_taken_back_survives_a_crash_at_every_point() {
    crash_everywhere(|sim| rolled_out(sim, silent_in(Stage::Production), true));
    crash_everywhere(|sim| rolled_out(sim, two_services(), false));
}

#[test]
fn a_release_bears_that_every_step_is_repeated() {
    repeat_everywhere(|sim| rolled_out(sim, two_services(), true));
    repeat_everywhere(|sim| rolled_out(sim, two_services(), false));
}

#[test]
fn the_readme_shows_the_machine() {
    assert_shows(include_str!("../../README.md"), RolloutState::GRAPH);
}
