//! What the keys of `#[step(…)]` do, on a clock that the tests move.

mod ad_hoc;
mod blocking;
mod branches;
mod heartbeat;
mod limits;
mod retry;
mod world;
