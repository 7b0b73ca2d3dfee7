//! The load: what the piece with some number is, what it is to come to, and how it is driven from outside.

pub mod chain;
mod clock;
pub mod counter;
mod family;
mod fan;
mod letter;
pub mod queue;
mod rally;
mod repair;
mod trip;

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use serde::Serialize;
use workflow_runtime::prelude::*;
use workflow_runtime::{Accepts, Engine, EngineBuilder, Execution, Workflow};

use crate::expected::Expected;
use crate::log::{Ack, Effect, Log};
use crate::world::World;

/// A piece of load: an execution, and those that it starts.
pub trait Piece {
    /// What every execution of it comes to.
    fn expected(&self, id: &str) -> Vec<Expected>;

    /// The same of the executions that only time has chosen, or what is wrong with the choice.
    fn expected_of_found(&self, _id: &str, _found: &Found<'_>) -> Result<Vec<Expected>, String> {
        Ok(Vec::new())
    }

    /// Starts it, does what is to be done from outside, and waits for its end. After a kill, it is done again, in another
    /// process.
    fn drive(&self, driver: &Driver, id: &str) -> impl Future<Output = Result<()>> + Send;
}

/// What is there when all is done.
pub struct Found<'a> {
    /// Every execution, as workflow and id.
    pub executions: &'a BTreeSet<String>,
    pub effects: &'a BTreeMap<String, Vec<Effect>>,
    /// What was acknowledged to whoever drove the piece.
    pub acks: &'a [Ack],
}

macro_rules! pieces {
    ($($kind:ident($of:ty) $name:literal $weight:literal,)*) => {
        #[derive(Debug)]
        pub enum Plan {
            $($kind($of),)*
        }

        impl Plan {
            fn any(mut random: Rng) -> Self {
                let mut at = random.u32(..0 $(+ $weight)*);
                $(
                    if at < $weight {
                        return Self::$kind(<$of>::any(&mut random));
                    }
                    at = at.wrapping_sub($weight);
                )*
                unreachable!("{at} is past all weights")
            }

            fn name(&self) -> &'static str {
                match self {
                    $(Self::$kind(_) => $name,)*
                }
            }

            pub fn expected(&self, id: &str) -> Vec<Expected> {
                match self {
                    $(Self::$kind(piece) => piece.expected(id),)*
                }
            }

            pub fn expected_of_found(&self, id: &str, found: &Found<'_>) -> Result<Vec<Expected>, String> {
                match self {
                    $(Self::$kind(piece) => piece.expected_of_found(id, found),)*
                }
            }

            pub async fn drive(&self, driver: &Driver, id: &str) -> Result<()> {
                match self {
                    $(Self::$kind(piece) => piece.drive(driver, id).await,)*
                }
            }
        }
    };
}

pieces! {
    Chain(chain::Fresh) "chain" 6,
    Trip(trip::Booking) "trip" 6,
    Counter(counter::Adds) "counter" 4,
    Letter(letter::Pages) "letter" 4,
    Fan(fan::Spread) "fan" 3,
    Family(family::Asking) "family" 2,
    Rally(rally::Ping) "rally" 3,
    Queue(queue::Hunger) "queue" 4,
    Repair(repair::Broken) "repair" 5,
    Clock(clock::Clock) "clock" 1,
    Backfill(clock::Backfill) "backfill" 1,
}

/// The piece with this number.
pub fn plan(seed: u64, number: u64) -> (String, Plan) {
    let plan = Plan::any(Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(number)));
    (format!("{}-{number}", plan.name()), plan)
}

pub fn workflows(engine: EngineBuilder, world: &World) -> EngineBuilder {
    let world = || world.clone();
    engine
        .workflow(chain::Chain { world: world() })
        .workflow(trip::Trip { world: world() })
        .workflow(counter::Counter { world: world() })
        .workflow(letter::Letter { world: world() })
        .workflow(fan::Fan { world: world() })
        .workflow(family::Family { world: world() })
        .workflow(rally::Rally { world: world() })
        .workflow(queue::Guest { world: world() })
        .workflow(repair::Repair { world: world() })
        .workflow(clock::Shift { world: world() })
}

/// What drives one piece of load.
pub struct Driver {
    pub engine: Engine,
    pub world: World,
    pub acks: std::sync::Arc<Log>,
    pub number: u64,
    /// What was acknowledged to processes that were killed.
    pub before: Vec<Ack>,
}

impl Driver {
    /// Starts it, unless that was acknowledged before: then it has to be there.
    pub async fn start<W: Workflow>(&self, id: &str, start: W::Start) -> Result<Execution<W>> {
        if self.before.contains(&Ack::Started) {
            return Ok(self.engine.execution(id)?);
        }
        self.begin();
        let execution = self.engine.start(id, start).await?;
        Ack::Started.write(&self.acks, self.number);
        Ok(execution)
    }

    /// From now on there may be something of it in the store.
    pub fn begin(&self) {
        if !self.before.contains(&Ack::Begun) {
            Ack::Begun.write(&self.acks, self.number);
        }
    }

    /// Sends an event, unless that was acknowledged before.
    pub async fn send<W: Accepts<E>, E>(&self, to: &Execution<W>, event_id: &str, event: E) -> Result<()> {
        let ack = Ack::Sent(event_id.to_owned());
        if !self.before.contains(&ack) {
            to.send_once(event_id, event).await?;
            ack.write(&self.acks, self.number);
        }
        Ok(())
    }

    /// Writes down what the next process has to know, once.
    pub fn note(&self, text: String) {
        let ack = Ack::Noted(text);
        if !self.before.contains(&ack) {
            ack.write(&self.acks, self.number);
        }
    }

    /// What was noted under this word in a process that was killed.
    pub fn noted(&self, word: &str) -> Option<&str> {
        noted(&self.before, word).next()
    }

    /// Notes an answer, which has to be the one that was given before, if one was.
    pub fn answered(&self, event_id: &str, answer: &impl Serialize) -> Result<()> {
        let ack = Ack::Answered(event_id.to_owned(), serde_json::to_string(answer)?);
        let differs = |other: &Ack| matches!(other, Ack::Answered(id, _) if id == event_id) && *other != ack;
        if let Some(other) = self.before.iter().find(|other| differs(other)) {
            return Err(Error::msg(format!("now it is {ack:?}, before it was {other:?}")));
        }
        if !self.before.contains(&ack) {
            ack.write(&self.acks, self.number);
        }
        Ok(())
    }
}

/// What was noted under a word.
fn noted<'a>(acks: &'a [Ack], word: &str) -> impl Iterator<Item = &'a str> {
    acks.iter().filter_map(move |ack| match ack {
        Ack::Noted(text) => text.strip_prefix(word)?.strip_prefix(' '),
        _ => None,
    })
}

/// Every piece that was begun: those up to the highest number.
pub fn begun(acks: &[(u64, Ack)]) -> u64 {
    acks.iter().map(|(number, _)| number + 1).max().unwrap_or(0)
}

/// The pieces that came to their end.
pub fn done(acks: &[(u64, Ack)]) -> BTreeSet<u64> {
    acks.iter().filter(|(_, ack)| *ack == Ack::Done).map(|(number, _)| *number).collect()
}
