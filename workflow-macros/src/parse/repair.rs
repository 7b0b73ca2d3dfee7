//! Signatures with mistakes, as they are emitted: so that rustc has nothing to say of what has been reported.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::quote;
use syn::visit_mut::{self, VisitMut};
use syn::{FnArg, PathArguments, PathSegment, ReturnType, Signature, Type, parse_quote};

use super::handler::is_shared;
use super::output::{MOST_TARGETS, future_output};
use super::types::{bare, is_named, is_nearly_context, last_segment, type_arguments};
use crate::model::{Runtime, TypeRef};

/// Repairs the return type of a handler of `state`, and hands back the `Next<…>` that is in it now.
pub(crate) fn repair_output(output: &mut ReturnType, state: Option<&TypeRef>, runtime: &Runtime) -> Option<Box<Type>> {
    let ReturnType::Type(_, ty) = output else { return None };
    let mut repair = Repair { state, runtime, next: None };
    repair.visit_type_mut(ty);
    repair.next
}

/// Whether it names an `Unwind` that does not say of what, so that nothing can be said of what the body returns.
// -> Unwind
pub(crate) fn is_beyond_repair(output: &ReturnType) -> bool {
    let ReturnType::Type(_, ty) = output else { return false };
    let success = match last_segment(ty) {
        Some(segment) if segment.ident == "Result" => type_arguments(segment).first().copied(),
        _ => Some(&**ty),
    };
    let segment = success.and_then(last_segment);
    segment.is_some_and(|segment| segment.ident == "Unwind" && type_arguments(segment).len() != 1)
}

/// Makes of the signature of a step what its callers take it for. `awaited`: whether they await it.
pub(crate) fn repair_step(signature: &mut Signature, awaited: bool) {
    if awaited && future_output(&signature.output).is_none() {
        signature.constness = None;
        signature.asyncness.get_or_insert_with(|| parse_quote!(async));
    }
    let mut inputs: Vec<FnArg> = std::mem::take(&mut signature.inputs).into_iter().collect();
    let first = usize::from(matches!(inputs.first(), Some(FnArg::Receiver(_))));
    if let Some(FnArg::Receiver(receiver)) = inputs.first_mut()
        && !is_shared(receiver)
    {
        *receiver = parse_quote!(&self);
    }
    let is_context_argument =
        |input: &FnArg| matches!(input, FnArg::Typed(argument) if is_nearly_context(&argument.ty));
    if let Some(place) = inputs.iter().position(is_context_argument) {
        let mut context = inputs.remove(place);
        if let FnArg::Typed(argument) = &mut context {
            let by_value = match bare(&argument.ty) {
                Type::Reference(reference) => (*reference.elem).clone(),
                ty => ty.clone(),
            };
            *argument.ty = parse_quote!(&#by_value);
        }
        inputs.insert(first.min(inputs.len()), context);
    }
    signature.inputs = inputs.into_iter().collect();
}

/// The methods that are called and awaited on the spot: `.reserve(…).await`.
pub(crate) fn awaited_methods(tokens: TokenStream) -> Vec<Ident> {
    let mut awaited = Vec::new();
    let mut before: [Option<TokenTree>; 3] = [None, None, None];
    for token in tokens {
        if let TokenTree::Group(group) = &token {
            awaited.extend(awaited_methods(group.stream()));
        }
        if let (
            TokenTree::Ident(word),
            [Some(TokenTree::Ident(method)), Some(TokenTree::Group(_)), Some(TokenTree::Punct(_))],
        ) = (&token, &before)
            && word == "await"
        {
            awaited.push(method.clone());
        }
        let [_, second, third] = before;
        before = [second, third, Some(token)];
    }
    awaited
}

struct Repair<'a> {
    state: Option<&'a TypeRef>,
    runtime: &'a Runtime,
    next: Option<Box<Type>>,
}

impl VisitMut for Repair<'_> {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        visit_mut::visit_type_mut(self, ty);
        // The outermost one is visited last.
        if is_named(ty, "Next") {
            self.next = Some(Box::new(ty.clone()));
        }
    }

    fn visit_path_segment_mut(&mut self, segment: &mut PathSegment) {
        visit_mut::visit_path_segment_mut(self, segment);
        if segment.ident == "Wait" {
            segment.arguments = PathArguments::None;
        } else if (segment.ident == "Stay" || segment.ident == "Unwind")
            && type_arguments(segment).len() != 1
            && let Some(state) = self.state
        {
            segment.arguments = PathArguments::AngleBracketed(parse_quote!(<#state>));
        } else if segment.ident == "Next" {
            let targets = self.targets(&type_arguments(segment));
            segment.arguments = PathArguments::AngleBracketed(parse_quote!(<#targets>));
        }
    }
}

impl Repair<'_> {
    /// Each target once, in a tuple; where they are beyond repair, what takes any target.
    fn targets(&self, arguments: &[&Type]) -> Type {
        let runtime = self.runtime;
        let any: Type = parse_quote!(#runtime::__private::AnyTargets);
        let [argument] = arguments else { return any };
        let Type::Tuple(tuple) = bare(argument) else { return any };
        let mut members: Vec<&Type> = Vec::new();
        for member in &tuple.elems {
            if self.is_hopeless(member) {
                return any;
            }
            if !members.iter().any(|known| is_same(known, member)) {
                members.push(member);
            }
        }
        if members.is_empty() || members.len() > MOST_TARGETS {
            return any;
        }
        syn::parse2(quote!((#(#members,)*))).unwrap_or(any)
    }

    /// Whether what a body returns cannot be told from this member.
    fn is_hopeless(&self, member: &Type) -> bool {
        let Some(segment) = last_segment(member) else { return true };
        let is_other = |stays: &Type| self.state.is_some_and(|state| !is_named(stays, &state.name.to_string()));
        match segment.ident.to_string().as_str() {
            "Next" | "Result" => true,
            "Stay" => type_arguments(segment).into_iter().any(is_other),
            "Unwind" => type_arguments(segment)
                .into_iter()
                .any(|state| last_segment(state).is_none_or(|state| !type_arguments(state).is_empty())),
            _ => false,
        }
    }
}

fn is_same(one: &Type, other: &Type) -> bool {
    let name = |ty: &Type| last_segment(ty).map(|segment| segment.ident.clone());
    let unwound = |ty: &Type| {
        let segment = last_segment(ty).filter(|segment| segment.ident == "Unwind")?;
        type_arguments(segment).into_iter().next().cloned()
    };
    match (unwound(one), unwound(other)) {
        (Some(one), Some(other)) => name(&one) == name(&other),
        _ => name(one) == name(other),
    }
}
