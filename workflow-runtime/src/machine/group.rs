//! Superstates: handlers that are written once for several states.

use std::any::Any;
use std::marker::PhantomData;

use super::graph_check::GroupFacts;
use super::{Decision, State, Workflow, WorkflowState};
use crate::record::{Json, JsonError};

/// Several states under one name, which handlers can be written for. `#[state(group)]` on an enum writes this impl, and a
/// workflow's generated `Live` enum has it, too.
pub trait Group: Sized + 'static {
    /// The name: the identifier in snake case. It is not persisted.
    const NAME: &'static str;
    /// The persisted names of its states.
    const MEMBERS: &'static [&'static str];
    /// Whether it is every state of a workflow that is no end. Any other group goes before it.
    const ANY: bool;

    /// Whether a state of this persisted name, current or old, is in it.
    fn has(state: &str) -> bool;

    /// The state of this persisted name, current or old, with its data; `None` if it is not in the group.
    fn read(state: &str, data: &Json) -> Option<Result<Self, JsonError>>;

    /// The persisted name of the state that it holds, and the data as it is persisted.
    fn write(&self) -> (&'static str, Result<Json, JsonError>);

    /// What makes it of a state of the type `S`; `None` if that is none of its states.
    #[doc(hidden)]
    #[must_use]
    fn of<S: 'static>() -> Option<fn(S) -> Self> {
        None
    }
}

/// What a handler may take: a [`State`], or a [`Group`] of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a state",
    label = "not a state of a workflow",
    note = "a handler takes `(&self, cx: &Cx, state: S)` and returns `A`, `Next<(A, B)>`, `Stay<S>` or `Wait`, where `S`, `A` and `B` are states; any of them may be inside `Result`",
    note = "to make `{Self}` a state, put `#[state]` on it, or `#[state(end)]` if the workflow ends there; `#[state(group)]` makes an enum of states a group"
)]
pub trait Source {}

#[diagnostic::do_not_recommend]
impl<S: State> Source for S {}

/// What is known of a type that may be a group.
#[derive(Debug)]
pub struct GroupProbe<T>(PhantomData<T>);

impl<T: Group> GroupProbe<T> {
    pub const IS_GROUP: bool = true;
    pub const NAME: &'static str = T::NAME;
    pub const MEMBERS: &'static [&'static str] = T::MEMBERS;
    pub const ANY: bool = T::ANY;
    pub const FACTS: GroupFacts = GroupFacts { is_group: true, name: T::NAME, members: T::MEMBERS, any: T::ANY };

    pub fn assert_entered() {}

    #[must_use]
    pub fn has(state: &str) -> bool {
        T::has(state)
    }

    pub fn read(state: &str, data: &Json) -> Result<T, JsonError> {
        T::read(state, data).unwrap_or_else(|| Err(not_in_group(state, T::NAME)))
    }

    /// The group of this state, if it is in that.
    #[inline]
    pub fn narrow<S: WorkflowState>(state: S) -> Result<T, S> {
        state.narrow()
    }

    #[expect(clippy::needless_pass_by_value, reason = "as in the other side")]
    pub fn stay<W: Workflow>(group: T) -> Decision<W> {
        let (state, data) = group.write();
        Decision::StayIn { state, data }
    }
}

/// The other side of [`GroupProbe`]: a state.
pub trait NoGroup<T> {
    const IS_GROUP: bool = false;
    const NAME: &'static str = "";
    const MEMBERS: &'static [&'static str] = &[];
    const ANY: bool = false;
    const FACTS: GroupFacts = GroupFacts { is_group: false, name: "", members: &[], any: false };

    fn assert_entered()
    where
        T: State,
    {
    }

    #[must_use]
    fn has(_: &str) -> bool {
        false
    }

    fn read(state: &str, _: &Json) -> Result<T, JsonError> {
        Err(not_in_group(state, "no group"))
    }

    fn narrow<S: WorkflowState>(state: S) -> Result<T, S> {
        Err(state)
    }

    fn stay<W: Workflow>(_: T) -> Decision<W> {
        Decision::Wait
    }
}

impl<T> NoGroup<T> for GroupProbe<T> {}

/// What makes a group of one of its states, if that is what `S` is.
#[must_use]
#[inline]
pub fn of_member<S: 'static, M: 'static, G: 'static>(make: fn(M) -> G) -> Option<fn(S) -> G> {
    // What is compared is the function and not the state, so that the state need not be put where it could be missing.
    let make: &dyn Any = &make;
    make.downcast_ref().copied()
}

/// The first that is there.
#[must_use]
#[inline]
pub fn first_of<T, const N: usize>(all: [Option<T>; N]) -> Option<T> {
    all.into_iter().flatten().next()
}

/// Puts a state into a group, if it is in that.
#[inline]
pub fn narrow<G: Group, S: 'static, T: From<S>>(state: S) -> Result<G, T> {
    match G::of() {
        Some(make) => Ok(make(state)),
        None => Err(T::from(state)),
    }
}

fn not_in_group(state: &str, group: &str) -> JsonError {
    JsonError::Decode(serde::de::Error::custom(format_args!("`{state}` is no state of the group `{group}`")))
}
