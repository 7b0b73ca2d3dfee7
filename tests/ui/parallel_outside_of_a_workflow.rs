use workflow_runtime::prelude::*;

struct Checks;

impl Checks {
    #[parallel]
    async fn both(&self, cx: &Cx) -> Result<()> {
        let _ = cx;
        Ok(())
    }
}

fn main() {}
