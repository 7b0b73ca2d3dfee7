//! `Workflow::saved_types`: each type that is saved, named once.

use proc_macro2::TokenStream;
use quote::quote;

use crate::model::{Handler, Machine, Trigger, unraw};

// fn saved_types<V: SavedTypes>(types: &mut V) {
//     SavedProbe::<PendingPayment>::state(types);
//     SavedEventProbe::<Payment>::event(types);
//     StepProbe::<Result<Reservation, StockError>>::saved(types, "reserve");
// }
pub(crate) fn expand_saved(machine: &Machine) -> TokenStream {
    let states = machine.states.iter().map(|state| {
        let (cfg, ty) = (&state.cfg, &state.ty);
        quote!(#cfg __private::SavedProbe::<#ty>::state(__types);)
    });
    let events = machine.events.iter().map(|event| {
        let (cfg, ty) = (&event.cfg, &event.ty);
        quote!(#cfg __private::SavedEventProbe::<#ty>::event(__types);)
    });
    let handlers = || machine.handlers.iter().filter(|handler| !handler.broken);
    let replies = handlers().filter_map(expand_reply);
    let steps = expand_steps(machine);
    quote! {
        fn saved_types<__V: __private::SavedTypes>(__types: &mut __V) {
            #(#states)*
            #(#events)*
            #(#replies)*
            #steps
        }
    }
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
        let (cfg, name, output) = (&step.cfg, unraw(&step.ident), step.output.as_ref()?);
        Some(quote!(#cfg __private::StepProbe::<#output>::saved(__types, #name);))
    });
    let undos = machine.undos.iter().map(|undo| {
        let (cfg, name) = (&undo.cfg, unraw(&undo.step));
        let arguments = undo.arguments.iter().map(|argument| &argument.ty);
        quote!(#cfg __private::SavedAs::<(#(#arguments,)*)>::tell(__types, __private::Saved::Undo, #name);)
    });
    quote!(#(#steps)* #(#undos)*)
}
