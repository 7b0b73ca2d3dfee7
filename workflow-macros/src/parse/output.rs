//! What a handler returns: `A`, `Next<(A, B)>`, `Stay<S>` or `Wait`, bare or in `Result`.

use quote::{ToTokens as _, quote};
use syn::visit_mut::{self, VisitMut};
use syn::{GenericArgument, Ident, PathArguments, PathSegment, ReturnType, Type, parse_quote};

use super::types::{WriteSelfOut, bare, last_segment, parse_type_ref, type_arguments};
use crate::errors::Errors;
use crate::model::{Fails, Output, Target, TypeRef, unraw};

const MOST_TARGETS: usize = 16;

/// Reads a return type. Mistakes are collected; what can be made out is returned all the same, for the names in it.
pub(crate) fn parse_output(
    output: &ReturnType,
    handler: &Ident,
    state: Option<&TypeRef>,
    self_ty: &Type,
    errors: &mut Errors,
) -> Output {
    let nothing = Output { targets: Vec::new(), next: false, fails: Fails::Never };
    let ReturnType::Type(_, ty) = output else {
        let name = unraw(handler);
        errors.at(handler, format!("`{name}` does not say where it goes: return a target, as in `-> Shipped`, or `Next<(A, B)>`, `Stay<S>` or `Wait`"));
        return nothing;
    };
    let (success, fails) = split_result(ty, self_ty);
    let (targets, next) = parse_targets(success, state, self_ty, errors);
    Output { targets, next, fails }
}

/// Makes of a reported return type one that rustc has nothing to say of: each member of `Next` once, in a tuple.
pub(crate) fn repair_output(output: &mut ReturnType) {
    if let ReturnType::Type(_, ty) = output {
        RepairNext.visit_type_mut(ty);
    }
}

struct RepairNext;

impl VisitMut for RepairNext {
    fn visit_path_segment_mut(&mut self, segment: &mut PathSegment) {
        visit_mut::visit_path_segment_mut(self, segment);
        let PathArguments::AngleBracketed(arguments) = &mut segment.arguments else { return };
        if segment.ident != "Next" {
            return;
        }
        for argument in &mut arguments.args {
            let GenericArgument::Type(ty) = argument else { continue };
            let members: Vec<Type> = match bare(ty) {
                Type::Tuple(tuple) => tuple.elems.iter().cloned().collect(),
                single => vec![single.clone()],
            };
            let mut seen: Vec<String> = Vec::new();
            let members = members.into_iter().filter(|member| {
                let text = member.to_token_stream().to_string();
                let first = !seen.contains(&text);
                seen.push(text);
                first
            });
            let members = members.take(MOST_TARGETS);
            *ty = parse_quote!((#(#members,)*));
        }
    }
}

fn split_result<'a>(ty: &'a Type, self_ty: &Type) -> (&'a Type, Fails) {
    let Some(segment) = last_segment(ty).filter(|segment| segment.ident == "Result") else { return (ty, Fails::Never) };
    match type_arguments(segment).as_slice() {
        [success] => (success, Fails::Boxed(segment.ident.span())),
        [success, error, ..] => (success, Fails::With(Box::new(WriteSelfOut(self_ty).in_type(error)))),
        [] => (ty, Fails::Never),
    }
}

fn parse_targets(ty: &Type, state: Option<&TypeRef>, self_ty: &Type, errors: &mut Errors) -> (Vec<Target>, bool) {
    if let Type::Tuple(tuple) = bare(ty) {
        let message = if tuple.elems.is_empty() {
            "a handler says where it goes: return a target, as in `Shipped`, or `Next<(A, B)>`, `Stay<S>` or `Wait`"
                .to_owned()
        } else {
            format!("a choice of targets is written `Next<{}>`, and made by `goto`", quote!(#tuple))
        };
        errors.at(ty, message);
        return (tuple.elems.iter().filter_map(|ty| quiet_state(ty, self_ty)).collect(), true);
    }
    let Some(segment) = last_segment(ty).filter(|segment| segment.ident == "Next") else {
        let target = parse_target(ty, state, self_ty, errors);
        return (target.into_iter().collect(), false);
    };
    let arguments = type_arguments(segment);
    let tuple = match arguments.as_slice() {
        [argument] => match bare(argument) {
            Type::Tuple(tuple) if !tuple.elems.is_empty() => tuple,
            _ => {
                errors.at(ty, format!("`Next` takes a tuple of targets: write `Next<(A, B)>`; a single target is returned bare: `-> {}`", quote!(#argument)));
                return (quiet_state(argument, self_ty).into_iter().collect(), true);
            }
        },
        _ => {
            errors.at(ty, "`Next` takes one tuple of targets: write `Next<(A, B)>`");
            return (arguments.into_iter().filter_map(|ty| quiet_state(ty, self_ty)).collect(), true);
        }
    };
    let mut targets: Vec<Target> = Vec::new();
    for ty in &tuple.elems {
        let Some(target) = parse_target(ty, state, self_ty, errors) else { continue };
        let same = |other: &Target| match (other, &target) {
            (Target::State(other), Target::State(state)) => other == state,
            (Target::Stay(_), Target::Stay(_)) | (Target::Wait(_), Target::Wait(_)) => true,
            _ => false,
        };
        if targets.iter().any(same) {
            errors.at(ty, format!("`{}` is declared twice: list each target once", quote!(#ty)));
            continue;
        }
        targets.push(target);
    }
    if tuple.elems.len() > MOST_TARGETS {
        errors.at(
            tuple,
            format!("a handler has up to {MOST_TARGETS} targets: split the decision with a state in between"),
        );
    }
    (targets, true)
}

fn parse_target(ty: &Type, state: Option<&TypeRef>, self_ty: &Type, errors: &mut Errors) -> Option<Target> {
    let segment = last_segment(ty);
    if let Some(segment) = segment {
        let arguments = type_arguments(segment);
        if segment.ident == "Wait" && arguments.is_empty() {
            return Some(Target::Wait(segment.ident.span()));
        }
        if segment.ident == "Next" || segment.ident == "Result" {
            errors.at(ty, format!("`{}` stands inside of another: the order is `Result<Next<(A, B)>>`", segment.ident));
            return None;
        }
        if segment.ident == "Stay" {
            let [stays] = arguments.as_slice() else {
                errors.at(ty, "`Stay` takes the state that it stays in: write `Stay<S>`");
                return None;
            };
            let same = state.is_none_or(|state| last_segment(stays).is_some_and(|segment| segment.ident == state.name));
            if !same {
                let (state, stays) = (state.map(|state| state.name.to_string()).unwrap_or_default(), quote!(#stays));
                errors.at(
                    arguments.first(),
                    format!(
                        "a handler of `{state}` stays in `{state}`: write `Stay<{state}>`, or `{stays}` to go there"
                    ),
                );
                return None;
            }
            return Some(Target::Stay(segment.ident.span()));
        }
    }
    let role = "a target";
    match parse_type_ref(&WriteSelfOut(self_ty).in_type(ty), role) {
        Ok(target) => Some(Target::State(target)),
        Err(_) => {
            // The message is made anew from the user's own tokens, where it belongs.
            errors.ok(parse_type_ref(ty, role));
            None
        }
    }
}

/// A state that is probably meant, in a place that has been reported.
fn quiet_state(ty: &Type, self_ty: &Type) -> Option<Target> {
    let segment = last_segment(ty)?;
    if ["Stay", "Wait", "Next", "Result"].iter().any(|name| segment.ident == name) {
        return None;
    }
    parse_type_ref(&WriteSelfOut(self_ty).in_type(ty), "a target").ok().map(Target::State)
}
