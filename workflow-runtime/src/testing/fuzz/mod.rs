//! What whoever can write to a disk or a command line may have the runtime read, for fuzzing: one function a format, which
//! takes any bytes, and panics if a promise does not hold.
//!
//! They are called by the targets in `fuzz/`, and by the tests beside them with cases that follow from a seed.

#[cfg(feature = "sqlite")]
mod columns;
#[cfg(feature = "command")]
mod commands;
mod locks;
mod records;

#[cfg(feature = "sqlite")]
pub use columns::columns;
#[cfg(feature = "command")]
pub use commands::commands;
pub use locks::locks;
pub use records::records;

#[cfg(test)]
mod tests;
