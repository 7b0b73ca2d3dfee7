use workflow_runtime::prelude::*;

#[state(was = printing)]
struct Stamping;

fn main() {}
