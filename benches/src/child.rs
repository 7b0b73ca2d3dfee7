//! Parts of a row that need a process of their own: to be killed, or to have their memory looked at.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde::de::DeserializeOwned;
use workflow_runtime::Error;

/// Starts this program as the child `name`.
pub(crate) fn spawn(name: &str, arguments: &[&OsStr]) -> io::Result<Child> {
    let mut child = Command::new(env::current_exe()?);
    child.arg("--child").arg(name).args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()
}

/// Cargo, the one that has started this program if one has.
pub(crate) fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Waits for what a child [says](say).
pub(crate) fn said<T: DeserializeOwned>(child: Child) -> Result<T, Error> {
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err(Error::msg(format!("a child process ended with {}", output.status)));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// What a child has found, for the process that started it.
#[expect(clippy::print_stdout, reason = "the other process reads it there")]
pub(crate) fn say(found: &impl Serialize) -> Result<(), Error> {
    print!("{}", serde_json::to_string(found)?);
    Ok(())
}

/// The present, by a clock that all processes share.
pub(crate) fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The `place`th argument of a child.
pub(crate) fn argument(arguments: &[String], place: usize) -> Result<&str, Error> {
    arguments.get(place).map(String::as_str).ok_or_else(|| Error::msg(format!("argument {place} is missing")))
}
