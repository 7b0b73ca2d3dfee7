//! The time in `#[after(…)]`, `#[at(…)]` and `#[every(…)]`.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::parse::{ParseStream, Parser as _};
use syn::spanned::Spanned as _;
use syn::{LitStr, Member, Token, Type, TypePath};

use super::attributes::{Inert, InertKind};
use super::keys::skip_to_comma;
use super::types::WriteSelfOut;
use crate::duration::parse_duration;
use crate::errors::Errors;
use crate::expand::type_text;
use crate::model::Due;

/// The time in front, and what follows it.
pub(crate) fn take_due(inert: &Inert, self_ty: &Type, errors: &mut Errors) -> (Option<Due>, TokenStream) {
    let wanted = match inert.kind {
        InertKind::At => "name a field of the state that holds a `Timestamp`: `#[at(deadline)]`",
        InertKind::Every => "say how often it runs: `#[every(\"2d\")]`",
        _ => {
            "say how long the state has to last: `#[after(\"15m\")]`, or `#[after(Self::delay)]` with a function of the state"
        }
    };
    if inert.tokens.is_empty() {
        errors.at(&inert.ident, wanted);
        return (None, TokenStream::new());
    }
    let parser = |input: ParseStream<'_>| {
        let due = match parse_due(inert.kind, self_ty, wanted, input) {
            Ok(due) => Ok(due),
            Err(error) => {
                skip_to_comma(input)?;
                Err(error)
            }
        };
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
        let rest: TokenStream = input.parse()?;
        Ok((due, rest))
    };
    match errors.ok(parser.parse2(inert.tokens.clone())) {
        Some((due, rest)) => (errors.ok(due), rest),
        None => (None, TokenStream::new()),
    }
}

// #[at("15m")]
// #[every(Self::delay)]
// #[after(15)]
fn parse_due(kind: InertKind, self_ty: &Type, wanted: &str, input: ParseStream<'_>) -> syn::Result<Due> {
    let is_path = input.peek(syn::Ident) || input.peek(Token![Self]) || input.peek(Token![self]);
    match kind {
        InertKind::At if input.peek(syn::Ident) => parse_field(input),
        InertKind::Every if input.peek(LitStr) => Ok(Due::Every(parse_duration(&input.parse()?)?)),
        InertKind::After if input.peek(LitStr) => Ok(Due::After(parse_duration(&input.parse()?)?)),
        InertKind::After if is_path || input.peek(Token![crate]) || input.peek(Token![super]) => {
            let path: TypePath = input.parse()?;
            if input.peek(syn::token::Paren) {
                return Err(input.error("name the function, and do not call it: `#[after(Self::delay)]`"));
            }
            let text = type_text(&path);
            let span = path.path.segments.last().map_or_else(|| path.span(), |last| last.ident.span());
            Ok(Due::Function { path: Box::new(WriteSelfOut(self_ty).in_type(&Type::Path(path))), text, span })
        }
        _ => Err(input.error(wanted)),
    }
}

// #[at(order.deadline)]
fn parse_field(input: ParseStream<'_>) -> syn::Result<Due> {
    let mut members = vec![input.parse::<Member>()?];
    while input.peek(Token![.]) {
        input.parse::<Token![.]>()?;
        members.push(input.parse()?);
    }
    Ok(Due::At(members))
}

/// The field as it is written.
pub(crate) fn field_text(members: &[Member]) -> String {
    quote!(#(#members).*).to_token_stream().to_string().replace(' ', "")
}
