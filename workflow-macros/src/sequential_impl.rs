//! `#[workflow]` on an `async fn`: it becomes the impl of a workflow with one running state, which goes the way of any
//! other.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{DeriveInput, Ident, parse_quote};

use crate::errors::Errors;
use crate::expand::data::expand_data;
use crate::expand::sequential::{done_item, expand_function, handler_impl, input_item, state_idents};
use crate::machine_impl::expand_main;
use crate::model::{Machine, Runtime, Target, TypeRef};
use crate::parse::data::{DataKind, parse_data};
use crate::parse::half_typed::OpenFunction;
use crate::parse::impl_block::parse_impl;
use crate::parse::receives::find_receives;
use crate::parse::sequential::{Sequential, parse_sequential};
use crate::parse::workflow_args::{Form, parse_workflow_args};

/// Expands the attribute on a function, which is emitted whatever is wrong with it.
pub(crate) fn expand_sequential(arguments: TokenStream, open: OpenFunction) -> TokenStream {
    let mut errors = Errors::default();
    let mut args = parse_workflow_args(Form::Function(&open.function.vis), arguments, &mut errors);
    let sequential = match parse_sequential(open, &mut errors) {
        Ok(sequential) => sequential,
        Err(open) => {
            let (function, errors) = (open.close(), errors.into_tokens());
            return quote!(#function #errors);
        }
    };
    let (input, _) = state_idents(&sequential.ident);
    args.start = Some(TypeRef::new(input.clone(), Box::new(parse_quote!(#input))));
    let function = sequential.function();
    args.receives = find_receives(&function.attrs, &function.sig, &function.block, None);
    let (runtime, vis) = (args.runtime.clone(), args.vis.clone());
    let items = [
        expand_function(&sequential, &vis),
        expand_state(&input_item(&sequential, &vis), "running", false, &runtime, &mut errors),
        expand_state(&done_item(&sequential, &vis), "done", true, &runtime, &mut errors),
    ];
    let machine = match parse_impl(handler_impl(&sequential, &runtime), &TokenStream::new(), &[], args, &mut errors) {
        Ok(mut parsed) => {
            name_states(&mut parsed.machine, &sequential);
            parsed.item.attrs.retain(|attribute| !attribute.path().is_ident("doc"));
            expand_main(parsed, true, errors)
        }
        Err(item) => {
            let errors = errors.into_tokens();
            quote!(#item #errors)
        }
    };
    quote!(#(#items)* #machine)
}

fn expand_state(item: &DeriveInput, name: &str, end: bool, runtime: &Runtime, errors: &mut Errors) -> TokenStream {
    let end = end.then(|| quote!(end,));
    let mut model = parse_data(DataKind::State, quote!(#end name = #name), item, errors);
    model.runtime = runtime.clone();
    expand_data(&model, item)
}

/// In the generated enums, the states are called `Running` and `Done`; and what is said of the handler's body is said of
/// the function's.
fn name_states(machine: &mut Machine, sequential: &Sequential) {
    let (input, done) = state_idents(&sequential.ident);
    let rename = |ty: &mut TypeRef| {
        let name = if ty.name == input {
            "Running"
        } else if ty.name == done {
            "Done"
        } else {
            return;
        };
        ty.name = Ident::new(name, ty.name.span().resolved_at(Span::call_site()));
    };
    machine.is_function = true;
    machine.start.iter_mut().for_each(rename);
    machine.states.iter_mut().for_each(|state| rename(&mut state.ty));
    for handler in &mut machine.handlers {
        rename(&mut handler.state);
        handler.body = Some(sequential.body());
        handler.broken |= sequential.broken;
        for target in &mut handler.output.targets {
            if let Target::State(state) = target {
                rename(state);
            }
        }
    }
}
