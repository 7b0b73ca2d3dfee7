use workflow_runtime::prelude::*;

#[workflow]
async fn Backup(_: &Cx) -> Result<u32> {
    Ok(1)
}

fn main() {}
