//! `include(…)`: the handlers that are written in parts, an edge per line.

use proc_macro2::TokenStream;
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::{Ident, ReturnType, Token, Type, parenthesized, parse_quote};

use super::keys::skip_to_comma;
use super::output::parse_output;
use super::types::{bare, parse_type_ref};
use crate::errors::Errors;
use crate::model::{Cfg, Due, Handler, Output, Trigger, TypeRef};
use crate::nearest::hint;

const KINDS: [&str; 6] = ["state", "on", "after", "at", "every", "catch"];

/// One line of `include(…)`.
#[derive(Debug)]
pub(crate) struct Included {
    trigger: Trigger,
    ident: Ident,
    state: TypeRef,
    output: Output,
}

impl Included {
    pub(crate) fn into_handler(self) -> Handler {
        Handler {
            trigger: self.trigger,
            ident: self.ident,
            state: self.state,
            effects: true,
            lifetimes: false,
            unclear: false,
            output: self.output,
            doc: String::new(),
            cfg: Cfg::default(),
            allow: Vec::new(),
            line: 0,
            body: None,
            broken: false,
        }
    }
}

pub(crate) fn parse_include(tokens: TokenStream, errors: &mut Errors) -> Vec<Included> {
    let mut included = Vec::new();
    let parser = |input: ParseStream<'_>| {
        while !input.is_empty() {
            match parse_line(input, errors) {
                Ok(line) => included.extend(line),
                Err(error) => {
                    errors.push(error);
                    skip_to_comma(input)?;
                }
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    };
    let parsed = parser.parse2(tokens);
    errors.ok(parsed);
    included
}

// on delivered(Shipped, Delivery) -> Delivered
// after lost(Shipped) -> (Lost, Wait)
fn parse_line(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Option<Included>> {
    let wanted = "write an edge per line: `on delivered(Shipped, Delivery) -> Delivered`";
    if !input.peek(Ident::peek_any) {
        return Err(input.error(wanted));
    }
    let kind = input.call(Ident::parse_any)?;
    let name = kind.to_string();
    if !KINDS.contains(&name.as_str()) {
        return Err(syn::Error::new(kind.span(), format!("`{name}` is no kind of handler: {}", hint(&name, &KINDS))));
    }
    if !input.peek(Ident::peek_any) {
        return Err(input.error(wanted));
    }
    let ident: Ident = input.parse()?;
    if !input.peek(syn::token::Paren) {
        return Err(syn::Error::new(ident.span(), wanted));
    }
    let content;
    parenthesized!(content in input);
    let types = Punctuated::<Type, Token![,]>::parse_terminated;
    let arguments = types.parse2(content.parse()?)?;
    let mut arguments = arguments.iter();
    let Some(state) = arguments.next() else {
        return Err(syn::Error::new(
            ident.span(),
            "the state of the handler is missing: write `on delivered(Shipped, Delivery) -> Delivered`",
        ));
    };
    let state = parse_type_ref(state, "a state")?;
    let payload = arguments.next();
    let trigger = match (name.as_str(), payload) {
        ("on", Some(event)) => Trigger::On { event: parse_type_ref(event, "an event")? },
        ("catch", Some(error)) => Trigger::Catch { error: Box::new(error.clone()), source: true },
        ("on", None) => {
            return Err(syn::Error::new(
                ident.span(),
                format!("the event is missing: write `on {ident}({}, Event) -> …`", state.name),
            ));
        }
        ("catch", None) => {
            return Err(syn::Error::new(
                ident.span(),
                format!("the error is missing: write `catch {ident}({}, Error) -> …`", state.name),
            ));
        }
        (_, Some(extra)) => {
            return Err(syn::Error::new_spanned(
                extra,
                format!("`{name}` takes a state alone: write `{name} {ident}({}) -> …`", state.name),
            ));
        }
        ("state", None) => Trigger::Entry,
        ("at", None) => Trigger::After { due: Due::Elsewhere("at") },
        ("every", None) => Trigger::After { due: Due::Elsewhere("every") },
        (_, None) => Trigger::After { due: Due::Elsewhere("after") },
    };
    if let Some(extra) = arguments.next() {
        return Err(syn::Error::new_spanned(extra, "a handler takes a state and what triggers it, and nothing more"));
    }
    let output: ReturnType = input.parse()?;
    let output = as_next(output);
    let self_ty: Type = parse_quote!(Self);
    let output = parse_output(&output, &ident, Some(&state), &self_ty, errors);
    Ok(Some(Included { trigger, ident, state, output }))
}

/// A choice is written as a plain tuple here.
fn as_next(output: ReturnType) -> ReturnType {
    match output {
        ReturnType::Type(arrow, ty) if matches!(bare(&ty), Type::Tuple(tuple) if !tuple.elems.is_empty()) => {
            ReturnType::Type(arrow, Box::new(parse_quote!(Next<#ty>)))
        }
        other => other,
    }
}
