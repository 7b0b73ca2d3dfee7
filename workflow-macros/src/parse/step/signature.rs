//! The signature of a step.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::spanned::Spanned as _;
use syn::{FnArg, GenericParam, ReturnType, Signature, Type};

use crate::errors::Errors;
use crate::expand::type_text;
use crate::parse::handler::is_shared;
use crate::parse::output::future_output;
use crate::parse::types::{bare, is_context, is_nearly_context, last_segment, type_arguments};

/// Checks the signature of a step.
// #[step] fn reserve(&self, cx: &Cx) -> …
// #[step] async fn reserve(&self, order: &Order) -> …
// #[step] async fn reserve(&self, cx: &Cx) -> Reservation
// #[step(blocking)] async fn digest(&self, cx: &Cx, path: PathBuf) -> Result<u64>
// #[step(blocking)] fn digest(&self, cx: &Cx, path: &Path) -> Result<u64>
pub(super) fn check_step_signature(signature: &Signature, method: bool, blocking: bool, errors: &mut Errors) {
    let expected = if method { "(&self, cx: &Cx, …)" } else { "(cx: &Cx, …)" };
    if blocking {
        check_blocking(signature, errors);
    } else if let (None, Some(output)) = (&signature.asyncness, future_output(&signature.output)) {
        let message = format!("a step is async: write `async fn {}(…) -> {}`", signature.ident, type_text(output));
        errors.at(signature.fn_token, message);
        return;
    } else if signature.asyncness.is_none() {
        let message = "a step is async: write `async fn`, or `#[step(blocking)]` if it blocks its thread";
        errors.at(signature.fn_token, message);
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

/// What a step returns, unless it speaks of parameters of the step itself.
pub(super) fn nameable_output(signature: &Signature) -> Option<&Type> {
    let ReturnType::Type(_, output) = &signature.output else { return None };
    let text = output.to_token_stream();
    let parameters = signature.generics.params.iter().map(|parameter| match parameter {
        GenericParam::Type(parameter) => parameter.ident.to_string(),
        GenericParam::Const(parameter) => parameter.ident.to_string(),
        GenericParam::Lifetime(parameter) => parameter.lifetime.ident.to_string(),
    });
    let parameters: Vec<_> = parameters.collect();
    (!names_any(text, &parameters)).then_some(output)
}

fn names_any(tokens: TokenStream, names: &[String]) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Group(group) => names_any(group.stream(), names),
        TokenTree::Ident(ident) => names.contains(&ident.to_string()),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

fn is_context_argument(argument: &FnArg) -> bool {
    matches!(argument, FnArg::Typed(argument) if is_nearly_context(&argument.ty))
}

/// Checks what is particular to a step that has a thread of its own.
fn check_blocking(signature: &Signature, errors: &mut Errors) {
    if let Some(word) = &signature.asyncness {
        errors.at(word, "a `blocking` step has a thread of its own, where nothing is awaited: write a plain `fn`, or leave `blocking` out");
    }
    for input in &signature.inputs {
        if let FnArg::Typed(argument) = input
            && let Type::Reference(reference) = bare(&argument.ty)
            && !is_nearly_context(&argument.ty)
        {
            let owned = owned(&reference.elem);
            let message = format!(
                "a `blocking` step has a thread of its own, which may outlive the caller: take it by value, as `{owned}`"
            );
            errors.at(&argument.ty, message);
        }
    }
}

/// What is taken by value instead of a reference to this.
fn owned(ty: &Type) -> String {
    match type_text(ty).as_str() {
        "str" => "String".to_owned(),
        "Path" => "PathBuf".to_owned(),
        text => match text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
            Some(element) => format!("Vec<{element}>"),
            None => text.to_owned(),
        },
    }
}
