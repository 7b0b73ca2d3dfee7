//! The keys of `#[workflow(…)]`.

use proc_macro2::{Span, TokenStream};
use syn::{Visibility, parse_quote};

use super::include::{Included, parse_include};
use super::keys::{flag, list_value, name_list, parse_keys};
use super::runtime::{default_runtime, parse_runtime};
use super::types::parse_type_ref;
use crate::errors::Errors;
use crate::lint::{Lint, named};
use crate::model::{Runtime, TypeRef, unraw};

/// What `#[workflow(…)]` says.
#[derive(Debug)]
pub(crate) struct WorkflowArgs {
    pub(crate) start: Option<TypeRef>,
    /// Whether `start` is there at all, right or wrong.
    pub(crate) has_start: bool,
    pub(crate) include: Vec<Included>,
    pub(crate) part: bool,
    pub(crate) runtime: Runtime,
    pub(crate) vis: Visibility,
    pub(crate) allow: Vec<Lint>,
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
        part: false,
        runtime: default_runtime(),
        vis: match form {
            Form::Impl => parse_quote!(pub),
            Form::Function(vis) => vis.clone(),
        },
        allow: Vec::new(),
    };
    let mut only_main: Option<(Span, String)> = None;
    let known = ["start", "include", "part", "crate", "vis", "allow"];
    parse_keys("workflow", &known, tokens, errors, |key, input, errors| {
        let name = unraw(key);
        if matches!(name.as_str(), "start" | "include" | "vis") && only_main.is_none() {
            only_main = Some((key.span(), name.clone()));
        }
        if let (Form::Function(_), "start" | "include" | "part") = (form, name.as_str()) {
            let message = format!(
                "`{name}` belongs on an `impl` with handlers: a workflow as one function starts with its arguments, and is written in one piece"
            );
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
                args.include = parse_include(tokens, errors);
            }
            "part" => {
                flag(key, input)?;
                args.part = true;
            }
            "crate" => args.runtime = parse_runtime(key, input)?,
            "vis" => {
                input.parse::<syn::Token![=]>()?;
                args.vis = input.parse()?;
            }
            _ => args.allow = named(name_list(key, "endless_wait", input)?, errors),
        }
        Ok(())
    });
    if let (true, Some((span, key))) = (args.part, only_main) {
        errors.span(span, format!("`{key}` belongs on the main impl of the workflow, not on a part of it"));
    }
    args
}
