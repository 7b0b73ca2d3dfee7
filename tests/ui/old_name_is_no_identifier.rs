use workflow_runtime::prelude::*;

#[event(was = "pending-payment")]
struct Pending;

fn main() {
    let _ = <Pending as workflow_runtime::Event>::NAME;
}
