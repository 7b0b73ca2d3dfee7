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
        let mut text = pending.hosts.concat();
        self.both(cx, &mut text).await?;
        Ok(Done)
    }

    #[parallel]
    async fn both(&self, cx: &Cx, text: &mut String) -> Result<usize> {
        let one = async { text.push('a') }.await;
        let two = async { text.push('b') }.await;
        let three = self.ask(cx, "three").await?;
        let _ = (one, two);
        Ok(three)
    }

    #[step(retry(max = 3))]
    async fn ask(&self, _: &Cx, host: &str) -> Result<usize> {
        Ok(host.len())
    }
}

fn main() {}
