use workflow_runtime::prelude::*;

struct Store;

impl Store {
    #[workflow]
    async fn backup(&self, _: &Cx) -> Result<u32> {
        Ok(1)
    }
}

fn main() {
    let _ = Store::backup;
}
