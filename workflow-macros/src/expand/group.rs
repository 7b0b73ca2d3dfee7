//! `Group` for an enum of states: one of the user's, and the `Live` enum of a workflow.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::DeriveInput;

use super::saved::expand_saved_states;
use super::{in_const, state_probe};
use crate::model::{Cfg, Runtime, TypeRef};
use crate::parse::group::GroupModel;
use crate::parse::runtime::default_runtime;

// #[state(group)] pub enum Open { Pending(Pending), Paid(Paid) }
//
// pub enum Open { Pending(Pending), Paid(Paid) }
// const _: () = {
//     impl Group for Open { … }
//     impl Source for Open {}
//     impl From<Pending> for Open { … }
//     …
// };
pub(crate) fn expand_group(model: &GroupModel, item: &DeriveInput) -> TokenStream {
    let ident = &model.ident;
    let variants: Vec<_> = model.members.iter().map(|member| (&member.variant, &member.ty, &member.cfg)).collect();
    let group = group_impl(&model.runtime, ident, &model.name, &variants);
    let froms = model.members.iter().map(|member| {
        let (cfg, variant, ty) = (&member.cfg, &member.variant, &member.ty);
        quote! {
            #cfg
            #[automatically_derived]
            impl ::core::convert::From<#ty> for #ident {
                fn from(__state: #ty) -> Self { Self::#variant(__state) }
            }
        }
    });
    let assertions = model.members.iter().map(|member| {
        let (cfg, ty) = (&member.cfg, &member.ty);
        let function = quote_spanned!(ty.span()=> __private::assert_state);
        quote!(#cfg #function::<#ty>();)
    });
    let hidden = in_const(&model.runtime, &quote!(#group #(#froms)* fn __members() { #(#assertions)* }));
    let item = item.to_token_stream();
    quote!(#item #hidden)
}

/// A group that was reported: it is one at least, and may have any state.
pub(crate) fn expand_broken_group(item: &DeriveInput) -> TokenStream {
    if !item.generics.params.is_empty() {
        return item.to_token_stream();
    }
    let (runtime, ident) = (default_runtime(), &item.ident);
    let hidden = in_const(
        &runtime,
        &quote! {
            impl #runtime::Group for #ident {
                const NAME: &'static ::core::primitive::str = "";
                const MEMBERS: &'static [&'static ::core::primitive::str] = &[];
                const ANY: ::core::primitive::bool = true;
                fn has(_: &::core::primitive::str) -> ::core::primitive::bool {
                    false
                }
                fn read(
                    _: &::core::primitive::str,
                    _: &#runtime::Json,
                ) -> ::core::option::Option<__Result<Self, #runtime::JsonError>> {
                    ::core::option::Option::None
                }
                fn write(
                    &self,
                ) -> (&'static ::core::primitive::str, __Result<#runtime::Json, #runtime::JsonError>) {
                    ("", #runtime::Json::encode(&()))
                }
            }
            impl #runtime::Source for #ident {}
        },
    );
    quote!(#item #hidden)
}

/// The impls of `Group` and `Source`, where the enum is made `From` each of its states.
fn group_impl(runtime: &Runtime, ident: &Ident, name: &str, variants: &[(&Ident, &TypeRef, &Cfg)]) -> TokenStream {
    let readers = variants.iter().map(|(_, ty, cfg)| quote!(#cfg __private::StateReader::<#ident, #ty>::READER));
    let facts = variants.iter().map(|(_, ty, cfg)| {
        let probe = state_probe(ty);
        quote!(#cfg #probe::FACTS)
    });
    let writes = variants.iter().map(|(variant, ty, cfg)| {
        let probe = state_probe(ty);
        quote!(#cfg #ident::#variant(ref __state) => #probe::part(__state))
    });
    let read = quote!(__private::read_variant(__READERS, __state, __data));
    let members =
        variants.iter().map(|(variant, ty, cfg)| quote!(#cfg __private::of_member::<__S, #ty, Self>(Self::#variant)));
    let of = quote! {
        fn of<__S: 'static>() -> ::core::option::Option<fn(__S) -> Self> {
            __private::first_of([#(#members),*])
        }
    };
    let saved = expand_saved_states(variants.iter().map(|(_, ty, cfg)| (*ty, *cfg)));
    let group = any_group_impl(runtime, ident, name, false, &read, &of);
    quote! {
        const __READERS: &[__private::Reader<#ident>] = &[#(#readers),*];
        const __STATES: &[__private::StateFacts] = &[#(#facts),*];
        fn __part(__value: &#ident) -> __private::Part {
            match *__value { #(#writes,)* }
        }
        #group
        #[automatically_derived]
        impl #runtime::VersionStates for #ident {
            const STATES: &'static [__private::StateFacts] = __STATES;
            fn saved_types<__V: __private::SavedTypes>(__types: &mut __V) {
                #saved
            }
        }
    }
}

/// The same of a workflow's `Live` enum, with its helpers.
pub(crate) fn live_group_impl(runtime: &Runtime, ident: &Ident, name: &str) -> TokenStream {
    any_group_impl(runtime, ident, name, true, &quote!(__decode(__state, __data)), &TokenStream::new())
}

fn any_group_impl(
    runtime: &Runtime,
    ident: &Ident,
    name: &str,
    any: bool,
    read: &TokenStream,
    of: &TokenStream,
) -> TokenStream {
    quote! {
        #[automatically_derived]
        impl #runtime::Group for #ident {
            const NAME: &'static ::core::primitive::str = #name;
            const MEMBERS: &'static [&'static ::core::primitive::str] =
                &__private::names::<{ __STATES.len() }>(__STATES);
            const ANY: ::core::primitive::bool = #any;
            fn has(__state: &::core::primitive::str) -> ::core::primitive::bool {
                __private::is_state_of(__STATES, __state)
            }
            fn read(
                __state: &::core::primitive::str,
                __data: &#runtime::Json,
            ) -> ::core::option::Option<__Result<Self, #runtime::JsonError>> {
                #read
            }
            fn write(
                &self,
            ) -> (&'static ::core::primitive::str, __Result<#runtime::Json, #runtime::JsonError>) {
                __part(self)
            }
            #of
        }
        #[automatically_derived]
        impl #runtime::Source for #ident {}
    }
}
