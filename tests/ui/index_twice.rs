//! One field is one attribute.

use workflow_runtime::prelude::*;

#[state]
pub struct Open {
    #[index]
    #[index]
    customer: String,
}

fn main() {}
