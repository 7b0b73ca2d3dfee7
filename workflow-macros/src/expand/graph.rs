//! `FulfilmentState::GRAPH`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Ident;

use super::included::handler_probe;
use super::parallel::parallel_policy;
use super::step::policy;
use super::{allow, group_probe, imports, short_names, source_name, state_probe, type_text};
use crate::model::{Due, Handler, Machine, Trigger, unraw};
use crate::parse::timer::field_text;

pub(crate) fn expand_graph(machine: &Machine, state_enum: &Ident) -> TokenStream {
    let (runtime, name, doc) = (&machine.runtime, machine.persisted_name(), &machine.doc);
    let version = machine.versions.version.map(|version| quote!(.version(#version)));
    let Some(start) = machine.start.as_ref().map(state_probe) else { return TokenStream::new() };
    let states = machine.states.iter().map(|state| {
        let (cfg, probe, type_name) = (&state.cfg, state_probe(&state.ty), super::display(&state.ty.name));
        quote!(#cfg __private::state_info(#type_name, #probe::FACTS))
    });
    let events = machine.events.iter().map(|event| {
        let (cfg, ty, type_name) = (&event.cfg, &event.ty, super::display(&event.ty.name));
        let probe = quote!(__private::EventProbe::<#ty>);
        quote!(#cfg #runtime::EventInfo::declare(#probe::NAME, #probe::WAS, #type_name, #probe::DOC).policy(#probe::POLICY))
    });
    let handlers = machine.handlers.iter().filter(|handler| !handler.broken).map(|handler| {
        let (cfg, info) = (&handler.cfg, handler_info(machine, handler, !machine.is_group(&handler.state)));
        quote!(#cfg #info)
    });
    let steps = machine.steps.iter().map(|step| {
        let (cfg, policy, doc, line) = (&step.cfg, policy(&step.ident, &step.policy), &step.doc, step.line);
        let undo = step.undo.as_ref().map(|undo| {
            let undo = unraw(undo);
            quote!(.undo(#undo))
        });
        quote!(#cfg #runtime::StepInfo::declare(&#policy, #doc, __FILE, #line) #undo)
    });
    let on_failure = machine.unwinds_on_failure.then(|| quote!(.on_failure(#runtime::OnFailure::Unwind)));
    let parallels = machine.parallels.iter().map(|parallel| {
        let (cfg, policy, doc, line) = (&parallel.cfg, parallel_policy(parallel), &parallel.doc, parallel.line);
        quote!(#cfg #runtime::ParallelInfo::declare(&#policy, #doc, __FILE, #line))
    });
    let (allow, imports, names, file) = (allow(), imports(runtime), short_names(runtime), file());
    let text = super::doc(&format!("[`{name}`] as declared: states, handlers, edges and steps."));
    quote! {
        #allow
        impl #state_enum {
            #text
            pub const GRAPH: &'static #runtime::Graph = {
                #imports
                #names
                #file
                const __STATES: &[#runtime::StateInfo] = &[#(#states),*];
                const __EVENTS: &[#runtime::EventInfo] = &[#(#events),*];
                const __HANDLERS: &[#runtime::HandlerInfo] = &[#(#handlers),*];
                const __STEPS: &[#runtime::StepInfo] = &[#(#steps),*];
                const __PARALLELS: &[#runtime::ParallelInfo] = &[#(#parallels),*];
                const __GRAPH: #runtime::Graph =
                    #runtime::Graph::declare(#name, #doc, #start::NAME, __STATES, __EVENTS, __HANDLERS, __STEPS)
                        .parallels(__PARALLELS) #on_failure #version;
                &__GRAPH
            };
        }
    }
}

/// The file, for what stands beside it: to ask for it again and again takes time.
pub(crate) fn file() -> TokenStream {
    quote!(
        const __FILE: &::core::primitive::str = ::core::file!();
    )
}

/// The `HandlerInfo` of a handler, beside the [`file`]. In a part, nobody knows whether it is for a state.
pub(crate) fn handler_info(machine: &Machine, handler: &Handler, is_for_state: bool) -> TokenStream {
    if handler.is_included() {
        let probe = handler_probe(machine, handler);
        return quote!(#probe::HANDLER);
    }
    let (name, doc, line) = (handler.name(), &handler.doc, handler.line);
    let trigger = trigger(machine, handler);
    let (state, group) = (state_probe(&handler.state), group_probe(&handler.state));
    let (from, in_group) = match is_for_state {
        true => (quote!(#state::NAME), None),
        false => (source_name(&handler.state), Some(quote!(.in_group(#group::FACTS)))),
    };
    let to = handler.output.states().map(state_probe);
    let (waits, unwinds) = (handler.output.waits().map(|_| quote!(.waits())), unwinds(handler));
    let pure = (!handler.effects).then(|| quote!(.pure()));
    let replies = handler.output.reply.as_ref().map(|reply| {
        let text = type_text(&reply.reply);
        quote!(.replies(#text))
    });
    quote! {
        __HandlerInfo::declare(#name, #trigger, #from, &[#(#to::NAME),*], #doc, __FILE, #line)
            #in_group #waits #unwinds #pure #replies
    }
}

/// What a `HandlerInfo` says besides of targets that are reached by way of undos.
pub(crate) fn unwinds(handler: &Handler) -> TokenStream {
    let unwound: Vec<_> = handler.output.unwound().map(state_probe).collect();
    if unwound.is_empty() {
        return TokenStream::new();
    }
    quote!(.unwinds(&[#(#unwound::NAME),*]))
}

/// The `Trigger` of a handler.
pub(crate) fn trigger(machine: &Machine, handler: &Handler) -> TokenStream {
    match &handler.trigger {
        Trigger::Entry => quote!(__Trigger::Entry),
        Trigger::On { event } => quote!(__Trigger::On { event: __Event::<#event>::NAME }),
        Trigger::After { due: Due::After(delay) } => {
            let delay = super::step::duration(*delay);
            quote!(__Trigger::After { delay: #delay })
        }
        Trigger::After { due: Due::Every(period) } => {
            let period = super::step::duration(*period);
            quote!(__Trigger::Every { period: #period })
        }
        Trigger::After { due: Due::Function { text, .. } } => quote!(__Trigger::AfterFn { function: #text }),
        Trigger::After { due: Due::At(field) } => {
            let field = field_text(field);
            quote!(__Trigger::At { field: #field })
        }
        Trigger::After { due: Due::Elsewhere(_) } => {
            let probe = handler_probe(machine, handler);
            quote!(#probe::HANDLER.trigger)
        }
        Trigger::Catch { error, .. } => {
            let error = type_text(error);
            quote!(__Trigger::Catch { error: #error })
        }
    }
}
