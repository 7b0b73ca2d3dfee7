//! What a step's arguments may look like.

use std::borrow::Cow;
use std::fmt::Debug;
use std::sync::Arc;

use workflow_runtime::prelude::*;
use workflow_runtime::{ExecutionId, ManualClock, Timestamp};
use workflow_tests::turns::now;

struct Client(u32);

#[derive(Clone)]
struct Point {
    x: u32,
    y: u32,
}

#[state]
struct Pending;

#[state(end)]
struct Done;

struct Order {
    client: Client,
}

#[workflow(start = Pending, allow(fragile_step, small_machine))]
impl Order {
    #[state]
    async fn pending(&self, cx: &Cx, _: Pending) -> Result<Done> {
        let mut sum = self.patterns(cx, Point { x: 1, y: 2 }, 3, (4, 5)).await?;
        sum += self.generic(cx, &"six", [7, 8]).await?;
        sum += self.borrowed(cx, "nine", Cow::Borrowed("ten"), &mut_free(11)).await?;
        sum += self.implied(cx, "12".to_owned()).await?;
        sum += free(cx, &self.client, 13_u32).await?;
        sum += self.clock(cx).await?;
        assert_eq!(sum, 1 + 2 + 3 + 4 + 5 + 3 + 15 + 4 + 3 + 11 + 2 + 13 + 1 + 14);
        Ok(Done)
    }

    #[step(retry(max = 3, backoff = "1ms..1ms"))]
    async fn patterns(&self, _: &Cx, Point { x, y }: Point, mut z: u32, (a, b): (u32, u32)) -> Result<u32> {
        z += a + b;
        Ok(x + y + z)
    }

    #[step(retry(max = 3))]
    async fn generic<T: Debug + Sync + ?Sized, const N: usize>(&self, _: &Cx, text: &T, more: [u32; N]) -> Result<u32>
    where
        [u32; N]: Send,
    {
        Ok(u32::try_from(format!("{text:?}").len()).unwrap_or(0) - 2 + more.iter().sum::<u32>())
    }

    #[step]
    async fn borrowed<'a>(&self, _: &Cx, text: &'a str, more: Cow<'a, str>, number: &u32) -> Result<u32> {
        Ok(u32::try_from(text.len() + more.len()).unwrap_or(0) + number)
    }

    #[step(retry(max = 2))]
    async fn implied(&self, _: &Cx, text: impl AsRef<str> + Clone + Send) -> Result<u32> {
        Ok(u32::try_from(text.as_ref().len()).unwrap_or(0))
    }

    /// Takes what it needs of `self`.
    #[step]
    #[allow(clippy::let_and_return, reason = "an attribute for the body")]
    async fn clock(&self, cx: &Cx) -> Result<u32> {
        let number = self.client.0 + cx.attempt() + 12;
        Ok(number)
    }
}

fn mut_free(number: u32) -> u32 {
    number
}

/// Without a workflow.
#[step(retry(max = 2), timeout = "1m")]
async fn free<T>(cx: &Cx, client: &Client, number: T) -> Result<u32>
where
    T: Into<u32> + Clone + Send,
{
    let number: u32 = number.into();
    Ok(client.0 + number + cx.attempt() - 1)
}

#[test]
fn all_of_them_run() {
    let order = Arc::new(Order { client: Client(1) });
    let call = workflow_tests::turns::call("pending", "null", "pending", None);
    assert_eq!(workflow_tests::turns::decide(&order, call).0, "done");
}

#[test]
fn a_step_can_be_called_alone() {
    let id = ExecutionId::new("1").unwrap();
    let cx = Cx::detached("Order", id, ManualClock::new(Timestamp::EPOCH));
    assert_eq!(now(free(&cx, &Client(1), 2_u32)).unwrap(), 3);
}
