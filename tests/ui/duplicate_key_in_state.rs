use workflow_runtime::prelude::*;

#[state(end, name = "pending", end)]
struct Pending;

fn main() {
    let _ = <Pending as workflow_runtime::State>::NAME;
}
