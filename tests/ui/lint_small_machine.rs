#![deny(deprecated)]

use workflow_runtime::prelude::*;

#[state]
struct Dumping {
    db: String,
}

#[state]
struct Uploading {
    dump: String,
}

#[state(end)]
struct Done;

struct Backup;

#[workflow(start = Dumping)]
impl Backup {
    #[state]
    async fn dump(&self, cx: &Cx, state: Dumping) -> Result<Uploading> {
        let dump = self.run(cx, &state.db).await?;
        Ok(Uploading { dump })
    }

    #[state]
    async fn upload(&self, cx: &Cx, state: Uploading) -> Result<Done> {
        self.run(cx, &state.dump).await?;
        Ok(Done)
    }

    #[step(retry(max = 3))]
    async fn run(&self, _: &Cx, command: &str) -> Result<String> {
        Ok(command.to_owned())
    }
}

fn main() {
    let _ = Backup;
}
