//! What the customer and the carrier have to say.

use workflow_runtime::prelude::*;

/// The customer pays.
#[event]
pub struct Card(pub(crate) String);

/// The carrier has handed the parcel over.
#[event]
pub struct Delivery;

/// The customer sends it back, and says why.
#[event]
pub struct Return(pub(crate) String);
