//! Warnings about what compiles and is probably not meant.
//!
//! A warning on stable is a use of a deprecated item, at the user's token.

mod ambient;
mod endless_wait;
mod fragile_step;
mod never_taken;
mod small_machine;
mod unmarked_step;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::ItemImpl;

use crate::expand::at;
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
    ambient::find(machine, &mut warnings);
    unmarked_step::find(machine, item, &mut warnings);
    small_machine::find(machine, &mut warnings);
    warnings.iter().map(expand_warning).collect()
}

/// Whether a lint is allowed for a handler.
fn is_allowed(machine: &Machine, handler: &Handler, lint: Lint) -> bool {
    handler.allow.contains(&lint) || machine.allow.contains(&lint)
}

fn expand_warning(warning: &Warning) -> TokenStream {
    let name = warning.lint.name();
    let note = format!("{}; if it is meant, write `allow({name})` in the attribute", warning.message);
    let ident = Ident::new(name, warning.span);
    let path = at(warning.span, quote!(#ident));
    quote! {
        const _: () = {
            #[allow(non_upper_case_globals, reason = "it is the name of the lint")]
            #[deprecated(note = #note)]
            const #ident: () = ();
            #path
        };
    }
}
