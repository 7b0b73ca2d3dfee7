//! A function that reads as sequential code and runs as the graph of its bindings.
//!
//! The top-level statements of the body are the nodes. A `let` waits for the bindings that it uses; a statement that is
//! awaited and binds nothing is a barrier; the last expression runs when all are done. What cannot be told by the syntax is
//! decided for waiting: every name that occurs counts as used, in macros and in their format strings too.

mod analyse;
mod check;
mod uses;

pub(crate) use analyse::{Binding, Flow, Node, NodeKind, analyse, bound_by};
pub(crate) use check::check_flow;
pub(crate) use uses::{Uses, uses_of_expr};

#[cfg(test)]
mod tests;
