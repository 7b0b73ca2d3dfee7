//! New code on old executions: flags, forks, and what is looked at before a deploy.

mod flags;
mod forks;
mod reading;
