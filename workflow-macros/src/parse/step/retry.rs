//! `retry(…)`: how often, after which pauses, and after which errors.

use std::time::Duration;

use proc_macro2::TokenStream;
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::{Ident, LitInt, ReturnType, Signature, Type};

use crate::duration::parse_range;
use crate::errors::Errors;
use crate::model::{Jitter, Retry, Variants, unraw};
use crate::nearest::hint;
use crate::parse::keys::{list_value, parse_keys, text_value};
use crate::parse::types::{is_named, last_segment, type_arguments};

const DEFAULT_BASE: Duration = Duration::from_millis(100);
const DEFAULT_CAP: Duration = Duration::from_secs(60);

const KEYS: [&str; 5] = ["max", "backoff", "jitter", "only", "never"];
const JITTERS: [&str; 3] = ["full", "equal", "none"];

pub(super) fn parse_retry(retry: &Ident, tokens: TokenStream, errors: &mut Errors) -> Option<Retry> {
    let mut mistakes = Errors::default();
    let (mut max, mut backoff, mut jitter) = (None, None, Jitter::default());
    let mut variants: Option<Variants> = None;
    parse_keys("step(retry)", &KEYS, tokens, &mut mistakes, |key, input, errors| {
        match unraw(key).as_str() {
            "max" => max = Some(parse_max(key, input)?),
            "backoff" => backoff = Some(parse_range(&text_value(key, "200ms..30s", input)?)?),
            "jitter" => jitter = parse_jitter(key, input)?,
            _ => {
                let named = parse_variants(key, input, errors)?;
                match &variants {
                    Some(first) => {
                        let message = format!("`{}` says it already: keep one of `only(…)` and `never(…)`", first.key);
                        return Err(syn::Error::new(key.span(), message));
                    }
                    None => variants = Some(named),
                }
            }
        }
        Ok(())
    });
    if max.is_none() && mistakes.is_empty() {
        mistakes.at(retry, "say how often it is tried in all: `retry(max = 5)`");
    }
    let complete = mistakes.is_empty();
    errors.take(mistakes);
    let (base, cap) = backoff.unwrap_or((DEFAULT_BASE, DEFAULT_CAP));
    max.filter(|_| complete).map(|max| Retry { max, base, cap, jitter, variants })
}

fn parse_jitter(key: &Ident, input: ParseStream<'_>) -> syn::Result<Jitter> {
    let wanted = "write which part of a pause is left to chance: `jitter = full`, `equal` or `none`";
    if !input.peek(syn::Token![=]) {
        return Err(syn::Error::new(key.span(), wanted));
    }
    input.parse::<syn::Token![=]>()?;
    if !input.peek(Ident::peek_any) {
        return Err(input.error(wanted));
    }
    let jitter = input.call(Ident::parse_any)?;
    let name = unraw(&jitter);
    match name.as_str() {
        "full" => Ok(Jitter::Full),
        "equal" => Ok(Jitter::Equal),
        "none" => Ok(Jitter::None),
        _ => {
            let message = format!("there is no jitter `{name}`: {}", hint(&name, &JITTERS));
            Err(syn::Error::new(jitter.span(), message))
        }
    }
}

fn parse_variants(key: &Ident, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Variants> {
    let tokens = list_value(key, "Timeout, Busy", input)?;
    let wanted = format!("name variants of the step's error: `{key}(Timeout, Busy)`");
    let parser = Punctuated::<Ident, syn::Token![,]>::parse_terminated;
    let names: Vec<Ident> =
        parser.parse2(tokens).map_err(|error| syn::Error::new(error.span(), &wanted))?.into_iter().collect();
    if names.is_empty() {
        return Err(syn::Error::new(key.span(), wanted));
    }
    for (index, name) in names.iter().enumerate() {
        if names.iter().take(index).any(|earlier| earlier == name) {
            errors.at(name, format!("`{name}` is named twice: keep one of the two"));
        }
    }
    Ok(Variants { key: key.clone(), names })
}

/// Checks that the variants of `only(…)` and `never(…)` can be looked up.
// #[step(retry(max = 3, only(Busy)))] async fn ship(&self, cx: &Cx) -> Result<()>
pub(super) fn check_variants(retry: Option<&Retry>, signature: &Signature, errors: &mut Errors) {
    let Some(variants) = retry.and_then(|retry| retry.variants.as_ref()) else { return };
    if error_type(signature).is_none() {
        let key = &variants.key;
        let message = format!(
            "`{key}(…)` names variants of the step's error, and the boxed `Error` has none: return `Result<T, E>` with an enum of your own"
        );
        errors.at(key, message);
    }
}

/// The error of a step that is not the boxed one, as it is written.
pub(crate) fn error_type(signature: &Signature) -> Option<&Type> {
    let ReturnType::Type(_, ty) = &signature.output else { return None };
    let arguments = type_arguments(last_segment(ty)?);
    let error = arguments.into_iter().nth(1)?;
    (!is_named(error, "Error")).then_some(error)
}

fn parse_max(key: &Ident, input: ParseStream<'_>) -> syn::Result<u32> {
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
