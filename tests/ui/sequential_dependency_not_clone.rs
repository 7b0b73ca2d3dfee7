use workflow_runtime::prelude::*;

struct Store;

#[workflow]
async fn backup(_: &Cx, #[dep] _store: Store) -> Result<String> {
    Ok(String::new())
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Backup>();
    let _: Option<(BackupInput, BackupDone, BackupState, BackupOutcome, BackupTransition)> = None;
}
