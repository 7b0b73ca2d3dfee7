//! The signature of a step.

use syn::spanned::Spanned as _;
use syn::{FnArg, ReturnType, Signature};

use crate::errors::Errors;
use crate::expand::type_text;
use crate::parse::handler::is_shared;
use crate::parse::output::future_output;
use crate::parse::types::{is_context, is_nearly_context, last_segment, type_arguments};

/// Checks the signature of a step.
// #[step] fn reserve(&self, cx: &Cx) -> …
// #[step] async fn reserve(&self, order: &Order) -> …
// #[step] async fn reserve(&self, cx: &Cx) -> Reservation
pub(super) fn check_step_signature(signature: &Signature, method: bool, errors: &mut Errors) {
    let expected = if method { "(&self, cx: &Cx, …)" } else { "(cx: &Cx, …)" };
    if let (None, Some(output)) = (&signature.asyncness, future_output(&signature.output)) {
        let message = format!("a step is async: write `async fn {}(…) -> {}`", signature.ident, type_text(output));
        errors.at(signature.fn_token, message);
        return;
    }
    if signature.asyncness.is_none() {
        errors.at(signature.fn_token, "a step is async: write `async fn`");
    }
    if let syn::Safety::Unsafe(word) = &signature.safety {
        errors.at(word, "a step is called again after a crash, so it cannot be `unsafe`");
    }
    let mut inputs = signature.inputs.iter();
    if method {
        match inputs.next() {
            Some(FnArg::Receiver(receiver)) if is_shared(receiver) => {}
            Some(FnArg::Receiver(receiver)) => {
                errors.at(receiver, "a step takes `&self`: it may be tried again");
            }
            _ => {
                let message =
                    format!("a step of a workflow takes `{expected}`; without `&self`, write it as a free function");
                errors.at(&signature.ident, message);
                return;
            }
        }
    }
    match inputs.next() {
        Some(FnArg::Typed(argument)) if is_context(&argument.ty) => {}
        Some(FnArg::Typed(argument)) if is_nearly_context(&argument.ty) => {
            errors.at(&argument.ty, "the context is taken by reference: write `cx: &Cx`");
        }
        Some(_) if let Some(context) = inputs.clone().find(|input| is_context_argument(input)) => {
            errors.at(context, format!("the arguments are in the wrong order: write `{expected}`"));
        }
        Some(argument) => errors.at(argument, format!("`cx: &Cx` is missing: a step takes `{expected}`")),
        None => errors.at(&signature.ident, format!("`cx: &Cx` is missing: a step takes `{expected}`")),
    }
    let wanted = "a step returns `Result<T>` or `Result<T, E>`: its success or its failure is recorded";
    match &signature.output {
        ReturnType::Default => errors.at(&signature.ident, wanted),
        ReturnType::Type(_, ty) => {
            let is_result = last_segment(ty)
                .is_some_and(|segment| segment.ident == "Result" && !type_arguments(segment).is_empty());
            // `io::Result` and the like are told by the types.
            if !is_result {
                errors.span(ty.span(), wanted);
            }
        }
    }
}

fn is_context_argument(argument: &FnArg) -> bool {
    matches!(argument, FnArg::Typed(argument) if is_nearly_context(&argument.ty))
}
