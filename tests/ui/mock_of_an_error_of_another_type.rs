use workflow_runtime::prelude::*;
use workflow_runtime::testing::when;

#[derive(Debug, Clone, serde::Serialize, serde::Deserialize, thiserror::Error)]
#[error("no stock")]
struct NoStock;

#[step(retry(max = 3))]
async fn reserve(_: &Cx, _item: &str) -> Result<u64, NoStock> {
    Ok(1)
}

fn main() {
    let _ = when(reserve).fails("busy");
}
