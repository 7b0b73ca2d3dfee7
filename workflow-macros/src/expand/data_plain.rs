//! A plain struct that serde writes and reads: named fields, and nothing said of how.
//!
//! The derives of serde take most of the time that a state takes to compile. What they would write, the runtime has in one
//! place, and is told the fields.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Attribute, Data, DataStruct, DeriveInput, Field, Fields, Meta, PathArguments, Type, TypePath};

use crate::model::unraw;
use crate::parse::data::{DataModel, field_use};
use crate::parse::types::type_arguments;

/// The fields that the runtime reads at most.
const AT_MOST: usize = 12;

/// Whether it is one.
pub(crate) fn is_plain(model: &DataModel, item: &DeriveInput) -> bool {
    let Data::Struct(DataStruct { fields: Fields::Named(fields), .. }) = &item.data else { return false };
    let is_silent = |attribute: &Attribute| {
        let path = attribute.path();
        !path.is_ident("serde") && !path.is_ident("cfg") && !path.is_ident("cfg_attr")
    };
    // What is generated for a workflow that is one function has such an attribute, too.
    let is_of_lints = |attribute: &Attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg_attr") => {
            let text = list.tokens.to_string();
            !text.contains("serde") && !text.contains("cfg")
        }
        _ => false,
    };
    model.derive_serialize
        && model.derive_deserialize
        && item.generics.params.is_empty()
        && item.generics.where_clause.is_none()
        && item.attrs.iter().all(|attribute| is_silent(attribute) || is_of_lints(attribute))
        && (1..=AT_MOST).contains(&fields.named.len())
        && fields.named.iter().all(|field| field.attrs.iter().all(is_silent))
}

/// Whether all of its fields are of types that surely can be persisted, so that nothing is left to ask.
pub(crate) fn is_simple(model: &DataModel, item: &DeriveInput) -> bool {
    let Data::Struct(DataStruct { fields, .. }) = &item.data else { return false };
    !model.refused && is_plain(model, item) && fields.iter().all(|field| is_persistable(&field.ty))
}

/// Types of the standard library that can be persisted and sent. One of another origin with such a name is told of by
/// rustc, if it cannot.
const PERSISTABLE: [&str; 16] = [
    "bool", "char", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize", "f64",
    "String",
];

/// Whether it is one of them, or a `Vec` or an `Option` of one.
pub(crate) fn is_persistable(ty: &Type) -> bool {
    let Type::Path(TypePath { qself: None, path, .. }) = ty else { return false };
    let (1, None, Some(segment)) = (path.segments.len(), path.leading_colon, path.segments.first()) else {
        return false;
    };
    let arguments = type_arguments(segment);
    match arguments.as_slice() {
        [] if matches!(segment.arguments, PathArguments::None) => {
            // An identifier of the compiler's is asked for its text at each comparison.
            PERSISTABLE.contains(&segment.ident.to_string().as_str())
        }
        [element] => (segment.ident == "Vec" || segment.ident == "Option") && is_persistable(element),
        _ => false,
    }
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
    let names = idents.iter().map(|ident| unraw(ident));
    let names = quote!(&[#(#names),*]);
    let locals: Vec<_> =
        (0..idents.len()).map(|place| format_ident!("__{}", place, span = Span::call_site())).collect();
    let mut seen: Vec<String> = Vec::new();
    let mut types = Vec::new();
    // What holds the struct itself cannot be a condition of it.
    let asked = fields.iter().filter(|field| !is_persistable(&field.ty) && field_use(field, ident).serialized);
    for ty in asked.map(|field| &field.ty) {
        let text = quote!(#ty).to_string();
        if !seen.contains(&text) {
            seen.push(text);
            types.push(ty);
        }
    }
    quote! {
        #[automatically_derived]
        impl __private::Serialize for #ident where #(for<'__field> #types: __private::Serialize,)* {
            fn serialize<__S: __private::Serializer>(
                &self,
                __serializer: __S,
            ) -> __private::Wrote<__S> {
                __private::write_fields(__serializer, #name, #names, (#(&self.#idents,)*))
            }
        }
        #[automatically_derived]
        impl<'de> __private::Deserialize<'de> for #ident where #(#types: __private::Deserialize<'de>,)* {
            fn deserialize<__D: __private::Deserializer<'de>>(
                __deserializer: __D,
            ) -> __private::Took<'de, Self, __D> {
                let (#(#locals,)*) = __private::read_fields(__deserializer, #name, #names)?;
                ::core::result::Result::Ok(Self { #(#idents: #locals),* })
            }
        }
    }
}
