//! `#[catch]` handlers of errors that cannot occur.

use crate::errors::Errors;
use crate::expand::type_text;
use crate::model::{Fails, Machine, Trigger};
use crate::parse::types::{is_named, last_segment};

/// What any handler with steps may end in, whatever it returns.
const ALWAYS: [&str; 3] = ["Error", "StepTimedOut", "StepPanicked"];

// #[state] async fn fulfilling(&self, cx: &Cx, s: Fulfilling) -> Result<Shipped, ShipError>
// #[catch] fn gave_up(&self, s: Fulfilling, error: StockError) -> Cancelled
pub(crate) fn check_catchable(machine: &mut Machine, errors: &mut Errors) {
    let mut refused = Vec::new();
    // Which states a group has is not known here.
    let of_groups: Vec<bool> = machine.handlers.iter().map(|handler| machine.is_group(&handler.state)).collect();
    let own = machine.handlers.iter().zip(&of_groups).enumerate();
    for (index, (handler, is_group)) in own.filter(|(_, (handler, _))| !handler.broken && !handler.is_included()) {
        let Trigger::Catch { error, source } = &handler.trigger else { continue };
        let others = machine.handlers.iter().zip(&of_groups);
        let concerned = others.filter(|(other, of_group)| *is_group || **of_group || other.state == handler.state);
        let of_state: Vec<_> = concerned.map(|(other, _)| other).collect();
        if of_state.iter().any(|other| other.broken || !other.cfg.is_always()) {
            continue;
        }
        let others: Vec<_> = of_state.iter().filter(|other| !matches!(other.trigger, Trigger::Catch { .. })).collect();
        // A state without any other handler is told elsewhere.
        if others.is_empty() {
            continue;
        }
        let state = &handler.state.name;
        if others.iter().all(|other| !other.effects && matches!(other.output.fails, Fails::Never)) {
            errors.at(
                error,
                format!(
                    "no handler of `{state}` can fail: they are plain functions without `Result`, so remove this one"
                ),
            );
            refused.push(index);
            continue;
        }
        if *source || ALWAYS.iter().any(|always| is_named(error, always)) {
            continue;
        }
        let boxed = |fails: &Fails| match fails {
            Fails::Never => false,
            Fails::Boxed(_) => true,
            Fails::With(error) => is_named(error, "Error"),
        };
        if others.iter().any(|other| boxed(&other.output.fails)) {
            continue;
        }
        let mut raised: Vec<String> = Vec::new();
        let mut same = false;
        for other in others {
            let Fails::With(other) = &other.output.fails else { continue };
            same |=
                last_segment(other).map(|segment| &segment.ident) == last_segment(error).map(|segment| &segment.ident);
            let text = format!("`{}`", type_text(other));
            if !raised.contains(&text) {
                raised.push(text);
            }
        }
        if same {
            continue;
        }
        let caught = type_text(error);
        let message = if raised.is_empty() {
            format!(
                "no handler of `{state}` returns an error: catch `Error`, which takes a step that was cut off too, or return `Result<…, {caught}>` from one of them"
            )
        } else {
            format!(
                "no handler of `{state}` raises `{caught}`: they raise {}; write `#[catch(source)]` if it is in the source chain of that",
                raised.join(", ")
            )
        };
        errors.at(error, message);
        refused.push(index);
    }
    // Whether such an error could be saved is not worth telling.
    for index in refused {
        if let Some(handler) = machine.handlers.get_mut(index) {
            handler.broken = true;
        }
    }
}
