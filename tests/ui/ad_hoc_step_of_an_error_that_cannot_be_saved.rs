use workflow_runtime::prelude::*;

#[derive(Debug)]
struct Broken;

async fn send(cx: &Cx) -> Result<u32, Broken> {
    cx.step("send", || async { Err(Broken) }).await
}

fn main() {
    let _ = send;
}
