//! `#[index]` on a field of a state: the attribute that its executions can be searched by.

use syn::punctuated::Punctuated;
use syn::{Attribute, Data, DeriveInput, Expr, ExprLit, Field, Fields, Lit, Meta, Token, Type};

use super::data::DataKind;
use crate::errors::Errors;
use crate::model::{Cfg, unraw};

/// A field that its executions can be searched by.
#[derive(Debug)]
pub(crate) struct IndexedField {
    pub(crate) cfg: Cfg,
    /// The name that it is saved under.
    pub(crate) name: String,
    pub(crate) ty: Type,
}

/// Takes every `#[index]` off the fields of `item`: what is left of it is for rustc, which does not know that attribute.
pub(crate) fn take_indexes(kind: DataKind, item: &mut DeriveInput, errors: &mut Errors) -> Vec<IndexedField> {
    let (all, is_struct): (Vec<&mut Fields>, bool) = match &mut item.data {
        Data::Struct(data) => (vec![&mut data.fields], true),
        Data::Enum(data) => (data.variants.iter_mut().map(|variant| &mut variant.fields).collect(), false),
        Data::Union(_) => return Vec::new(),
    };
    let container = item.attrs.clone();
    let mut indexed = Vec::new();
    for field in all.into_iter().flat_map(|fields| fields.iter_mut()) {
        let taken: Vec<Attribute> =
            field.attrs.extract_if(.., |attribute| attribute.path().is_ident("index")).collect();
        let Some(attribute) = taken.first() else { continue };
        let is_well =
            check_index(kind, is_struct, &taken, field, errors) && check_container(&container, attribute, errors);
        if let (true, Some(ident)) = (is_well, &field.ident) {
            let name = saved_name(&unraw(ident), &field.attrs, &container);
            indexed.push(IndexedField { cfg: Cfg::of(&field.attrs), name, ty: field.ty.clone() });
        }
    }
    indexed
}

// #[event] struct Paid { #[index] reference: String }
// #[state] struct Open { #[index] #[index] customer: String }
// #[state] struct Open { #[index(unique)] customer: String }
// #[state] enum Open { By { #[index] customer: String } }
// #[state] struct Open(#[index] String);
// #[state] struct Open { #[index] #[serde(flatten)] customer: Customer }
fn check_index(kind: DataKind, is_struct: bool, taken: &[Attribute], field: &Field, errors: &mut Errors) -> bool {
    let Some(attribute) = taken.first() else { return false };
    if let Some(second) = taken.get(1) {
        errors.at(second, "`#[index]` is given twice: once is enough");
        return false;
    }
    if kind == DataKind::Event {
        errors.at(attribute, "an event is not searched by: put `#[index]` on the field of a state that keeps it");
        return false;
    }
    if !matches!(attribute.meta, Meta::Path(_)) {
        errors
            .at(attribute, "`#[index]` takes nothing: the field is searched by under the name that it is saved under");
        return false;
    }
    if !is_struct || field.ident.is_none() {
        errors.at(attribute, "`#[index]` goes on a named field of a struct: nothing else is saved under a name");
        return false;
    }
    let nameless = ["flatten", "skip", "skip_serializing", "with", "serialize_with"];
    match serde_words(&field.attrs).iter().find(|meta| nameless.iter().any(|word| meta.path().is_ident(word))) {
        Some(meta) => {
            errors.at(
                meta,
                "with this, the field is not saved as what it is, so it cannot be searched by: take `#[index]` away",
            );
            false
        }
        None => true,
    }
}

// #[state] #[serde(transparent)] struct Open { #[index] customer: String }
fn check_container(container: &[Attribute], attribute: &Attribute, errors: &mut Errors) -> bool {
    let nameless = ["transparent", "into", "remote"];
    let words = serde_words(container);
    let Some(meta) = words.iter().find(|meta| nameless.iter().any(|word| meta.path().is_ident(word))) else {
        return true;
    };
    let word = meta.path().get_ident().map(ToString::to_string).unwrap_or_default();
    errors.at(
        attribute,
        format!("with `#[serde({word})]`, a field is not saved under its name, so it cannot be searched by: take `#[index]` away"),
    );
    false
}

/// What serde's own attributes say.
fn serde_words(attributes: &[Attribute]) -> Vec<Meta> {
    let serde = attributes.iter().filter(|attribute| attribute.path().is_ident("serde"));
    let words =
        serde.filter_map(|attribute| attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).ok());
    words.flatten().collect()
}

fn saved_name(ident: &str, field: &[Attribute], container: &[Attribute]) -> String {
    if let Some(name) = serializing(&serde_words(field), "rename") {
        return name;
    }
    match serializing(&serde_words(container), "rename_all") {
        Some(rule) => renamed(ident, &rule),
        None => ident.to_owned(),
    }
}

/// `key = "…"`, or `key(serialize = "…")`.
fn serializing(words: &[Meta], key: &str) -> Option<String> {
    words.iter().filter(|meta| meta.path().is_ident(key)).find_map(|meta| match meta {
        Meta::NameValue(pair) => text(&pair.value),
        Meta::List(list) => {
            let parser = Punctuated::<Meta, Token![,]>::parse_terminated;
            let halves = list.parse_args_with(parser).ok()?;
            halves.iter().find_map(|half| match half {
                Meta::NameValue(pair) if pair.path.is_ident("serialize") => text(&pair.value),
                _ => None,
            })
        }
        Meta::Path(_) => None,
    })
}

fn text(value: &Expr) -> Option<String> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    }
}

/// As serde renames fields.
fn renamed(field: &str, rule: &str) -> String {
    let pascal = crate::case::camel(field);
    match rule {
        "UPPERCASE" | "SCREAMING_SNAKE_CASE" => field.to_ascii_uppercase(),
        "PascalCase" => pascal,
        "camelCase" => {
            let mut chars = pascal.chars();
            chars.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(chars).collect()
        }
        "kebab-case" => field.replace('_', "-"),
        "SCREAMING-KEBAB-CASE" => field.to_ascii_uppercase().replace('_', "-"),
        _ => field.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(tokens: &str) -> String {
        let mut item: DeriveInput = syn::parse_str(tokens).unwrap();
        let mut errors = Errors::default();
        let names = take_indexes(DataKind::State, &mut item, &mut errors);
        assert!(errors.is_empty());
        let _ = errors.into_tokens();
        names.into_iter().map(|field| field.name).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn an_attribute_is_called_what_serde_calls_its_field() {
        assert_eq!(name("struct S { #[index] order_id: u64, note: u8, #[index] r#type: u8 }"), "order_id type");
        assert_eq!(
            name("#[serde(deny_unknown_fields, rename_all = \"camelCase\")] struct S { #[index] order_id: u64 }"),
            "orderId"
        );
        assert_eq!(
            name("#[serde(rename_all(serialize = \"kebab-case\"))] struct S { #[index] order_id: u64 }"),
            "order-id"
        );
        assert_eq!(
            name(
                "#[serde(rename_all = \"UPPERCASE\")] struct S { #[index] #[serde(default, rename = \"id\")] order_id: u64 }"
            ),
            "id"
        );
        assert_eq!(renamed("order_id", "PascalCase"), "OrderId");
        assert_eq!(renamed("order_id", "SCREAMING-KEBAB-CASE"), "ORDER-ID");
    }
}
