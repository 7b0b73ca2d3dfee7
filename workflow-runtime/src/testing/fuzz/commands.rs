//! The arguments of the command that looks after a store.

use std::ffi::OsString;

use crate::engine::reads_command;

/// Reads lines as the arguments of a command line, which are understood or refused with the reason; says which.
pub fn commands(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    match reads_command(text.lines().map(OsString::from)) {
        Ok(()) => true,
        Err(reason) => {
            assert!(!reason.is_empty(), "it says nothing");
            false
        }
    }
}
