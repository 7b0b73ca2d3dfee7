//! An enum with data, one variant per state or per event, and the traits that it has whatever its data is.
//!
//! `Debug`, `Serialize` and `Deserialize` go through the data's persisted form, as the data need not have them.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Ident;

use super::{allow, doc};
use crate::model::{Cfg, Machine, TypeRef};

/// What the enum is made of.
pub(crate) struct DataEnum<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) doc: String,
    pub(crate) variants: Vec<(&'a TypeRef, &'a Cfg)>,
    /// `StateProbe` or `EventProbe`.
    pub(crate) probe: Ident,
}

impl DataEnum<'_> {
    /// The enum itself.
    pub(crate) fn item(&self, machine: &Machine, more: &TokenStream) -> TokenStream {
        let (vis, ident, text, allow) = (&machine.vis, self.ident, doc(&self.doc), allow());
        let variants = self.variants.iter().map(|(ty, cfg)| {
            let (name, text) = (&ty.name, doc(&format!("`{}` and its data.", ty.name)));
            quote!(#cfg #text #name(#ty))
        });
        quote! {
            #text
            #allow
            #vis enum #ident { #(#variants,)* #more }
        }
    }

    /// Helpers `__part` and `__decode`, for impls in the same block. `reader` is `StateReader` or `EventReader`.
    pub(crate) fn helpers(&self, machine: &Machine, reader: &Ident) -> TokenStream {
        let (runtime, ident, part) = (&machine.runtime, self.ident, self.part());
        let readers = self.variants.iter().map(|(ty, cfg)| quote!(#cfg __private::#reader::<#ident, #ty>::READER));
        quote! {
            #part
            const __READERS: &[__private::Reader<#ident>] = &[#(#readers),*];
            fn __decode(
                __name: &::core::primitive::str,
                __data: &#runtime::Json,
            ) -> ::core::option::Option<__Result<#ident, #runtime::JsonError>> {
                __private::read_variant(__READERS, __name, __data)
            }
        }
    }

    /// The same helpers of an enum that has some of the states, and `__STATES`.
    pub(crate) fn helpers_of_states(&self, machine: &Machine, state: &Ident) -> TokenStream {
        let (runtime, ident, part) = (&machine.runtime, self.ident, self.part());
        let facts = self.variants.iter().map(|(ty, cfg)| quote!(#cfg __private::StateProbe::<#ty>::FACTS));
        quote! {
            #part
            const __STATES: &[__private::StateFacts] = &[#(#facts),*];
            fn __decode(
                __name: &::core::primitive::str,
                __data: &#runtime::Json,
            ) -> ::core::option::Option<__Result<#ident, #runtime::JsonError>> {
                __private::read_state_of::<#ident, #state>(__STATES, __name, __data)
            }
        }
    }

    fn part(&self) -> TokenStream {
        let (ident, probe) = (self.ident, &self.probe);
        let parts = self.variants.iter().map(|(ty, cfg)| {
            let name = &ty.name;
            quote!(#cfg #ident::#name(ref __data) => #probe::<#ty>::part(__data))
        });
        quote! {
            fn __part(__value: &#ident) -> __private::Part {
                match *__value { #(#parts,)* }
            }
        }
    }

    /// The name alone, for those that are asked for it again and again.
    pub(crate) fn name(&self) -> TokenStream {
        let (ident, probe) = (self.ident, &self.probe);
        let names = self.variants.iter().map(|(ty, cfg)| {
            let name = &ty.name;
            quote!(#cfg #ident::#name(_) => #probe::<#ty>::NAME)
        });
        quote!(match *self { #(#names,)* })
    }

    /// The enum from the data of each of its variants.
    pub(crate) fn conversions(&self) -> TokenStream {
        let ident = self.ident;
        let impls = self.variants.iter().map(|(ty, cfg)| {
            let name = &ty.name;
            quote! {
                #cfg
                impl __From<#ty> for #ident {
                    fn from(__data: #ty) -> Self { Self::#name(__data) }
                }
            }
        });
        quote!(#(#impls)*)
    }

    /// `Debug`, `Serialize` and `Deserialize`, by the helpers.
    pub(crate) fn serde_impls(&self) -> TokenStream {
        let ident = self.ident;
        let debug = debug_impl(ident);
        quote! {
            #debug
            #[automatically_derived]
            impl __private::serde::Serialize for #ident {
                fn serialize<__S: __private::serde::Serializer>(
                    &self,
                    __serializer: __S,
                ) -> __Result<__S::Ok, __S::Error> {
                    __private::serialize_variant(__serializer, __part(self))
                }
            }
            #[automatically_derived]
            impl<'__de> __private::serde::Deserialize<'__de> for #ident {
                fn deserialize<__D: __private::serde::Deserializer<'__de>>(
                    __deserializer: __D,
                ) -> __Result<Self, __D::Error> {
                    __private::deserialize_variant(__deserializer, __decode)
                }
            }
        }
    }
}

/// `Debug`, by the helpers.
fn debug_impl(ident: &Ident) -> TokenStream {
    quote! {
        #[automatically_derived]
        impl ::core::fmt::Debug for #ident {
            fn fmt(&self, __formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                __private::debug_variant(__formatter, __part(self))
            }
        }
    }
}
