use workflow_runtime::prelude::*;

#[workflow]
async fn backup(cx: &Cx) -> Result<u32> {
    let number = std::rc::Rc::new(1);
    cx.sleep(std::time::Duration::from_secs(1)).await;
    Ok(*number)
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Backup>();
    let _: Option<(BackupInput, BackupDone, BackupState, BackupOutcome, BackupTransition)> = None;
}
