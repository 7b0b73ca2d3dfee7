//! `limit`, `rate` and `breaker(…)`: what all executions share.

use std::time::Duration;

use proc_macro2::TokenStream;
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::{Ident, LitInt};

use crate::duration::parse_duration;
use crate::errors::Errors;
use crate::model::{AtOnce, Breaker, unraw};
use crate::parse::keys::{list_value, parse_keys, text_value};

const DEFAULT_WITHIN: Duration = Duration::from_secs(60);
const DEFAULT_OPEN: Duration = Duration::from_secs(30);
const UNITS: [(&str, u64); 4] = [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400)];

/// `= 5`, or `= adaptive(min = 1, max = 64)`.
pub(super) fn parse_limit(key: &Ident, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Option<AtOnce>> {
    let wanted =
        "write how many attempts may be under way at once: `limit = 5`, or `limit = adaptive(min = 1, max = 64)`";
    if !input.peek(syn::Token![=]) {
        return Err(syn::Error::new(key.span(), wanted));
    }
    input.parse::<syn::Token![=]>()?;
    if input.peek(LitInt) {
        let literal: LitInt = input.parse()?;
        return Ok(Some(AtOnce::Fixed(count(
            &literal,
            wanted,
            "a limit of 0 lets nothing through: write at least 1",
        )?)));
    }
    if !input.peek(Ident::peek_any) {
        return Err(input.error(wanted));
    }
    let kind = input.call(Ident::parse_any)?;
    if kind != "adaptive" {
        let message = format!("there is no limit `{kind}`: write a number, or `adaptive(min = 1, max = 64)`");
        return Err(syn::Error::new(kind.span(), message));
    }
    let tokens = list_value(&kind, "min = 1, max = 64", input)?;
    Ok(parse_adaptive(&kind, tokens, errors))
}

fn parse_adaptive(adaptive: &Ident, tokens: TokenStream, errors: &mut Errors) -> Option<AtOnce> {
    let mut mistakes = Errors::default();
    let (mut min, mut max) = (None, None);
    parse_keys("step(limit = adaptive)", &["min", "max"], tokens, &mut mistakes, |key, input, _| {
        let wanted = format!("write a number of attempts: `{key} = 8`");
        let bound = number(key, input, &wanted, "an adaptive limit lets at least 1 through: write at least 1")?;
        if key == "min" {
            min = Some(bound);
        } else {
            max = Some(bound);
        }
        Ok(())
    });
    if mistakes.is_empty() {
        match (&min, &max) {
            (_, None) => mistakes.at(adaptive, "say how far it may go up: `adaptive(min = 1, max = 64)`"),
            (Some((low, literal)), Some((high, _))) if low > high => {
                mistakes.at(literal, format!("the bounds are upside down: `min` is at most {high}"));
            }
            _ => {}
        }
    }
    let complete = mistakes.is_empty();
    errors.take(mistakes);
    let min = min.map_or(1, |(min, _)| min);
    max.filter(|_| complete).map(|(max, _)| AtOnce::Adaptive { min, max })
}

/// `= "100/s"`: how many in how long a time.
pub(super) fn parse_rate(key: &Ident, input: ParseStream<'_>) -> syn::Result<(u32, Duration)> {
    let literal = text_value(key, "100/s", input)?;
    rate(&literal.value()).ok_or_else(|| {
        let text = literal.value();
        let message = format!(
            "`{text}` is not a rate: write a number from 1 and a unit, as in \"100/s\"; the units are `s`, `m`, `h`, `d`"
        );
        syn::Error::new(literal.span(), message)
    })
}

fn rate(text: &str) -> Option<(u32, Duration)> {
    let (count, unit) = text.split_once('/')?;
    let (_, seconds) = UNITS.iter().find(|(name, _)| *name == unit.trim())?;
    let count = count.trim().parse().ok().filter(|count| *count > 0)?;
    Some((count, Duration::from_secs(*seconds)))
}

/// `(failures = 5, within = "1m", open = "30s", probes = 1)`.
pub(super) fn parse_breaker(breaker: &Ident, tokens: TokenStream, errors: &mut Errors) -> Option<Breaker> {
    let mut mistakes = Errors::default();
    let mut failures = None;
    let (mut within, mut open, mut probes) = (DEFAULT_WITHIN, DEFAULT_OPEN, 1);
    let known = ["failures", "within", "open", "probes"];
    parse_keys("step(breaker)", &known, tokens, &mut mistakes, |key, input, _| {
        match unraw(key).as_str() {
            "failures" => {
                let wanted = "write the number of failures that open it: `failures = 5`";
                failures = Some(number(key, input, wanted, "a breaker opens after at least 1 failure")?.0);
            }
            "within" => within = parse_duration(&text_value(key, "1m", input)?)?,
            "open" => open = parse_duration(&text_value(key, "30s", input)?)?,
            _ => {
                let wanted =
                    "write the number of attempts that it lets through to see whether things are better: `probes = 1`";
                probes = number(key, input, wanted, "a breaker lets at least 1 probe through")?.0;
            }
        }
        Ok(())
    });
    if failures.is_none() && mistakes.is_empty() {
        mistakes.at(breaker, "say how many failures open it: `breaker(failures = 5)`");
    }
    let complete = mistakes.is_empty();
    errors.take(mistakes);
    failures.filter(|_| complete).map(|failures| Breaker { failures, within, open, probes })
}

fn number(key: &Ident, input: ParseStream<'_>, wanted: &str, zero: &str) -> syn::Result<(u32, LitInt)> {
    if !input.peek(syn::Token![=]) {
        return Err(syn::Error::new(key.span(), wanted));
    }
    input.parse::<syn::Token![=]>()?;
    match input.fork().parse::<syn::Lit>() {
        Ok(syn::Lit::Int(_)) => {}
        Ok(literal) => return Err(syn::Error::new(literal.span(), wanted)),
        Err(_) => return Err(input.error(wanted)),
    }
    let literal: LitInt = input.parse()?;
    Ok((count(&literal, wanted, zero)?, literal))
}

fn count(literal: &LitInt, wanted: &str, zero: &str) -> syn::Result<u32> {
    match literal.base10_parse() {
        Ok(0) => Err(syn::Error::new(literal.span(), zero)),
        Ok(count) => Ok(count),
        Err(_) => Err(syn::Error::new(literal.span(), wanted)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::rate;

    #[test]
    fn a_rate_is_a_number_and_a_unit() {
        assert_eq!(rate("100/s"), Some((100, Duration::from_secs(1))));
        assert_eq!(rate("5 / h"), Some((5, Duration::from_secs(3_600))));
        for text in ["", "100", "/s", "0/s", "-1/s", "1/week", "1.5/s", "99999999999/s"] {
            assert_eq!(rate(text), None, "{text}");
        }
    }
}
