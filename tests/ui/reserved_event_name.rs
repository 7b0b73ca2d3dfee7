//! The built-in event has a name that no event of a workflow can have.

use workflow_runtime::prelude::*;

#[event(name = "~cancel")]
pub struct Stop;

fn main() {}
