//! `#[state(group)]` on an enum: the states that are in it.

use proc_macro2::{TokenStream, TokenTree};
use syn::{Data, DeriveInput, Fields, Ident};

use super::keys::{flag, parse_keys};
use super::runtime::{default_runtime, parse_runtime};
use super::types::parse_type_ref;
use crate::case::snake;
use crate::errors::Errors;
use crate::model::{Cfg, Runtime, TypeRef, unraw};

/// A group.
#[derive(Debug)]
pub(crate) struct GroupModel {
    pub(crate) runtime: Runtime,
    pub(crate) ident: Ident,
    pub(crate) name: String,
    pub(crate) members: Vec<Member>,
}

/// A state in a group.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) variant: Ident,
    pub(crate) ty: TypeRef,
    pub(crate) cfg: Cfg,
}

/// Whether the attribute makes a group of the type.
pub(crate) fn is_group(arguments: &TokenStream) -> bool {
    arguments.clone().into_iter().any(|token| matches!(token, TokenTree::Ident(word) if word == "group"))
}

/// Reads a group. `None` if it was reported.
pub(crate) fn parse_group(arguments: TokenStream, item: &DeriveInput, errors: &mut Errors) -> Option<GroupModel> {
    let mut mistakes = Errors::default();
    let mut runtime = default_runtime();
    parse_keys(
        "state",
        &["group", "crate", "end", "pivot", "name", "was"],
        arguments,
        &mut mistakes,
        |key, input, _| {
            match unraw(key).as_str() {
                "group" => flag(key, input),
                "crate" => {
                    runtime = parse_runtime(key, input)?;
                    Ok(())
                }
                // #[state(group, end)]
                other => Err(syn::Error::new(
                    key.span(),
                    format!("a group is no state, only a name for several: it has no `{other}`"),
                )),
            }
        },
    );
    if let Some(parameter) = item.generics.params.first() {
        mistakes.at(parameter, "a group has no parameters, as its states have none");
    }
    let members = parse_members(item, &mut mistakes);
    let sound = mistakes.is_empty();
    errors.take(mistakes);
    sound.then(|| GroupModel { runtime, ident: item.ident.clone(), name: snake(&unraw(&item.ident)), members })
}

// #[state(group)] struct Open;
// #[state(group)] enum Open { }
// #[state(group)] enum Open { Pending }
// #[state(group)] enum Open { Pending { state: Pending } }
// #[state(group)] enum Open { Pending(Pending), Waiting(Pending) }
fn parse_members(item: &DeriveInput, errors: &mut Errors) -> Vec<Member> {
    let Data::Enum(data) = &item.data else {
        errors.at(
            &item.ident,
            "a group is an enum with a variant for each of its states: `enum Open { Pending(Pending), Paid(Paid) }`",
        );
        return Vec::new();
    };
    if data.variants.is_empty() {
        errors.at(&item.ident, "this group has no states: write a variant for each, as in `Pending(Pending)`");
    }
    let mut members: Vec<Member> = Vec::new();
    for variant in &data.variants {
        let name = &variant.ident;
        let field = match &variant.fields {
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => fields.unnamed.first(),
            _ => None,
        };
        let Some(field) = field else {
            errors.at(
                name,
                format!("a variant of a group holds one of its states, and nothing else: write `{name}({name})`"),
            );
            continue;
        };
        let Some(ty) = errors.ok(parse_type_ref(&field.ty, "a state")) else { continue };
        if members.iter().any(|member| member.ty == ty) {
            errors.at(&field.ty, format!("`{}` is in this group twice: keep one of the two", ty.name));
            continue;
        }
        members.push(Member { variant: name.clone(), ty, cfg: Cfg::of(&variant.attrs) });
    }
    members
}
