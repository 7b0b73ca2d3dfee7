//! One night: a sequential workflow of two steps.

use std::path::{Path, PathBuf};

use workflow_runtime::prelude::*;
use workflow_runtime::{Schedule, StartsWorkflow};

use crate::vault::{Archive, Vault};

/// Copies a folder into an archive, and reads the archive back: one that nobody has read is no backup.
#[workflow]
pub async fn backup(cx: &Cx, #[dep] vault: &Vault, folder: PathBuf) -> Result<Archive> {
    let archive = copy(cx, vault, &folder).await?;
    verify(cx, vault, &archive).await?;
    Ok(archive)
}

/// Every night at half past two. One that falls due while no engine runs is made up for when one does.
pub fn every_night(folder: PathBuf) -> Schedule<StartsWorkflow> {
    Schedule::cron("30 2 * * *").time_zone("Europe/Berlin").start::<Backup>(BackupInput { folder })
}

/// Writes the archive of this night. Run again after a crash, it begins anew: what it had written is no archive yet.
#[step(retry(max = 5, backoff = "1s..1m"), timeout = "1h")]
pub async fn copy(cx: &Cx, vault: &Vault, folder: &Path) -> Result<Archive> {
    vault.write(&cx.id().as_str().replace('/', "-"), folder).await
}

/// An archive that cannot be read back parks the night, for a person to look at the disk.
#[step(retry(max = 2, backoff = "1s..1m"), timeout = "1h")]
pub async fn verify(_: &Cx, vault: &Vault, archive: &Archive) -> Result<()> {
    vault.verify(archive).await
}

#[cfg(test)]
mod tests;
