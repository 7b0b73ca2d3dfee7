//! A transparent struct is saved as its one field, without the field's name.

use workflow_runtime::prelude::*;

#[state]
#[serde(transparent)]
pub struct Open {
    #[index]
    customer: String,
}

fn main() {}
