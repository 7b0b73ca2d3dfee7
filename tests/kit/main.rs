//! The test kit: simulated worlds, crashes at every point, stores that fail.

mod crashes;
mod fixture;
mod simulated;
