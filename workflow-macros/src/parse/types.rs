//! Types as they stand in a signature.

use syn::visit_mut::{self, VisitMut};
use syn::{GenericArgument, Generics, PathArguments, PathSegment, Type, TypePath, parse_quote};

use crate::expand::type_text;
use crate::model::TypeRef;

/// The type without parentheses and invisible groups.
pub(crate) fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Paren(paren) => bare(&paren.elem),
        Type::Group(group) => bare(&group.elem),
        _ => ty,
    }
}

/// The last segment of a type that is a path.
pub(crate) fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match bare(ty) {
        Type::Path(TypePath { path, .. }) => path.segments.last(),
        _ => None,
    }
}

/// Whether the type is a path that ends so.
pub(crate) fn is_named(ty: &Type, name: &str) -> bool {
    last_segment(ty).is_some_and(|segment| segment.ident == name)
}

/// The types in `Name<…>`.
pub(crate) fn type_arguments(segment: &PathSegment) -> Vec<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return Vec::new() };
    arguments
        .args
        .iter()
        .filter_map(|argument| match argument {
            GenericArgument::Type(ty) => Some(ty),
            _ => None,
        })
        .collect()
}

/// Whether it is `&Cx`.
pub(crate) fn is_context(ty: &Type) -> bool {
    matches!(bare(ty), Type::Reference(reference) if reference.mutability.is_none() && is_named(&reference.elem, "Cx"))
}

/// Whether `&Cx` was meant.
pub(crate) fn is_nearly_context(ty: &Type) -> bool {
    match bare(ty) {
        Type::Reference(reference) => is_named(&reference.elem, "Cx"),
        ty => is_named(ty, "Cx"),
    }
}

/// A state, an event or an error in a signature: a path, by value. `role` is how it is called in the message.
pub(crate) fn parse_type_ref(ty: &Type, role: &str) -> syn::Result<TypeRef> {
    let wrong = |message: String| Err(syn::Error::new_spanned(ty, message));
    match bare(ty) {
        Type::Path(TypePath { path, .. }) => match path.segments.last() {
            Some(segment) if role != "an error" && is_wrapper(segment) => {
                let inner = type_arguments(segment).first().map(type_text).unwrap_or_default();
                wrong(format!("{role} has no parameters: write `{inner}`, or the name of a type of your own"))
            }
            Some(segment) => Ok(TypeRef::new(segment.ident.clone(), Box::new(bare(ty).clone()))),
            None => wrong(format!("{role} is named by a path")),
        },
        Type::Reference(reference) => {
            let elem = type_text(&reference.elem);
            wrong(format!("{role} is taken by value: write `{elem}` without the reference"))
        }
        Type::Tuple(_) => wrong(format!("{role} is a type with a name of its own, not a tuple")),
        Type::ImplTrait(_) => wrong(format!("{role} is a type with a name of its own, not `impl Trait`")),
        _ => wrong(format!("{role} is a type with a name of its own")),
    }
}

/// Whether it holds something else, and so is no type of the user's own.
pub(crate) fn is_wrapper(segment: &PathSegment) -> bool {
    const WRAPPERS: [&str; 7] = ["Arc", "Box", "Mutex", "Option", "Rc", "RefCell", "Vec"];
    WRAPPERS.iter().any(|name| segment.ident == name) && !type_arguments(segment).is_empty()
}

/// What is probably meant by a type that has been reported.
pub(crate) fn quiet_type_ref(ty: &Type) -> Option<TypeRef> {
    match bare(ty) {
        Type::Reference(reference) => quiet_type_ref(&reference.elem),
        Type::Tuple(tuple) => tuple.elems.first().and_then(quiet_type_ref),
        ty => match last_segment(ty).map(type_arguments)?.first() {
            Some(inner) => quiet_type_ref(inner),
            None => parse_type_ref(ty, "").ok(),
        },
    }
}

/// Writes `Self` out, so that types can stand in another impl.
pub(crate) struct WriteSelfOut<'a>(pub(crate) &'a Type);

impl WriteSelfOut<'_> {
    pub(crate) fn in_type(&mut self, ty: &Type) -> Type {
        let mut ty = ty.clone();
        self.visit_type_mut(&mut ty);
        ty
    }

    pub(crate) fn in_generics(&mut self, generics: &Generics) -> Generics {
        let mut generics = generics.clone();
        self.visit_generics_mut(&mut generics);
        generics
    }
}

impl VisitMut for WriteSelfOut<'_> {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        visit_mut::visit_type_mut(self, ty);
        let Type::Path(TypePath { qself: None, path, .. }) = ty else { return };
        let mut segments = path.segments.iter();
        let Some(first) = segments.next() else { return };
        if path.leading_colon.is_some() || first.ident != "Self" {
            return;
        }
        let self_ty = self.0;
        let rest: Vec<_> = segments.collect();
        *ty = if rest.is_empty() { self_ty.clone() } else { parse_quote!(<#self_ty>::#(#rest)::*) };
    }
}
