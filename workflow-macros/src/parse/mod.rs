//! From tokens to the model. Everything that tokens alone can tell to be wrong is reported here or in `check`.

pub(crate) mod attributes;
pub(crate) mod data;
pub(crate) mod group;
pub(crate) mod half_typed;
pub(crate) mod handler;
pub(crate) mod impl_block;
pub(crate) mod include;
pub(crate) mod index;
pub(crate) mod keys;
pub(crate) mod output;
pub(crate) mod parallel;
pub(crate) mod receives;
pub(crate) mod repair;
pub(crate) mod runtime;
pub(crate) mod sequential;
pub(crate) mod step;
pub(crate) mod timer;
pub(crate) mod types;
pub(crate) mod undo;
pub(crate) mod versions;
pub(crate) mod workflow_args;
