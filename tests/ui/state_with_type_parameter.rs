use workflow_runtime::prelude::*;

#[state]
struct Pending<T> {
    order: T,
}

fn main() {}
