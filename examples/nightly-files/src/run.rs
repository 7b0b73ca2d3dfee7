//! One run: start the night, show how far it is, and count what came of it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use example_support::say;
use tokio::time::sleep;
use walkdir::WalkDir;
use workflow_runtime::{Engine, Result};

use crate::mill::Mill;
use crate::workflow::{Night, NightInput, NightOutcome, Summary};

/// Has the files of a folder digested, and says whether what came of it is what there is to find.
///
/// # Errors
/// If the engine stops, or something cannot be read.
pub async fn run(engine: &Engine, mill: &Mill, inbox: &Path) -> Result<bool> {
    let before = mill.digests()?;
    let night = engine.start::<Night>("tonight", NightInput { inbox: inbox.to_owned() }).await?;
    let watching = async {
        loop {
            sleep(Duration::from_millis(250)).await;
            say(format!("{:>6} digested in this run", mill.digested()));
        }
    };
    let outcome = tokio::select! {
        outcome = night.outcome() => outcome?,
        () = watching => return Ok(false),
    };
    let NightOutcome::Done(done) = outcome;
    let summary = done.output;
    say(format!("{before} were digested before, {} in this run", mill.digested()));
    let Summary { digested, lines, errors, refused } = &summary;
    say(format!("{digested} files with {lines} lines, {errors} of them errors; {} refused", refused.len()));
    refused.iter().take(3).for_each(|refused| say(format!("  {refused}")));
    let found = count(inbox)?;
    let is_right = found == (summary.digested, summary.lines, summary.errors) && mill.digests()? == summary.digested;
    say(if is_right {
        "checked: every file was digested or refused, and none is missing"
    } else {
        "WRONG: this is not what there is to find"
    });
    Ok(is_right)
}

/// The same one after the other: files that are text, their lines, and the errors among them.
fn count(inbox: &Path) -> Result<(usize, u64, u64)> {
    let (mut files, mut lines, mut errors) = (0, 0, 0);
    for entry in WalkDir::new(inbox) {
        let entry = entry?;
        if let (true, Ok(text)) = (entry.file_type().is_file(), fs::read_to_string(entry.path())) {
            files += 1;
            for line in text.lines() {
                lines += 1;
                errors += u64::from(line.contains(" ERROR "));
            }
        }
    }
    Ok((files, lines, errors))
}
