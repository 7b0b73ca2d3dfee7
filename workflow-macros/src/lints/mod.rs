//! What can be said of a handler's body by its syntax alone.
//!
//! Both analyses are pure functions of a parsed body and hand back what they found; whether it is a warning, and
//! whether the user allowed it, is not theirs to decide. They never guess: what they cannot read, they do not report.

mod ambient;
mod never_taken;

pub(crate) use ambient::{AmbientKind, ambient, may_be_ambient};
pub(crate) use never_taken::never_taken;

#[cfg(test)]
mod tests {
    /// The statements of a handler as its body.
    #[track_caller]
    #[allow(clippy::expect_used, reason = "a test whose input does not parse tests nothing")]
    pub(super) fn parse(body: &str) -> syn::Block {
        syn::parse_str(&format!("{{ {body} }}")).expect("the body of a test parses")
    }
}
