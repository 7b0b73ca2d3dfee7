use workflow_runtime::prelude::*;

struct Socket;

async fn open(cx: &Cx) -> Result<Socket> {
    cx.step("open", || async { Ok::<_, Error>(Socket) }).await
}

fn main() {
    let _ = open;
}
