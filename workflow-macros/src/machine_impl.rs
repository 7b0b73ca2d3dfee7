//! `#[workflow]` as a whole: parse, check, expand.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens as _, quote};
use syn::{Attribute, Item};

use crate::check::check_machine;
use crate::errors::Errors;
use crate::expand::assertions::expand_assertions;
use crate::expand::docs::expand_docs;
use crate::expand::enums::expand_enums;
use crate::expand::graph_checks::expand_graph_checks;
use crate::expand::handlers::expand_handlers;
use crate::expand::included::{expand_described, expand_included, expand_listed, expand_lists};
use crate::expand::next_enums::expand_next_enums;
use crate::expand::saved::expand_part_saved;
use crate::expand::transition_enum::expand_transitions;
use crate::expand::undo::expand_part_undo;
use crate::expand::versions::expand_version_checks;
use crate::expand::workflow_impl::expand_workflow;
use crate::expand::{generated_ident, in_machine_const, with_parameters};
use crate::parse::attributes::strip_inert;
use crate::parse::half_typed::{HalfTyped, open_function, parse_half_typed};
use crate::parse::impl_block::{Parsed, parse_impl};
use crate::parse::workflow_args::{Form, parse_workflow_args};
use crate::sequential_impl::expand_sequential;
use crate::warnings::expand_lints;

/// Expands `#[workflow(…)]`. The user's items are emitted whatever is wrong with them.
pub(crate) fn expand_workflow_attribute(arguments: TokenStream, tokens: TokenStream) -> TokenStream {
    if let Some(function) = open_function(&tokens) {
        return expand_sequential(arguments, function);
    }
    let mut errors = Errors::default();
    let HalfTyped { mut item, bodies } = match parse_half_typed(tokens.clone()) {
        Ok(read) => read,
        Err(error) => {
            errors.push(misplaced(&tokens).unwrap_or(error));
            let tokens = without_inert(tokens);
            let errors = errors.into_tokens();
            return quote!(#tokens #errors);
        }
    };
    check_once(&mut item.attrs, &mut errors);
    let args = parse_workflow_args(Form::Impl, arguments, &mut errors);
    let (part, has_start, confused) = (args.part, args.has_start, args.confused);
    match parse_impl(item, &tokens, &bodies, args, &mut errors) {
        Ok(mut parsed) if confused => {
            // What would be generated hangs on which of the two it is.
            parsed.machine.handlers.iter_mut().for_each(|handler| handler.broken = true);
            expand_part(parsed, errors)
        }
        Ok(parsed) if part => expand_part(parsed, errors),
        Ok(parsed) => expand_main(parsed, has_start, errors),
        Err(item) => {
            let errors = errors.into_tokens();
            quote!(#item #errors)
        }
    }
}

pub(crate) fn expand_main(parsed: Parsed, has_start: bool, mut errors: Errors) -> TokenStream {
    let Parsed { mut machine, item } = parsed;
    check_machine(&mut machine, has_start, &mut errors);
    // Where something is missing, these would speak of consequences.
    let checks = if machine.is_known() && has_start {
        let (graph, included) = (expand_graph_checks(&machine), expand_included(&machine));
        let versions = expand_version_checks(&machine);
        in_machine_const(&machine.runtime, &quote!(#graph #included #versions))
    } else {
        TokenStream::new()
    };
    let sound = errors.is_empty() && machine.complete && machine.handlers.iter().all(|handler| !handler.broken);
    let lints = if sound { expand_lints(&machine, &item) } else { TokenStream::new() };
    let named = [
        expand_enums(&machine),
        expand_transitions(&machine),
        expand_next_enums(&machine),
        expand_docs(&machine, &generated_ident(&machine, "State")),
    ];
    let impls = [
        expand_workflow(&machine),
        expand_handlers(&machine, false),
        expand_assertions(&machine),
        expand_lists(&machine),
    ];
    let impls = in_machine_const(&machine.runtime, &quote!(#(#impls)*));
    let (item, errors) = (with_parameters(item.to_token_stream()), errors.into_tokens());
    quote!(#item #(#named)* #impls #checks #lints #errors)
}

fn expand_part(parsed: Parsed, mut errors: Errors) -> TokenStream {
    let Parsed { mut machine, item } = parsed;
    check_machine(&mut machine, true, &mut errors);
    let lints = if errors.is_empty() { expand_lints(&machine, &item) } else { TokenStream::new() };
    let impls = [
        expand_handlers(&machine, true),
        expand_described(&machine),
        expand_listed(&machine),
        expand_part_undo(&machine),
        expand_part_saved(&machine),
    ];
    let impls = in_machine_const(&machine.runtime, &quote!(#(#impls)*));
    let (item, errors) = (with_parameters(item.to_token_stream()), errors.into_tokens());
    quote!(#item #impls #lints #errors)
}

// #[workflow(start = A)] #[workflow(start = B)] impl Fulfilment { … }
pub(crate) fn check_once(attributes: &mut Vec<Attribute>, errors: &mut Errors) {
    attributes.retain(|attribute| {
        let again = attribute.path().segments.last().filter(|segment| segment.ident == "workflow");
        if let Some(again) = again {
            errors.at(again, "`#[workflow]` is here twice: keep one of the two");
        }
        again.is_none()
    });
}

// #[workflow] struct Fulfilment;
fn misplaced(tokens: &TokenStream) -> Option<syn::Error> {
    let error = |tokens: TokenStream, message: String| Some(syn::Error::new_spanned(tokens, message));
    let on_impl = |name: &str| format!("`#[workflow]` goes on the `impl {name} {{ … }}` that holds the handlers");
    match syn::parse2::<Item>(tokens.clone()).ok()? {
        Item::Struct(item) => error(item.ident.to_token_stream(), on_impl(&item.ident.to_string())),
        Item::Enum(item) => error(item.ident.to_token_stream(), on_impl(&item.ident.to_string())),
        Item::Union(item) => error(item.ident.to_token_stream(), on_impl(&item.ident.to_string())),
        Item::Trait(item) => error(item.ident.to_token_stream(), on_impl("YourWorkflow")),
        Item::Type(item) => error(item.ident.to_token_stream(), on_impl(&item.ident.to_string())),
        Item::Mod(item) => error(item.ident.to_token_stream(), on_impl("YourWorkflow")),
        item => {
            let first: TokenStream = item.to_token_stream().into_iter().take(1).collect();
            error(first, on_impl("YourWorkflow"))
        }
    }
}

/// The item without our attributes on its members.
fn without_inert(tokens: TokenStream) -> TokenStream {
    tokens
        .into_iter()
        .map(|token| match token {
            TokenTree::Group(group) if group.delimiter() == proc_macro2::Delimiter::Brace => {
                let mut stripped = proc_macro2::Group::new(group.delimiter(), strip_inert(group.stream()));
                stripped.set_span(group.span());
                TokenTree::Group(stripped)
            }
            other => other,
        })
        .collect()
}
