#![deny(deprecated)]

use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state(end)]
struct Done;

struct Sale;

#[workflow(start = Pending)]
impl Sale {
    #[state]
    async fn pending(&self, cx: &Cx, _: Pending) -> Result<Done> {
        self.both(cx).await?;
        Ok(Done)
    }

    #[catch]
    fn failed(&self, _: Pending, _: Error) -> Done {
        Done
    }

    async fn both(&self, cx: &Cx) -> Result<()> {
        self.charge(cx, 1).await?;
        self.ship(cx).await
    }

    async fn charge(&self, cx: &Cx, cents: u64) -> Result<()> {
        println!("{cents} for {}", cx.idempotency_key());
        let _ = cx.idempotency_key();
        Ok(())
    }

    #[step]
    async fn ship(&self, _: &Cx) -> Result<()> {
        Ok(())
    }
}

fn main() {
    let _ = Sale;
}
