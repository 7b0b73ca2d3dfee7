use workflow_runtime::prelude::*;

#[workflow]
pub async fn greet(cx: &Cx, name: String) -> Result<u32> {
    write_to(cx, &name).await
}

#[step(retry(max = 3))]
pub async fn write_to(_: &Cx, name: &str) -> Result<u32> {
    Ok(name.len() as u32)
}

#[state(end)]
pub struct Greeted;

workflow_runtime::lock_command!(Greet: [write_to], Greeted);
