//! What the tests share. [`audit`] is written as the author of a library would write it: against public traits alone.

pub mod audit;
pub mod documented;
pub mod turns;
