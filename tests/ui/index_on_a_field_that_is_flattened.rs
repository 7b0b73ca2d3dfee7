//! A flattened field has no name of its own in what is saved.

use serde::{Deserialize, Serialize};
use workflow_runtime::prelude::*;

#[derive(Serialize, Deserialize)]
pub struct Customer {
    name: String,
}

#[state]
pub struct Open {
    #[index]
    #[serde(flatten)]
    customer: Customer,
}

fn main() {}
