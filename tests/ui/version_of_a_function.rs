use workflow_runtime::prelude::*;

#[workflow(version = 2)]
async fn backup(_: &Cx, db: String) -> Result<String> {
    Ok(db)
}

fn main() {}
