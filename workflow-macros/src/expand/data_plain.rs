//! A plain struct that serde writes and reads: named fields, and nothing said of how.
//!
//! The derives of serde take most of the time that a state takes to compile. What they would write, the runtime has in one
//! place, and is told the fields.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Attribute, Data, DataStruct, DeriveInput, Field, Fields};

use crate::model::unraw;
use crate::parse::data::{DataModel, field_use};

/// The fields that the runtime reads at most.
const AT_MOST: usize = 12;

/// Whether it is one.
pub(crate) fn is_plain(model: &DataModel, item: &DeriveInput) -> bool {
    let Data::Struct(DataStruct { fields: Fields::Named(fields), .. }) = &item.data else { return false };
    let is_silent = |attribute: &Attribute| {
        let path = attribute.path();
        !path.is_ident("serde") && !path.is_ident("cfg") && !path.is_ident("cfg_attr")
    };
    model.derive_serialize
        && model.derive_deserialize
        && item.generics.params.is_empty()
        && item.generics.where_clause.is_none()
        && item.attrs.iter().all(is_silent)
        && (1..=AT_MOST).contains(&fields.named.len())
        && fields.named.iter().all(|field| field.attrs.iter().all(is_silent))
}

// impl Serialize for Paid where for<'__field> Order: Serialize {
//     fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
//         write_fields(serializer, "Paid", &["order"], (&self.order,))
//     }
// }
// impl<'de> Deserialize<'de> for Paid where Order: Deserialize<'de> {
//     fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
//         let (order,) = read_fields(deserializer, "Paid", &["order"])?;
//         Ok(Self { order })
//     }
// }
//
// The bounds keep rustc from checking a field's type there, as with the derives.
pub(crate) fn expand_plain(model: &DataModel, item: &DeriveInput) -> TokenStream {
    let (ident, name) = (&model.ident, unraw(&model.ident));
    let fields: Vec<&Field> = match &item.data {
        Data::Struct(item) => item.fields.iter().collect(),
        Data::Enum(_) | Data::Union(_) => Vec::new(),
    };
    let idents: Vec<_> = fields.iter().filter_map(|field| field.ident.as_ref()).collect();
    let names: Vec<_> = idents.iter().map(|ident| unraw(ident)).collect();
    let locals: Vec<_> =
        (0..idents.len()).map(|place| format_ident!("__{}", place, span = Span::call_site())).collect();
    let mut seen: Vec<String> = Vec::new();
    let mut types = Vec::new();
    // What holds the struct itself cannot be a condition of it.
    for ty in fields.iter().filter(|field| field_use(field, ident).serialized).map(|field| &field.ty) {
        let text = quote!(#ty).to_string();
        if !seen.contains(&text) {
            seen.push(text);
            types.push(ty);
        }
    }
    quote! {
        const __FIELDS: &[&::core::primitive::str] = &[#(#names),*];
        #[automatically_derived]
        impl __private::serde::Serialize for #ident where #(for<'__field> #types: __private::serde::Serialize,)* {
            fn serialize<__S: __private::serde::Serializer>(
                &self,
                __serializer: __S,
            ) -> ::core::result::Result<__S::Ok, __S::Error> {
                __private::write_fields(__serializer, #name, __FIELDS, (#(&self.#idents,)*))
            }
        }
        #[automatically_derived]
        impl<'de> __private::serde::Deserialize<'de> for #ident where #(#types: __private::serde::Deserialize<'de>,)* {
            fn deserialize<__D: __private::serde::Deserializer<'de>>(
                __deserializer: __D,
            ) -> ::core::result::Result<Self, __D::Error> {
                let (#(#locals,)*) = __private::read_fields(__deserializer, #name, __FIELDS)?;
                ::core::result::Result::Ok(Self { #(#idents: #locals),* })
            }
        }
    }
}
