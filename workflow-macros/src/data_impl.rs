//! `#[state]` and `#[event]` outside of a `#[workflow]` impl.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::{DeriveInput, FnArg, GenericParam, ImplItemFn, Item, ItemFn, Type, parse_quote};

use crate::body::Body;
use crate::errors::Errors;
use crate::expand::data::expand_data;
use crate::expand::free::{FreeHandler, expand_free};
use crate::expand::group::{expand_broken_group, expand_group};
use crate::model::{Cfg, Handler, Runtime, Trigger, unraw};
use crate::parse::attributes::{doc_text, line_of};
use crate::parse::data::{DataKind, DataModel, parse_data};
use crate::parse::group::{is_group, parse_group};
use crate::parse::index::take_indexes;
use crate::parse::keys::parse_keys;
use crate::parse::output::parse_output;
use crate::parse::runtime::{default_runtime, parse_runtime};
use crate::parse::types::{bare, is_context, is_named, is_nearly_context, parse_type_ref};

/// Expands `#[state]` or `#[event]`. The user's item is emitted whatever is wrong with it.
pub(crate) fn expand_data_attribute(kind: DataKind, arguments: TokenStream, tokens: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    if let Ok(mut item) = syn::parse2::<DeriveInput>(tokens.clone()) {
        if kind == DataKind::State && is_group(&arguments) {
            let expanded = match parse_group(arguments, &item, &mut errors) {
                Some(group) => expand_group(&group, &item),
                None => expand_broken_group(&item),
            };
            let errors = errors.into_tokens();
            return quote!(#expanded #errors);
        }
        let indexes = take_indexes(kind, &mut item, &mut errors);
        let model = DataModel { indexes, ..parse_data(kind, arguments, &item, &mut errors) };
        let expanded = expand_data(&model, &item);
        let errors = errors.into_tokens();
        return quote!(#expanded #errors);
    }
    if kind == DataKind::State
        && let Ok(item) = syn::parse2::<ItemFn>(tokens.clone())
        && item.sig.receiver().is_none()
    {
        let expanded = expand_free_state(arguments, &item, &mut errors);
        let errors = errors.into_tokens();
        return quote!(#expanded #errors);
    }
    let name = kind.name();
    match syn::parse2::<ImplItemFn>(tokens.clone()) {
        Ok(item) if kind == DataKind::State => errors.at(&item.sig.ident, outside(name)),
        Ok(item) => errors
            .at(&item.sig.ident, "`#[event]` goes on a struct or an enum; a handler that takes an event is `#[on]`"),
        Err(error) => match syn::parse2::<Item>(tokens.clone()) {
            Ok(Item::Impl(item)) => errors.at(
                item.self_ty,
                format!(
                    "`#[{name}]` goes on a struct or an enum; the impl with the handlers is `#[workflow(start = …)]`"
                ),
            ),
            Ok(item) => {
                errors.at(first_token(item.to_token_stream()), format!("`#[{name}]` goes on a struct or an enum"));
            }
            Err(_) => errors.push(error),
        },
    }
    let errors = errors.into_tokens();
    quote!(#tokens #errors)
}

/// What is said of a handler's attribute on a method that no `#[workflow]` has seen.
pub(crate) fn outside(name: &str) -> String {
    format!("`#[{name}]` belongs on a method inside an `impl` with `#[workflow(…)]`")
}

fn first_token(tokens: TokenStream) -> TokenStream {
    tokens.into_iter().take(1).collect()
}

// #[state] async fn returning<W: Provides<Stock>>(w: &W, cx: &Cx, s: Returning) -> Result<Refunded>
fn expand_free_state(arguments: TokenStream, item: &ItemFn, errors: &mut Errors) -> TokenStream {
    match parse_free(arguments, item, errors) {
        Some(free) if errors.is_empty() => expand_free(&free, item),
        _ => item.to_token_stream(),
    }
}

fn parse_free(arguments: TokenStream, item: &ItemFn, errors: &mut Errors) -> Option<FreeHandler> {
    let runtime = parse_crate_key("state", arguments, errors);
    let signature = &item.sig;
    let expected = "write `#[state] async fn name<W: Provides<…>>(workflow: &W, cx: &Cx, state: S) -> …`";
    let typed: Vec<_> = signature
        .inputs
        .iter()
        .filter_map(|input| match input {
            FnArg::Typed(input) => Some(input),
            FnArg::Receiver(_) => None,
        })
        .collect();
    let workflow = typed.first().and_then(|input| match bare(&input.ty) {
        Type::Reference(reference) if !is_named(&reference.elem, "Cx") => Some(&reference.elem),
        _ => None,
    });
    let mut parameters = signature.generics.params.iter().filter_map(|parameter| match parameter {
        GenericParam::Type(parameter) => Some(parameter),
        _ => None,
    });
    let parameter = parameters.next();
    let (Some(workflow), Some(parameter)) = (workflow, parameter) else {
        let name = &signature.ident;
        errors.at(name, format!("a free handler is for any workflow that gives it what it needs: {expected}; a handler of one workflow is a method in its `#[workflow]` impl"));
        return None;
    };
    if !is_named(workflow, &unraw(&parameter.ident)) {
        errors.at(workflow, format!("the first argument borrows the workflow: {expected}"));
        return None;
    }
    if let Some(second) = signature.generics.params.iter().find(|other| {
        !matches!(other, GenericParam::Lifetime(_))
            && other.to_token_stream().to_string() != parameter.to_token_stream().to_string()
    }) {
        errors.at(second, format!("a free handler has one type parameter, its workflow: {expected}"));
        return None;
    }
    let rest: Vec<_> = typed.iter().skip(1).collect();
    let effects = rest.first().is_some_and(|input| is_context(&input.ty));
    match (effects, &signature.asyncness) {
        (true, None) => errors.at(
            signature.fn_token,
            "a handler with `cx: &Cx` has effects: write `async fn`, or leave `cx` out if it has none",
        ),
        (false, Some(asyncness)) => errors
            .at(asyncness, "an async handler takes `cx: &Cx` after the workflow; one without effects is a plain `fn`"),
        _ => {}
    }
    let mut states = rest.iter().filter(|input| !is_nearly_context(&input.ty));
    let Some(state) = states.next() else {
        errors.at(&signature.ident, format!("`{}` does not take a state: {expected}", signature.ident));
        return None;
    };
    if let Some(extra) = states.next() {
        errors.at(extra, "an entry handler takes a state, and nothing more");
    }
    let self_ty: Type = parse_quote!(Self);
    let state = errors.ok(parse_type_ref(&state.ty, "a state"))?;
    let output = parse_output(&signature.output, &signature.ident, Some(&state), &self_ty, errors);
    let handler = Handler {
        trigger: Trigger::Entry,
        ident: signature.ident.clone(),
        state,
        effects,
        lifetimes: false,
        unclear: false,
        output,
        doc: doc_text(&item.attrs),
        cfg: Cfg::of(&item.attrs),
        allow: Vec::new(),
        line: line_of(signature.ident.span()),
        body: Some(Body::new((*item.block).clone())),
        broken: false,
    };
    Some(FreeHandler { runtime, workflow: parameter.ident.clone(), generics: signature.generics.clone(), handler })
}

/// Reads an attribute that has no key but `crate`.
pub(crate) fn parse_crate_key(attribute: &str, arguments: TokenStream, errors: &mut Errors) -> Runtime {
    let mut runtime = default_runtime();
    parse_keys(attribute, &["crate"], arguments, errors, |key, input, _| {
        runtime = parse_runtime(key, input)?;
        Ok(())
    });
    runtime
}
