//! The mistakes of one item, collected so that one build shows them all.

use std::fmt::Display;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// Collects mistakes. It has to be read: dropping it unread would lose them.
#[derive(Debug, Default)]
pub(crate) struct Errors {
    combined: Option<syn::Error>,
    read: bool,
}

impl Errors {
    pub(crate) fn push(&mut self, error: syn::Error) {
        match &mut self.combined {
            Some(combined) => combined.combine(error),
            None => self.combined = Some(error),
        }
    }

    /// A mistake in these tokens.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    /// A mistake at this place.
    pub(crate) fn span(&mut self, span: Span, message: impl Display) {
        self.push(syn::Error::new(span, message));
    }

    /// The value, or nothing and a mistake more.
    pub(crate) fn ok<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.push(error);
                None
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.combined.is_none()
    }

    /// Takes the mistakes of a smaller collection over.
    pub(crate) fn take(&mut self, mut other: Self) {
        other.read = true;
        if let Some(error) = other.combined.take() {
            self.push(error);
        }
    }

    /// Drops what follows from a mistake that has been told.
    pub(crate) fn forget(mut self) {
        self.read = true;
    }

    /// One `compile_error!` for each mistake.
    pub(crate) fn into_tokens(mut self) -> TokenStream {
        self.read = true;
        self.combined.take().map(|error| error.to_compile_error()).unwrap_or_default()
    }
}

impl Drop for Errors {
    fn drop(&mut self) {
        debug_assert!(self.read || std::thread::panicking(), "mistakes were collected and not read");
    }
}
