//! `undo = release`: the method that undoes a step, and what is to be known of the two.

use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::visit_mut::{self, VisitMut};
use syn::{FnArg, GenericParam, Ident, ImplItemFn, Lifetime, PatType, ReturnType, Signature, Token, Type, parse_quote};

use super::attributes::{Inert, InertKind};
use super::handler::is_shared;
use super::output::future_output;
use super::types::{WriteSelfOut, bare, is_context, is_named, is_nearly_context, last_segment, type_arguments};
use crate::errors::Errors;
use crate::expand::type_text;
use crate::model::{Step, Undo, UndoArgument, unraw};
use crate::nearest::nearest;

/// A method of the impl, as an undo sees it.
pub(crate) struct Method {
    signature: Signature,
    /// What its attribute makes of it.
    kind: Option<InertKind>,
}

impl Method {
    pub(crate) fn new(method: &ImplItemFn, inert: &[Inert]) -> Self {
        Self { signature: method.sig.clone(), kind: inert.first().map(|inert| inert.kind) }
    }
}

/// `= release`.
// #[step(undo)]
// #[step(undo = "release")]
// #[step(undo = self.release)]
pub(crate) fn parse_undo(key: &Ident, input: ParseStream<'_>) -> syn::Result<Ident> {
    let wanted = "name the method that undoes the step: `undo = release`";
    if !input.peek(Token![=]) {
        return Err(syn::Error::new(key.span(), wanted));
    }
    input.parse::<Token![=]>()?;
    if !input.peek(Ident::peek_any) {
        return Err(input.error(wanted));
    }
    let method = input.call(Ident::parse_any)?;
    if !input.is_empty() && !input.peek(Token![,]) {
        return Err(syn::Error::new(method.span(), format!("{wanted}, without `self` or a path")));
    }
    Ok(method)
}

/// What the steps' undos are. One with a mistake is reported and left out. `unreachable`: nothing leads to them.
pub(crate) fn resolve_undos(
    steps: &[Step],
    methods: &[Method],
    self_ty: &Type,
    unreachable: bool,
    errors: &mut Errors,
) -> Vec<Undo> {
    let with_undo = steps.iter().filter_map(|step| Some((step, step.undo.as_ref()?)));
    let mut undos = Vec::new();
    for (step, named) in with_undo {
        if unreachable {
            errors.at(
                named,
                "a part with `undo` has a handler, by which the main impl finds it: write the step where it is called",
            );
            continue;
        }
        let Some(method) = methods.iter().find(|method| method.signature.ident == step.ident) else { continue };
        let mut mistakes = Errors::default();
        let undo = resolve(step, named, method, methods, steps, self_ty, &mut mistakes);
        undos.extend(undo.filter(|_| mistakes.is_empty()));
        errors.take(mistakes);
    }
    undos
}

fn resolve(
    step: &Step,
    named: &Ident,
    method: &Method,
    methods: &[Method],
    steps: &[Step],
    self_ty: &Type,
    errors: &mut Errors,
) -> Option<Undo> {
    let (arguments, output) = (check_step(&method.signature, self_ty, errors), result(&method.signature)?);
    let wanted = wanted(named, output);
    if *named == step.ident {
        let wanted = wanted.replacen(&format!("fn {named}("), &format!("fn undo_{}(", unraw(named)), 1);
        errors.at(named, format!("a step does not undo itself: write another method, `{wanted}`"));
        return None;
    }
    let Some(undo) = methods.iter().find(|method| method.signature.ident == *named) else {
        let names: Vec<String> = methods.iter().map(|method| unraw(&method.signature.ident)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).filter(|name| *name != unraw(&step.ident)).collect();
        let hint = nearest(&unraw(named), &names).map(|near| format!("did you mean `{near}`? Or ")).unwrap_or_default();
        errors.at(named, format!("this impl has no method `{named}`: {hint}write `{wanted}`"));
        return None;
    };
    match undo.kind {
        None | Some(InertKind::Step) => {}
        Some(_) => {
            let wanted = wanted.replacen(&format!("fn {named}("), &format!("fn undo_{}(", unraw(&step.ident)), 1);
            errors.at(named, format!("`{named}` is a handler, and an undo is a method of its own: write `{wanted}`"));
            return None;
        }
    }
    let is_step = steps.iter().any(|step| step.ident == *named);
    if undo.kind.is_some() && !is_step {
        // What is wrong with it has been reported.
        return None;
    }
    let takes = check_undo(&undo.signature, is_step, &wanted, errors)?;
    let returns = result(&undo.signature)?;
    let mut write_out = WriteSelfOut(self_ty);
    let mut owned = |ty: &Type| without_lifetimes(&write_out.in_type(ty));
    let (takes, by_reference) = match bare(&takes.ty) {
        Type::Reference(reference) => (&*reference.elem, true),
        ty => (ty, false),
    };
    Some(Undo {
        step: step.ident.clone(),
        cfg: step.cfg.clone(),
        arguments,
        output: owned(output),
        method: named.clone(),
        takes: owned(takes),
        by_reference,
        returns: owned(returns),
        is_step,
    })
}

/// The step's arguments as they are saved.
// #[step(undo = release)] async fn reserve<T: Serialize>(&self, cx: &Cx, item: T) -> …
// #[step(undo = release)] async fn reserve(&self, cx: &Cx, item: impl Serialize) -> …
// #[step(undo = release)] async fn reserve(&self, cx: &Cx, stock: &mut Stock) -> …
fn check_step(signature: &Signature, self_ty: &Type, errors: &mut Errors) -> Vec<UndoArgument> {
    let is_type = |parameter: &&GenericParam| !matches!(parameter, GenericParam::Lifetime(_));
    if let Some(parameter) = signature.generics.params.iter().find(is_type) {
        errors.at(
            parameter,
            "a step with `undo` has no parameters of its own, as it is run again from what is saved: name the types",
        );
    }
    let mut arguments = Vec::new();
    for argument in arguments_of(signature) {
        let owned = match bare(&argument.ty) {
            Type::Reference(reference) if reference.mutability.is_some() => None,
            Type::Reference(reference) => owned(&reference.elem).map(|ty| (ty, true)),
            ty => owned(ty).map(|ty| (ty, false)),
        };
        match owned {
            Some((ty, by_reference)) => {
                let ty = without_lifetimes(&WriteSelfOut(self_ty).in_type(&ty));
                arguments.push(UndoArgument { ty, by_reference });
            }
            None => errors.at(
                &argument.ty,
                "the arguments of a step with `undo` are saved before it runs, so that it can be run again: take a type that can be saved, by value or by `&`",
            ),
        }
    }
    arguments
}

/// The type that an argument is read back as.
fn owned(ty: &Type) -> Option<Type> {
    match bare(ty) {
        Type::Slice(slice) => {
            let elem = &slice.elem;
            Some(parse_quote!(::std::vec::Vec<#elem>))
        }
        ty if is_named(ty, "str") => Some(parse_quote!(::std::string::String)),
        Type::ImplTrait(_) | Type::TraitObject(_) | Type::Reference(_) | Type::Ptr(_) => None,
        ty => Some(ty.clone()),
    }
}

/// What the undo takes.
// fn release(&self, cx: &Cx, reservation: Reservation) -> …
// async fn release(&self, reservation: Reservation) -> …
// async fn release(&self, cx: &Cx) -> …
// async fn release(&self, cx: &Cx, reservation: Reservation)
fn check_undo<'a>(signature: &'a Signature, is_step: bool, wanted: &str, errors: &mut Errors) -> Option<&'a PatType> {
    let ident = &signature.ident;
    let is_type = |parameter: &&GenericParam| !matches!(parameter, GenericParam::Lifetime(_));
    let typed = || signature.inputs.iter().filter_map(typed);
    // A step that blocks its thread is a plain function.
    let is_async = is_step || signature.asyncness.is_some() || future_output(&signature.output).is_some();
    let wrong = if let Some(parameter) = signature.generics.params.iter().find(is_type) {
        (parameter.to_token_stream(), "an undo has no parameters of its own".to_owned())
    } else if !is_async {
        (signature.fn_token.to_token_stream(), "an undo is async".to_owned())
    } else if !signature.receiver().is_some_and(is_shared) {
        (ident.to_token_stream(), "an undo takes `&self`".to_owned())
    } else if let Some(context) = typed().find(|argument| is_nearly_context(&argument.ty) && !is_context(&argument.ty))
    {
        (context.ty.to_token_stream(), "the context is taken by reference".to_owned())
    } else if !typed().next().is_some_and(|first| is_context(&first.ty)) {
        (ident.to_token_stream(), "an undo takes `cx: &Cx` after `&self`".to_owned())
    } else if result(signature).is_none() {
        (ident.to_token_stream(), "an undo may fail, and says so".to_owned())
    } else {
        let arguments: Vec<&PatType> = typed().skip(1).collect();
        match arguments.as_slice() {
            [argument] => return Some(argument),
            [] => (ident.to_token_stream(), "an undo takes what its step has returned".to_owned()),
            [_, extra, ..] => {
                (extra.to_token_stream(), "an undo takes what its step has returned, and nothing more".to_owned())
            }
        }
    };
    let (tokens, message) = wrong;
    errors.at(tokens, format!("{message}: write `{wanted}`"));
    None
}

fn wanted(named: &Ident, output: &Type) -> String {
    let value = last_segment(output).and_then(|segment| type_arguments(segment).first().map(|ty| type_text(*ty)));
    format!("async fn {named}(&self, cx: &Cx, output: {}) -> Result<()>", value.unwrap_or_else(|| "T".to_owned()))
}

/// The return type, if it is a `Result`.
fn result(signature: &Signature) -> Option<&Type> {
    if let Some(output) = future_output(&signature.output) {
        return Some(output).filter(|ty| is_named(ty, "Result"));
    }
    match &signature.output {
        ReturnType::Type(_, ty) if is_named(ty, "Result") => Some(ty),
        _ => None,
    }
}

/// The arguments after the context.
fn arguments_of(signature: &Signature) -> impl Iterator<Item = &PatType> {
    signature.inputs.iter().filter_map(typed).skip(1)
}

fn typed(input: &FnArg) -> Option<&PatType> {
    match input {
        FnArg::Typed(argument) => Some(argument),
        FnArg::Receiver(_) => None,
    }
}

/// The type where no lifetime of the method is known.
fn without_lifetimes(ty: &Type) -> Type {
    struct Forget;
    impl VisitMut for Forget {
        fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
            if lifetime.ident != "static" {
                *lifetime = Lifetime::new("'_", lifetime.span());
            }
        }

        fn visit_type_mut(&mut self, ty: &mut Type) {
            visit_mut::visit_type_mut(self, ty);
        }
    }
    let mut ty = ty.clone();
    Forget.visit_type_mut(&mut ty);
    ty
}
