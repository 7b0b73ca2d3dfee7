//! `version = …`, `from(…)` and `keep` of `#[workflow]`, and functions with `#[migrate]`.

use proc_macro2::{Span, TokenStream};
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{FnArg, Ident, ImplItemFn, LitInt, Signature, Token, Type};

use super::attributes::Inert;
use super::keys::{flag, list_value, parse_keys, text_value};
use super::output::parse_output;
use super::types::{is_nearly_context, parse_type_ref};
use crate::errors::Errors;
use crate::expand::type_text;
use crate::model::{Cfg, Target, unraw};
use crate::versions::{Keep, Migration, OldVersion, Versions};

/// The keys of `#[workflow]` that are read here.
pub(crate) const VERSION_KEYS: [&str; 4] = ["version", "from", "keep", "name"];

/// Reads one of [`VERSION_KEYS`].
pub(crate) fn parse_version_key(
    key: &Ident,
    input: ParseStream<'_>,
    versions: &mut Versions,
    errors: &mut Errors,
) -> syn::Result<()> {
    let read = match unraw(key).as_str() {
        "version" => parse_number(key, input).map(|(version, span)| {
            (versions.version, versions.version_span) = (Some(version), Some(span));
        }),
        "keep" => parse_keep(key, input).map(|keep| versions.keep = Some(keep)),
        "from" => parse_from(key, input, versions, errors),
        _ => parse_name(key, input).map(|name| versions.name = Some(name)),
    };
    versions.broken |= read.is_err();
    read
}

// #[workflow(version = "2")]
// #[workflow(version = 0)]
fn parse_number(key: &Ident, input: ParseStream<'_>) -> syn::Result<(u32, Span)> {
    let wanted = format!("write a number: `{key} = 2`");
    if !input.peek(Token![=]) {
        return Err(syn::Error::new(key.span(), wanted));
    }
    input.parse::<Token![=]>()?;
    if !input.peek(LitInt) {
        return Err(match input.fork().parse::<proc_macro2::TokenTree>() {
            Ok(token) => syn::Error::new(token.span(), wanted),
            Err(_) => syn::Error::new(key.span(), wanted),
        });
    }
    let literal = input.parse()?;
    Ok((version_number(&literal)?, literal.span()))
}

fn version_number(literal: &LitInt) -> syn::Result<u32> {
    match literal.base10_parse::<u32>() {
        Ok(0) => Err(syn::Error::new(
            literal.span(),
            "versions begin with 1, which is that of a workflow that says nothing of them",
        )),
        Ok(_) if !literal.suffix().is_empty() => {
            Err(syn::Error::new(literal.span(), format!("write `{}`", literal.base10_digits())))
        }
        Ok(version) => Ok(version),
        Err(_) => Err(syn::Error::new(literal.span(), format!("a version is a whole number up to {}", u32::MAX))),
    }
}

// #[workflow(keep(state))]
fn parse_keep(key: &Ident, input: ParseStream<'_>) -> syn::Result<Keep> {
    if !input.peek(syn::token::Paren) {
        return flag(key, input).map(|()| Keep::ToTheEnd);
    }
    let tokens = list_value(key, "visit", input)?;
    let message = "write `keep` to keep executions to their end, or `keep(visit)` until they leave their state";
    match syn::parse2::<Ident>(tokens.clone()) {
        Ok(word) if word == "visit" => Ok(Keep::Visit),
        _ if tokens.is_empty() => Err(syn::Error::new(key.span(), message)),
        _ => Err(syn::Error::new_spanned(tokens, message)),
    }
}

// #[workflow(name = "a sale")]
fn parse_name(key: &Ident, input: ParseStream<'_>) -> syn::Result<String> {
    let literal = text_value(key, "Sale", input)?;
    let name = literal.value();
    let is_name = |text: &str| {
        !text.starts_with(|char: char| char.is_ascii_digit())
            && !text.is_empty()
            && text.chars().all(|char| char.is_ascii_alphanumeric() || char == '_')
    };
    match is_name(&name) {
        true => Ok(name),
        false => Err(syn::Error::new(
            literal.span(),
            format!(
                "`{name}` is not an identifier: the persisted name of a workflow has letters, digits and `_`, as that of a type"
            ),
        )),
    }
}

/// `1 = v1::States`.
struct Line(LitInt, Type);

impl Parse for Line {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let wanted = "write the version and the enum of its states: `1 = v1::States`";
        if !input.peek(LitInt) {
            return Err(input.error(wanted));
        }
        let version: LitInt = input.parse()?;
        if !input.peek(Token![=]) {
            return Err(syn::Error::new(version.span(), wanted));
        }
        input.parse::<Token![=]>()?;
        match input.is_empty() || input.peek(Token![,]) {
            true => Err(syn::Error::new(version.span(), wanted)),
            false => Ok(Self(version, input.parse()?)),
        }
    }
}

// #[workflow(from(v1::States))]
// #[workflow(from(1 = v1::States, 1 = v2::States))]
fn parse_from(key: &Ident, input: ParseStream<'_>, versions: &mut Versions, errors: &mut Errors) -> syn::Result<()> {
    let tokens = list_value(key, "1 = v1::States", input)?;
    if tokens.is_empty() {
        return Err(syn::Error::new(
            key.span(),
            "name an older version and the enum of its states: `from(1 = v1::States)`",
        ));
    }
    let lines = Punctuated::<Line, Token![,]>::parse_terminated.parse2(tokens)?;
    for Line(literal, states) in lines {
        let Some(version) = errors.ok(version_number(&literal)) else {
            versions.broken = true;
            continue;
        };
        if versions.from.iter().any(|known| known.version == version) {
            errors.at(&literal, format!("the version {version} is listed twice: keep one of the two"));
            versions.broken = true;
            continue;
        }
        versions.from.push(OldVersion { version, span: states.span(), states: Box::new(states) });
    }
    versions.from.sort_by_key(|known| known.version);
    Ok(())
}

// #[workflow(start = A, from(1 = v1::States))]
// #[workflow(start = A, version = 2, from(2 = v2::States))]
pub(crate) fn check_versions(key_of_from: Option<&Ident>, versions: &mut Versions, errors: &mut Errors) {
    if let (Some(key), None, false) = (key_of_from, versions.version, versions.broken) {
        let next = versions.from.last().map_or(2, |known| known.version.saturating_add(1));
        errors.at(key, format!("say which version this is, now that there are older ones: `version = {next}`"));
        versions.broken = true;
    }
    let present = versions.present();
    if let Some(newer) = versions.from.iter().find(|known| known.version >= present).filter(|_| !versions.broken) {
        let message = match newer.version == present {
            true => format!("{present} is the version of this code: `from` has those before it"),
            false => format!("the version {} is newer than this code, which is of version {present}", newer.version),
        };
        errors.span(newer.span, message);
        versions.broken = true;
    }
}

/// Reads a function with `#[migrate]`. `None` if it was reported.
pub(crate) fn parse_migration(
    method: &ImplItemFn,
    inert: &Inert,
    self_ty: &Type,
    errors: &mut Errors,
) -> Option<Migration> {
    let mut mistakes = Errors::default();
    let from = parse_migrate_args(inert, &mut mistakes);
    let old = check_signature(&method.sig, &mut mistakes);
    let output = match mistakes.is_empty() {
        true => {
            let output = parse_output(&method.sig.output, &method.sig.ident, None, self_ty, &mut mistakes);
            check_targets(&output, method, &mut mistakes);
            Some(output)
        }
        false => None,
    };
    let sound = mistakes.is_empty();
    errors.take(mistakes);
    let (Some(from), Some(old), Some(output), true) = (from, old, output, sound) else { return None };
    Some(Migration { from, ident: method.sig.ident.clone(), old, output, cfg: Cfg::of(&method.attrs) })
}

// #[migrate]
// #[migrate(1)]
fn parse_migrate_args(inert: &Inert, errors: &mut Errors) -> Option<u32> {
    let mut from = None;
    let mut is_told = false;
    let tokens: TokenStream = inert.tokens.clone();
    let is_bare = syn::parse2::<LitInt>(tokens.clone());
    if let Ok(literal) = is_bare {
        errors.at(&literal, format!("write `#[migrate(from = {literal})]`"));
        return None;
    }
    parse_keys("migrate", &["from"], tokens, errors, |key, input, _| {
        is_told = true;
        from = Some(parse_number(key, input)?.0);
        Ok(())
    });
    if from.is_none() && !is_told && errors.is_empty() {
        errors.at(&inert.ident, "say which version the state is of that it takes: `#[migrate(from = 1)]`");
    }
    from
}

// #[migrate(from = 1)] fn pending(&self, old: v1::Pending) -> Pending
// #[migrate(from = 1)] async fn pending(cx: &Cx, old: v1::Pending) -> Pending
// #[migrate(from = 1)] fn pending() -> Pending
fn check_signature(signature: &Signature, errors: &mut Errors) -> Option<crate::model::TypeRef> {
    let expected = "write `fn name(old: v1::State) -> State`";
    if let Some(asyncness) = &signature.asyncness {
        errors.at(asyncness, format!("a migration has no effects, and waits for nothing: {expected}"));
    }
    if let Some(parameter) = signature.generics.params.first() {
        errors.at(parameter, format!("a migration has no parameters of its own: {expected}"));
    }
    let mut typed = Vec::new();
    for input in &signature.inputs {
        match input {
            FnArg::Receiver(receiver) => errors.at(
                receiver,
                format!("a migration hangs on the old state alone, so it has no `self`, as the state of an execution is also read where there is no workflow: {expected}"),
            ),
            FnArg::Typed(input) if is_nearly_context(&input.ty) => {
                errors.at(input, format!("a migration has no effects, so it takes no `Cx`: {expected}"));
            }
            FnArg::Typed(input) => typed.push(input),
        }
    }
    match typed.as_slice() {
        [old] => errors.ok(parse_type_ref(&old.ty, "a state")),
        [] => {
            errors.at(&signature.ident, format!("`{}` takes no state: {expected}", signature.ident));
            None
        }
        [_, extra, ..] => {
            errors.at(extra, format!("a migration takes one state, and nothing more: {expected}"));
            None
        }
    }
}

// #[migrate(from = 1)] fn pending(old: v1::Pending) -> Stay<Pending>
fn check_targets(output: &crate::model::Output, method: &ImplItemFn, errors: &mut Errors) {
    let expected = "it gives the state that the old one has become: `Pending`, or `Next<(Pending, Paid)>`, or one of these in `Result`";
    if let Some(reply) = &output.reply {
        errors.span(reply.span, format!("a migration answers nobody: {expected}"));
    }
    for target in &output.targets {
        match target {
            Target::State(_) => {}
            Target::Stay(span) | Target::Wait(span) => {
                errors.span(*span, format!("a migration stays nowhere: {expected}"));
            }
            Target::Unwind(state) => {
                errors.span(state.span(), format!("a migration undoes nothing: {expected}"));
            }
        }
    }
    if output.targets.is_empty() && !output.broken {
        errors.at(&method.sig.ident, expected);
    }
}

// #[migrate(from = 3)] where there is no `3 = …`
// #[migrate(from = 1)] fn one(old: v1::Pending) …        #[migrate(from = 1)] fn other(old: v1::Pending) …
pub(crate) fn check_migrations(versions: &mut Versions, part: bool, errors: &mut Errors) {
    let migrations = std::mem::take(&mut versions.migrations);
    for migration in migrations {
        let (ident, from) = (&migration.ident, migration.from);
        let known: Vec<String> = versions.from.iter().map(|known| known.version.to_string()).collect();
        if part {
            errors.at(ident, "migrations stand in the main impl of the workflow, which names the older versions");
            versions.broken = true;
        } else if versions.broken {
            // What it ought to be from is not known.
        } else if !versions.from.iter().any(|known| known.version == from) {
            let present = versions.version.unwrap_or(from.saturating_add(1));
            let message = match known.as_slice() {
                [] => format!(
                    "the workflow says nothing of a version {from}: name its states, `#[workflow(…, version = {present}, from({from} = v{from}::States))]`"
                ),
                known => format!(
                    "the version {from} is not in `from(…)`, which has {}: add `{from} = v{from}::States` there",
                    known.join(", ")
                ),
            };
            errors.at(ident, message);
            versions.broken = true;
        } else if let Some(first) = versions.migrations.iter().find(|first| {
            first.from == from && type_text(&first.old) == type_text(&migration.old) && first.cfg.is_always()
        }) {
            let message = format!(
                "`{}` has the migration `{}` already: keep one of the two",
                type_text(&migration.old),
                unraw(&first.ident)
            );
            errors.at(ident, message);
            versions.broken = true;
        }
        versions.migrations.push(migration);
    }
}
