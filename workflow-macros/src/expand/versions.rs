//! The versions of a workflow: its table of migrations, and the checks that it has one for each state.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;

use super::saved::expand_saved_states;
use super::{at, generated_ident, state_probe, type_text};
use crate::model::{Fails, Machine, Target, TypeRef, unraw};
use crate::versions::{Keep, Migration, OldVersion};

// #[workflow(version = 2, from(1 = v1::States), keep)]
//
// const VERSION: u32 = 2;
// const KEEP: Keep = Keep::ToTheEnd;
// const MIGRATIONS: &'static [Leap] = &[Leap { from: 1, to: 2, states: …, migrations: &[…] }];
pub(crate) fn expand_versions(machine: &Machine) -> TokenStream {
    let (runtime, versions) = (&machine.runtime, &machine.versions);
    let version = versions.version.map(|version| {
        quote!(
            const VERSION: ::core::primitive::u32 = #version;
        )
    });
    let keep = versions.keep.map(|keep| {
        let keep = match keep {
            Keep::ToTheEnd => quote!(ToTheEnd),
            Keep::Visit => quote!(Visit),
        };
        quote!(
            const KEEP: #runtime::Keep = #runtime::Keep::#keep;
        )
    });
    let leaps = versions.from.iter().enumerate().map(|(place, old)| {
        let (from, to, states) = (old.version, next_version(machine, place), &old.states);
        let migrations = migrations_of(machine, old).map(|migration| expand_migration(machine, migration));
        quote! {
            __private::Leap {
                from: #from,
                to: #to,
                states: __private::VersionProbe::<#states>::STATES,
                migrations: &[#(#migrations),*],
            }
        }
    });
    let is_told = !versions.from.is_empty() && !versions.broken;
    let old_types = versions.from.iter().map(|old| {
        let (version, states) = (old.version, &old.states);
        quote!(#version => __private::VersionProbe::<#states>::saved_types(__types))
    });
    let migrations = is_told.then(|| {
        quote!(
            const MIGRATIONS: &'static [__private::Leap] = &[#(#leaps),*];
            fn old_types<__V: __private::SavedTypes>(
                __version: ::core::primitive::u32,
                __types: &mut __V,
            ) -> ::core::primitive::bool {
                match __version {
                    #(#old_types,)*
                    _ => return false,
                }
                true
            }
        )
    });
    quote!(#version #keep #migrations)
}

/// Says which states the version has, for a newer one to migrate from.
pub(crate) fn expand_version_states(machine: &Machine) -> Option<TokenStream> {
    let (runtime, state) = (&machine.runtime, generated_ident(machine, "State"));
    let facts = machine.states.iter().map(|state| {
        let (cfg, probe) = (&state.cfg, state_probe(&state.ty));
        quote!(#cfg #probe::FACTS)
    });
    let saved = expand_saved_states(machine.states.iter().map(|state| (&state.ty, &state.cfg)));
    machine.versions.is_versioned().then(|| {
        quote! {
            #[automatically_derived]
            impl #runtime::VersionStates for #state {
                const STATES: &'static [__private::StateFacts] = &[#(#facts),*];
                fn saved_types<__V: __private::SavedTypes>(__types: &mut __V) {
                    #saved
                }
            }
        }
    })
}

/// That each state becomes one of the next version.
pub(crate) fn expand_version_checks(machine: &Machine) -> TokenStream {
    if machine.versions.broken {
        return TokenStream::new();
    }
    let checks = machine.versions.from.iter().enumerate().map(|(place, old)| expand_check(machine, place, old));
    checks.collect()
}

fn expand_check(machine: &Machine, place: usize, old: &OldVersion) -> TokenStream {
    let states = &old.states;
    let present = generated_ident(machine, "State");
    let next = match machine.versions.from.get(place + 1) {
        Some(next) => {
            let next = &next.states;
            quote!(#next)
        }
        None => quote!(#present),
    };
    let migrations: Vec<_> = migrations_of(machine, old).collect();
    let assertions = migrations.iter().map(|migration| {
        let cfg = &migration.cfg;
        let is_old = assert_state_of(&quote!(#states), &migration.old);
        let targets = migration.output.states().map(|target| assert_state_of(&next, target));
        quote!(#cfg { #is_old #(#targets)* })
    });
    let assert_states = quote_spanned!(old.span=> __private::assert_states);
    let migrated = migrations.iter().map(|migration| {
        let (cfg, probe) = (&migration.cfg, state_probe(&migration.old));
        quote!(#cfg #probe::FACTS)
    });
    let version = old.version.to_string();
    let next_version = next_version(machine, place).to_string();
    let text = type_text(states);
    let path = text.rsplit_once("::").map_or(String::new(), |(path, _)| format!("{path}::"));
    let tell =
        at(old.span, quote!(__private::tell_unmigrated(__STATES, __NEXT, __MIGRATED, #version, #path, #next_version)));
    let twice = migrations.iter().enumerate().skip(1).map(|(place, second)| {
        let first = migrations.iter().take(place).map(|first| {
            let (cfg, probe, name) = (&first.cfg, state_probe(&first.old), unraw(&first.ident));
            quote!(#cfg (#probe::FACTS, #name))
        });
        let (cfg, probe) = (&second.cfg, state_probe(&second.old));
        let tell = at(second.old.span(), quote!(__private::tell_twice(&[#(#first),*], #probe::FACTS)));
        quote!(#cfg const _: () = #tell;)
    });
    quote! {
        const _: () = {
            const __STATES: &[__private::StateFacts] = __private::VersionProbe::<#states>::STATES;
            const __NEXT: &[__private::StateFacts] = __private::VersionProbe::<#next>::STATES;
            const __MIGRATED: &[__private::StateFacts] = &[#(#migrated),*];
            const _: () = #tell;
            #(#twice)*
            fn __migrations() {
                #assert_states::<#states>();
                #(#assertions)*
            }
        };
    }
}

fn assert_state_of(states: &TokenStream, state: &TypeRef) -> TokenStream {
    let function = quote_spanned!(state.ty.span()=> __private::assert_state_of);
    quote!(#function::<#state, #states>();)
}

fn migrations_of<'a>(machine: &'a Machine, old: &OldVersion) -> impl Iterator<Item = &'a Migration> {
    let from = old.version;
    machine.versions.migrations.iter().filter(move |migration| migration.from == from)
}

/// The version that the states of the one at this place become.
fn next_version(machine: &Machine, place: usize) -> u32 {
    machine.versions.from.get(place + 1).map_or_else(|| machine.versions.present(), |next| next.version)
}

// #[migrate(from = 1)] fn pending(old: v1::Pending) -> Result<Pending>
//
// Migration { name: "pending", state: …, run: |data| match Self::pending(read_old(data)?) { … } }
fn expand_migration(machine: &Machine, migration: &Migration) -> TokenStream {
    let (cfg, ident, old) = (&migration.cfg, &migration.ident, &migration.old);
    let (name, probe, self_ty) = (unraw(ident), state_probe(old), &machine.self_ty);
    let read = at(old.ty.span(), quote!(__private::read_old::<#old>));
    let call = at(ident.span(), quote!(<#self_ty>::#ident(__old)));
    let states = migration.output.targets.iter().filter_map(|target| match target {
        Target::State(state) => Some(state),
        Target::Unwind(_) | Target::Stay(_) | Target::Wait(_) => None,
    });
    let become_one = |state: &TypeRef| quote_spanned!(state.ty.span()=> __private::migrated(__target));
    let given = if migration.output.next {
        let union = format_ident!("__Union{}", migration.output.targets.len(), span = Span::call_site());
        let arms = states.enumerate().map(|(place, state)| {
            let variant = format_ident!("V{}", place, span = Span::call_site());
            let migrated = become_one(state);
            quote!(#union::#variant(__target) => #migrated)
        });
        quote!(match __returned.into_union() { #(#arms,)* })
    } else {
        let migrated = states.map(become_one);
        quote!({ let __target = __returned; #(#migrated)* })
    };
    let run = match &migration.output.fails {
        Fails::Never => quote!({ let __returned = #call; #given }),
        fails => {
            let span = match fails {
                Fails::With(error) => error.span(),
                Fails::Boxed(span) => *span,
                Fails::Never => Span::call_site(),
            };
            let error = quote_spanned!(span=> __error);
            let boxed = quote_spanned!(span=> __private::handler_error(__error));
            quote! {
                match #call {
                    ::core::result::Result::Ok(__returned) => #given,
                    ::core::result::Result::Err(#error) => ::core::result::Result::Err(#boxed),
                }
            }
        }
    };
    quote! {
        #cfg
        __private::Migration {
            name: #name,
            state: #probe::FACTS,
            run: |__data| {
                let __old = match #read(__data) {
                    ::core::result::Result::Ok(__old) => __old,
                    ::core::result::Result::Err(__error) => return ::core::result::Result::Err(__error),
                };
                #run
            },
        }
    }
}
