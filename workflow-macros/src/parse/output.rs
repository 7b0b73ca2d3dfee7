//! What a handler returns: `A`, `Unwind<A>`, `Next<(A, B)>`, `Stay<S>` or `Wait`, bare or in `Result`.

use syn::{GenericArgument, Ident, PathArguments, PathSegment, ReturnType, Type, TypeParamBound};

use super::types::{WriteSelfOut, bare, is_named, is_wrapper, last_segment, parse_type_ref, type_arguments};
use crate::errors::Errors;
use crate::expand::type_text;
use crate::model::{Fails, Output, ReplyModel, Target, TypeRef, unraw};

/// As many as the unions of the runtime have.
pub(super) const MOST_TARGETS: usize = 16;

/// Reads a return type. Mistakes are collected; what can be made out is returned all the same, for the names in it.
pub(crate) fn parse_output(
    output: &ReturnType,
    handler: &Ident,
    state: Option<&TypeRef>,
    self_ty: &Type,
    errors: &mut Errors,
) -> Output {
    let ReturnType::Type(_, ty) = output else {
        let name = unraw(handler);
        errors.at(handler, format!("`{name}` does not say where it goes: return a target, as in `-> Shipped`, or `Next<(A, B)>`, `Stay<S>` or `Wait`"));
        return Output {
            targets: Vec::new(),
            next: false,
            fails: Fails::Never,
            reply: None,
            broken: true,
            repaired: None,
        };
    };
    if let Some(output) = future_output(output) {
        let message = format!(
            "a handler that waits is an `async fn`: write `async fn {}(…) -> {}`",
            unraw(handler),
            type_text(output)
        );
        errors.at(ty, message);
        let (success, fails) = split_result(output, self_ty);
        return Output {
            targets: quiet_targets(success, self_ty),
            next: false,
            fails,
            reply: None,
            broken: true,
            repaired: None,
        };
    }
    let mut mistakes = Errors::default();
    let (success, fails) = split_result(ty, self_ty);
    let (success, reply) = split_reply(success, self_ty);
    let (targets, next) = match success {
        Some(success) => parse_targets(success, state, self_ty, &mut mistakes),
        None => (Vec::new(), false),
    };
    let broken = !mistakes.is_empty() || success.is_none();
    errors.take(mistakes);
    Output { targets, next, fails, reply, broken, repaired: None }
}

/// The `T` of `impl Future<Output = T>`.
// #[state] fn fulfilling(&self, cx: &Cx, s: Fulfilling) -> impl Future<Output = Result<Shipped>>
pub(super) fn future_output(output: &ReturnType) -> Option<&Type> {
    let ReturnType::Type(_, ty) = output else { return None };
    let Type::ImplTrait(ty) = bare(ty) else { return None };
    let traits = ty.bounds.iter().filter_map(|bound| match bound {
        TypeParamBound::Trait(bound) => bound.path.segments.last(),
        _ => None,
    });
    let mut arguments =
        traits.filter(|segment| segment.ident == "Future").filter_map(|segment| match &segment.arguments {
            PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
            _ => None,
        });
    arguments.next()?.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(output) => Some(&output.ty),
        _ => None,
    })
}

fn split_result<'a>(ty: &'a Type, self_ty: &Type) -> (&'a Type, Fails) {
    let Some(segment) = last_segment(ty).filter(|segment| segment.ident == "Result") else { return (ty, Fails::Never) };
    match type_arguments(segment).as_slice() {
        [success] => (success, Fails::Boxed(segment.ident.span())),
        [success, error, ..] => (success, Fails::With(Box::new(WriteSelfOut(self_ty).in_type(error)))),
        [] => (ty, Fails::Never),
    }
}

/// The target in `Reply<R, T, E>`, and the rest of it.
// -> Reply<Quote>
fn split_reply<'a>(ty: &'a Type, self_ty: &Type) -> (Option<&'a Type>, Option<Box<ReplyModel>>) {
    let Some(segment) = last_segment(ty).filter(|segment| segment.ident == "Reply") else { return (Some(ty), None) };
    let (span, mut write_out) = (segment.ident.span(), WriteSelfOut(self_ty));
    let (target, reply, refusal) = match type_arguments(segment).as_slice() {
        [reply, target] => (*target, *reply, None),
        [reply, target, refusal] => (*target, *reply, Some(write_out.in_type(refusal))),
        _ => {
            // Of the number of its parameters, rustc tells.
            return (None, None);
        }
    };
    (Some(target), Some(Box::new(ReplyModel { span, reply: write_out.in_type(reply), refusal })))
}

fn parse_targets(ty: &Type, state: Option<&TypeRef>, self_ty: &Type, errors: &mut Errors) -> (Vec<Target>, bool) {
    if let Type::Tuple(tuple) = bare(ty) {
        let message = if tuple.elems.is_empty() {
            "a handler says where it goes: return a target, as in `Shipped`, or `Next<(A, B)>`, `Stay<S>` or `Wait`"
                .to_owned()
        } else {
            format!("a choice of targets is written `Next<{}>`, and made by `goto`", type_text(tuple))
        };
        errors.at(ty, message);
        return (quiet_targets(ty, self_ty), true);
    }
    let Some(segment) = last_segment(ty).filter(|segment| segment.ident == "Next") else {
        return match parse_target(ty, state, self_ty, errors) {
            Some(target) => (vec![target], false),
            None => (quiet_targets(ty, self_ty), false),
        };
    };
    let arguments = type_arguments(segment);
    let tuple = match arguments.as_slice() {
        [argument] => match bare(argument) {
            Type::Tuple(tuple) if !tuple.elems.is_empty() => tuple,
            _ => {
                errors.at(ty, no_tuple(argument));
                return (quiet_targets(argument, self_ty), true);
            }
        },
        _ => {
            errors.at(ty, "`Next` takes one tuple of targets: write `Next<(A, B)>`");
            return (quiet_targets(ty, self_ty), true);
        }
    };
    let mut targets: Vec<Target> = Vec::new();
    for ty in &tuple.elems {
        let Some(target) = parse_target(ty, state, self_ty, errors) else {
            targets.extend(quiet_targets(ty, self_ty));
            continue;
        };
        if let Some(state) = targets.iter().find_map(|other| other_way(other, &target)) {
            errors.at(ty, format!("`{state}` is a target already: a handler goes there plainly or by way of undos, so declare one of the two"));
            continue;
        }
        if targets.iter().any(|other| is_same(other, &target)) {
            errors.at(ty, format!("`{}` is declared twice: list each target once", type_text(ty)));
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

fn is_same(one: &Target, other: &Target) -> bool {
    match (one, other) {
        (Target::State(one), Target::State(other)) | (Target::Unwind(one), Target::Unwind(other)) => one == other,
        (Target::Stay(_), Target::Stay(_)) | (Target::Wait(_), Target::Wait(_)) => true,
        _ => false,
    }
}

// -> Next<(Cancelled, Unwind<Cancelled>)>
fn other_way<'a>(one: &'a Target, other: &Target) -> Option<&'a Ident> {
    match (one, other) {
        (Target::State(one), Target::Unwind(other)) | (Target::Unwind(one), Target::State(other)) if one == other => {
            Some(&one.name)
        }
        _ => None,
    }
}

// -> Next<Shipped>
// -> Next<()>
// -> Next<Result<(Shipped, Cancelled)>>
fn no_tuple(argument: &Type) -> String {
    let wanted = "`Next` takes a tuple of targets: write `Next<(A, B)>`";
    match bare(argument) {
        Type::Tuple(_) => wanted.to_owned(),
        ty if is_named(ty, "Result") => "`Result` goes around `Next`: the order is `Result<Next<(A, B)>>`".to_owned(),
        ty => format!("{wanted}; a single target is returned bare: `-> {}`", type_text(ty)),
    }
}

fn parse_target(ty: &Type, state: Option<&TypeRef>, self_ty: &Type, errors: &mut Errors) -> Option<Target> {
    let segment = last_segment(ty);
    if let Some(segment) = segment {
        let arguments = type_arguments(segment);
        if segment.ident == "Wait" {
            if !arguments.is_empty() {
                errors.at(ty, "`Wait` takes no state: write `Wait`");
            }
            return Some(Target::Wait(segment.ident.span()));
        }
        if segment.ident == "Next" || segment.ident == "Result" && !arguments.is_empty() {
            errors.at(ty, format!("`{}` stands inside of another: the order is `Result<Next<(A, B)>>`", segment.ident));
            return None;
        }
        if segment.ident == "Reply" && !arguments.is_empty() {
            errors.at(ty, "`Reply` goes around the targets: the order is `Result<Reply<R, Next<(A, B)>>>`");
            return None;
        }
        if segment.ident == "Stay" {
            let [stays] = arguments.as_slice() else {
                errors.at(ty, "`Stay` takes the state that it stays in: write `Stay<S>`");
                return None;
            };
            let same = state.is_none_or(|state| last_segment(stays).is_some_and(|segment| segment.ident == state.name));
            if !same {
                let (state, stays) = (state.map(|state| state.name.to_string()).unwrap_or_default(), type_text(stays));
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
        if segment.ident == "Unwind" {
            return parse_unwind(ty, &arguments, self_ty, errors);
        }
    }
    if let Some(segment) = segment.filter(|segment| is_wrapper(segment) || holds_targets(segment)) {
        errors.at(ty, unknown_wrapper(segment, self_ty));
        return None;
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

// -> Unwind
// -> Unwind<Stay<Fulfilling>>
// -> Unwind<Next<(Cancelled, Failed)>>
fn parse_unwind(ty: &Type, arguments: &[&Type], self_ty: &Type, errors: &mut Errors) -> Option<Target> {
    let [state] = arguments else {
        errors.at(ty, "`Unwind` takes the state that is entered when all is undone: write `Unwind<S>`");
        return None;
    };
    if ["Next", "Result", "Stay", "Unwind", "Wait"].iter().any(|name| is_named(state, name)) {
        let message = if is_named(state, "Next") {
            "`Unwind` goes around one state: write `Next<(Unwind<A>, Unwind<B>)>`"
        } else {
            "`Unwind` takes the state that is entered when all is undone, and nothing else: write `Unwind<S>`"
        };
        errors.at(state, message);
        return None;
    }
    let role = "a target";
    match parse_type_ref(&WriteSelfOut(self_ty).in_type(state), role) {
        Ok(target) => Some(Target::Unwind(target)),
        Err(_) => {
            errors.ok(parse_type_ref(state, role));
            None
        }
    }
}

/// Whether it is an alias of what a handler may return.
fn holds_targets(segment: &PathSegment) -> bool {
    let names = ["Next", "Stay", "Unwind", "Wait"];
    type_arguments(segment).into_iter().any(|ty| names.iter().any(|name| is_named(ty, name)))
}

// -> Option<Shipped>
// -> Res<Shipped>, with `type Res<T> = Result<T, MyError>`
fn unknown_wrapper(segment: &PathSegment, self_ty: &Type) -> String {
    let inner =
        type_arguments(segment).into_iter().flat_map(|ty| quiet_targets(ty, self_ty)).find_map(|target| match target {
            Target::State(state) | Target::Unwind(state) => Some(state.name.to_string()),
            Target::Stay(_) | Target::Wait(_) => None,
        });
    let inner = inner.unwrap_or("Shipped".to_owned());
    if segment.ident == "Option" {
        return format!(
            "a handler always says where it goes: write `Next<({inner}, Wait)>`, and `goto(Wait)` for `None`"
        );
    }
    format!(
        "`{}` cannot be looked into: write `{inner}`, `Next<(…)>`, `Stay<S>` or `Wait`, each bare or inside `Result<…>`, by these names",
        segment.ident
    )
}

/// What is probably meant, in a place that has been reported.
fn quiet_targets(ty: &Type, self_ty: &Type) -> Vec<Target> {
    if let Type::Tuple(tuple) = bare(ty) {
        return tuple.elems.iter().flat_map(|ty| quiet_targets(ty, self_ty)).collect();
    }
    let Some(segment) = last_segment(ty) else { return Vec::new() };
    match segment.ident.to_string().as_str() {
        "Stay" => vec![Target::Stay(segment.ident.span())],
        "Wait" => vec![Target::Wait(segment.ident.span())],
        "Unwind" => {
            let state = type_arguments(segment)
                .into_iter()
                .find_map(|ty| parse_type_ref(&WriteSelfOut(self_ty).in_type(ty), "").ok());
            state.map(Target::Unwind).into_iter().collect()
        }
        "Next" => type_arguments(segment).into_iter().flat_map(|ty| quiet_targets(ty, self_ty)).collect(),
        "Reply" => type_arguments(segment).get(1).map(|ty| quiet_targets(ty, self_ty)).unwrap_or_default(),
        "Result" => type_arguments(segment).first().map(|ty| quiet_targets(ty, self_ty)).unwrap_or_default(),
        _ if !type_arguments(segment).is_empty() => {
            type_arguments(segment).into_iter().flat_map(|ty| quiet_targets(ty, self_ty)).collect()
        }
        _ => {
            parse_type_ref(&WriteSelfOut(self_ty).in_type(ty), "a target").ok().map(Target::State).into_iter().collect()
        }
    }
}
