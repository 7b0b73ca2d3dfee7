//! The attribute is called what the field is saved as.

use workflow_runtime::prelude::*;

#[state]
pub struct Open {
    #[index(name = "client")]
    customer: String,
}

fn main() {}
