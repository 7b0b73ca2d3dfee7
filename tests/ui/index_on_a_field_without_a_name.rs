//! What has no name cannot be asked for.

use workflow_runtime::prelude::*;

#[state]
pub struct Open(#[index] String);

fn main() {}
