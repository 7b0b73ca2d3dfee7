//! `#[state]` and `#[event]` on a type: the keys, and what the fields have to be.

use proc_macro2::{Span, TokenStream};
use syn::parse::{ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::{Attribute, Data, DeriveInput, Field, GenericParam, Ident, LitStr, Member, Meta, Token, Type, TypeReference};

use super::attributes::doc_text;
use super::index::IndexedField;
use super::keys::{flag, parse_keys, text_value};
use super::runtime::{default_runtime, parse_runtime};
use super::types::is_named;
use crate::case::snake;
use crate::errors::Errors;
use crate::expand::type_text;
use crate::model::{Cfg, Runtime, unraw};
use crate::nearest::hint;

/// What the attribute makes of the type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DataKind {
    State,
    Event,
}

impl DataKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Event => "event",
        }
    }
}

/// A state or an event.
#[derive(Debug)]
pub(crate) struct DataModel {
    pub(crate) kind: DataKind,
    pub(crate) runtime: Runtime,
    pub(crate) ident: Ident,
    pub(crate) name: String,
    pub(crate) was: Vec<String>,
    pub(crate) end: bool,
    pub(crate) pivot: bool,
    pub(crate) doc: String,
    /// Which of serde's traits are to be derived: the user may have done so.
    pub(crate) derive_serialize: bool,
    pub(crate) derive_deserialize: bool,
    /// `reject` or `drop`, of an event.
    pub(crate) policy: Option<&'static str>,
    /// The field that is the key of an event.
    pub(crate) key: Option<(Member, Span)>,
    /// The fields that executions can be searched by.
    pub(crate) indexes: Vec<IndexedField>,
    /// Whether the keys have mistakes.
    pub(crate) unclear: bool,
    /// Whether the type is generic or borrows something, which has been reported.
    pub(crate) refused: bool,
}

/// Which half of serde a field goes through by its type's own impl.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FieldUse {
    pub(crate) serialized: bool,
    pub(crate) deserialized: bool,
}

pub(crate) fn parse_data(kind: DataKind, tokens: TokenStream, item: &DeriveInput, errors: &mut Errors) -> DataModel {
    let mut model = DataModel {
        kind,
        runtime: default_runtime(),
        ident: item.ident.clone(),
        name: snake(&unraw(&item.ident)),
        was: Vec::new(),
        end: false,
        pivot: false,
        doc: doc_text(&item.attrs),
        derive_serialize: !derives(&item.attrs, "Serialize"),
        derive_deserialize: !derives(&item.attrs, "Deserialize"),
        policy: None,
        key: None,
        indexes: Vec::new(),
        unclear: false,
        refused: false,
    };
    let known: &[&str] = match kind {
        DataKind::State => &["end", "pivot", "name", "was", "crate"],
        DataKind::Event => &["defer", "reject", "drop", "key", "name", "was", "crate"],
    };
    let mut mistakes = Errors::default();
    let mut pivot = None;
    let mut policies: Vec<Ident> = Vec::new();
    parse_keys(kind.name(), known, tokens, &mut mistakes, |key, input, _| {
        match unraw(key).as_str() {
            "end" => {
                flag(key, input)?;
                model.end = true;
            }
            "pivot" => {
                flag(key, input)?;
                pivot = Some(key.span());
            }
            "defer" | "reject" | "drop" => {
                flag(key, input)?;
                policies.push(key.clone());
            }
            "key" => model.key = Some(parse_key_field(&text_value(key, "reference", input)?, item)?),
            "name" => model.name = parse_name(&text_value(key, &model.name, input)?)?,
            "was" => model.was = parse_was(key, &model.name, input)?,
            _ => model.runtime = parse_runtime(key, input)?,
        }
        Ok(())
    });
    // #[event(reject, drop)]
    if let [first, second, ..] = policies.as_slice() {
        mistakes.at(
            second,
            format!("an event that no edge takes is handled in one way: leave `{first}` or `{second}` out"),
        );
    }
    model.policy =
        policies.first().and_then(|policy| ["Reject", "Drop"].into_iter().find(|name| policy == &name.to_lowercase()));
    // #[state(end, pivot)]
    if let (true, Some(span)) = (model.end, pivot) {
        mistakes.span(span, "an end state is final by itself, as nothing is undone after it: leave `pivot` out");
    }
    model.pivot = pivot.is_some();
    model.unclear = !mistakes.is_empty();
    errors.take(mistakes);
    if model.was.contains(&model.name) {
        errors.at(
            &item.ident,
            format!("`{}` is the persisted name of now, so it is no old one: leave it out of `was`", model.name),
        );
    }
    let mut mistakes = Errors::default();
    check_generics(kind, item, &mut mistakes);
    let borrows = mistakes.is_empty() && check_owned(kind, item, &mut mistakes);
    model.refused = borrows || !mistakes.is_empty();
    errors.take(mistakes);
    check_union(kind, item, errors);
    model
}

// #[event(key = "reference")] struct Payment { cents: u64 }
// #[event(key = "reference")] enum Payment { … }
fn parse_key_field(literal: &LitStr, item: &DeriveInput) -> syn::Result<(Member, Span)> {
    let name = literal.value();
    let error = |message: String| Err(syn::Error::new(literal.span(), message));
    let Data::Struct(data) = &item.data else {
        return error("a key is a field of a struct: an enum has none that every variant has".to_owned());
    };
    let members: Vec<Member> = data.fields.members().collect();
    let text = |member: &Member| match member {
        Member::Named(name) => unraw(name),
        Member::Unnamed(index) => index.index.to_string(),
    };
    if let Some(member) = members.iter().find(|member| text(member) == name) {
        return Ok((member.clone(), literal.span()));
    }
    if members.is_empty() {
        return error(format!("`{}` has no fields, so it has no key", item.ident));
    }
    let names: Vec<String> = members.iter().map(text).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    error(format!("`{}` has no field `{name}`: {}", item.ident, hint(&name, &names)))
}

pub(crate) fn parse_was(key: &Ident, name: &str, input: ParseStream<'_>) -> syn::Result<Vec<String>> {
    if !input.peek(syn::token::Paren) {
        return Ok(vec![parse_name(&text_value(key, name, input)?)?]);
    }
    let content;
    syn::parenthesized!(content in input);
    let literals = content.parse_terminated(<LitStr as syn::parse::Parse>::parse, Token![,])?;
    let mut names = Vec::new();
    for literal in &literals {
        let name = parse_name(literal)?;
        if names.contains(&name) {
            return Err(syn::Error::new(literal.span(), format!("`{name}` is listed twice: list each old name once")));
        }
        names.push(name);
    }
    Ok(names)
}

// #[state(name = "")]
// #[state(name = "pending payment")]
fn parse_name(literal: &LitStr) -> syn::Result<String> {
    let name = literal.value();
    let mut chars = name.chars();
    let starts_well = chars.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
    if starts_well && chars.all(|char| char.is_ascii_alphanumeric() || char == '_') {
        return Ok(name);
    }
    let message = if name.is_empty() {
        "a persisted name cannot be empty: leave `name` out to use the type's own, in snake case".to_owned()
    } else {
        format!(
            "`{name}` is not an identifier: a persisted name has letters, digits and `_`, as in `{}`",
            suggest(&name)
        )
    };
    Err(syn::Error::new(literal.span(), message))
}

fn suggest(name: &str) -> String {
    let cleaned: String = name.chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '_' }).collect();
    let cleaned = cleaned.trim_matches('_');
    if cleaned.is_empty() || cleaned.starts_with(|char: char| char.is_ascii_digit()) {
        return format!("state_{cleaned}").trim_end_matches('_').to_owned();
    }
    snake(cleaned)
}

// #[state] struct Pending<T> { order: T }
fn check_generics(kind: DataKind, item: &DeriveInput, errors: &mut Errors) {
    let Some(parameter) = item.generics.params.first() else { return };
    let what = if kind == DataKind::State { "a state" } else { "an event" };
    let why = match parameter {
        GenericParam::Lifetime(_) => "is saved and read again, so it borrows nothing: own the data",
        GenericParam::Type(_) | GenericParam::Const(_) => {
            "is found by its name in the store, so it has no parameters: name the types"
        }
    };
    errors.at(parameter, format!("{what} {why}"));
}

// #[state] struct Pending { reference: &'static str }
// #[state] struct Pending { reference: &str }, which rustc reports
fn check_owned(kind: DataKind, item: &DeriveInput, errors: &mut Errors) -> bool {
    let what = if kind == DataKind::State { "a state" } else { "an event" };
    let fields = fields(&item.data).into_iter().map(|(_, field)| field);
    for field in fields.filter(|field| field_use(field, &item.ident).deserialized) {
        if let Some(reference) = FindReference::in_type(&field.ty) {
            let owned = match &*reference.elem {
                Type::Slice(slice) => format!("Vec<{}>", type_text(&slice.elem)),
                elem if is_named(elem, "str") => "String".to_owned(),
                elem => type_text(elem),
            };
            let message = format!("{what} is saved and read again, so it borrows nothing: own the data, as `{owned}`");
            if reference.lifetime.is_some() {
                errors.at(reference, message);
            }
            return true;
        }
    }
    false
}

/// Finds a reference that is held, and not the argument or result of a function.
struct FindReference<'ast>(Option<&'ast TypeReference>);

impl<'ast> FindReference<'ast> {
    fn in_type(ty: &'ast Type) -> Option<&'ast TypeReference> {
        let mut find = Self(None);
        syn::visit::Visit::visit_type(&mut find, ty);
        find.0
    }
}

impl<'ast> syn::visit::Visit<'ast> for FindReference<'ast> {
    fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
        self.0 = self.0.or(Some(reference));
    }
}

// #[state] union Pending { … }
fn check_union(kind: DataKind, item: &DeriveInput, errors: &mut Errors) {
    if let Data::Union(union) = &item.data {
        errors.at(union.union_token, format!("`#[{}]` goes on a struct or an enum", kind.name()));
    }
}

fn derives(attributes: &[Attribute], name: &str) -> bool {
    attributes.iter().filter(|attribute| attribute.path().is_ident("derive")).any(|attribute| {
        let Meta::List(list) = &attribute.meta else { return false };
        let parser = Punctuated::<syn::Path, Token![,]>::parse_terminated;
        let paths = parser.parse2(list.tokens.clone()).unwrap_or_default();
        paths.iter().any(|path| path.segments.last().is_some_and(|segment| segment.ident == name))
    })
}

/// Every field, in order, and the condition under which it is there.
pub(crate) fn fields(data: &Data) -> Vec<(Cfg, &Field)> {
    match data {
        Data::Struct(data) => data.fields.iter().map(|field| (Cfg::of(&field.attrs), field)).collect(),
        Data::Enum(data) => {
            let fields =
                data.variants.iter().flat_map(|variant| variant.fields.iter().map(move |field| (variant, field)));
            fields.map(|(variant, field)| (Cfg::of(&[&*variant.attrs, &*field.attrs].concat()), field)).collect()
        }
        Data::Union(_) => Vec::new(),
    }
}

/// What serde's own attributes leave for the field's type to do.
pub(crate) fn field_use(field: &Field, ident: &Ident) -> FieldUse {
    let mut uses = FieldUse { serialized: true, deserialized: true };
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        let Meta::List(list) = &attribute.meta else { continue };
        for word in list.tokens.clone() {
            let proc_macro2::TokenTree::Ident(word) = word else { continue };
            match word.to_string().as_str() {
                "skip" | "with" | "bound" => uses = FieldUse { serialized: false, deserialized: false },
                "skip_serializing" | "serialize_with" => uses.serialized = false,
                "skip_deserializing" | "deserialize_with" => uses.deserialized = false,
                _ => {}
            }
        }
    }
    // A field that holds the type itself would make the bound depend on itself.
    if mentions(&field.ty, ident) {
        uses = FieldUse { serialized: false, deserialized: false };
    }
    uses
}

fn mentions(ty: &Type, ident: &Ident) -> bool {
    struct Find<'a>(&'a Ident, bool);
    impl syn::visit::Visit<'_> for Find<'_> {
        fn visit_ident(&mut self, ident: &Ident) {
            self.1 |= ident == self.0 || ident == "Self";
        }
    }
    let mut find = Find(ident, false);
    syn::visit::Visit::visit_type(&mut find, ty);
    find.1
}
