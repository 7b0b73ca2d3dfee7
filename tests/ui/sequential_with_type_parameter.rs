use workflow_runtime::prelude::*;

#[workflow]
async fn backup<S: Send + Sync>(_: &Cx, #[dep] _store: &S) -> Result<String> {
    Ok(String::new())
}

fn main() {}
