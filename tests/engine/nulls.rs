//! Events, errors and results that say nothing but that they are there: they are saved as `null`, which is not the same as
//! nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use workflow_runtime::Engine;
use workflow_runtime::prelude::*;

const MOMENT: Duration = Duration::from_millis(50);

#[state]
pub struct Open;

#[state]
pub struct Working;

#[state(end)]
#[derive(Debug, PartialEq)]
pub struct Done {
    pub refused: bool,
}

#[state(end)]
#[derive(Debug, PartialEq)]
pub struct Given;

#[event]
pub struct Begin;

/// An error that is known by its type alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("refused")]
pub struct Refused;

/// Waits again and again, after which a handler is run from what is stored.
pub struct Errand {
    looked: Arc<AtomicUsize>,
}

#[workflow(start = Open, allow(endless_wait))]
impl Errand {
    #[on]
    async fn began(&self, cx: &Cx, _: Open, _: Begin) -> Result<Working> {
        cx.sleep(MOMENT).await;
        Ok(Working)
    }

    #[state]
    async fn work(&self, cx: &Cx, _: Working) -> Result<Done, Refused> {
        let tried = self.try_it(cx).await;
        cx.sleep(MOMENT).await;
        self.look(cx, vec![1, 2, 3]).await?;
        cx.sleep(MOMENT).await;
        match tried {
            Err(Refused) if cx.id().as_str() == "caught" => Err(Refused),
            tried => Ok(Done { refused: tried.is_err() }),
        }
    }

    #[catch]
    async fn failed(&self, cx: &Cx, _: Working, _: Refused) -> Result<Given> {
        cx.sleep(MOMENT).await;
        Ok(Given)
    }

    #[step(retry(max = 1))]
    async fn try_it(&self, _: &Cx) -> Result<(), Refused> {
        Err(Refused)
    }

    #[parallel]
    async fn look(&self, _: &Cx, #[each] _number: u32) -> Result<(), Refused> {
        self.looked.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[tokio::test]
async fn they_are_there_when_a_handler_goes_on_with_what_is_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let looked = Arc::new(AtomicUsize::new(0));
    let errand = Errand { looked: Arc::clone(&looked) };
    let engine = Engine::sqlite(folder.path().join("errands.db")).workflow(errand).start().await.unwrap();
    for (id, given) in [("kept", false), ("caught", true)] {
        let errand = engine.start::<Errand>(id, Open).await.unwrap();
        errand.send(Begin).await.unwrap();
        let expected = if given { ErrandOutcome::Given(Given) } else { ErrandOutcome::Done(Done { refused: true }) };
        let outcome = errand.outcome().await.unwrap();
        assert_eq!(format!("{outcome:?}"), format!("{expected:?}"));
    }
    assert_eq!(looked.load(Ordering::Relaxed), 6, "a branch that has ended is not run again");
    engine.shutdown().await.unwrap();
}
