use workflow_runtime::prelude::*;

#[workflow]
async fn backup(_: &Cx, #[dep] store: std::cell::Cell<u32>) -> Result<u32> {
    Ok(store.get())
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Backup>();
    let _: Option<(BackupInput, BackupDone, BackupState, BackupOutcome, BackupTransition)> = None;
}
