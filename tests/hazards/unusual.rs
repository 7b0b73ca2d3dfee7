//! What is seldom written, and right.

#![expect(clippy::needless_arbitrary_self_type, reason = "it is what is seldom written")]

use workflow_runtime::prelude::*;
use workflow_runtime::{Rest, Stepper};

#[state]
#[derive(Debug)]
struct Waiting {
    number: u8,
    before: Option<Box<Self>>,
}

#[state(end)]
#[derive(Debug)]
struct Done {
    #[serde(flatten)]
    rest: std::collections::BTreeMap<String, u8>,
}

#[event]
struct Go(u8, u8);

struct Unusual<const N: usize, T: Clone = u8>([T; N]);

#[workflow(start = Waiting)]
impl<const N: usize, T: Clone> Unusual<N, T>
where
    T: Send + Sync + 'static,
{
    /// One lifetime for all.
    #[on(allow(endless_wait))]
    async fn go<'a>(&'a self, cx: &'a Cx, waiting: Waiting, Go(a, b): Go) -> Result<Next<(Done,)>> {
        let sum = self.add(cx, (a, b), &waiting.number).await?;
        Ok(goto(Done { rest: [("sum".to_owned(), sum)].into() }))
    }

    #[step(retry(max = 2))]
    async fn add<'a>(self: &'a Self, _: &'a Cx, (a, b): (u8, u8), number: &'a u8) -> std::result::Result<u8, Error> {
        Ok(a + b + number + u8::try_from(self.0.len())?)
    }
}

#[test]
fn it_runs() {
    workflow_runtime::block_on(async {
        let before = Some(Box::new(Waiting { number: 1, before: None }));
        let mut stepper = Stepper::start(Unusual([1_u8, 2]), Waiting { number: 1, before }).unwrap();
        assert_eq!(stepper.send(Go(3, 4)).await.unwrap(), Rest::Ended);
        let Some(UnusualOutcome::Done(done)) = stepper.outcome().unwrap() else { panic!("it has not ended") };
        assert_eq!(done.rest.get("sum"), Some(&10));
    });
}
