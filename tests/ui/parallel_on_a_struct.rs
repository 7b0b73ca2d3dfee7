use workflow_runtime::prelude::*;

#[parallel]
struct Checks;

fn main() {}
