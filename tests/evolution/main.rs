//! Code changes while executions are in flight: two and more versions of one workflow on one store.

mod command;
mod crashes;
mod dying;
mod eager;
mod kept;
mod killed;
mod lazy;
mod newer;
mod renamed;
mod stepper;
mod world;
