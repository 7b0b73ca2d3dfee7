use workflow_runtime::prelude::*;

#[state]
struct Order;
#[state(end)]
struct Paid;

struct Sale;

#[workflow(start = Order, allow(fragile_step))]
impl Sale {
    #[state]
    async fn pay(&self, cx: &Cx, _: Order) -> Result<Paid> {
        self.charge(cx).await?;
        self.collect(cx).await?;
        Ok(Paid)
    }

    #[step]
    async fn charge(&self, _: &Cx) -> Result<()> {
        Ok(())
    }

    #[step(was = "charge")]
    async fn collect(&self, _: &Cx) -> Result<()> {
        Ok(())
    }
}

fn main() {}
