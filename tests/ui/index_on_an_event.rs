//! Executions are searched by what they are in, not by what they were sent.

use workflow_runtime::prelude::*;

#[event]
pub struct Paid {
    #[index]
    reference: String,
}

fn main() {}
