//! The attributes that mean something inside a `#[workflow]` impl, and those that are carried over.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use syn::{Attribute, Expr, ExprLit, Ident, Lit, Meta};

/// An attribute of ours on a method.
#[derive(Debug)]
pub(crate) struct Inert {
    pub(crate) kind: InertKind,
    /// The attribute's own name.
    pub(crate) ident: Ident,
    /// What stands in the parentheses.
    pub(crate) tokens: TokenStream,
    /// Whether it is written `#[name = …]`.
    pub(crate) is_assignment: bool,
}

/// What it makes of the method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InertKind {
    State,
    On,
    After,
    At,
    Every,
    Catch,
    Step,
    Parallel,
    Migrate,
}

impl InertKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::On => "on",
            Self::After => "after",
            Self::At => "at",
            Self::Every => "every",
            Self::Catch => "catch",
            Self::Step => "step",
            Self::Parallel => "parallel",
            Self::Migrate => "migrate",
        }
    }

    /// `event` is none, but it is what is written by mistake for `on`.
    pub(crate) fn of(ident: &Ident) -> Option<Self> {
        // An identifier of the compiler's is asked for its text at each comparison.
        let name = ident.to_string();
        if name == "event" {
            return Some(Self::On);
        }
        let kinds = [
            Self::State,
            Self::On,
            Self::After,
            Self::At,
            Self::Every,
            Self::Catch,
            Self::Step,
            Self::Parallel,
            Self::Migrate,
        ];
        kinds.into_iter().find(|kind| name == kind.name())
    }
}

/// Takes our attributes out.
pub(crate) fn take_inert(attributes: &mut Vec<Attribute>) -> Vec<Inert> {
    let mut taken = Vec::new();
    attributes.retain(|attribute| {
        let Some(ident) = attribute.path().segments.last().map(|segment| segment.ident.clone()) else { return true };
        let Some(kind) = InertKind::of(&ident) else { return true };
        let tokens = match &attribute.meta {
            Meta::List(list) => list.tokens.clone(),
            Meta::Path(_) | Meta::NameValue(_) => TokenStream::new(),
        };
        let is_assignment = matches!(attribute.meta, Meta::NameValue(_));
        taken.push(Inert { kind, ident, tokens, is_assignment });
        false
    });
    taken
}

/// Takes our attributes out of members that are not parsed: left in place, each would report itself.
pub(crate) fn strip_inert(tokens: TokenStream) -> TokenStream {
    let is_ours = |attribute: &Group| {
        let path = attribute.stream().into_iter().take_while(|token| !matches!(token, TokenTree::Group(_)));
        let idents = path.filter_map(|token| match token {
            TokenTree::Ident(ident) => Some(ident),
            _ => None,
        });
        idents.last().is_some_and(|ident| InertKind::of(&ident).is_some())
    };
    let mut kept: Vec<TokenTree> = Vec::new();
    for token in tokens {
        let after_pound = matches!(kept.last(), Some(TokenTree::Punct(punct)) if punct.as_char() == '#');
        match &token {
            TokenTree::Group(group) if after_pound && is_ours(group) => {
                kept.pop();
            }
            _ => kept.push(token),
        }
    }
    kept.into_iter().collect()
}

/// The text of the doc comment.
pub(crate) fn doc_text(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter(|attribute| attribute.path().is_ident("doc")).filter_map(|attribute| {
        let Meta::NameValue(pair) = &attribute.meta else { return None };
        let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &pair.value else { return None };
        Some(text.value())
    });
    let lines: Vec<String> = lines
        .flat_map(|text| {
            text.lines().map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned()).collect::<Vec<_>>()
        })
        .collect();
    lines.join("\n").trim().to_owned()
}

/// The line in the source file, from 1; 0 outside of a compiler, in unit tests.
pub(crate) fn line_of(span: Span) -> u32 {
    if !proc_macro::is_available() {
        return 0;
    }
    u32::try_from(span.unwrap().line()).unwrap_or(0)
}
