//! An impl that is being typed: what can be read of it is read, and rustc tells of the rest.

use crate::body::parse_unread;
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens as _, quote};
use syn::parse::discouraged::Speculative as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, ImplItem, ImplItemFn, ItemFn, ItemImpl};

/// An impl, and the bodies that cannot be read.
pub(crate) struct HalfTyped {
    pub(crate) item: ItemImpl,
    pub(crate) bodies: Vec<OpenBody>,
}

/// What stands in place of the body of a method whose signature is complete: a block with mistakes, or a semicolon.
pub(crate) struct OpenBody {
    /// The place of the method, whose block is empty, among the items.
    index: usize,
    tokens: TokenStream,
}

/// Reads an impl. An error if not even its first line can be read.
pub(crate) fn parse_half_typed(tokens: TokenStream) -> syn::Result<HalfTyped> {
    let mut head: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let members = match head.pop() {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => group,
        _ => return syn::parse2(tokens).map(|item| HalfTyped { item, bodies: Vec::new() }),
    };
    let mut empty = Group::new(Delimiter::Brace, TokenStream::new());
    empty.set_span(members.span());
    head.push(TokenTree::Group(empty));
    let mut item: ItemImpl = syn::parse2(head.into_iter().collect())?;
    // How long the lists are that a quorum is asked of is told by the bodies of all.
    let reads_all = members.to_string().contains("quorum");
    let parser = |input: ParseStream<'_>| {
        let inner = input.call(Attribute::parse_inner)?;
        let mut bodies = Vec::new();
        let mut items = Vec::new();
        while !input.is_empty() {
            let member = parse_member(input, reads_all)?;
            let (member, body) = match member {
                ImplItem::Verbatim(tokens) => open_method(tokens),
                member => (member, None),
            };
            bodies.extend(body.map(|tokens| OpenBody { index: items.len(), tokens }));
            items.push(member);
        }
        Ok((inner, items, bodies))
    };
    let (inner, items, bodies) = parser.parse2(members.stream())?;
    item.attrs.extend(inner);
    item.items = items;
    Ok(HalfTyped { item, bodies })
}

/// One member, as it is if it cannot be read.
fn parse_member(input: ParseStream<'_>, reads_all: bool) -> syn::Result<ImplItem> {
    if !reads_all && let Some(handler) = parse_unread(input) {
        return Ok(ImplItem::Fn(handler));
    }
    let ahead = input.fork();
    if let Ok(member) = ahead.parse() {
        input.advance_to(&ahead);
        return Ok(member);
    }
    let mut tokens: Vec<TokenTree> = Vec::new();
    while !input.is_empty() {
        let token: TokenTree = input.parse()?;
        let is_last = match &token {
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            TokenTree::Punct(punct) => punct.as_char() == ';',
            TokenTree::Ident(_) | TokenTree::Literal(_) => false,
        };
        tokens.push(token);
        if is_last {
            break;
        }
    }
    Ok(ImplItem::Verbatim(tokens.into_iter().collect()))
}

/// A method with an empty block and the tokens of the body that it has, if it is one.
fn open_method(tokens: TokenStream) -> (ImplItem, Option<TokenStream>) {
    let mut head: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let body = head.pop();
    let head: TokenStream = head.into_iter().collect();
    match syn::parse2::<ImplItemFn>(quote!(#head {})) {
        Ok(method) => (ImplItem::Fn(method), Some(body.to_token_stream())),
        Err(_) => (ImplItem::Verbatim(tokens), None),
    }
}

/// A function, and the tokens of its body if they cannot be read.
#[derive(Debug)]
pub(crate) struct OpenFunction {
    pub(crate) function: ItemFn,
    body: Option<TokenStream>,
}

/// Reads a function. `None` if it is none.
pub(crate) fn open_function(tokens: &TokenStream) -> Option<OpenFunction> {
    // An impl has none there, and is not read twice.
    let mut outer = tokens.clone().into_iter();
    if !outer.any(|token| matches!(&token, TokenTree::Ident(word) if *word == "fn")) {
        return None;
    }
    if let Ok(function) = syn::parse2(tokens.clone()) {
        return Some(OpenFunction { function, body: None });
    }
    let mut head: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let body = head.pop().to_token_stream();
    let head: TokenStream = head.into_iter().collect();
    let function = syn::parse2(quote!(#head {})).ok()?;
    Some(OpenFunction { function, body: Some(body) })
}

impl OpenFunction {
    /// The function as it is emitted: with the body that it has.
    pub(crate) fn close(&self) -> TokenStream {
        let Some(body) = &self.body else { return self.function.to_token_stream() };
        let ItemFn { attrs, vis, sig, .. } = &self.function;
        quote!(#(#attrs)* #vis #sig #body)
    }
}

/// The method as it is emitted: with the body that it has.
pub(crate) fn close_method(method: ImplItemFn, index: usize, bodies: &[OpenBody]) -> ImplItem {
    let Some(body) = bodies.iter().find(|body| body.index == index) else { return ImplItem::Fn(method) };
    let (attributes, vis, signature, body) = (&method.attrs, &method.vis, &method.sig, &body.tokens);
    ImplItem::Verbatim(quote!(#(#attributes)* #vis #signature #body))
}

/// Whether the body of this method cannot be read.
pub(crate) fn is_open(index: usize, bodies: &[OpenBody]) -> bool {
    bodies.iter().any(|body| body.index == index)
}
