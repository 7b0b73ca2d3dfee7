#[workflow_runtime::main]
fn main() {}
