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

/// Whether a body with this text, which has no spaces, certainly goes there. Then nothing is read of it.
fn goes_to(text: &str, target: &str) -> bool {
    let text = certain(text);
    ["goto(", "unwind("].iter().any(|call| {
        text.match_indices(call).any(|(place, _)| {
            let rest = text.get(place + call.len()..).and_then(|rest| rest.strip_prefix(target));
            let is_whole = |before: &str| !before.ends_with(|before| is_of_a_name(before) || before == '.');
            rest.is_some_and(|rest| !rest.starts_with(is_of_a_name)) && text.get(..place).is_some_and(is_whole)
        })
    })
}

/// As much of a text as has nothing in it that might say where the body goes, and not do it: what stands in quotes, a closure, an
/// `async` block, a function.
fn certain(text: &str) -> &str {
    let ends = ["\"", "|", "async", "fn"].iter().filter_map(|sign| text.find(sign));
    ends.min().and_then(|end| text.get(..end)).unwrap_or(text)
}

fn is_of_a_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_enough_where_nothing_else_can_be_meant() {
        let goes = |text| goes_to(text, "Paid");
        for text in ["{Ok(goto(Paid{sum:1}))}", "{ifx{goto(Paid)}else{unwind(Dropped)}}", "{flow::unwind(Paid)}"] {
            assert!(goes(text), "{text}");
        }
        for text in [
            "{goto(PaidLate)}",
            "{forgoto(Paid)}",
            "{self.goto(Paid)}",
            "{log(\"goto(Paid)\");goto(Dropped)}",
            "{lettry_it=||goto(Paid);goto(Dropped)}",
            "{letlater=async{goto(Paid)};goto(Dropped)}",
            "{fnpaid()->N{goto(Paid)}goto(Dropped)}",
        ] {
            assert!(!goes(text), "{text}");
        }
    }
}
