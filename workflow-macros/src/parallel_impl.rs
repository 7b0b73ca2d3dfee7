//! `#[parallel]`, on a free function and on a method that a `#[workflow]` has taken.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens as _, quote};
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Block, Expr, ExprMethodCall, ImplItem, ImplItemFn, Item, ItemFn, Token, Visibility};

use crate::errors::Errors;
use crate::expand::each::expand_each;
use crate::expand::flow::expand_flow;
use crate::expand::parallel::{Outer, expand_stub};
use crate::expand::step::split_attributes;
use crate::flow::{analyse, check_flow};
use crate::model::{Join, Parallel, Runtime, unraw};
use crate::parse::attributes::Inert;
use crate::parse::parallel::{parse_parallel, parse_parallel_args};
use crate::parse::runtime::default_runtime;

/// Expands `#[parallel]` on a free function. On a method, a `#[workflow]` would have taken it.
pub(crate) fn expand_parallel_attribute(arguments: TokenStream, tokens: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Ok(mut item) = syn::parse2::<ItemFn>(tokens.clone()) else {
        misplaced(tokens, &mut errors);
        let errors = errors.into_tokens();
        return quote!(#tokens #errors);
    };
    if item.sig.receiver().is_some() {
        misplaced(tokens, &mut errors);
        let errors = errors.into_tokens();
        return quote!(#tokens #errors);
    }
    let args = parse_parallel_args(arguments, &["limit", "join", "timeout", "crate"], &mut errors);
    let runtime = args.runtime.clone().unwrap_or_else(default_runtime);
    let mut parallel = parse_parallel(&item.attrs, &mut item.sig, &args, false, &mut errors);
    let method = Method { vis: &item.vis, attributes: &item.attrs, signature: &item.sig, block: &item.block };
    let (outer, _) = expand(&runtime, &method, &mut parallel, &mut errors);
    let errors = errors.into_tokens();
    quote!(#outer #errors)
}

// #[parallel] struct Checks;
// impl Fulfilment { #[parallel] async fn checks(&self, cx: &Cx) … }, without `#[workflow]`
fn misplaced(tokens: &TokenStream, errors: &mut Errors) {
    let message = "`#[parallel]` goes on an `async fn`: a free one, or a method in an `impl` with `#[workflow(…)]`";
    if let Ok(method) = syn::parse2::<ImplItemFn>(tokens.clone()) {
        return errors.at(&method.sig.ident, message);
    }
    match syn::parse2::<Item>(tokens.clone()) {
        Ok(item) => errors.at(item.to_token_stream().into_iter().next(), message),
        // rustc has something to say of it.
        Err(error) => errors.push(error),
    }
}

/// Expands a method of a `#[workflow]` impl. Nothing is made of a body that cannot be read.
pub(crate) fn expand_method_parallel(
    runtime: &Runtime,
    method: &mut ImplItemFn,
    inert: &Inert,
    is_open: bool,
    errors: &mut Errors,
) -> (Parallel, Vec<ImplItem>) {
    let mut mistakes = Errors::default();
    if inert.is_assignment {
        mistakes.at(&inert.ident, "write `#[parallel]`, or `#[parallel(…)]`");
    }
    let args = parse_parallel_args(inert.tokens.clone(), &["limit", "join", "timeout"], &mut mistakes);
    let mut parallel = parse_parallel(&method.attrs, &mut method.sig, &args, true, &mut mistakes);
    let items = match is_open {
        true => Vec::new(),
        false => {
            let method =
                Method { vis: &method.vis, attributes: &method.attrs, signature: &method.sig, block: &method.block };
            let (outer, beside) = expand(runtime, &method, &mut parallel, &mut mistakes);
            let beside = (!beside.is_empty()).then_some(beside);
            std::iter::once(outer).chain(beside).map(ImplItem::Verbatim).collect()
        }
    };
    errors.take(mistakes);
    (parallel, items)
}

/// A function, be it free or a method.
struct Method<'a> {
    vis: &'a Visibility,
    attributes: &'a [syn::Attribute],
    signature: &'a syn::Signature,
    block: &'a Block,
}

/// The function, and what stands beside it.
fn expand(
    runtime: &Runtime,
    method: &Method<'_>,
    parallel: &mut Parallel,
    errors: &mut Errors,
) -> (TokenStream, TokenStream) {
    let flow = parallel.each.is_none().then(|| analyse(method.signature, method.block));
    if let (Some(flow), true) = (&flow, errors.is_empty()) {
        check_flow(flow, method.signature, errors);
        parallel.branches = flow.branches();
    }
    let (outer_attributes, inner_attributes) = split_attributes(method.attributes);
    let outer_attributes: Vec<_> = outer_attributes.into_iter().cloned().collect();
    if !errors.is_empty() {
        let stub = expand_stub(runtime, &outer_attributes, method.vis, method.signature, parallel);
        return (stub, TokenStream::new());
    }
    let outer =
        Outer { runtime, attributes: &outer_attributes, vis: method.vis, signature: method.signature, parallel };
    match &flow {
        Some(flow) => (expand_flow(&outer, flow), TokenStream::new()),
        None => expand_each(&outer, method.block, &inner_attributes).unwrap_or_default(),
    }
}

/// A call of a method with a list that is written out.
pub(crate) struct ListCall {
    method: Ident,
    /// The place among the arguments, the list, and how many items it has.
    lists: Vec<(usize, TokenStream, u64)>,
}

/// Such calls in a body.
pub(crate) fn list_calls(block: &Block) -> Vec<ListCall> {
    struct Calls(Vec<ListCall>);
    impl<'ast> Visit<'ast> for Calls {
        fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
            let on_self = matches!(&*call.receiver, Expr::Path(path) if path.path.is_ident("self"));
            let lists = call.args.iter().enumerate();
            let lists = lists.filter_map(|(place, list)| Some((place, list.to_token_stream(), length(list)?)));
            if on_self {
                self.0.push(ListCall { method: call.method.clone(), lists: lists.collect() });
            }
            visit::visit_expr_method_call(self, call);
        }
    }
    let mut calls = Calls(Vec::new());
    calls.visit_block(block);
    calls.0
}

/// How many items a list has that is written out.
fn length(list: &Expr) -> Option<u64> {
    match list {
        Expr::Array(array) => u64::try_from(array.elems.len()).ok(),
        Expr::Repeat(repeat) => match &*repeat.len {
            Expr::Lit(syn::ExprLit { lit: syn::Lit::Int(literal), .. }) => literal.base10_parse().ok(),
            _ => None,
        },
        Expr::Macro(item) if item.mac.path.segments.last().is_some_and(|last| last.ident == "vec") => {
            let items = item.mac.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated).ok()?;
            u64::try_from(items.len()).ok()
        }
        _ => None,
    }
}

// #[parallel(join = quorum(3))] async fn ask(&self, cx: &Cx, #[each] host: Host) -> …
// self.ask(cx, [first, second]).await
pub(crate) fn check_lists(calls: &[ListCall], parallels: &[Parallel], errors: &mut Errors) {
    for call in calls {
        let called = parallels.iter().find(|parallel| parallel.ident == call.method);
        let Some(Parallel { each: Some(place), join: Join::Quorum(wanted), .. }) = called else { continue };
        // `self` is not among the arguments of the call.
        let list = call.lists.iter().find(|(argument, _, _)| argument + 1 == *place);
        if let Some((_, list, length)) = list.filter(|(_, _, length)| length < wanted) {
            let name = unraw(&call.method);
            errors.at(list, format!("`{name}` asks for {wanted} successes, and this list has {length} items: make it longer, or write `join = quorum({length})`"));
        }
    }
}
