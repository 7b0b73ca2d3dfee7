//! What a handler decided.

use crate::record::Json;

/// A handler's decision as data.
#[derive(Debug, Clone, PartialEq)]
pub enum Decided {
    /// Take the edge to this state.
    Goto {
        /// Its persisted name.
        state: &'static str,
        /// Its data.
        data: Json,
    },
    /// Have everything undone, then enter this state.
    Unwind {
        /// Its persisted name.
        state: &'static str,
        /// Its data.
        data: Json,
    },
    /// A step is undone: what the run of an undo comes to.
    Undone {
        /// Whether there was anything to undo.
        effect: bool,
    },
    /// Keep the visit, with this data.
    Stay {
        /// The new data.
        data: Json,
    },
    /// Keep the visit as it is.
    Wait,
    /// Answer the event that made the handler run, and do this.
    Reply {
        /// The answer.
        reply: Json,
        /// What it decided besides: any of the others.
        then: Box<Decided>,
    },
    /// Refuse the event that made the handler run, and leave all as it was.
    Refuse {
        /// What the sender is told.
        refusal: Json,
    },
}
