//! `#[main]`, a free `#[step]`, and handlers' attributes where no `#[workflow]` has taken them.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::{ImplItemFn, ItemFn};

use crate::data_impl::{outside, parse_crate_key};
use crate::errors::Errors;
use crate::expand::main_fn::expand_main;
use crate::expand::step::expand_free_step;
use crate::parse::repair::repair_step;
use crate::parse::runtime::default_runtime;
use crate::parse::step::{FREE_KEYS, check_step, make_step, parse_step_args};

/// Expands `#[main]`.
pub(crate) fn expand_main_attribute(arguments: TokenStream, tokens: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let runtime = parse_crate_key("main", arguments, &mut errors);
    let item = match syn::parse2::<ItemFn>(tokens.clone()) {
        Ok(item) => item,
        Err(_) => {
            let first: TokenStream = tokens.clone().into_iter().take(1).collect();
            errors.at(first, "`#[main]` goes on the `async fn main()` of a program");
            let errors = errors.into_tokens();
            return quote!(#tokens #errors);
        }
    };
    if item.sig.asyncness.is_none() {
        errors.at(item.sig.fn_token, "`#[main]` runs an `async fn main()`: write `async`, or leave `#[main]` out");
    }
    if let Some(input) = item.sig.inputs.first() {
        errors.at(input, "`main` takes no arguments: read `std::env::args()`");
    }
    let expanded = match errors.is_empty() {
        true => expand_main(&runtime, &item),
        // Plain, so that there is a `main` and no second error about it.
        false => {
            let mut item = item;
            item.sig.asyncness = None;
            item.sig.inputs.clear();
            let block = &item.block;
            let body: syn::Block = syn::parse_quote!({ let _ = async move || #block; ::core::todo!() });
            *item.block = body;
            item.to_token_stream()
        }
    };
    let errors = errors.into_tokens();
    quote!(#expanded #errors)
}

/// Expands `#[step]` on a free function. On a method, a `#[workflow]` would have taken it.
pub(crate) fn expand_step_attribute(arguments: TokenStream, tokens: &TokenStream) -> TokenStream {
    let Ok(item) = syn::parse2::<ItemFn>(tokens.clone()) else { return expand_stray("step", tokens) };
    if item.sig.receiver().is_some() {
        return expand_stray("step", tokens);
    }
    let mut errors = Errors::default();
    let args = parse_step_args(arguments, FREE_KEYS, &mut errors);
    if let Some(undo) = &args.undo {
        // Nothing in a workflow leads from the name in its journal to a function that stands elsewhere.
        errors.at(undo, "a free step has no `undo`: write it as a method of the `#[workflow]` impl that it is called in, and its undo beside it");
    }
    check_step(&item.sig, &args, false, &mut errors);
    let runtime = args.runtime.clone().unwrap_or_else(default_runtime);
    let expanded = match errors.is_empty() {
        true => expand_free_step(&runtime, &item, &make_step(&item.attrs, &item.sig, args)),
        false => {
            let mut item = item;
            repair_step(&mut item.sig, false);
            item.to_token_stream()
        }
    };
    let errors = errors.into_tokens();
    quote!(#expanded #errors)
}

/// An attribute that means something only inside a `#[workflow]` impl.
pub(crate) fn expand_stray(name: &str, tokens: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    match syn::parse2::<ImplItemFn>(tokens.clone()) {
        Ok(item) => errors.at(&item.sig.ident, outside(name)),
        Err(_) => {
            let first: TokenStream = tokens.clone().into_iter().take(1).collect();
            errors.at(first, outside(name));
        }
    }
    let errors = errors.into_tokens();
    quote!(#tokens #errors)
}
