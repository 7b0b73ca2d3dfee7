//! The start.

use crate::errors::Errors;
use crate::model::Machine;

// #[workflow] impl Fulfilment { … }
pub(crate) fn check_start(machine: &Machine, has_start: bool, errors: &mut Errors) {
    if has_start {
        return;
    }
    let example = machine.states.first().map_or("PendingPayment".to_owned(), |state| state.ty.name.to_string());
    let message = format!("`{}` has no start: write `#[workflow(start = {example})]`", machine.name());
    errors.at(&machine.ident, message);
}
