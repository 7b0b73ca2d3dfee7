//! The files of the schema lock.

use crate::testing::lock::Lock;

/// Reads a text as a lock, which is refused or written as it was read; says which.
pub fn locks(data: &[u8]) -> bool {
    // What is no UTF-8 is refused before it comes here.
    let text = String::from_utf8_lossy(data);
    match text.parse::<Lock>() {
        Ok(lock) => {
            let written = lock.to_string();
            assert_eq!(written.parse().as_ref(), Ok(&lock), "what was written is read as something else");
            assert_eq!(lock.to_string(), written);
            true
        }
        Err(error) => {
            assert!(!error.to_string().is_empty(), "{error:?} says nothing");
            false
        }
    }
}
