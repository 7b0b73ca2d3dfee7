use workflow_runtime::prelude::*;

#[state(name = "pending payment")]
struct Pending;

fn main() {
    let _ = <Pending as workflow_runtime::State>::NAME;
}
