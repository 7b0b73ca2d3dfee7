use workflow_runtime::prelude::*;

#[step]
async fn ship(number: u32) -> Result<u32> {
    Ok(number)
}

fn main() {}
