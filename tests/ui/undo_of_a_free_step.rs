use workflow_runtime::prelude::*;

#[step(undo = release)]
async fn reserve(_: &Cx, number: u32) -> Result<u32> {
    Ok(number)
}

#[expect(dead_code, reason = "nothing leads to it")]
async fn release(_: &Cx, number: u32) -> Result<()> {
    let _ = number;
    Ok(())
}

fn main() {
    let _ = async |cx: &Cx| reserve(cx, 1).await;
}
