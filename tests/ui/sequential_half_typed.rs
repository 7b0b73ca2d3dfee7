use workflow_runtime::prelude::*;

#[workflow]
async fn backup(cx: &Cx, db: String) -> Result<String> {
    cx.sleep(std::time::Duration::from_secs(1)).await;
    let _ = db.;
    Ok(String::new())
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Backup>();
    let _: Option<(BackupInput, BackupDone, BackupState, BackupOutcome, BackupTransition)> = None;
}
