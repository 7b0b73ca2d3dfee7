//! `small_machine`: a few states in a row, which one function would say in less.

use super::Warning;
use crate::lint::Lint;
use crate::model::{Machine, Target, Trigger};

const ENOUGH_STATES: usize = 5;

pub(super) fn find(machine: &Machine, warnings: &mut Vec<Warning>) {
    // A function has no parameters, and what is included may be shared with other workflows.
    let could_be_function = !machine.is_function && machine.generics.params.is_empty();
    let in_a_row = machine.handlers.iter().all(|handler| {
        let one_way = matches!(handler.output.targets.as_slice(), [Target::State(_)]) && !handler.output.next;
        matches!(handler.trigger, Trigger::Entry) && one_way && !handler.is_included() && handler.cfg.is_always()
    });
    // A pure handler between two states decides what is saved; only effects are what a function is for.
    let has_effects = machine.handlers.iter().any(|handler| handler.effects);
    let allowed = machine.allow.contains(&Lint::SmallMachine)
        || machine.handlers.iter().any(|handler| handler.allow.contains(&Lint::SmallMachine));
    if allowed || !could_be_function || !in_a_row || !has_effects {
        return;
    }
    if machine.states.len() < ENOUGH_STATES {
        let name = crate::case::snake(&machine.name());
        warnings.push(Warning {
            lint: Lint::SmallMachine,
            span: machine.ident.span(),
            message: format!(
                "`{}` has {} states, one after the other, and no event, timer or choice: as one function it is shorter, `#[workflow] async fn {name}(cx: &Cx, …) -> Result<…>`, and its steps are recorded all the same",
                machine.name(),
                machine.states.len(),
            ),
        });
    }
}
