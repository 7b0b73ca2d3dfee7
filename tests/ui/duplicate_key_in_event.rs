use workflow_runtime::prelude::*;

#[event(name = "a", name = "b")]
struct Pending;

fn main() {
    let _ = <Pending as workflow_runtime::Event>::NAME;
}
