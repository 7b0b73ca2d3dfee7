//! The test kit: simulated worlds, crashes at every point, stores that fail.

mod covered;
mod crashes;
mod endless;
mod fixture;
mod outside;
mod planted;
mod recorded;
mod shapes;
mod simulated;
