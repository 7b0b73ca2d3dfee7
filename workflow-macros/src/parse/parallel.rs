//! A parallel function: its keys and its signature.

use std::time::Duration;

use proc_macro2::{Span, TokenStream};
use syn::parse::ParseStream;
use syn::{Attribute, FnArg, Ident, LitInt, LitStr, PatType, ReceiverKind, ReturnType, Signature, Token, Type};

use super::attributes::{doc_text, line_of};
use super::keys::{parse_keys, text_value};
use super::types::{bare, is_context, is_nearly_context, last_segment};
use crate::duration::parse_duration;
use crate::errors::Errors;
use crate::model::{Cfg, Join, Parallel, Runtime, unraw};
use crate::nearest::hint;

/// How many branches of an `#[each]` function run at once, unless it says otherwise.
const DEFAULT_LIMIT: u32 = 16;

const JOINS: [&str; 5] = ["all", "settle", "any", "quorum", "at_least"];

/// What `#[parallel(…)]` says.
#[derive(Debug, Default)]
pub(crate) struct ParallelArgs {
    limit: Option<(Span, u32)>,
    join: Option<(Span, Join)>,
    timeout: Option<Duration>,
    /// Only a free function says it; a method has its workflow's.
    pub(crate) runtime: Option<Runtime>,
}

pub(crate) fn parse_parallel_args(tokens: TokenStream, known: &[&str], errors: &mut Errors) -> ParallelArgs {
    let mut args = ParallelArgs::default();
    parse_keys("parallel", known, tokens, errors, |key, input, _| {
        match unraw(key).as_str() {
            "limit" => args.limit = Some((key.span(), parse_limit(key, input)?)),
            "join" => args.join = Some((key.span(), parse_join(key, input)?)),
            "timeout" => args.timeout = Some(parse_duration(&text_value(key, "10s", input)?)?),
            _ => args.runtime = Some(super::runtime::parse_runtime(key, input)?),
        }
        Ok(())
    });
    args
}

fn parse_limit(key: &Ident, input: ParseStream<'_>) -> syn::Result<u32> {
    let literal = number(key, "write how many branches may run at once: `limit = 16`", input)?;
    match literal.base10_parse() {
        Ok(0) => Err(syn::Error::new(literal.span(), "with `limit = 0` no branch could run: write at least 1")),
        Ok(limit) => Ok(limit),
        Err(_) => Err(syn::Error::new(literal.span(), "write how many branches may run at once: `limit = 16`")),
    }
}

fn number(key: &Ident, wanted: &str, input: ParseStream<'_>) -> syn::Result<LitInt> {
    if !input.peek(Token![=]) {
        return Err(syn::Error::new(key.span(), wanted));
    }
    input.parse::<Token![=]>()?;
    input.parse().map_err(|error| syn::Error::new(error.span(), wanted))
}

// join = all, join = quorum(2), join = at_least("95%")
fn parse_join(key: &Ident, input: ParseStream<'_>) -> syn::Result<Join> {
    let wanted = "say what is asked for: `join = all`, `settle`, `any`, `quorum(2)` or `at_least(\"95%\")`";
    if !input.peek(Token![=]) {
        return Err(syn::Error::new(key.span(), wanted));
    }
    input.parse::<Token![=]>()?;
    let rule: Ident = input.parse().map_err(|error| syn::Error::new(error.span(), wanted))?;
    let name = unraw(&rule);
    let has_value = input.peek(syn::token::Paren);
    match name.as_str() {
        "all" | "settle" | "any" if has_value => {
            Err(input.error(format!("`{name}` takes no value: write `join = {name}`")))
        }
        "all" => Ok(Join::All),
        "settle" => Ok(Join::Settle),
        "any" => Ok(Join::Any),
        "quorum" => {
            let wanted = "say how many have to succeed: `join = quorum(2)`";
            let literal: LitInt = in_parentheses(&rule, wanted, input)?;
            match literal.base10_parse() {
                Ok(0) => Err(syn::Error::new(
                    literal.span(),
                    "a quorum of 0 is there before anything runs: write at least 1",
                )),
                Ok(wanted) => Ok(Join::Quorum(wanted)),
                Err(_) => Err(syn::Error::new(literal.span(), wanted)),
            }
        }
        "at_least" => {
            let wanted = "say what share of the branches has to succeed: `join = at_least(\"95%\")`";
            let literal: LitStr = in_parentheses(&rule, wanted, input)?;
            match share(&literal.value()) {
                Some(share) => Ok(Join::AtLeast(share)),
                None => Err(syn::Error::new(
                    literal.span(),
                    format!(
                        "`{}` is no share: write a percentage up to \"100%\", with at most two decimals",
                        literal.value()
                    ),
                )),
            }
        }
        _ => Err(syn::Error::new(rule.span(), format!("there is no join `{name}`: {}", hint(&name, &JOINS)))),
    }
}

fn in_parentheses<T: syn::parse::Parse>(rule: &Ident, wanted: &str, input: ParseStream<'_>) -> syn::Result<T> {
    if !input.peek(syn::token::Paren) {
        return Err(syn::Error::new(rule.span(), wanted));
    }
    let content;
    syn::parenthesized!(content in input);
    let value = content.parse().map_err(|error| syn::Error::new(error.span(), wanted))?;
    match content.is_empty() {
        true => Ok(value),
        false => Err(content.error(wanted)),
    }
}

/// A percentage in hundredths of a percent.
fn share(text: &str) -> Option<u32> {
    let text = text.trim().strip_suffix('%')?.trim_end();
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(decimals) || decimals.len() > 2 {
        return None;
    }
    let decimals: u32 = format!("{decimals:0<2}").parse().ok()?;
    let share = whole.parse::<u32>().ok()?.checked_mul(100)?.checked_add(decimals)?;
    (1..=10_000).contains(&share).then_some(share)
}

/// Reads what the function is, and takes `#[each]` out of its signature.
pub(crate) fn parse_parallel(
    attributes: &[Attribute],
    signature: &mut Signature,
    args: &ParallelArgs,
    is_method: bool,
    errors: &mut Errors,
) -> Parallel {
    let lists = take_each(signature, errors);
    let each = lists.first().copied();
    check_signature(signature, is_method, each.is_some(), errors);
    if each.is_some() {
        check_owned(signature, errors);
    }
    for (span, key) in
        args.limit.iter().map(|(span, _)| (*span, "limit")).chain(args.join.iter().map(|(span, _)| (*span, "join")))
    {
        if each.is_none() {
            let message = format!(
                "`{key}` is for one branch per item: mark the argument that the items come from, `#[each] item: Item`, or leave `{key}` out"
            );
            errors.span(span, message);
        }
    }
    let join = args.join.map_or(Join::All, |(_, join)| join);
    if let (Some((span, _)), false, true) = (args.join, is_result(signature), join.needs_result()) {
        errors.span(
            span,
            "nothing can fail here, so there is nothing to choose from: return `Result<…>`, or leave `join` out",
        );
    }
    Parallel {
        ident: signature.ident.clone(),
        each,
        lists,
        limit: args.limit.map_or(DEFAULT_LIMIT, |(_, limit)| limit),
        join,
        timeout: args.timeout,
        branches: Vec::new(),
        doc: doc_text(attributes),
        cfg: Cfg::of(attributes),
        line: line_of(signature.ident.span()),
    }
}

/// Whether it returns a `Result`, by its name.
pub(crate) fn is_result(signature: &Signature) -> bool {
    match &signature.output {
        ReturnType::Type(_, ty) => last_segment(ty).is_some_and(|segment| segment.ident == "Result"),
        ReturnType::Default => false,
    }
}

/// The name of the `&Cx`, and of the other arguments, wherever they stand.
pub(crate) fn typed_inputs(signature: &Signature) -> impl Iterator<Item = &PatType> {
    signature.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(argument) => Some(argument),
        FnArg::Receiver(_) => None,
    })
}

// #[parallel] async fn resize(&self, cx: &Cx, #[each] image: Image, #[each] size: Size) -> …
fn take_each(signature: &mut Signature, errors: &mut Errors) -> Vec<usize> {
    let mut each: Vec<usize> = Vec::new();
    for (place, input) in signature.inputs.iter_mut().enumerate() {
        let FnArg::Typed(argument) = input else { continue };
        let is_each = |attribute: &Attribute| attribute.path().segments.last().is_some_and(|last| last.ident == "each");
        let marks: Vec<Attribute> = argument.attrs.extract_if(.., |attribute| is_each(attribute)).collect();
        let Some(mark) = marks.first() else { continue };
        if let Some(second) = marks.get(1).or((!each.is_empty()).then_some(mark)) {
            errors.at(second.path(), "the branches come from one list: mark one argument with `#[each]`, and give it tuples if each item is several things");
        }
        each.push(place);
    }
    each
}

// #[parallel] fn checks(&self, cx: &Cx) -> …
// #[parallel] async fn checks(&self) -> …
fn check_signature(signature: &Signature, is_method: bool, each: bool, errors: &mut Errors) {
    let expected = if is_method { "(&self, cx: &Cx, …)" } else { "(cx: &Cx, …)" };
    if signature.asyncness.is_none() {
        errors.at(signature.fn_token, "a parallel function waits for its branches: write `async fn`");
    }
    if let Some(receiver) = signature.receiver()
        && !matches!(receiver.kind, ReceiverKind::Reference(_, _, None))
    {
        errors.at(receiver, "a parallel function takes `&self`: its branches share it");
    }
    let mut inputs = typed_inputs(signature);
    match inputs.find(|input| is_nearly_context(&input.ty)) {
        Some(context) if is_context(&context.ty) => {}
        Some(context) => errors.at(&context.ty, "the context is taken by reference: write `cx: &Cx`"),
        None => {
            let message =
                format!("`cx: &Cx` is missing: a parallel function takes `{expected}`, and hands it to its steps");
            errors.at(&signature.ident, message);
        }
    }
    if let (true, Some(generic)) = (each, signature.generics.lifetimes().next()) {
        errors.at(generic, "the branches of an `#[each]` function run on other threads, so it owns what they use: take values or an `Arc` instead of a lifetime");
    }
}

// #[parallel] async fn resize(&self, cx: &Cx, #[each] image: &Image) -> …
fn check_owned(signature: &Signature, errors: &mut Errors) {
    for input in typed_inputs(signature).filter(|input| !is_nearly_context(&input.ty)) {
        let Type::Reference(reference) = bare(&input.ty) else { continue };
        if reference.lifetime.as_ref().is_some_and(|lifetime| lifetime.ident == "static") {
            continue;
        }
        let elem = &reference.elem;
        let shared = quote::quote!(#elem);
        let owned = match bare(elem) {
            Type::Slice(slice) => {
                let item = &slice.elem;
                format!("Vec<{}>", quote::quote!(#item))
            }
            Type::Path(path) if path.path.is_ident("str") => "String".to_owned(),
            _ => shared.to_string(),
        };
        errors.at(
            &input.ty,
            format!("the branches of an `#[each]` function run on other threads, so they own what they use: write `{owned}`, or `Arc<{shared}>` if all share it"),
        );
    }
}
