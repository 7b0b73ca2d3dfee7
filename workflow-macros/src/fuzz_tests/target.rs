//! An attribute on an item, expanded: what is fuzzed.

use proc_macro2::TokenStream;

use crate::data_impl::expand_data_attribute;
use crate::fn_impl::{expand_main_attribute, expand_step_attribute, expand_stray};
use crate::machine_impl::expand_workflow_attribute;
use crate::parallel_impl::expand_parallel_attribute;
use crate::parse::data::DataKind;

/// The attributes that are expanded by themselves.
pub(crate) const ATTRIBUTES: [&str; 12] =
    ["workflow", "state", "event", "step", "parallel", "main", "on", "after", "at", "every", "catch", "each"];

/// An attribute with what stands in its brackets, and the item that it is on.
#[derive(Clone)]
pub(crate) struct Annotated {
    pub(crate) attribute: &'static str,
    pub(crate) arguments: TokenStream,
    pub(crate) item: TokenStream,
}

impl Annotated {
    pub(crate) fn expand(&self) -> TokenStream {
        let (arguments, item) = (self.arguments.clone(), &self.item);
        match self.attribute {
            "workflow" => expand_workflow_attribute(arguments, item.clone()),
            "state" => expand_data_attribute(DataKind::State, arguments, item),
            "event" => expand_data_attribute(DataKind::Event, arguments, item),
            "step" => expand_step_attribute(arguments, item),
            "parallel" => expand_parallel_attribute(arguments, item),
            "main" => expand_main_attribute(arguments, item),
            stray => expand_stray(stray, item),
        }
    }

    /// Reads bytes as one: the number of its attribute, its arguments, a zero, and the item. None if they are no tokens, which
    /// the compiler says by itself.
    pub(crate) fn of_bytes(data: &[u8]) -> Option<Self> {
        let (attribute, text) = data.split_first()?;
        let (arguments, item) = std::str::from_utf8(text).ok()?.split_once('\0')?;
        let attribute = ATTRIBUTES.get(usize::from(*attribute) % ATTRIBUTES.len())?;
        Some(Self { attribute, arguments: arguments.parse().ok()?, item: item.parse().ok()? })
    }
}

/// Expands what the bytes are, whatever they are; says whether they are anything.
pub(crate) fn attributes(data: &[u8]) -> bool {
    Annotated::of_bytes(data).map(|annotated| annotated.expand()).is_some()
}
