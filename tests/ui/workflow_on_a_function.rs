use workflow_runtime::prelude::*;

#[workflow]
async fn backup(_: &Cx) {}

fn main() {}
