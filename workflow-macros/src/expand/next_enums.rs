//! `Fulfilment{State}Next`: what a state can go to, for an exhaustive `match` in tests.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Ident, PathSegment, Type};

use super::{allow_enum, display, doc, generated_ident, in_machine_const};
use crate::model::{Cfg, Handler, Machine, StateModel, Target, TypeRef, unraw};
use crate::parse::types::{bare, last_segment, type_arguments};

pub(crate) fn expand_next_enums(machine: &Machine) -> TokenStream {
    let (mut named, mut hidden) = (TokenStream::new(), TokenStream::new());
    let allow = allow_enum();
    for state in machine.states.iter().filter(|state| state.live) {
        let (item, impls) = expand_next(machine, state, &allow);
        named.extend(item);
        hidden.extend(impls);
    }
    let hidden = in_machine_const(&machine.runtime, &hidden);
    quote!(#named #hidden)
}

/// The union over the state's handlers.
struct Union<'a> {
    targets: Vec<(Way<'a>, Cfg)>,
    stay: Option<Cfg>,
    wait: Option<Cfg>,
}

/// A target, and whether what was done is undone before.
#[derive(Clone, Copy, PartialEq)]
struct Way<'a> {
    to: &'a TypeRef,
    unwinds: bool,
}

impl Way<'_> {
    /// The name of the variant.
    fn ident(self) -> Ident {
        match self.unwinds {
            true => format_ident!("Unwind{}", display(&self.to.name), span = self.to.name.span()),
            false => self.to.name.clone(),
        }
    }
}

fn union_of<'a>(handlers: &[&'a Handler]) -> Union<'a> {
    let mut union = Union { targets: Vec::new(), stay: None, wait: None };
    let add = |known: &mut Option<Cfg>, cfg: &Cfg| match known {
        Some(known) => known.or(cfg),
        None => *known = Some(cfg.clone()),
    };
    for handler in handlers {
        for target in &handler.output.targets {
            let way = match target {
                Target::Stay(_) => {
                    add(&mut union.stay, &handler.cfg);
                    continue;
                }
                Target::Wait(_) => {
                    add(&mut union.wait, &handler.cfg);
                    continue;
                }
                Target::State(to) => Way { to, unwinds: false },
                Target::Unwind(to) => Way { to, unwinds: true },
            };
            match union.targets.iter_mut().find(|(known, _)| *known == way) {
                Some((_, cfg)) => cfg.or(&handler.cfg),
                None => union.targets.push((way, handler.cfg.clone())),
            }
        }
    }
    union
}

/// The enum, and what it implements.
fn expand_next(machine: &Machine, state: &StateModel, allow: &TokenStream) -> (TokenStream, TokenStream) {
    let (runtime, vis, cfg, ty) = (&machine.runtime, &machine.vis, &state.cfg, &state.ty);
    let name = display(&ty.name);
    let ident = &generated_ident(machine, &format!("{name}Next"));
    // Also those with mistakes, as the user may name what they go to elsewhere.
    let handlers: Vec<&Handler> = machine.handlers.iter().filter(|handler| handler.state == *ty).collect();
    let union = union_of(&handlers);
    let variants = union.targets.iter().map(|(way, cfg)| {
        let (ident, target, name) = (way.ident(), way.to, display(&way.to.name));
        let text = match way.unwinds {
            true => format!("To `{name}`, when all is undone."),
            false => format!("To `{name}`."),
        };
        let text = doc(&text);
        quote!(#cfg #text #ident(#target))
    });
    let stay = union.stay.as_ref().map(|cfg| quote!(#cfg #[doc = " Stay, with this data."] Stay(#ty),));
    let wait = union.wait.as_ref().map(|cfg| quote!(#cfg #[doc = " Stay as it is."] Wait,));
    let stay_is_taken = union.targets.iter().any(|(way, _)| way.to.name == "Stay");
    let stay = stay.filter(|_| !stay_is_taken);
    let text = doc(&format!("What `{name}` of [`{}`] can go to.", machine.name()));
    let from_nexts = expand_from_nexts(machine, ident, &handlers);
    let parts = union.targets.iter().map(|(way, cfg)| {
        let (name, ty) = (way.ident(), way.to);
        quote!(#cfg Self::#name(ref __data) => __State::<#ty>::part(__data))
    });
    let stay_part = stay.as_ref().map(|_| {
        let cfg = &union.stay;
        quote!(#cfg Self::Stay(ref __data) => ("stay", __State::<#ty>::encode(__data)),)
    });
    let wait_part = union.wait.as_ref().map(|cfg| quote!(#cfg Self::Wait => ("wait", #runtime::Json::encode(&())),));
    let hidden = quote! {
        #cfg
        #[automatically_derived]
        impl __Debug for #ident {
            fn fmt(&self, __formatter: &mut __Formatter<'_>) -> __FmtResult {
                __debug_variant(__formatter, match *self { #(#parts,)* #stay_part #wait_part })
            }
        }
        #from_nexts
    };
    let item = quote! {
        #text
        #allow
        #cfg
        #vis enum #ident { #(#variants,)* #stay #wait }
    };
    (item, hidden)
}

/// `From<Next<(A, B)>>`, once for each distinct tuple.
fn expand_from_nexts(machine: &Machine, ident: &Ident, handlers: &[&Handler]) -> TokenStream {
    let runtime = &machine.runtime;
    let mut seen: Vec<Vec<String>> = Vec::new();
    let mut impls = TokenStream::new();
    for handler in handlers.iter().filter(|handler| handler.output.next && !handler.output.broken) {
        let (state, cfg) = (&handler.state, &handler.cfg);
        let members = handler.output.targets.iter().map(|target| match target {
            Target::State(target) => quote!(#target),
            Target::Unwind(target) => quote!(#runtime::Unwind<#target>),
            Target::Stay(_) => quote!(#runtime::Stay<#state>),
            Target::Wait(_) => quote!(#runtime::Wait),
        });
        let tuple = quote!((#(#members,)*));
        let names = handler.output.targets.iter().map(|target| match target {
            Target::State(target) => display(&target.name),
            Target::Unwind(target) => format!("Unwind {}", display(&target.name)),
            Target::Stay(_) => "Stay".to_owned(),
            Target::Wait(_) => "Wait".to_owned(),
        });
        let names: Vec<String> = names.collect();
        if seen.contains(&names) {
            continue;
        }
        seen.push(names);
        let union = format_ident!("__Union{}", handler.output.targets.len(), span = Span::call_site());
        let arms = handler.output.targets.iter().enumerate().map(|(place, target)| {
            let variant = format_ident!("V{}", place, span = Span::call_site());
            let (pattern, value) = match target {
                Target::State(target) => {
                    let name = &target.name;
                    (quote!(__target), quote!(Self::#name(__target)))
                }
                Target::Unwind(to) => {
                    let name = Way { to, unwinds: true }.ident();
                    (quote!(#runtime::Unwind(__target)), quote!(Self::#name(__target)))
                }
                Target::Stay(_) => (quote!(#runtime::Stay(__target)), quote!(Self::Stay(__target))),
                Target::Wait(_) => (quote!(#runtime::Wait), quote!(Self::Wait)),
            };
            quote!(#union::#variant(#pattern) => #value)
        });
        impls.extend(quote! {
            #cfg
            #[automatically_derived]
            impl __From<__Next<#tuple>> for #ident {
                fn from(__next: __Next<#tuple>) -> Self {
                    match __next.into_union() { #(#arms,)* }
                }
            }
        });
    }
    for handler in handlers {
        let Some(repaired) = &handler.output.repaired else { continue };
        let (cfg, members) = (&handler.cfg, next_members(repaired));
        if seen.contains(&members) {
            continue;
        }
        seen.push(members);
        impls.extend(quote! {
            #cfg
            #[automatically_derived]
            impl ::core::convert::From<#repaired> for #ident {
                fn from(_: #repaired) -> Self { ::core::unimplemented!() }
            }
        });
    }
    impls
}

/// The names in `Next<(…)>`.
fn next_members(next: &Type) -> Vec<String> {
    let arguments = last_segment(next).map(type_arguments).unwrap_or_default();
    let members = arguments.into_iter().flat_map(|argument| match bare(argument) {
        Type::Tuple(tuple) => tuple.elems.iter().collect(),
        other => vec![other],
    });
    let name = |segment: &PathSegment| match type_arguments(segment).first().and_then(|state| last_segment(state)) {
        Some(state) if segment.ident == "Unwind" => format!("Unwind {}", unraw(&state.ident)),
        _ => unraw(&segment.ident),
    };
    members.filter_map(last_segment).map(name).collect()
}
