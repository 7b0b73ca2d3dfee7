//! A free `#[state]` function: a handler for any workflow that gives it what it needs.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Generics, Ident, ItemFn};

use super::handlers::{decide_for, has_effects};
use super::{at, in_machine_const, name_digest, state_probe};
use crate::model::{Handler, Runtime};

/// What is known of the function.
pub(crate) struct FreeHandler {
    pub(crate) runtime: Runtime,
    /// The type parameter that stands for the workflow.
    pub(crate) workflow: Ident,
    pub(crate) generics: Generics,
    pub(crate) handler: Handler,
}

// #[state] async fn returning<W: Provides<Stock>>(w: &W, cx: &Cx, s: Returning) -> Result<Refunded>
//
// impl<W: Provides<Stock>> Handle<W> for Returning where W: Workflow, <W as Workflow>::State: From<Refunded> { … }
// impl<const WF: u64> Described<EdgeKey<WF, 0x…>> for Returning { … }
pub(crate) fn expand_free(free: &FreeHandler, item: &ItemFn) -> TokenStream {
    let (runtime, workflow, handler) = (&free.runtime, &free.workflow, &free.handler);
    let (state, ident, name, cfg) = (&handler.state, &handler.ident, handler.name(), &handler.cfg);
    let (impl_generics, _, where_clause) = free.generics.split_for_impl();
    let predicates = where_clause.map(|clause| {
        let predicates = clause.predicates.iter();
        quote!(#(#predicates,)*)
    });
    let mut targets: Vec<&crate::model::TypeRef> = handler.output.states().collect();
    if handler.output.waits().is_some() && !targets.contains(&state) {
        targets.push(state);
    }
    let (pure, has_effects) = (!handler.effects, has_effects(handler));
    let call = if pure {
        at(ident.span(), quote!(#ident(__workflow, __state)))
    } else {
        at(ident.span(), quote!(#ident(__workflow, __cx, __state)))
    };
    let [workflow_parameter, context, state_parameter] =
        [quote!(__workflow), quote!(__cx), quote!(__state)].map(|name| at(ident.span(), name));
    let body = if handler.effects {
        let decide = decide_for(runtime, workflow, handler, &quote!(__handled.await));
        quote! {
            let __handled = __private::SendProbe::<(#state, &#workflow)>::hold(#call);
            async move { #decide }
        }
    } else {
        decide_for(runtime, workflow, handler, &call)
    };
    let handled = quote!(#runtime::Handled<#workflow>);
    let signature = match handler.effects {
        true => quote! {
            fn handle(
                #workflow_parameter: &#workflow,
                #context: &#runtime::Cx,
                #state_parameter: Self,
            ) -> impl ::core::future::Future<Output = #handled> + ::core::marker::Send
        },
        false => quote!(fn decide(#workflow_parameter: &#workflow, #state_parameter: Self) -> #handled),
    };
    let digest = name_digest(&name);
    let from = state_probe(state);
    let to = handler.output.states().map(state_probe);
    let waits = handler.output.waits().map(|_| quote!(.waits()));
    let unwinds = super::graph::unwinds(handler);
    let is_pure = pure.then(|| quote!(.pure()));
    let (doc, line) = (&handler.doc, handler.line);
    let hidden = in_machine_const(
        runtime,
        &quote! {
            #cfg
            #[automatically_derived]
            #[doc(hidden)]
            impl #impl_generics #runtime::Handle<#workflow> for #state
            where
                #predicates
                #workflow: #runtime::Workflow,
                #(<#workflow as #runtime::Workflow>::State: ::core::convert::From<#targets>,)*
            {
                #has_effects
                #signature { #body }
            }
            #cfg
            #[automatically_derived]
            #[doc(hidden)]
            impl<const __WORKFLOW: ::core::primitive::u64>
                #runtime::Described<#runtime::EdgeKey<__WORKFLOW, #digest>> for #state
            {
                const HANDLER: #runtime::HandlerInfo = #runtime::HandlerInfo::declare(
                    #name,
                    #runtime::Trigger::Entry,
                    #from::NAME,
                    &[#(#to::NAME),*],
                    #doc,
                    ::core::file!(),
                    #line,
                ) #waits #unwinds #is_pure;
            }
        },
    );
    quote!(#item #hidden)
}
