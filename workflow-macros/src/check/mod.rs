//! The rules that tokens alone can tell, one `check_*` for each.

mod catches;
mod duplicates;
mod names;
mod receives;
mod replies;
mod starts;

use crate::errors::Errors;
use crate::model::Machine;

/// Checks the machine. What breaks a rule is marked as broken, so that nothing is generated from it.
pub(crate) fn check_machine(machine: &mut Machine, has_start: bool, errors: &mut Errors) {
    starts::check_start(machine, has_start, errors);
    names::check_one_path_per_name(machine, errors);
    names::check_argument_order(machine, errors);
    duplicates::check_duplicate_handlers(machine, errors);
    duplicates::check_split_states(machine, errors);
    names::check_transition_names(machine, errors);
    names::check_old_step_names(machine, errors);
    receives::check_receives(machine, errors);
    catches::check_catchable(machine, errors);
    replies::check_replies(machine, errors);
}
