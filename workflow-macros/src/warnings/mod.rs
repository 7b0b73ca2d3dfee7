//! Warnings about what compiles and is probably not meant.
//!
//! A warning on stable is a use of a deprecated item, at the user's token.

mod ambient;
mod endless_wait;
mod fragile_step;
mod never_taken;
mod no_migration;
mod no_undo;
mod small_machine;
mod unmarked_step;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::ItemImpl;

use crate::expand::{allow, at};
use crate::lint::Lint;
use crate::model::{Handler, Machine};

/// One warning.
pub(crate) struct Warning {
    pub(crate) lint: Lint,
    pub(crate) span: Span,
    pub(crate) message: String,
}

pub(crate) fn expand_lints(machine: &Machine, item: &ItemImpl) -> TokenStream {
    let mut warnings = Vec::new();
    endless_wait::find(machine, &mut warnings);
    fragile_step::find(machine, &mut warnings);
    never_taken::find(machine, &mut warnings);
    no_migration::find(machine, &mut warnings);
    no_undo::find(machine, &mut warnings);
    ambient::find(machine, &mut warnings);
    unmarked_step::find(machine, item, &mut warnings);
    small_machine::find(machine, &mut warnings);
    warnings.iter().map(|warning| expand_warning(machine, warning)).collect()
}

/// Whether a lint is allowed for a handler.
fn is_allowed(machine: &Machine, handler: &Handler, lint: Lint) -> bool {
    handler.allow.contains(&lint) || machine.allow.contains(&lint)
}

// const _: () = {
//     struct __Lint;
//     impl __Lint where for<'__a> Pending: State, for<'__a> Paid: State {
//         #[deprecated(note = "…")] const endless_wait: () = ();
//     }
//     trait __Unsound { const endless_wait: () = (); }
//     impl __Unsound for __Lint {}
//     __Lint::endless_wait
// };
//
// So a type that is no state is one error, and what follows from it is no warning besides.
fn expand_warning(machine: &Machine, warning: &Warning) -> TokenStream {
    let (runtime, name) = (&machine.runtime, warning.lint.name());
    let note = format!("{}; if it is meant, write `allow({name})` in the attribute", warning.message);
    let ident = Ident::new(name, warning.span);
    let path = at(warning.span, quote!(__Lint::#ident));
    let states = machine.states.iter().filter(|state| state.cfg.is_always()).map(|state| &state.ty);
    let allow = allow();
    quote! {
        const _: () = {
            #allow
            struct __Lint;
            #allow
            impl __Lint where #(for<'__a> #states: #runtime::State,)* {
                #[deprecated(note = #note)]
                const #ident: () = ();
            }
            #allow
            trait __Unsound {
                const #ident: () = ();
            }
            impl __Unsound for __Lint {}
            #path
        };
    }
}
