use workflow_runtime::prelude::*;

#[event(named = "pending")]
struct Pending;

fn main() {
    let _ = <Pending as workflow_runtime::Event>::NAME;
}
