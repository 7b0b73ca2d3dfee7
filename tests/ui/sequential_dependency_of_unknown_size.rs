use workflow_runtime::prelude::*;

trait Storage: Send + Sync {}

#[workflow]
async fn backup(_: &Cx, #[dep] _store: &dyn Storage) -> Result<String> {
    Ok(String::new())
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Backup>();
    let _: Option<(BackupInput, BackupDone, BackupState, BackupOutcome, BackupTransition)> = None;
}
