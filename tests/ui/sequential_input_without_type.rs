use workflow_runtime::prelude::*;

#[workflow]
async fn backup(_: &Cx, db: impl ToString + Send) -> Result<String> {
    Ok(db.to_string())
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Backup>();
    let _: Option<(BackupInput, BackupDone, BackupState, BackupOutcome, BackupTransition)> = None;
}
