//! A workflow of which every loss shows in its outcome: what it was given is summed up, and what was done is listed.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::record::{ExecutionKey, Json, NewEvent};
use workflow_runtime::store::{Change, Commit, Committed, Store};
use workflow_runtime::stores::SqliteStore;
use workflow_runtime::{Engine, EngineBuilder, Execution, ExecutionId, ManualClock, Timestamp};

#[state]
pub struct Opening {
    pub owner: String,
}

#[state]
pub struct Open {
    pub owner: String,
    pub sum: u64,
}

#[state]
pub struct Closing {
    pub owner: String,
    pub sum: u64,
    pub undo: bool,
}

#[state(end)]
#[derive(Debug, PartialEq)]
pub struct Closed {
    pub owner: String,
    pub sum: u64,
    pub receipt: String,
}

#[state(end)]
#[derive(Debug, PartialEq)]
pub struct Dropped {
    pub owner: String,
    pub sum: u64,
}

/// It is kept for later while the ledger is closed for a while.
#[event]
pub struct Add {
    pub amount: u64,
}

#[event]
pub struct Close {
    pub undo: bool,
}

/// What was done and undone, with whose money.
#[derive(Default)]
pub struct Bank {
    pub booked: Mutex<Vec<String>>,
    pub undone: Mutex<Vec<String>>,
    /// Whether the second step fails, to be tried again.
    pub is_shut: bool,
}

pub struct Ledger {
    pub bank: Arc<Bank>,
}

#[workflow(start = Opening, allow(no_undo, fragile_step))]
impl Ledger {
    #[state]
    async fn open(&self, cx: &Cx, opening: Opening) -> Result<Open> {
        self.reserve(cx, &opening.owner).await?;
        Ok(Open { owner: opening.owner, sum: 0 })
    }

    #[on]
    fn added(&self, open: Open, add: Add) -> Reply<u64, Stay<Open>> {
        let sum = open.sum + add.amount;
        reply(sum, Stay(Open { sum, ..open }))
    }

    #[on]
    fn closes(&self, open: Open, close: Close) -> Closing {
        Closing { owner: open.owner, sum: open.sum, undo: close.undo }
    }

    #[after("30d")]
    fn forgotten(&self, open: Open) -> Closing {
        Closing { owner: open.owner, sum: open.sum, undo: false }
    }

    #[state]
    async fn close(&self, cx: &Cx, closing: Closing) -> Result<Next<(Closed, Unwind<Dropped>)>> {
        let receipt = self.book(cx, &closing.owner, closing.sum).await?;
        self.confirm(cx, &closing.owner).await?;
        if closing.undo {
            return Ok(unwind(Dropped { owner: closing.owner, sum: closing.sum }));
        }
        Ok(goto(Closed { owner: closing.owner, sum: closing.sum, receipt }))
    }

    #[step(undo = give_back)]
    async fn reserve(&self, _: &Cx, owner: &str) -> Result<String> {
        Ok(format!("{owner} 0"))
    }

    #[step(undo = give_back)]
    async fn book(&self, _: &Cx, owner: &str, sum: u64) -> Result<String> {
        let receipt = format!("{owner} {sum}");
        self.bank.booked.lock().unwrap().push(receipt.clone());
        Ok(receipt)
    }

    async fn give_back(&self, _: &Cx, receipt: String) -> Result<()> {
        self.bank.undone.lock().unwrap().push(receipt);
        Ok(())
    }

    #[step(retry(max = 1_000, backoff = "1h..1h", jitter = none))]
    async fn confirm(&self, _: &Cx, _: &str) -> Result<()> {
        if self.bank.is_shut { Err(Error::msg("it is shut")) } else { Ok(()) }
    }
}

/// Who has a ledger, and what is in it in the end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Owner {
    pub name: &'static str,
    /// What was added, each in an event of its own.
    pub added: &'static [u64],
    /// What was sent and is in the inbox, as nobody has looked yet.
    pub sent: &'static [u64],
    /// Whether it is closed already, and waits for the bank.
    pub is_closing: bool,
    /// Whether all is given back in the end.
    pub undo: bool,
}

pub const OWNERS: [Owner; 7] = [
    Owner { name: "ann", added: &[3, 5, 9], sent: &[], is_closing: true, undo: true },
    Owner { name: "ben", added: &[], sent: &[17], is_closing: false, undo: false },
    Owner { name: "cat", added: &[100, 11], sent: &[], is_closing: false, undo: false },
    Owner { name: "dan", added: &[7], sent: &[], is_closing: true, undo: false },
    Owner { name: "eve", added: &[1, 2, 3, 4], sent: &[21, 22], is_closing: false, undo: true },
    Owner { name: "fay", added: &[50], sent: &[], is_closing: true, undo: true },
    Owner { name: "gus", added: &[12, 13], sent: &[8], is_closing: false, undo: false },
];

impl Owner {
    pub fn sum(&self) -> u64 {
        self.added.iter().chain(self.sent).sum()
    }

    /// Whether an outcome is the one that is to come.
    pub fn expects(&self, outcome: &LedgerOutcome) -> bool {
        let (owner, sum) = (self.name.to_owned(), self.sum());
        match outcome {
            LedgerOutcome::Dropped(dropped) => self.undo && *dropped == Dropped { owner, sum },
            LedgerOutcome::Closed(closed) => {
                let receipt = format!("{owner} {sum}");
                !self.undo && *closed == Closed { receipt, owner, sum }
            }
        }
    }
}

/// An engine on a file, with a clock that the test moves.
pub struct World {
    pub engine: Engine,
    pub clock: ManualClock,
    pub bank: Arc<Bank>,
}

impl World {
    /// # Errors
    /// If the file is refused.
    pub async fn open(path: &Path, is_shut: bool, now: Timestamp) -> std::result::Result<Self, String> {
        let store = SqliteStore::open(path).map_err(|error| format!("{error:?}"))?;
        let store: Arc<dyn Store> = Arc::new(store);
        let clock = ManualClock::new(now);
        let bank = Arc::new(Bank { is_shut, ..Bank::default() });
        let builder: EngineBuilder =
            Engine::on(store).clock(clock.clone()).workflow(Ledger { bank: Arc::clone(&bank) });
        let engine = builder.drain_timeout(Duration::ZERO).start().await.map_err(|error| format!("{error:?}"))?;
        Ok(Self { engine, clock, bank })
    }

    pub fn ledger(&self, owner: &Owner) -> Execution<Ledger> {
        self.engine.execution(owner.name).unwrap()
    }
}

/// Writes a file in which each ledger is as its owner says.
pub async fn write(path: &Path) {
    let world = World::open(path, true, Timestamp::EPOCH).await.unwrap();
    for owner in &OWNERS {
        let opening = Opening { owner: owner.name.to_owned() };
        let ledger = world.engine.start::<Ledger>(owner.name, opening).await.unwrap();
        let mut sum = 0;
        for (number, amount) in owner.added.iter().enumerate() {
            sum += amount;
            assert_eq!(ledger.ask_once(format!("add-{number}"), Add { amount: *amount }).await.unwrap(), sum);
        }
        if owner.is_closing {
            ledger.send_once("close", Close { undo: owner.undo }).await.unwrap();
        }
        while ledger.record().await.unwrap().resume_at.is_some() != owner.is_closing
            || !matches!(ledger.state().await.unwrap(), LedgerState::Open(_) | LedgerState::Closing(_))
        {
            tokio::task::yield_now().await;
        }
    }
    world.engine.shutdown().await.unwrap();
    drop(world);
    // What nobody looks at stays in the inbox.
    let store = SqliteStore::open(path).unwrap();
    for owner in &OWNERS {
        let key = ExecutionKey { workflow: "Ledger".into(), id: ExecutionId::new(owner.name).unwrap() };
        for (number, amount) in owner.sent.iter().enumerate() {
            let event = NewEvent {
                event_id: format!("sent-{number}"),
                name: "add".to_owned(),
                payload: Json::encode(&Add { amount: *amount }).unwrap(),
                sent_at: Timestamp::EPOCH,
            };
            let commit = Commit { key: key.clone(), change: Change::Deliver { event } };
            assert_eq!(store.commit(vec![commit]).await.unwrap(), [Ok(Committed::Applied)]);
        }
    }
}
