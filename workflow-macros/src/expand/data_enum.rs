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

    /// Helpers `__name`, `__encode` and `__decode`, for impls in the same block.
    pub(crate) fn helpers(&self, machine: &Machine) -> TokenStream {
        let (runtime, ident, probe) = (&machine.runtime, self.ident, &self.probe);
        let names = self.variants.iter().map(|(ty, cfg)| {
            let name = &ty.name;
            quote!(#cfg #ident::#name(_) => __private::#probe::<#ty>::NAME)
        });
        let encodes = self.variants.iter().map(|(ty, cfg)| {
            let name = &ty.name;
            quote!(#cfg #ident::#name(ref __data) => __private::#probe::<#ty>::encode(__data))
        });
        // A name of now goes before another's name of old.
        let decodes = ["is_name", "is_old_name"].into_iter().flat_map(|test| {
            let test = Ident::new(test, proc_macro2::Span::call_site());
            self.variants.iter().map(move |(ty, cfg)| {
                let name = &ty.name;
                quote! {
                    #cfg
                    {
                        if __private::#test(__name, __private::#probe::<#ty>::NAME, __private::#probe::<#ty>::WAS) {
                            let __data = __private::#probe::<#ty>::decode(__data);
                            return ::core::option::Option::Some(::core::result::Result::map(__data, #ident::#name));
                        }
                    }
                }
            })
        });
        quote! {
            fn __name(__value: &#ident) -> &'static ::core::primitive::str {
                match *__value { #(#names,)* }
            }
            fn __encode(__value: &#ident) -> ::core::result::Result<#runtime::Json, #runtime::JsonError> {
                match *__value { #(#encodes,)* }
            }
            fn __decode(
                __name: &::core::primitive::str,
                __data: &#runtime::Json,
            ) -> ::core::option::Option<::core::result::Result<#ident, #runtime::JsonError>> {
                #(#decodes)*
                ::core::option::Option::None
            }
        }
    }

    /// The enum from the data of each of its variants.
    pub(crate) fn conversions(&self) -> TokenStream {
        let ident = self.ident;
        let impls = self.variants.iter().map(|(ty, cfg)| {
            let name = &ty.name;
            quote! {
                #cfg
                #[automatically_derived]
                impl ::core::convert::From<#ty> for #ident {
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
                ) -> ::core::result::Result<__S::Ok, __S::Error> {
                    __private::serialize_variant(__serializer, __name(self), __encode(self))
                }
            }
            #[automatically_derived]
            impl<'__de> __private::serde::Deserialize<'__de> for #ident {
                fn deserialize<__D: __private::serde::Deserializer<'__de>>(
                    __deserializer: __D,
                ) -> ::core::result::Result<Self, __D::Error> {
                    __private::deserialize_variant(__deserializer, __decode)
                }
            }
        }
    }
}

/// `Debug`, by the helpers.
pub(crate) fn debug_impl(ident: &Ident) -> TokenStream {
    quote! {
        #[automatically_derived]
        impl ::core::fmt::Debug for #ident {
            fn fmt(&self, __formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                __private::debug_variant(__formatter, __name(self), __encode(self))
            }
        }
    }
}
