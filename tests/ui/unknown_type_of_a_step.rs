use workflow_runtime::prelude::*;

#[step(retry(max = 3))]
async fn reserve(_: &Cx, shelf: u32) -> Result<Vec<Itm>> {
    let _ = shelf;
    Err(Error::msg("no"))
}

fn main() {
    let _ = reserve;
}
