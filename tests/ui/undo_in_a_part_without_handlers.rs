use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state(end)]
struct Done;

struct Order;

#[workflow(start = Pending, allow(fragile_step, small_machine))]
impl Order {
    #[state]
    async fn pending(&self, cx: &Cx, _: Pending) -> Result<Done> {
        self.reserve(cx, 1).await?;
        Ok(Done)
    }
}

#[workflow(part)]
impl Order {
    #[step(undo = release)]
    async fn reserve(&self, _: &Cx, number: u32) -> Result<u32> {
        Ok(number)
    }

    #[expect(dead_code, reason = "nothing leads to it")]
    async fn release(&self, _: &Cx, number: u32) -> Result<()> {
        let _ = number;
        Ok(())
    }
}

fn main() {}
