use workflow_runtime::prelude::*;

struct Archive;

#[workflow]
async fn backup(_: &Cx) -> Result<Archive> {
    Ok(Archive)
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Backup>();
    let _: Option<(BackupInput, BackupDone, BackupState, BackupOutcome, BackupTransition)> = None;
}
