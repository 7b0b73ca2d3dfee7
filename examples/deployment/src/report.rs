//! What became of the releases, and whether that is right.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use example_support::{read_json, say};
use serde::Deserialize;
use workflow_runtime::{Engine, EngineError, Result};

use crate::cluster::{Cluster, Release, Stage};
use crate::workflow::{Decision, Dev, Rollout, RolloutOutcome};

/// A release, what somebody says at the gate, and where it is to stay.
#[derive(Debug, Deserialize)]
pub struct Listed {
    /// What is rolled out.
    #[serde(flatten)]
    pub release: Release,
    /// What somebody says at the gate, if anybody does.
    pub decision: Option<Verdict>,
    /// Where it is to stay in the end.
    pub expect: BTreeMap<Stage, bool>,
}

/// What somebody says at the gate.
#[derive(Debug, Clone, Deserialize)]
pub struct Verdict {
    /// Who says it.
    pub by: String,
    /// Whether it may go on.
    pub approved: bool,
}

/// The releases in a folder, in the order of their names.
///
/// # Errors
/// If one of them cannot be read.
pub fn releases(folder: &Path) -> Result<Vec<Listed>> {
    let mut paths: Vec<_> = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    paths.iter().map(|path| read_json(path)).collect()
}

/// Rolls the releases out, one after the other, and says whether each stayed where it was to stay.
///
/// # Errors
/// If the engine stops, or something cannot be read.
pub async fn roll_out(engine: &Engine, cluster: &Cluster, releases: &[Listed]) -> Result<bool> {
    let stages = [Stage::Dev, Stage::Staging, Stage::Production];
    let mut expected: BTreeMap<Stage, BTreeMap<String, u32>> = BTreeMap::new();
    for Listed { release, decision, expect } in releases {
        let rollout = engine.start::<Rollout>(&release.name, Dev { release: release.clone() }).await?;
        if let Some(Verdict { by, approved }) = decision.clone() {
            match rollout.send_once("decision", Decision { by, approved }).await {
                // Said again, it is over already.
                Ok(()) | Err(EngineError::Ended { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let verdict = match rollout.outcome().await? {
            RolloutOutcome::Live(live) => format!("live, approved by {}", live.approved_by),
            RolloutOutcome::RolledBack(back) => format!("rolled back: {}", back.why),
        };
        say(format!("{:<16}{verdict}", release.name));
        for stage in stages {
            if expect.get(&stage).copied().unwrap_or_default() {
                let versions = release.services.iter().map(|service| (service.name.clone(), service.version));
                expected.entry(stage).or_default().extend(versions);
            }
        }
    }
    let mut is_right = true;
    for stage in stages {
        let versions = cluster.versions(stage).await?;
        let shown: Vec<_> = versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
        say(format!("{:<12}{}", stage.to_string(), shown.join(", ")));
        let wanted = expected.remove(&stage).unwrap_or_default();
        if versions != wanted {
            say(format!("WRONG: in {stage} there was to be {wanted:?}"));
            is_right = false;
        }
    }
    if is_right {
        say("checked: each release is where it was to stay, and nowhere else");
    }
    Ok(is_right)
}
