//! `#[workflow]` on an `async fn`: what of it is input, what is a dependency, and what it comes to.

use proc_macro2::Span;
use syn::visit::{self, Visit};
use syn::{
    Attribute, FnArg, GenericArgument, GenericParam, Ident, ItemFn, Lifetime, Meta, Pat, PatType, PathArguments,
    ReturnType, Signature, Type, TypeImplTrait, TypeReference, parse_quote,
};

use super::half_typed::OpenFunction;
use super::types::{bare, is_context, is_nearly_context, last_segment, type_arguments};
use crate::body::Body;
use crate::case::{camel, snake};
use crate::errors::Errors;
use crate::expand::type_text;
use crate::machine_impl::check_once;
use crate::model::unraw;
use crate::nearest::nearest;

const EXPECTED: &str = "(cx: &Cx, #[dep] client: &Client, input: Input)";

/// A workflow that is one function.
#[derive(Debug)]
pub(crate) struct Sequential {
    /// The workflow's type.
    pub(crate) ident: Ident,
    /// The function, as it is emitted again.
    pub(crate) open: OpenFunction,
    /// Everything that it takes after the context, in order.
    pub(crate) arguments: Vec<Argument>,
    /// What is in its `Ok`.
    pub(crate) output: Type,
    /// Its `Result`, with that replaced by this type: the return type of the handler around it.
    pub(crate) result: Type,
    /// Whether something is wrong with it, which has been reported.
    pub(crate) broken: bool,
}

/// What the function takes: a field of the workflow or of its input.
#[derive(Debug)]
pub(crate) struct Argument {
    pub(crate) name: Ident,
    /// As the field has it.
    pub(crate) ty: Type,
    pub(crate) role: Role,
    /// Docs, and what serde is told, which go to the field.
    pub(crate) attributes: Vec<Attribute>,
}

/// Where an argument comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It is saved when the execution starts.
    Input,
    /// A clone of the workflow's field.
    Dependency,
    /// The workflow's field, borrowed.
    BorrowedDependency,
}

impl Sequential {
    /// What is saved when an execution starts.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = &Argument> {
        self.arguments.iter().filter(|argument| argument.role == Role::Input)
    }

    /// What the workflow holds.
    pub(crate) fn dependencies(&self) -> impl Iterator<Item = &Argument> {
        self.arguments.iter().filter(|argument| argument.role != Role::Input)
    }

    /// The function, whose body is empty if it cannot be read.
    pub(crate) fn function(&self) -> &ItemFn {
        &self.open.function
    }

    /// The body, for what is said of it.
    pub(crate) fn body(&self) -> Body {
        Body::new((*self.open.function.block).clone())
    }
}

/// Reads the function. It is given back, clean of our attributes, where no type can be made for it.
pub(crate) fn parse_sequential(mut open: OpenFunction, errors: &mut Errors) -> Result<Sequential, Box<OpenFunction>> {
    let mut mistakes = Errors::default();
    let function = &mut open.function;
    check_once(&mut function.attrs, &mut mistakes);
    let attributes = take_argument_attributes(&mut function.sig, errors);
    let ident = check_name(&function.sig, &mut mistakes);
    let free = check_free(&function.sig, &mut mistakes);
    if free {
        check_plain(&function.sig, &mut mistakes);
        check_context(&function.sig, &attributes, &mut mistakes);
    }
    let (Some(ident), true) = (ident, free) else {
        errors.take(mistakes);
        return Err(Box::new(open));
    };
    let mut arguments: Vec<Argument> = Vec::new();
    for (input, attributes) in function.sig.inputs.iter().zip(attributes) {
        let FnArg::Typed(input) = input else { continue };
        if is_nearly_context(&input.ty) {
            continue;
        }
        let argument = parse_argument(input, attributes, &mut mistakes);
        // A second one of its name, rustc reports.
        arguments.extend(argument.filter(|argument| arguments.iter().all(|known| known.name != argument.name)));
    }
    let done = Ident::new(&format!("{ident}Done"), ident.span());
    let (output, result) = parse_result(&function.sig, &done, &mut mistakes);
    let taken = function.sig.inputs.iter().filter(|input| matches!(input, FnArg::Typed(_))).count();
    let broken = !mistakes.is_empty() || taken != arguments.len() + 1;
    errors.take(mistakes);
    Ok(Sequential { ident, open, arguments, output, result, broken })
}

/// What stands at one argument.
struct ArgumentAttributes {
    dependency: Vec<Attribute>,
    carried: Vec<Attribute>,
}

/// Takes `#[dep]`, and what belongs to the field that an argument becomes: rustc allows neither in a signature.
fn take_argument_attributes(signature: &mut Signature, errors: &mut Errors) -> Vec<ArgumentAttributes> {
    let mut of_input = |input: &mut FnArg| {
        let attributes = match input {
            FnArg::Typed(input) => &mut input.attrs,
            FnArg::Receiver(receiver) => &mut receiver.attrs,
        };
        let is = |attribute: &Attribute, names: &[&str]| names.iter().any(|name| attribute.path().is_ident(name));
        // Nothing else can stand there, but what rustc knows.
        let slip = |attribute: &Attribute| {
            let name = attribute.path().get_ident().map(unraw);
            let known = ["doc", "serde", "allow", "cfg", "cfg_attr", "deny", "expect", "forbid", "warn"];
            name.filter(|name| name != "dep" && !is(attribute, &known) && nearest(name, &["dep"]).is_some())
        };
        for attribute in attributes.iter() {
            if let Some(name) = slip(attribute) {
                errors.at(attribute.path(), format!("an argument has no attribute `{name}`: did you mean `dep`?"));
            }
        }
        let is_dependency = |attribute: &Attribute| is(attribute, &["dep"]) || slip(attribute).is_some();
        let (taken, rest): (Vec<_>, Vec<_>) = std::mem::take(attributes)
            .into_iter()
            .partition(|attribute| is_dependency(attribute) || is(attribute, &["doc", "serde"]));
        *attributes = rest;
        let (dependency, carried) = taken.into_iter().partition(is_dependency);
        ArgumentAttributes { dependency, carried }
    };
    signature.inputs.iter_mut().map(&mut of_input).collect()
}

// #[workflow] async fn Backup(cx: &Cx) …
fn check_name(signature: &Signature, errors: &mut Errors) -> Option<Ident> {
    let name = unraw(&signature.ident);
    let type_name = camel(&name);
    let span = signature.ident.span().resolved_at(Span::call_site());
    match syn::parse_str::<Ident>(&type_name) {
        Ok(mut ident) if type_name != name => {
            ident.set_span(span);
            Some(ident)
        }
        Ok(_) => {
            let snake = snake(&name);
            errors.at(
                &signature.ident,
                format!("the type of the workflow will be `{name}`: name the function `{snake}`, in snake case"),
            );
            None
        }
        Err(_) => {
            errors.at(
                &signature.ident,
                format!("no type can be named for the function `{name}`: name it for what it does, as in `backup`"),
            );
            None
        }
    }
}

// impl Store { #[workflow] async fn backup(&self, cx: &Cx) … }
// #[workflow] async fn backup<S: Storage>(cx: &Cx, #[dep] storage: S) …
fn check_free(signature: &Signature, errors: &mut Errors) -> bool {
    if let Some(receiver) = signature.receiver() {
        errors.at(
            receiver,
            "a workflow as one function is a free function: take what it works with as an argument, `#[dep] client: &Client`",
        );
        return false;
    }
    let parameter = signature.generics.params.first();
    match parameter {
        Some(GenericParam::Lifetime(_)) => errors.at(
            parameter,
            "a workflow owns its input and its dependencies: leave the lifetime out, as each has one of its own",
        ),
        Some(_) => errors.at(
            parameter,
            "a workflow as one function has no type parameters: name the types (a dependency may be an `Arc<dyn Trait>`), or write the `impl` form",
        ),
        None => {}
    }
    parameter.is_none()
}

// #[workflow] fn backup(cx: &Cx) …
// #[workflow] async unsafe fn backup(cx: &Cx) …
fn check_plain(signature: &Signature, errors: &mut Errors) {
    if signature.asyncness.is_none() {
        errors.at(signature.fn_token, "a workflow as one function is async: write `async fn`");
    }
    if let syn::Safety::Unsafe(word) = &signature.safety {
        errors.at(word, "a workflow is called by the engine, so it cannot be `unsafe`");
    }
}

// #[workflow] async fn backup(db: Db) …
// #[workflow] async fn backup(db: Db, cx: &Cx) …
// #[workflow] async fn backup(cx: Cx, db: Db) …
// #[workflow] async fn backup(#[dep] cx: &Cx, db: Db) …
fn check_context(signature: &Signature, attributes: &[ArgumentAttributes], errors: &mut Errors) {
    let inputs = signature.inputs.iter().zip(attributes).enumerate();
    let mut contexts = inputs.filter_map(|(place, (input, attributes))| match input {
        FnArg::Typed(input) if is_nearly_context(&input.ty) => Some((place, input, attributes)),
        FnArg::Typed(_) | FnArg::Receiver(_) => None,
    });
    let Some((place, context, attributes)) = contexts.next() else {
        let name = unraw(&signature.ident);
        let message = format!("`{name}` does not take the context: a workflow takes `{EXPECTED}`");
        errors.at(&signature.ident, message);
        return;
    };
    if let Some((_, second, _)) = contexts.next() {
        errors.at(second, "the context is there already: a workflow takes it once, first");
    }
    if !is_context(&context.ty) {
        errors.at(&context.ty, "the context is taken by reference: write `cx: &Cx`");
    } else if place != 0 {
        errors.at(context, format!("the context goes first: a workflow takes `{EXPECTED}`"));
    }
    if let Some(attribute) = attributes.dependency.first() {
        errors.at(attribute, "the context is the engine's, and no dependency: leave `#[dep]` out");
    }
}

fn parse_argument(input: &PatType, attributes: ArgumentAttributes, errors: &mut Errors) -> Option<Argument> {
    let is_dependency = check_mark(&attributes.dependency, errors);
    let name = check_pattern(&input.pat, errors)?;
    let (role, ty) = match is_dependency {
        true => check_dependency(&name, &input.ty, errors)?,
        false => (Role::Input, check_input(&name, &input.ty, errors)?),
    };
    let serde = attributes.carried.iter().find(|attribute| attribute.path().is_ident("serde"));
    if let (true, Some(serde)) = (is_dependency, serde) {
        errors.at(serde, "a dependency is not saved, so serde has nothing to do with it");
        return None;
    }
    Some(Argument { name, ty, role, attributes: attributes.carried })
}

// #[dep] #[dep] store: &Store
// #[dep(shared)] store: &Store
fn check_mark(marks: &[Attribute], errors: &mut Errors) -> bool {
    if let Some(second) = marks.get(1) {
        errors.at(second, "`#[dep]` is given twice: keep one of the two");
    }
    for mark in marks {
        if !matches!(mark.meta, Meta::Path(_)) {
            errors.at(mark, "`#[dep]` takes nothing: write `#[dep]` alone");
        }
    }
    !marks.is_empty()
}

// #[workflow] async fn backup(cx: &Cx, (from, to): (Db, Db)) …
fn check_pattern(pattern: &Pat, errors: &mut Errors) -> Option<Ident> {
    match pattern {
        Pat::Ident(pattern) if pattern.by_ref.is_none() && pattern.subpat.is_none() => Some(pattern.ident.clone()),
        Pat::Wild(_) => {
            errors.at(pattern, "an argument is a field with a name: write `_name` for one that is not used yet");
            None
        }
        _ => {
            errors.at(pattern, "an argument is a field with a name: name it, and take it apart in the body");
            None
        }
    }
}

// #[workflow] async fn backup(cx: &Cx, db: &Db) …
fn check_input(name: &Ident, ty: &Type, errors: &mut Errors) -> Option<Type> {
    let message = match bare(ty) {
        Type::Reference(reference) => {
            let elem = &reference.elem;
            let (owned, text) = (owned_text(elem), type_text(&**elem));
            // Only what has a size can be the field that is borrowed.
            let shared = if owned == text { format!("&{text}") } else { owned.clone() };
            format!(
                "`{name}` is saved when the execution starts, so the workflow owns it: write `{owned}`; what all executions share is `#[dep] {name}: {shared}`"
            )
        }
        ty => match Borrow::of(ty) {
            Borrow::No => return Some(ty.clone()),
            Borrow::Lifetime => {
                format!("`{name}` is saved when the execution starts, so it borrows nothing: own the data")
            }
            Borrow::Trait => format!("`{name}` is saved when the execution starts: name its type"),
        },
    };
    errors.at(ty, message);
    None
}

// #[workflow] async fn backup(cx: &Cx, #[dep] store: &mut Store) …
// #[workflow] async fn backup(cx: &Cx, #[dep] store: &dyn Storage) …
// #[workflow] async fn backup(cx: &Cx, #[dep] store: impl Storage) …
fn check_dependency(name: &Ident, ty: &Type, errors: &mut Errors) -> Option<(Role, Type)> {
    let (role, field) = match bare(ty) {
        Type::Reference(reference) if reference.lifetime.as_ref().is_none_or(|lifetime| lifetime.ident != "static") => {
            let elem = bare(&reference.elem);
            if reference.mutability.is_some() {
                let text = type_text(elem);
                let message = format!(
                    "a dependency is shared by all executions: write `&{text}`, with a lock inside if it changes"
                );
                errors.at(ty, message);
                return None;
            }
            if let Type::TraitObject(_) | Type::Slice(_) = elem {
                let text = type_text(elem);
                errors.at(
                    ty,
                    format!(
                        "a dependency is a field of the workflow, so its size is known: write `{name}: Arc<{text}>`"
                    ),
                );
                return None;
            }
            if matches!(elem, Type::Path(path) if path.path.is_ident("str")) {
                errors.at(
                    ty,
                    format!("a dependency is a field of the workflow, so its size is known: write `{name}: String`"),
                );
                return None;
            }
            (Role::BorrowedDependency, elem)
        }
        ty => (Role::Dependency, ty),
    };
    match Borrow::of(field) {
        Borrow::No => Some((role, field.clone())),
        Borrow::Lifetime => {
            errors.at(ty, "a workflow lives as long as the engine, so it owns its dependencies: use an owned type or an `Arc` instead of a lifetime");
            None
        }
        Borrow::Trait => {
            errors.at(ty, "a dependency is a field of the workflow: name its type, or write `Arc<dyn Trait>`");
            None
        }
    }
}

/// The output, and the type of the handler.
// #[workflow] async fn backup(cx: &Cx)
// #[workflow] async fn backup(cx: &Cx) -> Archive
fn parse_result(signature: &Signature, done: &Ident, errors: &mut Errors) -> (Type, Type) {
    let fallback = || (parse_quote!(()), parse_quote!(::core::result::Result<#done, ::core::convert::Infallible>));
    let wanted = "a workflow returns `Result<T>` or `Result<T, E>`: its output is saved, and its error parks it";
    let ReturnType::Type(_, ty) = &signature.output else {
        errors.at(&signature.ident, wanted);
        return fallback();
    };
    let output = last_segment(ty).filter(|segment| segment.ident == "Result").map(type_arguments).unwrap_or_default();
    let Some(output) = output.first().map(|ty| (*ty).clone()) else {
        errors.at(ty, wanted);
        return fallback();
    };
    match Borrow::of(&output) {
        Borrow::No => {}
        Borrow::Lifetime => {
            errors.at(&output, "the output is saved when the execution ends, so it borrows nothing: own the data");
            return fallback();
        }
        Borrow::Trait => {
            errors.at(&output, "the output is saved when the execution ends: name its type");
            return fallback();
        }
    }
    let mut result = bare(ty).clone();
    if let Type::Path(path) = &mut result
        && let Some(segment) = path.path.segments.last_mut()
        && let PathArguments::AngleBracketed(arguments) = &mut segment.arguments
        && let Some(first) = arguments.args.iter_mut().find(|argument| matches!(argument, GenericArgument::Type(_)))
    {
        *first = GenericArgument::Type(parse_quote!(#done));
    }
    (output, result)
}

/// What is to be written instead of a reference to this type.
fn owned_text(ty: &Type) -> String {
    match bare(ty) {
        Type::Path(path) if path.path.is_ident("str") => "String".to_owned(),
        Type::Slice(slice) => format!("Vec<{}>", type_text(&*slice.elem)),
        ty => type_text(ty),
    }
}

/// Whether a type lives for a while only, or has no name.
enum Borrow {
    No,
    Lifetime,
    Trait,
}

impl Borrow {
    fn of(ty: &Type) -> Self {
        let mut find = Borrowed(Self::No);
        find.visit_type(ty);
        find.0
    }
}

struct Borrowed(Borrow);

impl Visit<'_> for Borrowed {
    fn visit_type_reference(&mut self, reference: &TypeReference) {
        match &reference.lifetime {
            None => self.0 = Borrow::Lifetime,
            Some(_) => visit::visit_type_reference(self, reference),
        }
    }

    fn visit_lifetime(&mut self, lifetime: &Lifetime) {
        if lifetime.ident != "static" {
            self.0 = Borrow::Lifetime;
        }
    }

    fn visit_type_impl_trait(&mut self, _: &TypeImplTrait) {
        self.0 = Borrow::Trait;
    }
}
