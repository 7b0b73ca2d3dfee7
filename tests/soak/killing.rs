//! Runs the process, and kills it at a moment that chance chooses.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::program::{self, Orders, STORE};
use crate::summary::Kills;

/// Tells this test binary that it is the process, and where.
pub const FOLDER: &str = "SOAK_FOLDER";
const SEED: &str = "SOAK_CHILD_SEED";
const RUN: &str = "SOAK_CHILD_RUN";
const DRAINS: &str = "SOAK_CHILD_DRAINS";
const TEST: &str = "nothing_is_lost_and_nothing_done_twice_whenever_it_is_killed";

/// What is left of the load is done within this, or something hangs.
const PATIENCE: Duration = Duration::from_secs(120);
/// The log is moved into the file when it is about so long.
const LOG_LENGTH: u64 = 4_000 * 4_096;

/// When the process is killed, after its start.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// While it opens the store, or begins.
    Opening(Duration),
    AtWork(Duration),
    /// So long after the log has about the length at which it is moved into the file, or the second time at the latest.
    Checkpoint(Duration, Duration),
}

pub struct Killer {
    folder: PathBuf,
    seed: u64,
    pub random: Rng,
    runs: u32,
    pub kills: Kills,
}

impl Killer {
    pub fn new(folder: &Path, seed: u64) -> Self {
        let random = Rng::with_seed(seed);
        Self { folder: folder.to_owned(), seed, random, runs: 0, kills: Kills::default() }
    }

    /// Runs the process, and kills it.
    pub fn run_and_kill(&mut self) -> Result<(), String> {
        let moment = self.moment();
        let mut child = self.spawn(false);
        let (shortest, longest) = match moment {
            Moment::Opening(after) | Moment::AtWork(after) => (after, after),
            Moment::Checkpoint(after, latest) => (after, latest),
        };
        let mut is_long = false;
        if shortest == longest {
            sleep(shortest);
        } else {
            let begun = Instant::now();
            // What is left of a log is removed at the start.
            sleep(Duration::from_millis(300));
            let log = self.folder.join(format!("{STORE}-wal"));
            while begun.elapsed() < longest && fs::metadata(&log).map_or(0, |log| log.len()) < LOG_LENGTH {
                sleep(Duration::from_millis(1));
            }
            is_long = begun.elapsed() < longest;
            sleep(shortest);
        }
        match moment {
            Moment::Opening(_) => self.kills.at_opening += 1,
            Moment::Checkpoint(..) if is_long => self.kills.at_checkpoint += 1,
            Moment::AtWork(_) | Moment::Checkpoint(..) => self.kills.at_work += 1,
        }
        if let Some(status) = child.try_wait().unwrap() {
            return Err(format!("the process {} ended with {status}:\n{}", self.runs, self.errors()));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        Ok(())
    }

    /// Lets a last process do what is left.
    pub fn drain(&mut self) -> Result<(), String> {
        let mut child = self.spawn(true);
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            match child.try_wait().unwrap() {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(format!("the last process ended with {status}:\n{}", self.errors())),
                None => sleep(Duration::from_millis(10)),
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        Err(format!("the last process hangs:\n{}", self.errors()))
    }

    fn moment(&mut self) -> Moment {
        let random = &mut self.random;
        match random.u32(..10) {
            0..3 => Moment::Opening(Duration::from_micros(random.u64(..60_000))),
            3..9 => Moment::AtWork(Duration::from_millis(random.u64(60..1_200))),
            _ => Moment::Checkpoint(Duration::from_micros(random.u64(..20_000)), Duration::from_secs(8)),
        }
    }

    fn spawn(&mut self, drains: bool) -> Child {
        self.runs += 1;
        let log = File::options().create(true).append(true).open(self.log()).unwrap();
        let mut command = Command::new(env::current_exe().unwrap());
        command
            .args(["--exact", TEST, "--nocapture"])
            .env(FOLDER, &self.folder)
            .env(SEED, self.seed.to_string())
            .env(RUN, self.runs.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        if drains {
            command.env(DRAINS, "1");
        }
        command.spawn().unwrap()
    }

    fn log(&self) -> PathBuf {
        self.folder.join("stderr")
    }

    /// The end of what the processes had to say.
    fn errors(&self) -> String {
        let text = fs::read_to_string(self.log()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(60)..].join("\n")
    }
}

/// What the process does: this test binary, as the environment says.
pub fn be_the_process(folder: &Path) {
    let number = |name: &str| env::var(name).unwrap().parse::<u64>().unwrap();
    let orders =
        Orders { seed: number(SEED), run: u32::try_from(number(RUN)).unwrap(), drains: env::var_os(DRAINS).is_some() };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if let Err(error) = runtime.block_on(program::run(folder, orders)) {
        panic!("{error:?}");
    }
}
