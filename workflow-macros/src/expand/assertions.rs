//! What rustc is asked to check, once for each type, where it is named first.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use crate::model::Machine;

pub(crate) fn expand_assertions(machine: &Machine) -> TokenStream {
    // The start is asserted by `Workflow::Start`.
    let states = machine.states.iter().filter(|state| state.certain && machine.start.as_ref() != Some(&state.ty));
    let states = states.map(|state| {
        let (cfg, ty) = (&state.cfg, &state.ty);
        if state.live {
            // A group in this place is told where it is gone to, or entered.
            let entered = quote_spanned!(ty.span()=> __Group::<#ty>::assert_entered());
            return quote!(#cfg #entered;);
        }
        let function = quote_spanned!(ty.span()=> __private::assert_state);
        quote!(#cfg #function::<#ty>();)
    });
    // Not where the state is none: then the arguments are probably in the wrong order, and that is one mistake.
    let events = machine.events.iter().filter(|event| event.certain).map(|event| {
        let (cfg, ty, state) = (&event.cfg, &event.ty, &event.first_state);
        let function = quote_spanned!(ty.span()=> assert_event);
        quote!(#cfg __private::EventOf::<#state>::#function::<#ty>();)
    });
    let groups = machine.groups.iter().filter(|group| group.certain).map(|group| {
        let (cfg, ty) = (&group.cfg, &group.ty);
        let function = quote_spanned!(ty.span()=> __private::assert_source);
        quote!(#cfg #function::<#ty>();)
    });
    // In one function, as each item takes time.
    quote!(fn __named() { #(#states)* #(#groups)* #(#events)* })
}
