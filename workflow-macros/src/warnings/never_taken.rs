//! `never_taken`: a declared target that the handler provably never takes.

use super::{Warning, is_allowed};
use crate::expand::display;
use crate::lint::Lint;
use crate::lints::never_taken;
use crate::model::{Machine, Target};

pub(super) fn find(machine: &Machine, warnings: &mut Vec<Warning>) {
    for handler in machine.handlers.iter().filter(|handler| !handler.broken && handler.output.next) {
        let Some(body) = &handler.body else { continue };
        if is_allowed(machine, handler, Lint::NeverTaken) {
            continue;
        }
        let targets = handler.output.targets.iter().map(|target| match target {
            Target::State(state) | Target::Unwind(state) => (display(&state.name), state.span()),
            Target::Stay(span) => ("Stay".to_owned(), *span),
            Target::Wait(span) => ("Wait".to_owned(), *span),
        });
        let targets: Vec<_> = targets.collect();
        let names: Vec<&str> = targets.iter().map(|(name, _)| name.as_str()).collect();
        if names.iter().all(|name| goes_to(body.text(), name)) {
            continue;
        }
        for (name, span) in never_taken(body.block(), &names).into_iter().filter_map(|index| targets.get(index)) {
            warnings.push(Warning {
                lint: Lint::NeverTaken,
                span: *span,
                message: format!(
                    "`{}` never takes the edge to `{name}`: remove it from the `Next<(…)>`",
                    handler.name()
                ),
            });
        }
    }
}

/// Whether a body with this text, which has no spaces, says that it goes there. Then nothing is read of it.
fn goes_to(text: &str, target: &str) -> bool {
    ["goto(", "unwind("].iter().any(|call| {
        let mut found = text.match_indices(call).filter_map(|(place, _)| text.get(place + call.len()..));
        found.any(|rest| rest.strip_prefix(target).is_some_and(|rest| !rest.starts_with(is_of_a_name)))
    })
}

fn is_of_a_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}
