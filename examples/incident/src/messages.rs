//! What people have to say.

use workflow_runtime::prelude::*;

/// Somebody takes it.
#[event]
#[derive(Debug)]
pub struct Acknowledge {
    pub(crate) person: String,
}

/// Whoever works on it says what is to be done.
#[event]
#[derive(Debug)]
pub struct Propose {
    pub(crate) person: String,
    pub(crate) fix: String,
}

/// Somebody says whether that is to be done.
#[event]
#[derive(Debug)]
pub struct Decide {
    pub(crate) person: String,
    pub(crate) approved: bool,
}

/// Somebody says that there is nothing to it.
#[event]
#[derive(Debug)]
pub struct Dismiss {
    pub(crate) person: String,
}
