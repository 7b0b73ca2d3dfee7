//! Other engines that do the same work. They are a program of their own, as a peer needs another version of the SQLite library
//! than this project, and one tree of crates can have only one.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;
use workflow_runtime::Error;

use crate::child::cargo;
use crate::options::Peers;
use crate::places::{Place, target};

/// What a peer takes for ten durable steps in sequence.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Measured {
    pub(crate) steps_per_second: f64,
    pub(crate) cpu_micros_per_step: f64,
    pub(crate) p50_millis: f64,
    pub(crate) p99_millis: f64,
}

/// The program of the peers.
#[derive(Debug, Clone)]
pub(crate) struct Program(PathBuf);

impl Program {
    /// Finds it, and builds it if that is asked for; the error says why it is missing.
    pub(crate) fn find(peers: Peers) -> Result<Self, Error> {
        let directory = target().join("peers");
        let program = directory.join("release/workflow-bench-peers");
        match peers {
            Peers::No => Err(Error::msg("the peers were left out")),
            Peers::IfBuilt if program.is_file() => Ok(Self(program)),
            Peers::IfBuilt => Err(Error::msg("the peers have not been built; `--peers` does that, in some minutes")),
            Peers::Build => {
                build(&directory)?;
                Ok(Self(program))
            }
        }
    }

    /// duroxide, on SQLite.
    pub(crate) fn duroxide(&self, place: &Place, at_once: u64, executions: u64) -> Result<Measured, Error> {
        let scratch = place.scratch()?;
        let mut peer = Command::new(&self.0);
        peer.arg(scratch.path().join("peer.db")).args([at_once, executions].map(|number| number.to_string()));
        let output = peer.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
        match output.status.success() {
            // What it logs comes before.
            true => {
                let said = String::from_utf8_lossy(&output.stdout);
                Ok(serde_json::from_str(said.lines().last().unwrap_or_default())?)
            }
            false => Err(Error::msg(format!("duroxide ended with {}", output.status))),
        }
    }
}

fn build(directory: &Path) -> Result<(), Error> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/Cargo.toml");
    let mut cargo = cargo();
    cargo.args(["build", "--release", "--locked", "--manifest-path"]).arg(&manifest).arg("--target-dir").arg(directory);
    match cargo.stdin(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Error::msg(format!("the peers cannot be built: {status}; see {}", manifest.display()))),
        Err(error) => Err(Error::from(error).context("the peers cannot be built, as there is no cargo")),
    }
}
