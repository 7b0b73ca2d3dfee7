use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state(end)]
struct Done;

#[state]
async fn pending(_: &Cx, _: Pending) -> Result<Done> {
    Ok(Done)
}

fn main() {}
