//! A handler: its attribute and its signature.

use syn::spanned::Spanned as _;
use syn::{FnArg, GenericParam, ImplItemFn, PatType, ReceiverKind, Signature, Type};

use super::attributes::{Inert, InertKind, doc_text, line_of};
use super::keys::{flag, name_list, parse_keys};
use super::output::parse_output;
use super::timer::take_due;
use super::types::{WriteSelfOut, is_context, is_nearly_context, parse_type_ref};
use crate::errors::Errors;
use crate::lint::{Lint, named};
use crate::model::{Cfg, Due, Handler, Output, Trigger, TypeRef, unraw};

/// What the attribute says.
struct Said {
    due: Option<Due>,
    source: bool,
    allow: Vec<Lint>,
}

/// Reads one handler. `None` if not even its state can be made out.
pub(crate) fn parse_handler(item: &ImplItemFn, inert: &Inert, self_ty: &Type, errors: &mut Errors) -> Option<Handler> {
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
        .collect();
    check_count(signature, inert.kind, &arguments, effects, &mut mistakes);
    let mut write_out = WriteSelfOut(self_ty);
    let mut role = |argument: Option<&&PatType>, role: &str, mistakes: &mut Errors| -> Option<TypeRef> {
        let argument = argument?;
        mistakes.ok(parse_type_ref(&argument.ty, role))?;
        parse_type_ref(&write_out.in_type(&argument.ty), role).ok()
    };
    let state = role(arguments.first(), "a state", &mut mistakes);
    let trigger = match inert.kind {
        InertKind::State | InertKind::Step => Some(Trigger::Entry),
        InertKind::On => role(arguments.get(1), "an event", &mut mistakes).map(|event| Trigger::On { event }),
        // Without a time, it was reported.
        InertKind::After | InertKind::At | InertKind::Every => said.due.map(|due| Trigger::After { due }),
        InertKind::Catch => role(arguments.get(1), "an error", &mut mistakes)
            .map(|error| Trigger::Catch { error: error.ty, source: said.source }),
    };
    let output = parse_output(&signature.output, &signature.ident, state.as_ref(), self_ty, &mut mistakes);
    if inert.kind == InertKind::Every && mistakes.is_empty() {
        check_every(signature, &output, &mut mistakes);
    }
    let broken = !mistakes.is_empty() || trigger.is_none();
    errors.take(mistakes);
    Some(Handler {
        trigger: trigger.unwrap_or(Trigger::Entry),
        ident: signature.ident.clone(),
        state: state?,
        effects,
        output,
        doc: doc_text(&item.attrs),
        cfg: Cfg::of(&item.attrs),
        allow: said.allow,
        line: line_of(signature.ident.span()),
        body: Some(item.block.clone()),
        broken,
    })
}

fn parse_attribute(inert: &Inert, self_ty: &Type, errors: &mut Errors) -> Said {
    let mut said = Said { due: None, source: false, allow: Vec::new() };
    let name = inert.kind.name();
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
            if !matches!(&receiver.kind, ReceiverKind::Reference(_, _, None)) {
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
            } else if asyncness.is_none() {
                errors.at(
                    signature.fn_token,
                    "a handler with `cx: &Cx` has effects: write `async fn`, or leave `cx` out if it has none",
                );
            }
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
    let count = if matches!(kind, InertKind::On | InertKind::Catch) { 2 } else { 1 };
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
        (InertKind::State | InertKind::After | InertKind::At | InertKind::Every | InertKind::Step, true) => {
            "(&self, cx: &Cx, state: S)"
        }
        (InertKind::State | InertKind::After | InertKind::At | InertKind::Every | InertKind::Step, false) => {
            "(&self, state: S)"
        }
        (InertKind::On, true) => "(&self, cx: &Cx, state: S, event: E)",
        (InertKind::On, false) => "(&self, state: S, event: E)",
        (InertKind::Catch, true) => "(&self, cx: &Cx, state: S, error: E)",
        (InertKind::Catch, false) => "(&self, state: S, error: E)",
    }
}
