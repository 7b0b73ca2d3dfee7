use workflow_runtime::prelude::*;

#[workflow(start = Pending, vis = pub(crate))]
async fn backup(_: &Cx) -> Result<u32> {
    Ok(1)
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Backup>();
    let _: Option<(BackupInput, BackupDone, BackupState, BackupOutcome, BackupTransition)> = None;
}
