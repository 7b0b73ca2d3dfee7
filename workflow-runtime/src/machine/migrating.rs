//! States of older versions, and what they have become.
//!
//! A workflow has a table: for each older version its states, and the functions that make of them states of the next
//! one. What has none of its own is a state of the next version, too, by the same type, and stays as it is. That each state is
//! one or the other is checked while the user's crate is compiled.

use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::graph_check::StateFacts;
use super::{Outcome, SavedTypes, State, Workflow, WorkflowState, panic_text};
use crate::base::{Error, Name};
use crate::kernel::MigratedState;
use crate::record::{ErrorKind, ErrorRecord, Json};

/// Which code the executions of a version go on with, once there is a newer one: `keep`, `keep(visit)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Keep {
    /// The newer one: they are migrated when they are next touched.
    #[default]
    No,
    /// This one, until they leave the state that they are in: what comes then is migrated.
    Visit,
    /// This one, to their end.
    ToTheEnd,
}

/// The states of an older version of a workflow: an enum with `#[state(group)]`, or the generated `…State` of a workflow that
/// says which version it is.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which states a version had",
    label = "not the states of a version",
    note = "write an enum with a variant for each of them, end states too: `#[state(group)] pub enum States {{ Pending(Pending), … }}`, or name the `…State` of the version's own `#[workflow(version = …, keep)]`"
)]
pub trait VersionStates {
    /// What is known of each.
    #[doc(hidden)]
    const STATES: &'static [StateFacts];

    /// Tells their types.
    #[doc(hidden)]
    fn saved_types<V: SavedTypes>(types: &mut V) {
        let _ = types;
    }
}

/// Says that this is a state of the version of which the enum `E` has the states.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not among `{E}`",
    label = "not a state of that version",
    note = "a migration takes a state of the version that it is from, and gives one of the version that comes next: `{E}` has its states"
)]
pub trait StateOf<E> {}

#[diagnostic::do_not_recommend]
impl<E: From<S>, S: State> StateOf<E> for S {}

/// What is known of a type that ought to have the states of a version.
#[derive(Debug)]
pub struct VersionProbe<T>(PhantomData<T>);

impl<T: VersionStates> VersionProbe<T> {
    pub const STATES: &'static [StateFacts] = T::STATES;

    pub fn saved_types<V: SavedTypes>(types: &mut V) {
        T::saved_types(types);
    }
}

/// The other side of [`VersionProbe`]: that has been reported.
pub trait NoVersionStates<T> {
    const STATES: &'static [StateFacts] = &[];

    fn saved_types<V>(_: &mut V) {}
}

impl<T> NoVersionStates<T> for VersionProbe<T> {}

/// The older version of a workflow, and how its states become those of the next one. For generated code.
#[derive(Debug, Clone, Copy)]
pub struct Leap {
    /// The version.
    pub from: u32,
    /// The next one.
    pub to: u32,
    /// Its states.
    pub states: &'static [StateFacts],
    /// Its migrations.
    pub migrations: &'static [Migration],
}

/// A function with `#[migrate]`. For generated code.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Its name.
    pub name: &'static str,
    /// The state that it is for.
    pub state: StateFacts,
    /// Runs it.
    pub run: fn(&Json) -> Result<MigratedState, Error>,
}

/// What the state of an older version of `W` is called now, with its data.
///
/// # Errors
/// If there is no way from there, or a migration fails.
pub(crate) fn migrate<W: Workflow>(version: u32, state: &str, data: &Json) -> Result<MigratedState, Error> {
    let mut now = MigratedState { state: state.into(), data: data.clone() };
    let mut version = version;
    while version < W::VERSION {
        let Some(leap) = W::MIGRATIONS.iter().find(|leap| leap.from == version) else {
            return Err(no_way::<W>(version));
        };
        let called = |name: &str, facts: &StateFacts| facts.name == name;
        let was_called = |name: &str, facts: &StateFacts| facts.is_called(name);
        let migrations = || leap.migrations.iter();
        let found = migrations().find(|migration| called(&now.state, &migration.state));
        let found = found.or_else(|| migrations().find(|migration| was_called(&now.state, &migration.state)));
        if let Some(migration) = found {
            now = run(migration, &now).map_err(|error| {
                error.context(format!(
                    "the migration `{}` of the state `{}` from version {} to {} failed",
                    migration.name, now.state, leap.from, leap.to
                ))
            })?;
        } else if !leap.states.iter().any(|facts| was_called(&now.state, facts)) && !is_end::<W>(&now.state) {
            return Err(Error::msg(format!(
                "version {} of the workflow had no state `{}`, as `from({} = …)` lists them: add the state there, and a migration",
                leap.from, now.state, leap.from
            )));
        }
        version = leap.to;
    }
    Ok(now)
}

/// As [`migrate`], for a plan.
pub(super) fn migrate_record<W: Workflow>(
    version: u32,
    state: &str,
    data: &Json,
) -> Result<MigratedState, ErrorRecord> {
    migrate::<W>(version, state, data).map_err(|error| ErrorRecord::new(ErrorKind::Migration, &error))
}

/// The state of `W` that a record has, whichever version it is of.
pub(crate) fn read_state<W: Workflow>(version: u32, state: &str, data: &Json) -> Result<W::State, Error> {
    if version > W::VERSION {
        return Err(newer(version, W::VERSION));
    }
    let MigratedState { state, data } = migrate::<W>(version, state, data)?;
    match W::State::decode(&state, &data) {
        Some(state) => Ok(state?),
        None => Err(Error::msg(format!("the workflow has no state `{state}`"))),
    }
}

/// Why code of the version `known` can do nothing with a newer one.
pub(crate) fn newer(version: u32, known: u32) -> Error {
    Error::msg(format!("it is of version {version} of the workflow, which is newer than this code, of version {known}"))
}

/// As [`read_state`], of an end state.
pub(crate) fn read_outcome<W: Workflow>(version: u32, state: &str, data: &Json) -> Result<W::Outcome, Error> {
    let outcome = W::Outcome::from_state(read_state::<W>(version, state, data)?);
    outcome.map_err(|state| Error::msg(format!("`{}` is no end state", state.name())))
}

/// The user's function is run here, outside of any turn, so a panic of it is caught here.
fn run(migration: &Migration, old: &MigratedState) -> Result<MigratedState, Error> {
    match catch_unwind(AssertUnwindSafe(|| (migration.run)(&old.data))) {
        Ok(migrated) => migrated,
        Err(panic) => Err(Error::msg(format!("it panicked: {}", panic_text(&*panic)))),
    }
}

/// What has ended is read as it is, where nobody has thought of it.
fn is_end<W: Workflow>(state: &str) -> bool {
    W::GRAPH.state(state).is_some_and(|state| state.end)
}

fn no_way<W: Workflow>(version: u32) -> Error {
    let (name, present) = (W::NAME, W::VERSION);
    Error::msg(format!(
        "it is of version {version} of `{name}`, and the code of version {present} has no way from there: write `from({version} = …)` and migrations, or register the code of version {version} beside it, with `keep`"
    ))
}

/// What a migration is given.
///
/// # Errors
/// If the data is of another shape.
pub fn read_old<S: State>(data: &Json) -> Result<S, Error> {
    S::decode(data).map_err(|error| Error::from(error).context("the old data cannot be read"))
}

/// What a migration came to.
///
/// # Errors
/// If the data has no JSON form.
#[expect(clippy::needless_pass_by_value, reason = "it is what a migration returns")]
pub fn migrated<S: State>(state: S) -> Result<MigratedState, Error> {
    let data = state.encode().map_err(|error| Error::from(error).context("the new data cannot be saved"))?;
    Ok(MigratedState { state: Name::constant(S::NAME), data })
}

/// A type named as the states of a version.
pub const fn assert_states<E: VersionStates>() {}
/// A type named as a state of a version.
pub const fn assert_state_of<S: StateOf<E>, E>() {}
