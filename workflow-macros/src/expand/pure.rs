//! What runs a machine without an engine: one `match` for each event, over the handlers without effects.

use proc_macro2::TokenStream;
use quote::quote;

use super::{edge_key, generated_ident, group_probe};
use crate::model::{EventModel, Fails, Handler, Machine, Target, Trigger, TypeRef};

// impl Accepts<Coin> for Turnstile {
//     fn take_once<A: Answers>(&self, state: TurnstileState, event: Coin, answers: &mut A) -> Arrived<TurnstileState> {
//         match state {
//             TurnstileState::Locked(state) =>
//                 OnProbe::<Turnstile, Locked, Coin>::take(self, state, event, answers, "coin", Keep::Nothing),
//             state => Err(NotTaken::NoEdge { state, asked: "coin" }),
//         }
//     }
// }
pub(crate) fn expand_take_once(machine: &Machine, event: &EventModel) -> Option<TokenStream> {
    let (runtime, self_ty, ty) = (&machine.runtime, &machine.self_ty, &event.ty);
    let taking = |handler: &&Handler| matches!(&handler.trigger, Trigger::On { event } if event == ty);
    let handlers: Vec<_> = machine.handlers.iter().filter(|handler| !handler.broken).filter(taking).collect();
    if !handlers.iter().any(|handler| may_be_pure(handler)) {
        return None;
    }
    let state = generated_ident(machine, "State");
    let (of_groups, own): (Vec<_>, Vec<_>) = handlers.into_iter().partition(|handler| machine.is_group(&handler.state));
    let own = own.into_iter().map(|handler| {
        let (source, name, cfg, keep) = (&handler.state, handler.name(), &handler.cfg, keep(machine, handler));
        let variant = &source.name;
        let probe = quote!(__private::OnProbe::<#self_ty, #source, #ty>);
        quote!(#cfg #state::#variant(__state) => #probe::take(self, __state, __event, __answers, #name, #keep))
    });
    let of_groups = in_order(machine, of_groups).into_iter().map(|handler| {
        let (source, name, cfg) = (&handler.state, handler.name(), &handler.cfg);
        let probe = quote!(__private::OnProbe::<#self_ty, #source, #ty>);
        let taken = quote!(#probe::take_group(self, __group, __event, __answers, #name, __kept));
        let of_group = of_group(machine, handler, &probe, &taken);
        quote!(#cfg let __state = #of_group;)
    });
    Some(quote! {
        #[inline]
        fn take_once<__A: __private::Answers>(
            &self,
            __state: #state,
            __event: #ty,
            __answers: &mut __A,
        ) -> __private::Arrived<#state> {
            match __state {
                #(#own,)*
                __state => {
                    #(#of_groups)*
                    let __asked = __private::EventProbe::<#ty>::NAME;
                    __Err(#runtime::NotTaken::NoEdge { state: __state, asked: __asked })
                }
            }
        }
    })
}

/// The methods of `Workflow`, and what they and those of `Accepts` use.
pub(crate) fn expand_pure(machine: &Machine) -> (TokenStream, TokenStream) {
    let methods = [expand_take_any_once(machine), expand_enter_once(machine), expand_take_named(machine)];
    (methods.into_iter().flatten().collect(), expand_helpers(machine))
}

fn expand_take_any_once(machine: &Machine) -> Option<TokenStream> {
    let (state, event) = (generated_ident(machine, "State"), generated_ident(machine, "Event"));
    if !candidates(machine).any(|handler| matches!(handler.trigger, Trigger::On { .. })) {
        return None;
    }
    let arms = machine.events.iter().map(|EventModel { ty, cfg, .. }| {
        let (variant, probe) = (&ty.name, quote!(__private::AcceptsProbe::<Self, #ty>));
        quote!(#cfg #event::#variant(__event) => #probe::take_once(self, __state, __event))
    });
    Some(quote! {
        #[inline]
        fn take_any_once(&self, __state: #state, __event: #event) -> __private::Arrived<#state> {
            match __event { #(#arms,)* }
        }
    })
}

fn expand_enter_once(machine: &Machine) -> Option<TokenStream> {
    let (runtime, self_ty, state) = (&machine.runtime, &machine.self_ty, generated_ident(machine, "State"));
    let entries = candidates(machine).filter(|handler| matches!(handler.trigger, Trigger::Entry));
    let arms: Vec<_> = entries
        .filter(|handler| !machine.is_group(&handler.state))
        .map(|handler| {
            let (source, name, cfg, keep) = (&handler.state, handler.name(), &handler.cfg, keep(machine, handler));
            let (variant, probe) = (&source.name, quote!(__private::EntryProbe::<#self_ty, #source>));
            quote!(#cfg #state::#variant(__state) => #probe::take(self, __state, #name, #keep))
        })
        .collect();
    (!arms.is_empty()).then(|| {
        quote! {
            #[inline]
            fn enter_once(&self, __state: #state) -> __private::Arrived<#state> {
                match __state {
                    #(#arms,)*
                    __state => __Err(#runtime::NotTaken::NoEdge { state: __state, asked: "" }),
                }
            }
        }
    })
}

/// The edges of timers, and those that catch errors.
fn expand_take_named(machine: &Machine) -> Option<TokenStream> {
    let (runtime, self_ty, state) = (&machine.runtime, &machine.self_ty, generated_ident(machine, "State"));
    let arms = candidates(machine).filter_map(|handler| {
        let (source, name, cfg) = (&handler.state, handler.name(), &handler.cfg);
        let (probe, payload) = match &handler.trigger {
            Trigger::After { .. } => {
                let key = edge_key(machine, &name);
                (quote!(__private::AfterProbe::<#self_ty, #source, #key>), None)
            }
            Trigger::Catch { error, .. } => {
                let restore = quote!(__private::CatchErrorProbe::<#error>::restore);
                (quote!(__private::CatchProbe::<#self_ty, #source, #error>), Some(quote!(__payload, #restore,)))
            }
            Trigger::Entry | Trigger::On { .. } => return None,
        };
        if machine.is_group(source) {
            let taken = quote!(#probe::take_group(self, __group, #payload #name, __kept));
            let of_group = of_group(machine, handler, &probe, &taken);
            let not_in = quote!(#runtime::NotTaken::NoEdge { state: #of_group, asked: #name });
            return Some(quote!(#cfg (#name, __state) => __Err(#not_in)));
        }
        let (variant, keep) = (&source.name, keep(machine, handler));
        Some(quote!(#cfg (#name, #state::#variant(__state)) => #probe::take(self, __state, #payload #name, #keep)))
    });
    let arms: Vec<_> = arms.collect();
    (!arms.is_empty()).then(|| {
        quote! {
            fn take_named(
                &self,
                __handler: &'static ::core::primitive::str,
                __state: #state,
                __payload: ::core::option::Option<&#runtime::Json>,
            ) -> __private::Arrived<#state> {
                match (__handler, __state) {
                    #(#arms,)*
                    (__asked, __state) => {
                        __Err(#runtime::NotTaken::NoEdge { state: __state, asked: __asked })
                    }
                }
            }
        }
    })
}

/// Takes the edge of a group, or comes to the state as it was if that is not in the group.
fn of_group(machine: &Machine, handler: &Handler, probe: &TokenStream, taken: &TokenStream) -> TokenStream {
    let (group, name, narrow) = (&handler.state, handler.name(), narrow(machine, &handler.state));
    let keep = match needs(machine, handler) {
        Needs::Nothing => quote!(__private::Keep::Nothing),
        Needs::ForCatch => quote!(__private::Keep::ForCatch(__keep)),
        Needs::ForWait => quote!(__private::Keep::ForWait(__keep)),
    };
    quote! {
        match __private::member::<Self, #group>(__state, #probe::PURE, #name, #narrow, #keep) {
            __private::Member::In(__group, __kept) => return #taken,
            __private::Member::NotIn(__state) => __state,
            __private::Member::Refused(__refused) => return __Err(__refused),
        }
    }
}

/// The function that copies any state.
fn expand_helpers(machine: &Machine) -> TokenStream {
    let state = &generated_ident(machine, "State");
    let handlers: Vec<_> = candidates(machine).filter(|handler| machine.is_group(&handler.state)).collect();
    let keeps = handlers.iter().any(|handler| !matches!(needs(machine, handler), Needs::Nothing));
    let keep = keeps.then(|| {
        let arms = machine.states.iter().filter(|state| state.live).map(|kept| {
            let (ty, cfg, variant) = (&kept.ty, &kept.cfg, &kept.ty.name);
            let keep = quote!(__private::KeepProbe::<#ty>::keep(__state));
            quote!(#cfg #state::#variant(ref __state) => ::core::option::Option::map(#keep, #state::#variant))
        });
        quote! {
            fn __keep(__state: &#state) -> ::core::option::Option<#state> {
                match *__state {
                    #(#arms,)*
                    _ => ::core::option::Option::None,
                }
            }
        }
    });
    quote!(#keep)
}

/// The handlers that may have no effects: of those in a part, nobody knows here.
fn candidates(machine: &Machine) -> impl Iterator<Item = &Handler> {
    machine.handlers.iter().filter(|handler| !handler.broken && may_be_pure(handler))
}

fn may_be_pure(handler: &Handler) -> bool {
    !handler.effects || handler.is_included()
}

/// Those of groups before that for any state.
fn in_order<'a>(machine: &Machine, handlers: Vec<&'a Handler>) -> Vec<&'a Handler> {
    let live = generated_ident(machine, "Live");
    let (any, groups): (Vec<_>, Vec<_>) = handlers.into_iter().partition(|handler| handler.state.name == live);
    groups.into_iter().chain(any).collect()
}

/// Why a copy is made of the state that a handler is given.
enum Needs {
    Nothing,
    ForCatch,
    ForWait,
}

fn needs(machine: &Machine, handler: &Handler) -> Needs {
    let waits = handler.output.targets.iter().any(|target| matches!(target, Target::Wait(_)));
    let refuses = handler.output.reply.as_ref().is_some_and(|reply| reply.refusal.is_some());
    if waits || refuses {
        return Needs::ForWait;
    }
    let may_fail = handler.is_included() || !matches!(handler.output.fails, Fails::Never);
    let may_catch = |catch: &Handler| {
        let is_for = catch.state == handler.state || machine.is_group(&catch.state) || machine.is_group(&handler.state);
        matches!(catch.trigger, Trigger::Catch { .. }) && is_for
    };
    match may_fail && !matches!(handler.trigger, Trigger::Catch { .. }) && candidates(machine).any(may_catch) {
        true => Needs::ForCatch,
        false => Needs::Nothing,
    }
}

fn keep(machine: &Machine, handler: &Handler) -> TokenStream {
    let source = &handler.state;
    match needs(machine, handler) {
        Needs::Nothing => quote!(__private::Keep::Nothing),
        Needs::ForCatch => quote!(__private::Keep::ForCatch(__private::KeepProbe::<#source>::keep)),
        Needs::ForWait => quote!(__private::Keep::ForWait(__private::KeepProbe::<#source>::keep)),
    }
}

/// What puts a state into a group.
fn narrow(machine: &Machine, group: &TypeRef) -> TokenStream {
    let (state, live) = (generated_ident(machine, "State"), generated_ident(machine, "Live"));
    if group.name == live {
        return quote!(<#live as ::core::convert::TryFrom<#state>>::try_from);
    }
    let group = group_probe(group);
    quote!(#group::narrow)
}

/// The method of `WorkflowState` that puts a state into any group.
pub(crate) fn expand_narrow(machine: &Machine) -> Option<TokenStream> {
    let live = generated_ident(machine, "Live");
    let is_used = |handler: &Handler| machine.is_group(&handler.state) && handler.state.name != live;
    candidates(machine).any(is_used).then(|| {
        let (runtime, states) = (&machine.runtime, machine.states.iter().filter(|state| state.live));
        let arms = states.map(|member| {
            let (cfg, variant) = (&member.cfg, &member.ty.name);
            quote!(#cfg Self::#variant(__state) => __private::narrow(__state))
        });
        quote! {
            fn narrow<__G: #runtime::Group>(self) -> __Result<__G, Self> {
                match self {
                    #(#arms,)*
                    __state => __Err(__state),
                }
            }
        }
    })
}
