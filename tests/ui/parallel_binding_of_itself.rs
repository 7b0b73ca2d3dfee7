use workflow_runtime::prelude::*;

#[state]
struct Pending {
    hosts: Vec<String>,
}

#[state(end)]
struct Done;

struct Checks;

#[workflow(start = Pending, allow(small_machine, fragile_step))]
impl Checks {
    #[state]
    async fn check(&self, cx: &Cx, pending: Pending) -> Result<Done> {
        let _ = (self.both(cx).await?, pending.hosts);
        Ok(Done)
    }

    #[parallel]
    async fn both(&self, cx: &Cx) -> Result<usize> {
        let one = self.ask(cx, "one").await?;
        let two = self.ask(cx, &two).await?;
        Ok(one + two)
    }

    #[step(retry(max = 3))]
    async fn ask(&self, _: &Cx, host: &str) -> Result<usize> {
        Ok(host.len())
    }
}

fn main() {}
