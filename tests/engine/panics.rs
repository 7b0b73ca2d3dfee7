//! Panics of user code that is not a handler's own: when it is dropped, and when an error is looked at.

use std::fmt;
use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::record::ErrorKind;
use workflow_runtime::{Engine, EngineError, ManualClock, Timestamp};

use super::fixture::{settle, test};

#[state]
pub struct Armed {
    pub bomb: String,
}

#[state(end)]
pub struct Defused;

pub struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

/// An error that cannot even say what it is.
#[derive(Debug)]
pub struct Unspeakable;

impl fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("unspeakable")
    }
}

impl std::error::Error for Unspeakable {}

pub struct Squad;

#[workflow(start = Armed, allow(small_machine))]
impl Squad {
    #[state]
    async fn wait(&self, cx: &Cx, armed: Armed) -> Result<Defused> {
        let bomb = Bomb;
        match armed.bomb.as_str() {
            "drop" => cx.sleep(Duration::from_secs(1)).await,
            "speak" => {
                std::mem::forget(bomb);
                return Err(Unspeakable.into());
            }
            _ => {}
        }
        std::mem::forget(bomb);
        Ok(Defused)
    }
}

#[test]
fn a_panic_outside_of_the_handler_parks_the_execution_and_no_other() {
    test(async {
        let clock = ManualClock::new(Timestamp::EPOCH);
        let engine = Engine::in_memory().clock(clock).max_active(1).workflow(Squad).start().await.unwrap();
        for kind in ["drop", "speak"] {
            let armed = engine.start::<Squad>(kind, Armed { bomb: kind.to_owned() }).await.unwrap();
            settle(&engine).await;
            let told = futures::FutureExt::now_or_never(armed.outcome());
            let Some(Err(EngineError::Parked { error, .. })) = told else { panic!("{told:?}") };
            assert_eq!(error.kind, ErrorKind::Panicked);
            assert!(error.message.contains(if kind == "drop" { "dropped" } else { "unspeakable" }), "{error}");
        }
        let other = engine.start::<Squad>("other", Armed { bomb: String::new() }).await.unwrap();
        assert!(matches!(other.outcome().await.unwrap(), SquadOutcome::Defused(_)));
    });
}
