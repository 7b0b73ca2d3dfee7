//! `no_migration`: a version before this one of which nothing says what becomes of its executions.

use super::Warning;
use crate::lint::Lint;
use crate::model::Machine;
use crate::versions::Versions;

pub(super) fn find(machine: &Machine, warnings: &mut Vec<Warning>) {
    let Some(span) = machine.versions.version_span.filter(|_| !machine.versions.broken) else { return };
    // Beside code that is kept is a newer one, and what becomes of those before is said there.
    if machine.versions.keep.is_some() || machine.allow.contains(&Lint::NoMigration) {
        return;
    }
    if let Some(lost) = first_lost(&machine.versions) {
        let present = machine.versions.present();
        warnings.push(Warning {
            lint: Lint::NoMigration,
            span,
            message: format!(
                "nothing says what becomes of executions of version {lost}, so version {present} would park them: name its states, `from({lost} = v{lost}::States)`, and write a `#[migrate(from = {lost})]` for each that has changed, or `keep` the code of version {lost} beside this one"
            ),
        });
    }
}

/// The first version that is left out. Those before the oldest one that is named have no executions any more.
fn first_lost(versions: &Versions) -> Option<u32> {
    let oldest = versions.from.first().map_or(Versions::FIRST, |known| known.version);
    (oldest..versions.present()).find(|version| versions.from.iter().all(|known| known.version != *version))
}
