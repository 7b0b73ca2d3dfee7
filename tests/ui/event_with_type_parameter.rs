use workflow_runtime::prelude::*;

#[event]
struct Payment<T>(T);

fn main() {}
