use workflow_runtime::prelude::*;

#[state(nmae = "pending")]
struct Pending;

fn main() {
    let _ = <Pending as workflow_runtime::State>::NAME;
}
