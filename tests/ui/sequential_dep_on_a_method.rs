use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state(end)]
struct Done;

struct Backup;

#[workflow(start = Pending)]
impl Backup {
    #[state]
    async fn pending(&self, _: &Cx, #[dep] _: Pending) -> Result<Next<(Done, Pending)>> {
        Ok(goto(Done))
    }
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Backup>();
}
