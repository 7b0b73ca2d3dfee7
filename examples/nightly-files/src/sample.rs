//! Files to try it on: logs of many machines, one in a hundred of them no text.

use std::fs;
use std::path::Path;

use fastrand::Rng;
use workflow_runtime::Result;

/// Writes so many files, the same ones each time, unless they are there.
///
/// # Errors
/// If they cannot be written.
pub fn write(inbox: &Path, files: usize) -> Result<()> {
    let complete = inbox.with_extension("complete");
    if fs::read_to_string(&complete).is_ok_and(|written| written == files.to_string()) {
        return Ok(());
    }
    let mut random = Rng::with_seed(4711);
    for number in 0..files {
        let folder = inbox.join(format!("rack-{:02}", number % 40));
        fs::create_dir_all(&folder)?;
        let mut text: Vec<u8> = (0..random.u32(1..40))
            .flat_map(|line| {
                let level = if random.u8(..10) == 0 { "ERROR" } else { "INFO" };
                format!("{line} {level} disk {} is {} % full\n", number % 7, random.u8(..100)).into_bytes()
            })
            .collect();
        if number % 100 == 99 {
            text.push(0xff);
        }
        fs::write(folder.join(format!("{number:05}.log")), text)?;
    }
    Ok(fs::write(complete, files.to_string())?)
}
