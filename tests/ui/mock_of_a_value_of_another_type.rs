use workflow_runtime::prelude::*;
use workflow_runtime::testing::when;

#[step(retry(max = 3))]
async fn book(_: &Cx, _item: &str) -> Result<u64> {
    Ok(1)
}

fn main() {
    let _ = when(book).fails_times(2, "busy").then("a parcel");
}
