//! `cargo run -p backup --example lock [-- check | record | accept | show]`: what nights are saved as, and the lock in `workflows/`.

use backup::workflow::{Backup, copy, verify};

workflow_runtime::lock_command!(Backup: [copy, verify]);
