//! New code on old executions: flags, forks, and what is looked at before a deploy.

mod checks;
mod flags;
mod forks;
mod reading;
mod stacks;
mod timers;
