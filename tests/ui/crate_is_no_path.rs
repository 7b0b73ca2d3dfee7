use workflow_runtime::prelude::*;

#[state(crate = "not a path")]
struct Pending;

fn main() {
    let _ = <Pending as workflow_runtime::State>::NAME;
}
