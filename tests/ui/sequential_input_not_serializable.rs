use workflow_runtime::prelude::*;

struct Db;

#[workflow]
async fn backup(_: &Cx, _db: Db) -> Result<String> {
    Ok(String::new())
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Backup>();
    let _: Option<(BackupInput, BackupDone, BackupState, BackupOutcome, BackupTransition)> = None;
}
