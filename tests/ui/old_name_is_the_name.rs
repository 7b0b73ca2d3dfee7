use workflow_runtime::prelude::*;

#[state(name = "waiting", was("pending", "waiting"))]
struct Pending;

fn main() {
    let _ = Pending;
}
