//! `endless_wait`: a state that waits for events and has no `#[after]`.

use super::{Warning, is_allowed};
use crate::lint::Lint;
use crate::model::{Machine, Trigger};

pub(super) fn find(machine: &Machine, warnings: &mut Vec<Warning>) {
    for state in machine.states.iter().filter(|state| state.live) {
        let handlers: Vec<_> = machine.handlers.iter().filter(|handler| handler.state == state.ty).collect();
        // A part is checked where it is written.
        if handlers.iter().any(|handler| handler.is_included() || is_allowed(machine, handler, Lint::EndlessWait)) {
            continue;
        }
        let entry = handlers.iter().find(|handler| matches!(handler.trigger, Trigger::Entry));
        let waits = entry.is_none_or(|entry| entry.output.waits().is_some());
        // One that fires again and again and always stays ends nothing.
        let timed = handlers.iter().any(|handler| match &handler.trigger {
            Trigger::After { due } => due.kind() != "every" || handler.output.states().next().is_some(),
            Trigger::Entry | Trigger::On { .. } | Trigger::Catch { .. } => false,
        });
        let Some(first) = handlers.iter().find(|handler| matches!(handler.trigger, Trigger::On { .. })) else {
            continue;
        };
        if waits && !timed {
            warnings.push(Warning {
                lint: Lint::EndlessWait,
                span: first.state.span(),
                message: format!(
                    "`{}` waits for events and has no `#[after]` handler: if the event never comes, executions stay in it for ever",
                    state.ty.name
                ),
            });
        }
    }
}
