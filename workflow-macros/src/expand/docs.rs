//! The transitions in the rustdoc of the workflow.

use syn::{Attribute, ItemImpl};

use crate::model::Machine;

/// Adds the table and the picture to the impl.
pub(crate) fn add_docs(_machine: &Machine, item: &mut ItemImpl) {
    let docs: Vec<Attribute> = Vec::new();
    item.attrs.extend(docs);
}
