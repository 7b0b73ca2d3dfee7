use workflow_runtime::prelude::*;

#[state]
struct Pending<'a> {
    order: &'a str,
}

fn main() {}
