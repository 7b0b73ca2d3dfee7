//! The keys of an attribute: `key`, `key = value` and `key(…)`, separated by commas.
//!
//! Unknown and repeated keys are told here, once for all attributes.

use proc_macro2::TokenStream;
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Ident, LitStr, Token, parenthesized};

use crate::errors::Errors;
use crate::model::unraw;
use crate::nearest::{hint, listed};

/// Calls `value` for each known key, to parse what follows it.
pub(crate) fn parse_keys(
    attribute: &str,
    known: &[&str],
    tokens: TokenStream,
    errors: &mut Errors,
    mut value: impl FnMut(&Ident, ParseStream<'_>, &mut Errors) -> syn::Result<()>,
) {
    let mut seen: Vec<String> = Vec::new();
    let parser = |input: ParseStream<'_>| {
        while !input.is_empty() {
            if let Err(error) = parse_key(attribute, known, &mut seen, input, errors, &mut value) {
                errors.push(error);
                skip_to_comma(input)?;
            }
            if input.is_empty() {
                break;
            }
            if !input.peek(Token![,]) {
                errors.push(input.error("expected `,`"));
                skip_to_comma(input)?;
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    };
    if let Err(error) = parser.parse2(tokens) {
        errors.push(error);
    }
}

fn parse_key(
    attribute: &str,
    known: &[&str],
    seen: &mut Vec<String>,
    input: ParseStream<'_>,
    errors: &mut Errors,
    value: &mut impl FnMut(&Ident, ParseStream<'_>, &mut Errors) -> syn::Result<()>,
) -> syn::Result<()> {
    if !input.peek(Ident::peek_any) {
        let known = listed(known);
        return Err(input.error(format!("expected a key of `#[{attribute}]`: {known}")));
    }
    let key = input.call(Ident::parse_any)?;
    let name = unraw(&key);
    if !known.contains(&name.as_str()) {
        let hint = hint(&name, known);
        return Err(syn::Error::new(key.span(), format!("`#[{attribute}]` has no key `{name}`: {hint}")));
    }
    if seen.contains(&name) {
        return Err(syn::Error::new(key.span(), format!("the key `{name}` is given twice: keep one of the two")));
    }
    seen.push(name);
    value(&key, input, errors)
}

/// Passes over the rest of one entry.
pub(crate) fn skip_to_comma(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<proc_macro2::TokenTree>()?;
    }
    Ok(())
}

/// `= "text"`.
pub(crate) fn text_value(key: &Ident, example: &str, input: ParseStream<'_>) -> syn::Result<LitStr> {
    let wanted = || format!("write it as text: `{key} = \"{example}\"`");
    if !input.peek(Token![=]) {
        return Err(syn::Error::new(key.span(), wanted()));
    }
    input.parse::<Token![=]>()?;
    let is_name = ["name", "was", "key"].iter().any(|name| key == name);
    if let (true, Ok(word)) = (is_name, input.fork().parse::<Ident>()) {
        // The word is meant, and only its quotes are missing. A length of time would be no word.
        return Err(syn::Error::new(word.span(), format!("write it as text: `{key} = \"{}\"`", unraw(&word))));
    }
    match input.fork().parse::<syn::Lit>() {
        Ok(syn::Lit::Str(_)) => input.parse(),
        Ok(literal) => Err(syn::Error::new(literal.span(), wanted())),
        Err(_) => Err(input.error(wanted())),
    }
}

/// A key that is only there or not.
pub(crate) fn flag(key: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
    if input.is_empty() || input.peek(Token![,]) {
        return Ok(());
    }
    Err(input.error(format!("`{key}` takes no value")))
}

/// `(…)`, as tokens.
pub(crate) fn list_value(key: &Ident, example: &str, input: ParseStream<'_>) -> syn::Result<TokenStream> {
    if !input.peek(syn::token::Paren) {
        return Err(syn::Error::new(key.span(), format!("write it as a list: `{key}({example})`")));
    }
    let content;
    parenthesized!(content in input);
    content.parse()
}

/// `(name, name)`.
pub(crate) fn name_list(key: &Ident, example: &str, input: ParseStream<'_>) -> syn::Result<Vec<Ident>> {
    let tokens = list_value(key, example, input)?;
    let parser = syn::punctuated::Punctuated::<Ident, Token![,]>::parse_terminated;
    Ok(parser.parse2(tokens)?.into_iter().collect())
}
