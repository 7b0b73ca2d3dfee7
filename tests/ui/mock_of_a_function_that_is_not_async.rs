use workflow_runtime::prelude::*;
use workflow_runtime::testing::when;

fn length(_: &Cx, item: &str) -> Result<usize> {
    Ok(item.len())
}

fn main() {
    let _ = when(length);
}
