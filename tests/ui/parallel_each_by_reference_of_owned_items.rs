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
        self.ask_all(cx, pending.hosts).await?;
        Ok(Done)
    }

    #[parallel]
    async fn ask_all(&self, cx: &Cx, #[each] host: &str) -> Result<usize> {
        self.ask(cx, host).await
    }

    #[step(retry(max = 3))]
    async fn ask(&self, _: &Cx, host: &str) -> Result<usize> {
        Ok(host.len())
    }
}

fn main() {}
