//! The body of a handler. It is read where something has to be said of it; most can be told by their text that nothing has.
//!
//! To read the bodies of a large machine takes longer than anything else that is done with them, and the compiler has
//! their text at once.

use std::cell::OnceCell;

use proc_macro2::TokenStream;
use quote::ToTokens as _;
use syn::parse::discouraged::Speculative as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, Block, Expr, FnModifiers, ImplItemFn, Signature, Stmt, Visibility, token};

use crate::parse::attributes::InertKind;

/// A body, as tokens or read.
#[derive(Debug)]
pub(crate) struct Body {
    block: Block,
    /// Without spaces.
    text: String,
    read: OnceCell<Block>,
}

impl Body {
    pub(crate) fn new(block: Block) -> Self {
        let mut text = block.to_token_stream().to_string();
        text.retain(|character| !character.is_whitespace());
        Self { block, text, read: OnceCell::new() }
    }

    /// Its text, without spaces.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// As statements. One that cannot be read has none: rustc tells of it.
    pub(crate) fn block(&self) -> &Block {
        let Some(tokens) = unread(&self.block) else { return &self.block };
        let statements = |input: ParseStream<'_>| {
            input.call(Attribute::parse_inner)?;
            input.call(Block::parse_within)
        };
        let read = || {
            let stmts = statements.parse2(tokens.clone()).unwrap_or_default();
            Block { brace_token: self.block.brace_token, stmts }
        };
        self.read.get_or_init(read)
    }
}

fn unread(block: &Block) -> Option<&TokenStream> {
    match block.stmts.as_slice() {
        [Stmt::Expr(Expr::Verbatim(tokens), None)] => Some(tokens),
        _ => None,
    }
}

/// A handler whose body is left as it is. `None` for any other member of an impl, and then nothing is taken.
pub(crate) fn parse_unread(input: ParseStream<'_>) -> Option<ImplItemFn> {
    let ahead = input.fork();
    let attrs = ahead.call(Attribute::parse_outer).ok()?;
    if !attrs.iter().any(is_handler) {
        return None;
    }
    let vis: Visibility = ahead.parse().ok()?;
    let sig: Signature = ahead.parse().ok()?;
    let body: proc_macro2::Group = ahead.peek(token::Brace).then(|| ahead.parse().ok())??;
    let brace_token = token::Brace { span: body.delim_span() };
    let stmts = vec![Stmt::Expr(Expr::Verbatim(body.stream()), None)];
    input.advance_to(&ahead);
    Some(ImplItemFn { attrs, vis, modifiers: FnModifiers::default(), sig, block: Block { brace_token, stmts } })
}

fn is_handler(attribute: &Attribute) -> bool {
    let kind = attribute.path().segments.last().and_then(|segment| InertKind::of(&segment.ident));
    kind.is_some_and(|kind| !matches!(kind, InertKind::Step | InertKind::Parallel | InertKind::Migrate))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &str) -> Body {
        let unread = |input: ParseStream<'_>| Ok(parse_unread(input));
        let method = unread.parse_str(&format!("#[on] fn paid(&self, s: Pending, _: Payment) -> Paid {{ {text} }}"));
        Body::new(method.unwrap().unwrap().block)
    }

    #[test]
    fn a_body_is_read_with_attributes_of_its_own() {
        assert_eq!(body("#![allow(unused)] #![allow(deprecated)] let sum = 1; goto(Paid)").block().stmts.len(), 2);
        assert_eq!(body("").block().stmts.len(), 0);
    }

    #[test]
    fn one_that_is_half_typed_is_left_to_rustc() {
        let half = body("let sum = s.; goto(Paid)");
        assert_eq!((half.text(), half.block().stmts.len()), ("{letsum=s.;goto(Paid)}", 0));
    }
}
