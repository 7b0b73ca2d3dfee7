use workflow_runtime::prelude::*;

#[event]
fn paid() {}

fn main() {}
