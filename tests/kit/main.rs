//! The test kit: simulated worlds, crashes at every point, mocks of steps, stores that fail.

mod covered;
mod crashes;
mod endless;
mod failing;
mod faults;
mod fixture;
mod mocks;
mod named;
mod outside;
mod planted;
mod recorded;
mod shapes;
mod simulated;
mod unit;
mod walks;
