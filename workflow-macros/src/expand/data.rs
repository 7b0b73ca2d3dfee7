//! A state or an event: the derives, the impl, and what is demanded of its fields.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::visit_mut::VisitMut;
use syn::{Data, DeriveInput, Fields, LitStr};

use super::data_plain::{expand_plain, is_persistable, is_plain, is_simple};
use super::{at, in_const, in_const_simply, with_parameters};
use crate::model::unraw;
use crate::parse::data::{DataKind, DataModel, field_use, fields};
use crate::parse::types::WriteSelfOut;

// #[state] pub struct PendingPayment { order: Order }
//
// #[derive(Serialize, Deserialize)]
// #[serde(crate = "::workflow_runtime::__private::serde")]
// pub struct PendingPayment {
//     #[serde(bound(serialize = "for<'__field> Order: Serialize", deserialize = "Order: Deserialize<'de>"))]
//     order: Order,
// }
// const _: () = { impl State for PendingPayment { … } };
//
// The bounds keep rustc from checking a field's type at the derived impls: if it cannot be serialized, they just do not
// apply, and the assertion is the one error.
pub(crate) fn expand_data(model: &DataModel, item: &DeriveInput) -> TokenStream {
    let runtime = &model.runtime;
    if model.refused {
        return expand_refused(model, item);
    }
    let (identity, assertions) = (expand_identity(model, item), expand_field_assertions(model, item));
    if is_plain(model, item) {
        let plain = expand_plain(model, item);
        let hidden = quote!(#plain #identity #assertions);
        if is_simple(model, item) {
            // None of its types is named again.
            let hidden = in_const_simply(runtime, &hidden);
            return quote!(#item #hidden);
        }
        let (item, hidden) = (with_parameters(item.to_token_stream()), in_const(runtime, &hidden));
        return quote!(#item #hidden);
    }
    let mut derived = item.clone();
    if !matches!(item.data, Data::Union(_)) && !has_bound(item) {
        bind_fields(&mut derived, model);
    }
    let serde = type_path_text(&quote!(#runtime::__private::serde));
    let derive_serialize = model.derive_serialize.then(|| quote!(#[derive(#runtime::__private::serde::Serialize)]));
    let derive_deserialize =
        model.derive_deserialize.then(|| quote!(#[derive(#runtime::__private::serde::Deserialize)]));
    let serde_crate = (model.derive_serialize || model.derive_deserialize).then(|| quote!(#[serde(crate = #serde)]));
    let hidden = in_const(runtime, &quote!(#identity #assertions));
    if matches!(item.data, Data::Union(_)) {
        return quote!(#item #hidden);
    }
    let derived = with_parameters(derived.to_token_stream());
    quote! {
        #derive_serialize
        #derive_deserialize
        #serde_crate
        #derived
        #hidden
    }
}

/// A type that has been reported: with its identity, so that nothing is said of where it is used, and without the derives.
fn expand_refused(model: &DataModel, item: &DeriveInput) -> TokenStream {
    let mut plain = item.clone();
    if model.derive_serialize && model.derive_deserialize {
        WithoutSerde.visit_derive_input_mut(&mut plain);
    }
    let borrows = item.generics.lifetimes().next().is_some();
    let identity = (!borrows).then(|| in_const(&model.runtime, &expand_identity(model, item)));
    let plain = with_parameters(plain.to_token_stream());
    quote!(#plain #identity)
}

/// Takes serde's attributes away: they mean something to its derives alone.
struct WithoutSerde;

impl VisitMut for WithoutSerde {
    fn visit_attributes_mut(&mut self, attributes: &mut Vec<syn::Attribute>) {
        attributes.retain(|attribute| !attribute.path().is_ident("serde"));
    }
}

fn expand_identity(model: &DataModel, item: &DeriveInput) -> TokenStream {
    let (runtime, ident, name, was, doc) = (&model.runtime, &model.ident, &model.name, &model.was, &model.doc);
    let (bound, more) = match model.kind {
        DataKind::State => {
            let end = model.end.then(|| {
                quote!(
                    const END: ::core::primitive::bool = true;
                )
            });
            let pivot = model.pivot.then(|| {
                quote!(
                    const PIVOT: ::core::primitive::bool = true;
                )
            });
            let refused = model.unclear.then(|| {
                quote!(
                    const REFUSED: ::core::primitive::bool = true;
                )
            });
            let attributes = expand_attributes(model);
            let type_name = unraw(ident);
            let place = quote!(
                const PLACE: __private::TypePlace = __private::type_place(::core::module_path!(), #type_name);
            );
            (quote!(State), quote!(#end #pivot #refused #place #attributes))
        }
        DataKind::Event => {
            let policy = model.policy.map(|policy| {
                let policy = syn::Ident::new(policy, proc_macro2::Span::call_site());
                quote!(const POLICY: #runtime::EventPolicy = #runtime::EventPolicy::#policy;)
            });
            let key = model.key.as_ref().map(|(member, span)| {
                let key = at(*span, quote!(__private::key_text(&self.#member)));
                quote! {
                    fn key(&self) -> ::core::option::Option<__private::Text> { #key }
                }
            });
            (quote!(Event), quote!(#policy #key))
        }
    };
    let (impl_generics, ty_generics, where_clause) = item.generics.split_for_impl();
    let predicates = where_clause.map(|clause| {
        let predicates = clause.predicates.iter();
        quote!(#(#predicates,)*)
    });
    let parameters = item.generics.type_params().map(|parameter| &parameter.ident);
    // Where nothing is left to ask, without the probe.
    let json = if is_simple(model, item) { quote!(__private::Json) } else { quote!(__private::JsonProbe::<Self>) };
    let was = (!was.is_empty()).then(|| {
        quote!(
            const WAS: &'static [&'static ::core::primitive::str] = &[#(#was),*];
        )
    });
    let doc = (!doc.is_empty()).then(|| {
        quote!(
            const DOC: __private::Str = #doc;
        )
    });
    quote! {
        #[automatically_derived]
        impl #impl_generics #runtime::#bound for #ident #ty_generics where #predicates #(#parameters: 'static,)* {
            const NAME: __private::Str = #name;
            #was
            #more
            #doc
            fn encode(&self) -> __private::Encoded { #json::encode(self) }
            fn decode(__json: &__private::Json) -> __private::Decoded<Self> { #json::decode(__json) }
        }
    }
}

/// The fields that executions can be searched by. What is no type to search by is the one error, at the type.
fn expand_attributes(model: &DataModel) -> Option<TokenStream> {
    let runtime = &model.runtime;
    let attributes = model.indexes.iter().map(|index| {
        let (cfg, name, ty) = (&index.cfg, &index.name, &index.ty);
        let attribute = quote_spanned!(ty.span()=> __private::attribute);
        quote!(#cfg #attribute::<#ty>(#name))
    });
    (!model.indexes.is_empty()).then(|| {
        quote!(
            const ATTRIBUTES: &'static [#runtime::AttributeInfo] = &[#(#attributes),*];
        )
    })
}

/// One assertion per field, at its type.
fn expand_field_assertions(model: &DataModel, item: &DeriveInput) -> Option<TokenStream> {
    let mut seen: Vec<String> = Vec::new();
    let mut assertions = TokenStream::new();
    let ident = &model.ident;
    let self_ty: syn::Type = syn::parse_quote!(#ident);
    for (cfg, field) in fields(&item.data) {
        if is_persistable(&field.ty) {
            continue;
        }
        let ty = &WriteSelfOut(&self_ty).in_type(&field.ty);
        let text = quote!(#cfg #ty).to_string();
        if seen.contains(&text) {
            continue;
        }
        seen.push(text);
        let uses = field_use(field, &model.ident);
        let portable = quote_spanned!(ty.span()=> __private::assert_portable);
        assertions.extend(quote!(#cfg #portable::<#ty>();));
        if uses.serialized && uses.deserialized {
            // Not where it has been told that the type is not `Send`: the two often are one mistake.
            let persist = quote_spanned!(ty.span()=> __private::PersistOf::<#ty>::assert_persist);
            assertions.extend(quote!(#cfg #persist::<#ty>();));
        }
    }
    (!assertions.is_empty()).then(|| quote!(fn __fields() { #assertions }))
}

fn bind_fields(item: &mut DeriveInput, model: &DataModel) {
    let runtime = &model.runtime;
    let all: Vec<&mut Fields> = match &mut item.data {
        Data::Struct(data) => vec![&mut data.fields],
        Data::Enum(data) => data.variants.iter_mut().map(|variant| &mut variant.fields).collect(),
        Data::Union(_) => Vec::new(),
    };
    for field in all.into_iter().flat_map(|fields| fields.iter_mut()) {
        let uses = field_use(field, &model.ident);
        let ty = &field.ty;
        let text = |tokens: TokenStream| LitStr::new(&tokens.to_string(), ty.span());
        let serialize = (uses.serialized && model.derive_serialize).then(|| {
            let bound = text(quote!(for<'__field> #ty: #runtime::__private::serde::Serialize));
            quote!(serialize = #bound,)
        });
        let deserialize = (uses.deserialized && model.derive_deserialize).then(|| {
            let bound = text(quote!(#ty: #runtime::__private::serde::Deserialize<'de>));
            quote!(deserialize = #bound,)
        });
        if serialize.is_some() || deserialize.is_some() {
            field.attrs.push(syn::parse_quote!(#[serde(bound(#serialize #deserialize))]));
        }
    }
}

/// Whether the user has written bounds for the whole type.
fn has_bound(item: &DeriveInput) -> bool {
    item.attrs.iter().filter(|attribute| attribute.path().is_ident("serde")).any(|attribute| {
        let syn::Meta::List(list) = &attribute.meta else { return false };
        list.tokens
            .clone()
            .into_iter()
            .any(|token| matches!(token, proc_macro2::TokenTree::Ident(word) if word == "bound"))
    })
}

fn type_path_text(path: &TokenStream) -> String {
    path.to_string().replace(' ', "")
}
