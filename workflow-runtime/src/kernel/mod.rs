//! Layer 2.

mod retry;

pub use retry::RetryPolicy;
