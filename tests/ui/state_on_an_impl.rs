use workflow_runtime::prelude::*;

struct Order;

#[state]
impl Order {}

fn main() {}
