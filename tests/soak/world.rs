//! What the steps of the load do to the world outside.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use workflow_runtime::prelude::*;

use super::expected::value;
use super::log::{self, Log};

#[derive(Debug, Clone)]
pub struct World {
    effects: Arc<Log>,
    run: u32,
    mended: Arc<Mended>,
}

/// The executions for which a person has removed what was in their way, which a kill does not bring back.
#[derive(Debug)]
struct Mended {
    ids: Mutex<BTreeSet<String>>,
    log: Log,
}

impl World {
    pub fn new(effects: Log, mended: &Path, run: u32) -> Self {
        let ids = log::lines(mended).into_iter().flatten().collect();
        let mended = Mended { ids: Mutex::new(ids), log: Log::open(mended) };
        Self { effects: Arc::new(effects), run, mended: Arc::new(mended) }
    }

    /// From now on, nothing is in the way of this execution.
    pub fn mend(&self, id: &str) {
        // While the file is written, nobody may see it as mended who is killed before.
        let mut ids = self.mended.ids.lock().unwrap();
        if !ids.contains(id) {
            self.mended.log.add(&[id]);
            ids.insert(id.to_owned());
        }
    }

    pub fn is_mended(&self, cx: &Cx) -> bool {
        self.mended.ids.lock().unwrap().contains(cx.id().as_str())
    }

    /// Has an effect, takes a while, and fails in the first `failures` attempts.
    pub async fn effect(&self, cx: &Cx, name: &str, failures: u32) -> Result<u64> {
        self.effect_with(cx, name, failures, "").await
    }

    /// The same, with something that has to be the same whenever the call is made again.
    pub async fn effect_with(&self, cx: &Cx, name: &str, failures: u32, detail: &str) -> Result<u64> {
        self.note("begin", cx, name, detail);
        match fastrand::u32(..10) {
            0 => tokio::time::sleep(Duration::from_millis(fastrand::u64(1..20))).await,
            1..4 => tokio::task::yield_now().await,
            _ => {}
        }
        self.note("end", cx, name, detail);
        if cx.attempt() <= failures {
            return Err(Error::msg(format!("{name} fails in attempt {}", cx.attempt())));
        }
        Ok(value(cx.id().as_str(), name))
    }

    fn note(&self, what: &str, cx: &Cx, name: &str, detail: &str) {
        let execution = format!("{}/{}", cx.workflow(), cx.id());
        let (run, attempt) = (self.run.to_string(), cx.attempt().to_string());
        self.effects.add(&[&run, what, &execution, name, &attempt, &cx.idempotency_key(), detail]);
    }
}
