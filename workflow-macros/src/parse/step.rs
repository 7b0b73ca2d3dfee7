//! A step: its keys and its signature.

use proc_macro2::TokenStream;
use syn::spanned::Spanned as _;
use syn::{Attribute, FnArg, Ident, LitInt, ReturnType, Signature};

use super::attributes::{Inert, doc_text, line_of};
use super::handler::is_shared;
use super::keys::{flag, list_value, name_list, parse_keys, text_value};
use super::output::future_output;
use super::types::{is_context, is_nearly_context, last_segment, type_arguments};
use crate::duration::{parse_duration, parse_range};
use crate::errors::Errors;
use crate::expand::type_text;
use crate::lint::{Lint, named};
use crate::model::{Cfg, Policy, Retry, Runtime, Step, unraw};

use std::time::Duration;

const DEFAULT_BASE: Duration = Duration::from_millis(100);
const DEFAULT_CAP: Duration = Duration::from_secs(60);

/// What `#[step(…)]` says.
#[derive(Debug, Default)]
pub(crate) struct StepArgs {
    pub(crate) policy: Policy,
    pub(crate) allow: Vec<Lint>,
    /// Only a free function says it; a method has its workflow's.
    pub(crate) runtime: Option<Runtime>,
}

/// Reads the step that a method is. `None` if it cannot be expanded.
pub(crate) fn parse_method_step(
    attributes: &[Attribute],
    signature: &Signature,
    inert: &Inert,
    errors: &mut Errors,
) -> Option<Step> {
    let mut mistakes = Errors::default();
    if inert.is_assignment {
        mistakes.at(&inert.ident, "write `#[step]`, or `#[step(…)]`");
    }
    let args = parse_step_args(inert.tokens.clone(), &["retry", "timeout", "cancel", "allow"], &mut mistakes);
    check_step_signature(signature, true, &mut mistakes);
    let broken = !mistakes.is_empty();
    errors.take(mistakes);
    (!broken).then(|| make_step(attributes, signature, args))
}

pub(crate) fn make_step(attributes: &[Attribute], signature: &Signature, args: StepArgs) -> Step {
    Step {
        ident: signature.ident.clone(),
        policy: args.policy,
        doc: doc_text(attributes),
        cfg: Cfg::of(attributes),
        allow: args.allow,
        line: line_of(signature.ident.span()),
    }
}

pub(crate) fn parse_step_args(tokens: TokenStream, known: &[&str], errors: &mut Errors) -> StepArgs {
    let mut args = StepArgs::default();
    parse_keys("step", known, tokens, errors, |key, input, errors| {
        match unraw(key).as_str() {
            "retry" => {
                let tokens = list_value(key, "max = 5, backoff = \"200ms..30s\"", input)?;
                args.policy.retry = parse_retry(key, tokens, errors);
            }
            "timeout" => args.policy.timeout = Some(parse_duration(&text_value(key, "10s", input)?)?),
            "cancel" => {
                flag(key, input)?;
                args.policy.cancel = true;
            }
            "crate" => args.runtime = Some(super::runtime::parse_runtime(key, input)?),
            _ => args.allow = named(name_list(key, "fragile_step", input)?, errors),
        }
        Ok(())
    });
    args
}

fn parse_retry(retry: &Ident, tokens: TokenStream, errors: &mut Errors) -> Option<Retry> {
    let mut mistakes = Errors::default();
    let (mut max, mut backoff) = (None, None);
    parse_keys("step(retry)", &["max", "backoff"], tokens, &mut mistakes, |key, input, _| {
        if key == "max" {
            max = Some(parse_max(key, input)?);
        } else {
            backoff = Some(parse_range(&text_value(key, "200ms..30s", input)?)?);
        }
        Ok(())
    });
    if max.is_none() && mistakes.is_empty() {
        mistakes.at(retry, "say how often it is tried in all: `retry(max = 5)`");
    }
    let complete = mistakes.is_empty();
    errors.take(mistakes);
    let (base, cap) = backoff.unwrap_or((DEFAULT_BASE, DEFAULT_CAP));
    max.filter(|_| complete).map(|max| Retry { max, base, cap })
}

fn parse_max(key: &Ident, input: syn::parse::ParseStream<'_>) -> syn::Result<u32> {
    let wanted = "write the number of attempts in all: `max = 5`";
    if !input.peek(syn::Token![=]) {
        return Err(syn::Error::new(key.span(), wanted));
    }
    input.parse::<syn::Token![=]>()?;
    if !input.peek(LitInt) {
        return Err(input.error(wanted));
    }
    let literal: LitInt = input.parse()?;
    let max: u32 = literal.base10_parse().map_err(|_| syn::Error::new(literal.span(), wanted))?;
    if max == 0 {
        let message = "`max` counts every attempt, the first included: write at least 1, or leave `retry` out";
        return Err(syn::Error::new(literal.span(), message));
    }
    Ok(max)
}

/// Checks what the expansion of a step relies on.
// #[step] fn reserve(&self, cx: &Cx) -> …
// #[step] async fn reserve(&self, order: &Order) -> …
// #[step] async fn reserve(&self, cx: &Cx) -> Reservation
pub(crate) fn check_step_signature(signature: &Signature, method: bool, errors: &mut Errors) {
    let expected = if method { "(&self, cx: &Cx, …)" } else { "(cx: &Cx, …)" };
    if let (None, Some(output)) = (&signature.asyncness, future_output(&signature.output)) {
        let message = format!("a step is async: write `async fn {}(…) -> {}`", signature.ident, type_text(output));
        errors.at(signature.fn_token, message);
        return;
    }
    if signature.asyncness.is_none() {
        errors.at(signature.fn_token, "a step is async: write `async fn`");
    }
    if let syn::Safety::Unsafe(word) = &signature.safety {
        errors.at(word, "a step is called again after a crash, so it cannot be `unsafe`");
    }
    let mut inputs = signature.inputs.iter();
    if method {
        match inputs.next() {
            Some(FnArg::Receiver(receiver)) if is_shared(receiver) => {}
            Some(FnArg::Receiver(receiver)) => {
                errors.at(receiver, "a step takes `&self`: it may be tried again");
            }
            _ => {
                let message =
                    format!("a step of a workflow takes `{expected}`; without `&self`, write it as a free function");
                errors.at(&signature.ident, message);
                return;
            }
        }
    }
    match inputs.next() {
        Some(FnArg::Typed(argument)) if is_context(&argument.ty) => {}
        Some(FnArg::Typed(argument)) if is_nearly_context(&argument.ty) => {
            errors.at(&argument.ty, "the context is taken by reference: write `cx: &Cx`");
        }
        Some(_) if let Some(context) = inputs.clone().find(|input| is_context_argument(input)) => {
            errors.at(context, format!("the arguments are in the wrong order: write `{expected}`"));
        }
        Some(argument) => errors.at(argument, format!("`cx: &Cx` is missing: a step takes `{expected}`")),
        None => errors.at(&signature.ident, format!("`cx: &Cx` is missing: a step takes `{expected}`")),
    }
    let wanted = "a step returns `Result<T>` or `Result<T, E>`: its success or its failure is recorded";
    match &signature.output {
        ReturnType::Default => errors.at(&signature.ident, wanted),
        ReturnType::Type(_, ty) => {
            let is_result = last_segment(ty)
                .is_some_and(|segment| segment.ident == "Result" && !type_arguments(segment).is_empty());
            // `io::Result` and the like are told by the types.
            if !is_result {
                errors.span(ty.span(), wanted);
            }
        }
    }
}

fn is_context_argument(argument: &FnArg) -> bool {
    matches!(argument, FnArg::Typed(argument) if is_nearly_context(&argument.ty))
}
