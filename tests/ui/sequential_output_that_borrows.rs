use workflow_runtime::prelude::*;

#[workflow]
async fn backup<'a>(_: &'a Cx) -> Result<&'a str> {
    Ok("done")
}

fn main() {}
