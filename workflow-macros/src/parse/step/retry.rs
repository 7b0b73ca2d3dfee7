//! `retry(…)`.

use std::time::Duration;

use proc_macro2::TokenStream;
use syn::{Ident, LitInt};

use crate::duration::parse_range;
use crate::errors::Errors;
use crate::model::Retry;
use crate::parse::keys::{parse_keys, text_value};

const DEFAULT_BASE: Duration = Duration::from_millis(100);
const DEFAULT_CAP: Duration = Duration::from_secs(60);

pub(super) fn parse_retry(retry: &Ident, tokens: TokenStream, errors: &mut Errors) -> Option<Retry> {
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
