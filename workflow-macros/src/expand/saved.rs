//! `Workflow::saved_types`: each type that is saved, named once.

use proc_macro2::TokenStream;
use quote::quote;

use super::{edge_key, where_part};
use crate::model::{Cfg, Handler, Machine, Trigger, TypeRef, unraw};
use crate::parse::types::WriteSelfOut;

/// The types that the runtime is told of at once, at most.
const TOGETHER: usize = 8;

// fn saved_types<V: SavedTypes>(types: &mut V) {
//     SavedProbe::<(PendingPayment, Fulfilling, Shipped, Cancelled)>::states(types);
//     SavedEventsProbe::<(Payment,)>::events(types);
//     StepProbe::<Result<Reservation, StockError>>::saved(types, "reserve");
// }
pub(crate) fn expand_saved(machine: &Machine) -> TokenStream {
    let states = expand_saved_states(machine.states.iter().map(|state| (&state.ty, &state.cfg)));
    let events = together(machine.events.iter().map(|event| (&event.ty, &event.cfg)));
    let events =
        events.into_iter().map(|(cfg, types)| quote!(#cfg __private::SavedEventsProbe::<#types>::events(__types);));
    let handlers = || machine.handlers.iter().filter(|handler| !handler.broken);
    let replies = handlers().filter_map(expand_reply);
    let steps = expand_steps(machine);
    let self_ty = &machine.self_ty;
    let parts = handlers().filter(|handler| handler.is_included()).map(|handler| {
        let (cfg, state, key) = (&handler.cfg, &handler.state, edge_key(machine, &handler.name()));
        quote!(#cfg __private::PartSavedProbe::<#self_ty, #state, #key>::saved(__types);)
    });
    quote! {
        fn saved_types<__V: __private::SavedTypes>(__types: &mut __V) {
            #states
            #(#events)*
            #(#replies)*
            #steps
            #(#parts)*
        }
    }
}

/// Tells of states.
pub(super) fn expand_saved_states<'a>(states: impl Iterator<Item = (&'a TypeRef, &'a Cfg)>) -> TokenStream {
    let states = together(states).into_iter();
    states.map(|(cfg, types)| quote!(#cfg __private::SavedProbe::<#types>::states(__types);)).collect()
}

/// In a part: its steps, to be found by way of one of its handlers.
pub(crate) fn expand_part_saved(machine: &Machine) -> TokenStream {
    if machine.steps.is_empty() {
        return TokenStream::new();
    }
    let mut handlers = machine.handlers.iter().filter(|handler| !handler.broken);
    let always = handlers.clone().find(|handler| handler.cfg.is_always());
    let Some(handler) = always.or_else(|| handlers.next()) else { return TokenStream::new() };
    let (cfg, state, key) = (&handler.cfg, &handler.state, edge_key(machine, &handler.name()));
    let (impl_generics, _, _) = machine.generics.split_for_impl();
    let (self_ty, where_clause, steps) = (&machine.self_ty, where_part(machine), expand_steps(machine));
    quote! {
        #cfg
        #[automatically_derived]
        #[doc(hidden)]
        impl #impl_generics __private::PartSaved<#self_ty, #key> for #state #where_clause {
            fn saved<__V: __private::SavedTypes>(__types: &mut __V) {
                #steps
            }
        }
    }
}

/// Tuples of types; what is not always there has one of its own.
fn together<'a>(types: impl Iterator<Item = (&'a TypeRef, &'a Cfg)>) -> Vec<(Option<&'a Cfg>, TokenStream)> {
    let (always, sometimes): (Vec<_>, Vec<_>) = types.partition(|(_, cfg)| cfg.is_always());
    let always = always.chunks(TOGETHER).map(|types| {
        let types = types.iter().map(|(ty, _)| ty);
        (None, quote!((#(#types,)*)))
    });
    always.chain(sometimes.iter().map(|(ty, cfg)| (Some(*cfg), quote!((#ty,))))).collect()
}

fn expand_reply(handler: &Handler) -> Option<TokenStream> {
    let Trigger::On { event } = &handler.trigger else { return None };
    let (reply, cfg) = (handler.output.reply.as_ref()?, &handler.cfg);
    let name = quote!(__private::EventProbe::<#event>::NAME);
    let tell = |ty: &syn::Type, what: TokenStream| quote!(#cfg __private::SavedAs::<#ty>::tell(__types, __private::Saved::#what, #name););
    let refusal = reply.refusal.as_ref().map(|refusal| tell(refusal, quote!(Refusal)));
    let reply = tell(&reply.reply, quote!(Reply));
    Some(quote!(#reply #refusal))
}

fn expand_steps(machine: &Machine) -> TokenStream {
    let steps = machine.steps.iter().filter_map(|step| {
        let (cfg, name) = (&step.cfg, unraw(&step.ident));
        let output = WriteSelfOut(&machine.self_ty).in_type(step.output.as_ref()?);
        let was = &step.policy.was;
        let renamed = (!was.is_empty()).then(
            || quote!(#cfg __private::SavedTypes::renamed(__types, __private::Saved::Step, #name, &[#(#was),*]);),
        );
        Some(quote!(#cfg __private::StepProbe::<#output>::saved(__types, #name); #renamed))
    });
    let undos = machine.undos.iter().map(|undo| {
        let (cfg, name) = (&undo.cfg, unraw(&undo.step));
        let arguments = undo.arguments.iter().map(|argument| &argument.ty);
        quote!(#cfg __private::SavedAs::<(#(#arguments,)*)>::tell(__types, __private::Saved::Undo, #name);)
    });
    quote!(#(#steps)* #(#undos)*)
}
