//! `no_undo`: a step that cannot be undone, in a workflow that unwinds.

use super::Warning;
use crate::lint::Lint;
use crate::model::Machine;

pub(super) fn find(machine: &Machine, warnings: &mut Vec<Warning>) {
    let unwinds =
        machine.unwinds_on_failure || machine.handlers.iter().any(|handler| handler.output.unwound().next().is_some());
    if !unwinds || machine.allow.contains(&Lint::NoUndo) {
        return;
    }
    for step in machine.steps.iter().filter(|step| step.undo.is_none() && !step.allow.contains(&Lint::NoUndo)) {
        let is_undo = machine.steps.iter().any(|other| other.undo.as_ref() == Some(&step.ident));
        if is_undo {
            continue;
        }
        warnings.push(Warning {
            lint: Lint::NoUndo,
            span: step.ident.span(),
            message: format!(
                "`{}` unwinds, and what the step `{}` does is not undone: name the method that undoes it, `#[step(undo = …)]`",
                machine.name(),
                step.ident
            ),
        });
    }
}
