use workflow_runtime::prelude::*;

#[workflow]
async fn backup(_: &Cx, #[dep] #[serde(default)] store: String) -> Result<String> {
    Ok(store)
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Backup>();
    let _: Option<(BackupInput, BackupDone, BackupState, BackupOutcome, BackupTransition)> = None;
}
