//! A handler: its attribute and its signature.

use syn::spanned::Spanned as _;
use syn::{FnArg, GenericParam, ImplItemFn, PatType, Receiver, ReceiverKind, Signature, Type};

use super::attributes::{Inert, InertKind, doc_text, line_of};
use super::keys::{flag, name_list, parse_keys};
use super::output::{future_output, parse_output};
use super::timer::take_due;
use super::types::{WriteSelfOut, bare, is_context, is_named, is_nearly_context, parse_type_ref, quiet_type_ref};
use crate::body::Body;
use crate::errors::Errors;
use crate::lint::{Lint, named};
use crate::model::{Cfg, Due, Handler, Output, Trigger, TypeRef, unraw};

/// What the attribute says.
struct Said {
    due: Option<Due>,
    source: bool,
    allow: Vec<Lint>,
}

/// Reads one handler. If not even its state can be made out, it counts as one of the `start`, so that what it returns is
/// known; `None` if there is none.
pub(crate) fn parse_handler(
    item: &ImplItemFn,
    inert: &Inert,
    self_ty: &Type,
    start: Option<&TypeRef>,
    errors: &mut Errors,
) -> Option<Handler> {
    let mut mistakes = Errors::default();
    let said = parse_attribute(inert, self_ty, &mut mistakes);
    let signature = &item.sig;
    check_plain(signature, &mut mistakes);
    check_receiver(signature, &mut mistakes);
    let effects = check_context(signature, inert.kind, &mut mistakes);
    let arguments: Vec<&PatType> = signature
        .inputs
        .iter()
        .filter_map(|argument| match argument {
            FnArg::Typed(argument) if !is_nearly_context(&argument.ty) => Some(argument),
            FnArg::Typed(_) | FnArg::Receiver(_) => None,
        })
        // It has been reported in place of the context.
        .filter(|argument| unknown_context(signature, inert.kind).is_none_or(|context| context != *argument))
        .collect();
    check_count(signature, inert.kind, &arguments, effects, &mut mistakes);
    let mut write_out = WriteSelfOut(self_ty);
    let mut role = |argument: Option<&&PatType>, role: &str, mistakes: &mut Errors| -> Option<TypeRef> {
        let argument = argument?;
        let ty = write_out.in_type(&argument.ty);
        match mistakes.ok(parse_type_ref(&argument.ty, role)) {
            Some(_) => parse_type_ref(&ty, role).ok(),
            None => quiet_type_ref(&ty),
        }
    };
    let state = role(arguments.first(), "a state", &mut mistakes);
    let trigger = match inert.kind {
        InertKind::State | InertKind::Step | InertKind::Parallel | InertKind::Migrate => Some(Trigger::Entry),
        InertKind::On => role(arguments.get(1), "an event", &mut mistakes).map(|event| Trigger::On { event }),
        // Without a time, it was reported.
        InertKind::After | InertKind::At | InertKind::Every => said.due.map(|due| Trigger::After { due }),
        InertKind::Catch => role(arguments.get(1), "an error", &mut mistakes)
            .map(|error| Trigger::Catch { error: error.ty, source: said.source }),
    };
    let guessed = state.is_none();
    let output = parse_output(&signature.output, &signature.ident, state.as_ref(), self_ty, &mut mistakes);
    if inert.kind == InertKind::Every && mistakes.is_empty() {
        check_every(signature, &output, &mut mistakes);
    }
    // #[after("1h")] fn late(&self, s: Pending) -> Reply<u32, Cancelled>
    if let Some(reply) = output.reply.as_ref().filter(|_| inert.kind != InertKind::On) {
        mistakes
            .span(reply.span, "only an event is answered: `Reply` is for `#[on]` handlers; return the target alone");
    }
    let broken = !mistakes.is_empty() || trigger.is_none() || output.broken;
    errors.take(mistakes);
    Some(Handler {
        trigger: trigger.unwrap_or(Trigger::Entry),
        ident: signature.ident.clone(),
        state: state.or_else(|| start.cloned())?,
        effects,
        lifetimes: !signature.generics.params.is_empty(),
        unclear: guessed || output.broken,
        output,
        doc: doc_text(&item.attrs),
        cfg: Cfg::of(&item.attrs),
        allow: said.allow,
        line: line_of(signature.ident.span()),
        body: Some(Body::new(item.block.clone())),
        broken,
    })
}

fn parse_attribute(inert: &Inert, self_ty: &Type, errors: &mut Errors) -> Said {
    let mut said = Said { due: None, source: false, allow: Vec::new() };
    let name = inert.kind.name();
    if inert.ident != name {
        errors.at(
            &inert.ident,
            format!("`#[{}]` goes on a struct or an enum; a handler that takes an event is `#[on]`", inert.ident),
        );
        return said;
    }
    if inert.is_assignment {
        errors.at(&inert.ident, format!("write `#[{name}]`, or `#[{name}(…)]`"));
        return said;
    }
    let mut tokens = inert.tokens.clone();
    if matches!(inert.kind, InertKind::After | InertKind::At | InertKind::Every) {
        (said.due, tokens) = take_due(inert, self_ty, errors);
    }
    let known: &[&str] = if inert.kind == InertKind::Catch { &["source", "allow"] } else { &["allow"] };
    parse_keys(name, known, tokens, errors, |key, input, errors| {
        if key == "source" {
            said.source = true;
            return flag(key, input);
        }
        said.allow = named(name_list(key, "endless_wait", input)?, errors);
        Ok(())
    });
    said
}

// #[every("2d")] fn reminded(&self, s: Pending) -> Cancelled
fn check_every(signature: &Signature, output: &Output, errors: &mut Errors) {
    if output.waits().is_some() {
        return;
    }
    let syn::ReturnType::Type(_, ty) = &signature.output else { return };
    errors.at(
        ty,
        "this leaves the state the first time, so it is no `#[every]`: return `Stay<S>` or `Wait`, perhaps as one of several, as in `Next<(A, Wait)>`, or write `#[after(…)]`",
    );
}

// #[on] unsafe fn paid(&self, …)
// #[on] fn paid<T>(&self, …)
fn check_plain(signature: &Signature, errors: &mut Errors) {
    if let syn::Safety::Unsafe(word) = &signature.safety {
        errors.at(word, "a handler is called by the engine, so it cannot be `unsafe`");
    }
    let parameter = signature.generics.params.iter().find(|parameter| !matches!(parameter, GenericParam::Lifetime(_)));
    if let Some(parameter) = parameter {
        errors.at(parameter, "a handler has no type parameters of its own: put them on the `impl`");
    }
}

// #[on] fn paid(s: PendingPayment, payment: Payment) -> …
// #[on] fn paid(&mut self, …)
fn check_receiver(signature: &Signature, errors: &mut Errors) {
    match signature.receiver() {
        Some(receiver) => {
            if !is_shared(receiver) {
                errors.at(
                    receiver,
                    "a handler takes `&self`: the workflow holds dependencies, and data is in the states",
                );
            }
        }
        None => {
            let name = unraw(&signature.ident);
            errors
                .at(&signature.ident, format!("`{name}` has no `&self`: a handler takes `(&self, cx: &Cx, state: S)`"));
        }
    }
}

/// Whether it is `&self`, however it is written.
pub(crate) fn is_shared(receiver: &Receiver) -> bool {
    match &receiver.kind {
        ReceiverKind::Reference(_, _, mutability) => mutability.is_none(),
        ReceiverKind::Typed(_, ty) => {
            matches!(bare(ty), Type::Reference(reference) if reference.mutability.is_none() && is_named(&reference.elem, "Self"))
        }
        _ => false,
    }
}

/// The first argument of an async handler that has one too many, and that may be a context: by an alias, for example.
// #[state] async fn fulfilling(&self, cx: &Context, s: Fulfilling) -> …
fn unknown_context(signature: &Signature, kind: InertKind) -> Option<&PatType> {
    let mut typed = signature.inputs.iter().filter_map(|argument| match argument {
        FnArg::Typed(argument) => Some(argument),
        FnArg::Receiver(_) => None,
    });
    let too_many = typed.clone().count() > payload_count(kind) + 1;
    let known = typed.clone().any(|argument| is_nearly_context(&argument.ty));
    let first = typed.next().filter(|argument| matches!(bare(&argument.ty), Type::Reference(_)));
    first.filter(|_| signature.asyncness.is_some() && too_many && !known)
}

/// How many arguments follow the state.
fn payload_count(kind: InertKind) -> usize {
    usize::from(matches!(kind, InertKind::On | InertKind::Catch))
}

/// Whether the handler has effects.
// #[state] fn fulfilling(&self, cx: &Cx, s: Fulfilling) -> …
// #[state] async fn fulfilling(&self, s: Fulfilling) -> …
// #[state] async fn fulfilling(&self, s: Fulfilling, cx: &Cx) -> …
fn check_context(signature: &Signature, kind: InertKind, errors: &mut Errors) -> bool {
    let typed = signature.inputs.iter().filter_map(|argument| match argument {
        FnArg::Typed(argument) => Some(argument),
        FnArg::Receiver(_) => None,
    });
    let context = typed.enumerate().find(|(_, argument)| is_nearly_context(&argument.ty));
    match (context, &signature.asyncness) {
        (Some((place, argument)), asyncness) => {
            if !is_context(&argument.ty) {
                errors.at(&argument.ty, "the context is taken by reference: write `cx: &Cx`");
            } else if place != 0 {
                let order = expected_arguments(kind, true);
                errors.at(argument, format!("the arguments are in the wrong order: write `{order}`"));
            } else if asyncness.is_none() && future_output(&signature.output).is_none() {
                errors.at(
                    signature.fn_token,
                    "a handler with `cx: &Cx` has effects: write `async fn`, or leave `cx` out if it has none",
                );
            }
            true
        }
        (None, Some(_)) if let Some(context) = unknown_context(signature, kind) => {
            errors.at(&context.ty, "the context is recognised by its name: write `cx: &Cx`");
            true
        }
        (None, Some(asyncness)) => {
            errors.at(asyncness, "an async handler takes `cx: &Cx` after `&self`; one without effects is a plain `fn`");
            true
        }
        (None, None) => false,
    }
}

// #[state] fn fulfilling(&self) -> …
// #[on] fn paid(&self, s: PendingPayment) -> …
fn check_count(signature: &Signature, kind: InertKind, arguments: &[&PatType], effects: bool, errors: &mut Errors) {
    let (name, expected) = (unraw(&signature.ident), expected_arguments(kind, effects));
    let count = 1 + payload_count(kind);
    match (arguments.len(), arguments.get(count)) {
        (_, Some(extra)) => errors.at(extra, format!("`#[{}]` takes `{expected}`, and nothing more", kind.name())),
        (0, None) => errors.at(&signature.ident, format!("`{name}` does not take a state: write `{expected}`")),
        (len, None) if len < count => {
            let missing = if kind == InertKind::On { "the event" } else { "the error" };
            let span = arguments.last().map_or_else(|| signature.ident.span(), |last| last.ty.span());
            errors.span(span, format!("{missing} is missing after the state: write `{expected}`"));
        }
        _ => {}
    }
}

fn expected_arguments(kind: InertKind, effects: bool) -> &'static str {
    match (kind, effects) {
        (InertKind::On, true) => "(&self, cx: &Cx, state: S, event: E)",
        (InertKind::On, false) => "(&self, state: S, event: E)",
        (InertKind::Catch, true) => "(&self, cx: &Cx, state: S, error: E)",
        (InertKind::Catch, false) => "(&self, state: S, error: E)",
        (_, true) => "(&self, cx: &Cx, state: S)",
        (_, false) => "(&self, state: S)",
    }
}
