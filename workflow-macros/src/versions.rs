//! What a `#[workflow]` impl says of its versions, as plain data.

use proc_macro2::Span;
use syn::{Ident, Type};

use crate::model::{Cfg, Output, TypeRef};

/// The version of the workflow, those before it, and the way from there.
#[derive(Debug, Default)]
pub(crate) struct Versions {
    /// The persisted name of the workflow, where that is not the type's.
    pub(crate) name: Option<String>,
    /// `version = …`, if it is said.
    pub(crate) version: Option<u32>,
    /// Where it is said.
    pub(crate) version_span: Option<Span>,
    /// `from(…)`, in ascending order.
    pub(crate) from: Vec<OldVersion>,
    pub(crate) keep: Option<Keep>,
    pub(crate) migrations: Vec<Migration>,
    /// Whether a mistake of these was told, so that nothing is generated from them.
    pub(crate) broken: bool,
}

/// A line of `from(…)`.
#[derive(Debug)]
pub(crate) struct OldVersion {
    pub(crate) version: u32,
    /// The enum of its states.
    pub(crate) states: Box<Type>,
    pub(crate) span: Span,
}

/// `keep`, `keep(visit)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    ToTheEnd,
    Visit,
}

/// A function with `#[migrate(from = …)]`.
#[derive(Debug)]
pub(crate) struct Migration {
    pub(crate) from: u32,
    pub(crate) ident: Ident,
    /// The state that it takes.
    pub(crate) old: TypeRef,
    pub(crate) output: Output,
    pub(crate) cfg: Cfg,
}

impl Versions {
    pub(crate) const FIRST: u32 = 1;

    /// The version of the code.
    pub(crate) fn present(&self) -> u32 {
        self.version.unwrap_or(Self::FIRST)
    }

    /// Whether it says anything of versions, so that its states may be asked for by a newer one.
    pub(crate) fn is_versioned(&self) -> bool {
        self.version.is_some() || self.keep.is_some()
    }
}
