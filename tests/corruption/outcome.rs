//! What becomes of a file that was damaged, when an engine is started on it.

use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::time::Duration;

use futures::FutureExt as _;
use workflow_runtime::record::Status;
use workflow_runtime::store::StoreError;
use workflow_runtime::{EngineError, Timestamp};

use crate::ledger::{Close, OWNERS, Owner, World};

/// What became of one ledger.
#[derive(Debug, Clone, PartialEq)]
pub enum Fate {
    /// It came to the end that it was to come to.
    Right,
    /// It is parked.
    Parked,
    /// Whoever asks is told that it is damaged, or not there.
    Told(String),
    /// Nothing wakes it before something is sent to it: what says when it is due is not what it was.
    Asleep,
}

/// What became of a file.
#[derive(Debug)]
pub enum Outcome {
    /// It was not opened, or the engine has stopped.
    Refused(String),
    /// What became of each.
    Ran(Vec<(Owner, Fate)>),
}

/// More rounds than any execution needs, each a millisecond at least: what takes longer hangs.
const ROUNDS: u32 = 8_000;

/// Starts an engine on the file, closes every ledger, and waits until none goes on.
///
/// # Errors
/// If something came out that is wrong, or nothing comes out.
pub async fn outcome(path: &Path) -> Result<Outcome, String> {
    let opened = AssertUnwindSafe(World::open(path, false, Timestamp::EPOCH)).catch_unwind().await;
    let world = match opened {
        Ok(Ok(world)) => world,
        Ok(Err(refused)) => return Ok(Outcome::Refused(refused)),
        Err(_) => return Err("it panics when it is opened".to_owned()),
    };
    let outcome = run(&world).await;
    // What is wrong with the file may be told here, too.
    let ended = tokio::time::timeout(Duration::from_secs(30), world.engine.shutdown()).await;
    ended.map_err(|_| "it does not shut down".to_owned())?.ok();
    let bank = &world.bank;
    for booked in bank.booked.lock().unwrap().iter().chain(bank.undone.lock().unwrap().iter()) {
        let is_right = |owner: &Owner| [owner.sum(), 0].iter().any(|sum| *booked == format!("{} {sum}", owner.name));
        if !OWNERS.iter().any(is_right) {
            return Err(format!("`{booked}` was booked, which is nobody's"));
        }
    }
    outcome
}

async fn run(world: &World) -> Result<Outcome, String> {
    for owner in &OWNERS {
        let sent = world.ledger(owner).send_once("close", Close { undo: owner.undo }).await;
        if let Err(error) = sent
            && is_of_all(&error)
        {
            return Ok(Outcome::Refused(format!("{error:?}")));
        }
    }
    let mut fates = Vec::new();
    for owner in OWNERS {
        match fate(world, &owner).await {
            Ok(fate) => fates.push((owner, fate)),
            Err(Wrong::Stopped(why)) => return Ok(Outcome::Refused(why)),
            Err(Wrong::Data(why)) => return Err(why),
        }
    }
    Ok(Outcome::Ran(fates))
}

enum Wrong {
    /// The engine has stopped.
    Stopped(String),
    Data(String),
}

async fn fate(world: &World, owner: &Owner) -> Result<Fate, Wrong> {
    let ledger = world.ledger(owner);
    for _ in 0..ROUNDS {
        let record = match ledger.record().await {
            Ok(record) => record,
            Err(error) if is_of_all(&error) => return Err(Wrong::Stopped(format!("{error:?}"))),
            Err(error) => return Ok(Fate::Told(format!("{error:?}"))),
        };
        match record.status() {
            Status::Ended => return ended(world, owner).await,
            Status::Parked => return Ok(Fate::Parked),
            Status::Cancelled | Status::Terminated => {
                return Err(Wrong::Data(format!("{} has {record:?}", owner.name)));
            }
            _ => {}
        }
        world.clock.advance(Duration::from_secs(600));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(Fate::Asleep)
}

async fn ended(world: &World, owner: &Owner) -> Result<Fate, Wrong> {
    let outcome = match world.ledger(owner).outcome().await {
        Ok(outcome) => outcome,
        Err(error) => return Ok(Fate::Told(format!("{error:?}"))),
    };
    if !owner.expects(&outcome) {
        return Err(Wrong::Data(format!("{owner:?} came to {outcome:?}")));
    }
    let undone = world.bank.undone.lock().unwrap().clone();
    let of_owner: Vec<_> = undone.iter().filter(|undone| undone.starts_with(owner.name)).cloned().collect();
    let expected = match owner.undo {
        true => vec![format!("{} {}", owner.name, owner.sum()), format!("{} 0", owner.name)],
        false => Vec::new(),
    };
    if of_owner != expected {
        return Err(Wrong::Data(format!("of {} were undone {of_owner:?}, and not {expected:?}", owner.name)));
    }
    Ok(Fate::Right)
}

/// Whether an error concerns the whole store, and not one execution.
fn is_of_all(error: &EngineError) -> bool {
    match error {
        EngineError::Store(error) => !matches!(error, StoreError::Corrupt { .. }),
        EngineError::ShuttingDown | EngineError::Fenced { .. } => true,
        _ => false,
    }
}
