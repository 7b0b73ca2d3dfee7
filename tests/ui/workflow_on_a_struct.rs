use workflow_runtime::prelude::*;

#[workflow(start = Pending)]
struct Order;

fn main() {}
