//! The keys of `#[workflow(…)]`.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::{Ident, Token, Type, Visibility, parse_quote};

use super::include::{Included, parse_include};
use super::keys::{flag, list_value, name_list, parse_keys};
use super::runtime::{default_runtime, parse_runtime};
use super::types::parse_type_ref;
use super::versions::{VERSION_KEYS, check_versions, parse_version_key};
use crate::errors::Errors;
use crate::lint::{Lint, named};
use crate::model::{Receive, Runtime, TypeRef, unraw};
use crate::nearest::hint;
use crate::versions::Versions;

/// What `#[workflow(…)]` says.
#[derive(Debug)]
pub(crate) struct WorkflowArgs {
    pub(crate) start: Option<TypeRef>,
    /// Whether `start` is there at all, right or wrong, or may be what a mistake was meant to be.
    pub(crate) has_start: bool,
    pub(crate) include: Vec<Included>,
    /// Whether a line of it has a mistake.
    pub(crate) include_broken: bool,
    pub(crate) part: bool,
    /// Whether it is said to be a part, and says what only a main impl says.
    pub(crate) confused: bool,
    pub(crate) runtime: Runtime,
    pub(crate) vis: Visibility,
    pub(crate) allow: Vec<Lint>,
    /// Whether a failure that nothing catches has everything undone.
    pub(crate) unwinds_on_failure: bool,
    /// Events that are received where the macro does not see it.
    pub(crate) events: Vec<TypeRef>,
    /// Events that the function waits for, where the attribute is on one.
    pub(crate) receives: Vec<Receive>,
    pub(crate) versions: Versions,
}

/// What `#[workflow(…)]` stands on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Form<'a> {
    /// The `impl` with the handlers.
    Impl,
    /// A function of this visibility, which what is generated has too.
    Function(&'a Visibility),
}

pub(crate) fn parse_workflow_args(form: Form<'_>, tokens: TokenStream, errors: &mut Errors) -> WorkflowArgs {
    let mut args = WorkflowArgs {
        start: None,
        has_start: false,
        include: Vec::new(),
        include_broken: false,
        part: false,
        confused: false,
        runtime: default_runtime(),
        vis: match form {
            Form::Impl => parse_quote!(pub),
            Form::Function(vis) => vis.clone(),
        },
        allow: Vec::new(),
        unwinds_on_failure: false,
        events: Vec::new(),
        receives: Vec::new(),
        versions: Versions::default(),
    };
    let mut from_key = None;
    let mut only_main: Option<(Span, String)> = None;
    let known = ["start", "include", "events", "on_failure", "part", "crate", "vis", "allow"];
    let known = [known.as_slice(), &VERSION_KEYS].concat();
    let mut mistakes = Errors::default();
    parse_keys("workflow", &known, tokens, &mut mistakes, |key, input, errors| {
        let name = unraw(key);
        if (matches!(name.as_str(), "start" | "include" | "events" | "on_failure" | "vis")
            || VERSION_KEYS.contains(&name.as_str()))
            && only_main.is_none()
        {
            only_main = Some((key.span(), name.clone()));
        }
        let is_function = matches!(form, Form::Function(_));
        if is_function && matches!(name.as_str(), "start" | "include" | "part" | "version" | "from" | "keep") {
            let message = match VERSION_KEYS.contains(&name.as_str()) {
                true => format!(
                    "`{name}` belongs on an `impl` with handlers: a workflow as one function takes new arguments with `#[serde(default)]`"
                ),
                false => format!(
                    "`{name}` belongs on an `impl` with handlers: a workflow as one function starts with its arguments, and is written in one piece"
                ),
            };
            // What follows it is not looked at.
            while !input.is_empty() && !input.peek(syn::Token![,]) {
                input.parse::<proc_macro2::TokenTree>()?;
            }
            return Err(syn::Error::new(key.span(), message));
        }
        match name.as_str() {
            "start" => {
                args.has_start = true;
                let wanted = "name the state that an execution starts in: `start = PendingPayment`";
                if !input.peek(syn::Token![=]) {
                    return Err(syn::Error::new(key.span(), wanted));
                }
                input.parse::<syn::Token![=]>()?;
                if input.is_empty() {
                    return Err(syn::Error::new(key.span(), wanted));
                }
                args.start = Some(parse_type_ref(&input.parse()?, "the start state")?);
            }
            "include" => {
                let tokens = list_value(key, "on delivered(Shipped, Delivery) -> Delivered", input)?;
                let mut mistakes = Errors::default();
                args.include = parse_include(tokens, &mut mistakes);
                args.include_broken = !mistakes.is_empty();
                errors.take(mistakes);
            }
            "on_failure" => args.unwinds_on_failure = parse_on_failure(key, input)?,
            "events" => {
                let tokens = list_value(key, "Payment, Answer", input)?;
                let types = Punctuated::<Type, Token![,]>::parse_terminated.parse2(tokens)?;
                args.events.extend(types.iter().filter_map(|ty| errors.ok(parse_type_ref(ty, "an event"))));
            }
            "part" => {
                flag(key, input)?;
                args.part = true;
            }
            "crate" => args.runtime = parse_runtime(key, input)?,
            "vis" => {
                args.vis = parse_vis(key, input)?;
            }
            name if VERSION_KEYS.contains(&name) => {
                if name == "from" {
                    from_key = Some(key.clone());
                }
                parse_version_key(key, input, &mut args.versions, errors)?;
            }
            _ => args.allow = named(name_list(key, "endless_wait", input)?, errors),
        }
        Ok(())
    });
    check_versions(from_key.as_ref(), &mut args.versions, &mut mistakes);
    // It may be the start that was meant there.
    args.has_start |= !mistakes.is_empty();
    errors.take(mistakes);
    args.confused = args.part && only_main.is_some();
    if let (true, Some((span, key))) = (args.part, only_main) {
        errors.span(span, format!("`{key}` belongs on the main impl of the workflow, not on a part of it"));
    }
    args
}

// #[workflow(on_failure = rollback)]
fn parse_on_failure(key: &Ident, input: ParseStream<'_>) -> syn::Result<bool> {
    let wanted = "say what a failure comes to that nothing catches: `on_failure = park` or `on_failure = unwind`";
    if !input.peek(Token![=]) {
        return Err(syn::Error::new(key.span(), wanted));
    }
    input.parse::<Token![=]>()?;
    if !input.peek(Ident::peek_any) {
        return Err(input.error(wanted));
    }
    let value = input.call(Ident::parse_any)?;
    match unraw(&value).as_str() {
        "park" => Ok(false),
        "unwind" => Ok(true),
        other => {
            let message = format!("`on_failure` cannot be `{other}`: {}", hint(other, &["park", "unwind"]));
            Err(syn::Error::new(value.span(), message))
        }
    }
}

// #[workflow(vis = "pub(crate)")]
fn parse_vis(key: &Ident, input: ParseStream<'_>) -> syn::Result<Visibility> {
    let wanted = "say who sees what is generated: `vis = pub(crate)`";
    if !input.peek(Token![=]) {
        return Err(syn::Error::new(key.span(), wanted));
    }
    input.parse::<Token![=]>()?;
    match input.parse()? {
        Visibility::Inherited if input.is_empty() => Err(syn::Error::new(key.span(), wanted)),
        Visibility::Inherited => Err(input.error(wanted)),
        vis => Ok(vis),
    }
}
