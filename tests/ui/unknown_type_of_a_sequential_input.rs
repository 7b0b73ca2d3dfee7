use workflow_runtime::prelude::*;

#[workflow]
async fn backup(_: &Cx, items: Vec<Itm>) -> Result<u32> {
    drop(items);
    Err(Error::msg("no"))
}

fn main() {
    let _ = backup;
}
