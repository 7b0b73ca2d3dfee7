use workflow_runtime::prelude::*;

#[state(was("waiting", "waiting"))]
struct Pending;

fn main() {
    let _ = Pending;
}
