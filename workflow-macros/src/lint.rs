//! The names of the lints.

use syn::Ident;

use crate::errors::Errors;
use crate::model::unraw;
use crate::nearest::hint;

/// A warning that can be allowed by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lint {
    EndlessWait,
    FragileStep,
    NeverTaken,
    AmbientTime,
    AmbientTask,
    UnmarkedStep,
    SmallMachine,
    NoUndo,
    NoMigration,
}

impl Lint {
    const ALL: [Self; 9] = [
        Self::EndlessWait,
        Self::FragileStep,
        Self::NeverTaken,
        Self::AmbientTime,
        Self::AmbientTask,
        Self::UnmarkedStep,
        Self::SmallMachine,
        Self::NoUndo,
        Self::NoMigration,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::EndlessWait => "endless_wait",
            Self::FragileStep => "fragile_step",
            Self::NeverTaken => "never_taken",
            Self::AmbientTime => "ambient_time",
            Self::AmbientTask => "ambient_task",
            Self::UnmarkedStep => "unmarked_step",
            Self::SmallMachine => "small_machine",
            Self::NoUndo => "no_undo",
            Self::NoMigration => "no_migration",
        }
    }
}

/// The lints that `allow(…)` names.
pub(crate) fn named(idents: impl IntoIterator<Item = Ident>, errors: &mut Errors) -> Vec<Lint> {
    let names = Lint::ALL.map(Lint::name);
    let mut lints = Vec::new();
    for ident in idents {
        let name = unraw(&ident);
        match Lint::ALL.into_iter().find(|lint| lint.name() == name) {
            Some(lint) => lints.push(lint),
            None => errors.at(&ident, format!("there is no lint `{name}`: {}", hint(&name, &names))),
        }
    }
    lints
}
