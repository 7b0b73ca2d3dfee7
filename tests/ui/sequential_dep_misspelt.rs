use workflow_runtime::prelude::*;

struct Disk;

#[workflow]
async fn backup(_: &Cx, #[deps] disk: &Disk, db: String) -> Result<String> {
    let _ = disk;
    Ok(db)
}

fn main() {
    let _ = Backup { disk: Disk };
}
