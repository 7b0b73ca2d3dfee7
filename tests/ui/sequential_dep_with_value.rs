use workflow_runtime::prelude::*;

#[workflow]
async fn backup(_: &Cx, #[dep(shared)] store: &String) -> Result<String> {
    Ok(store.clone())
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Backup>();
    let _: Option<(BackupInput, BackupDone, BackupState, BackupOutcome, BackupTransition)> = None;
}
