//! The identity of states and events.

use super::type_place::TypePlace;
use super::{AttributeInfo, EventPolicy};
use crate::record::{Json, JsonError};

/// A state: a type whose data is what is persisted while an execution is in it. `#[state]` on a struct or enum writes
/// this impl.
///
/// The trait has no type parameter: one state type may be used by several workflows.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a state",
    label = "not a state of a workflow",
    note = "a handler takes `(&self, cx: &Cx, state: S)` and returns `A`, `Next<(A, B)>`, `Stay<S>` or `Wait`, where `S`, `A` and `B` are states; any of them may be inside `Result`",
    note = "to make `{Self}` a state, put `#[state]` on it, or `#[state(end)]` if the workflow ends there"
)]
pub trait State: Sized + 'static {
    /// The persisted name: `name = "…"`, or the identifier in snake case.
    const NAME: &'static str;
    /// Older persisted names that are still read: `was = "…"`.
    const WAS: &'static [&'static str] = &[];
    /// Whether a workflow ends here.
    const END: bool = false;
    /// Whether entering it makes all that was done before final: nothing of it is undone any more.
    const PIVOT: bool = false;
    /// The doc comment.
    const DOC: &'static str = "";
    /// The fields that executions in it can be searched by: those with `#[index]`.
    const ATTRIBUTES: &'static [AttributeInfo] = &[];
    /// Whether its attribute has mistakes, so that nothing is to be concluded from what it says.
    #[doc(hidden)]
    const REFUSED: bool = false;
    /// Where it is declared: what tells it from other types where constants are computed.
    #[doc(hidden)]
    const PLACE: TypePlace = TypePlace::UNKNOWN;

    /// The data as it is persisted.
    ///
    /// # Errors
    /// If it has no JSON form.
    fn encode(&self) -> Result<Json, JsonError>;

    /// The data from its persisted form.
    ///
    /// # Errors
    /// If the JSON is of another shape.
    fn decode(json: &Json) -> Result<Self, JsonError>;
}

/// A typed message from outside. `#[event]` on a struct or enum writes this impl.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event",
    label = "not an event",
    note = "put `#[event]` on `{Self}`"
)]
pub trait Event: Sized + 'static {
    /// The persisted name: `name = "…"`, or the identifier in snake case.
    const NAME: &'static str;
    /// Older persisted names that are still read: `was = "…"`.
    const WAS: &'static [&'static str] = &[];
    /// The doc comment.
    const DOC: &'static str = "";
    /// What becomes of it where no edge of the state takes it: `reject`, `drop`, or else it is kept.
    const POLICY: EventPolicy = EventPolicy::Defer;

    /// What tells two events apart that are not one sent twice: the field that `key = "…"` names, as text. `None` if there
    /// is no such field: then each is another.
    fn key(&self) -> Option<String> {
        None
    }

    /// The payload as it is persisted.
    ///
    /// # Errors
    /// If it has no JSON form.
    fn encode(&self) -> Result<Json, JsonError>;

    /// The payload from its persisted form.
    ///
    /// # Errors
    /// If the JSON is of another shape.
    fn decode(json: &Json) -> Result<Self, JsonError>;
}
