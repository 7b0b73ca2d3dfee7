//! The contract of [`Store`] as tests: one function for each property, applied to a store by one macro,
//! [`store_conformance!`](crate::store_conformance).
//!
//! ```no_run
//! use std::sync::Arc;
//! use workflow_runtime::{MemoryStore, store::Store, testing::conformance::Home};
//!
//! struct Memory(MemoryStore);
//!
//! impl Home for Memory {
//!     async fn open(&self) -> Arc<dyn Store> {
//!         Arc::new(self.0.clone())
//!     }
//! }
//!
//! #[cfg(test)]
//! mod memory {
//!     use super::*;
//!
//!     workflow_runtime::store_conformance!(Memory(MemoryStore::new()));
//! }
//! # fn main() {}
//! ```

pub mod advancing;
pub mod answering;
pub mod creating;
pub mod delivering;
pub mod due;
pub mod fencing;
pub mod finding;
pub mod loading;
pub mod reopening;
mod sample;
pub mod searching;
pub mod size;
#[cfg(test)]
mod tests;
pub mod trimming;
pub mod undoing;

use std::future::Future;
use std::sync::Arc;

pub use sample::Bench;

use crate::store::Store;

/// Where a store under test lives: a folder, a schema, a shared piece of memory. Each test has one of its own.
pub trait Home: Send + Sync {
    /// Opens the store. When the one from the last call has been dropped, this finds all that was acknowledged there.
    fn open(&self) -> impl Future<Output = Arc<dyn Store>> + Send;
}

/// Runs a property to its end on this thread, in a tokio runtime for the sake of stores that need one.
pub fn run<F: Future<Output = ()>>(property: F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime of one thread").block_on(property);
}

/// Makes a `#[test]` of every property in [`testing::conformance`](crate::testing::conformance) for the store whose
/// [`Home`] the expression makes. Call it in a module of its own.
#[macro_export]
macro_rules! store_conformance {
    ($home:expr) => {
        $crate::store_conformance! { @area $home, creating,
            makes_an_execution_that_can_be_loaded
            a_second_time_changes_nothing
            a_second_time_after_the_end_changes_nothing
            the_same_id_in_two_workflows_is_two_executions
            repeated_within_one_call_applies_the_first
            an_unknown_execution_has_nothing
        }
        $crate::store_conformance! { @area $home, loading,
            each_is_what_it_is_by_itself
            many_are_answered_in_the_order_asked_for
            none_are_no_answers
            many_are_read_as_they_were_acknowledged
            an_inbox_is_read_from_a_place_on
        }
        $crate::store_conformance! { @area $home, delivering,
            keeps_the_order_of_arrival
            an_id_counts_once_before_it_is_consumed
            an_id_counts_once_after_it_was_consumed
            an_id_counts_once_after_a_transition
            the_same_id_may_go_to_two_executions
            is_refused_for_an_unknown_execution
            is_refused_at_an_end
            a_parked_execution_takes_events
            places_are_never_given_twice
        }
        $crate::store_conformance! { @area $home, advancing,
            is_applied_whole
            without_a_record_leaves_the_record
            with_nothing_changes_nothing
            a_journal_entry_replaces_that_of_its_key
            the_journal_is_dropped_before_entries_are_added
            entries_are_forgotten_one_by_one
            what_is_forgotten_may_be_added_at_once
            consuming_leaves_the_other_events
            the_end_drops_journal_and_inbox
            the_end_notes_events_that_nothing_consumed
            is_refused_for_an_unknown_execution
            is_refused_at_an_end
            in_one_call_builds_on_the_one_before
            quarantine_parks_and_keeps_what_is_stored
            quarantine_ends_with_a_new_record
            quarantine_is_refused_at_an_end_and_if_unknown
        }
        $crate::store_conformance! { @area $home, undoing,
            the_newest_is_the_last_however_it_came
            one_is_read_until_it_unwinds_and_then_many
            it_may_stand_between_others
            one_replaces_that_of_its_place
            is_forgotten_one_by_one
            all_is_dropped_before_any_is_added
            what_is_forgotten_may_be_added_at_once
            a_transition_moves_it_from_the_journal
            an_end_drops_what_it_says
            a_refused_advance_leaves_it
            concerns_one_execution
            is_all_there_after_a_restart
            quarantine_keeps_it
        }
        $crate::store_conformance! { @area $home, trimming,
            leaves_the_youngest_rows
            is_in_the_commit_that_adds_rows
            is_not_done_by_a_refused_advance
            leaves_the_last_row_whatever_is_said
            counts_the_rows_that_the_end_adds
            concerns_one_execution
            gives_no_place_twice_after_a_restart
        }
        $crate::store_conformance! { @area $home, answering,
            an_event_is_known_once_it_was_delivered
            an_answer_is_there_when_the_advance_is
            an_answer_is_never_replaced
            answers_outlive_the_end
            a_refused_advance_answers_nothing
            answers_are_there_after_a_restart
        }
        $crate::store_conformance! { @area $home, fencing,
            another_visit_is_refused
            an_epoch_never_acquired_is_refused
            an_older_epoch_is_refused_after_a_takeover
            epochs_grow
            a_takeover_changes_nothing_else
            a_refusal_changes_nothing_and_spares_its_neighbours
            events_need_no_fence
        }
        $crate::store_conformance! { @area $home, due,
            the_longest_overdue_comes_first
            the_limit_cuts_and_says_what_comes_next
            next_is_the_first_in_the_future
            only_the_workflows_asked_for
            those_of_newer_versions_are_passed_over
            a_version_changes_with_the_record
            parked_and_ended_are_never_due
            stays_until_a_commit_changes_it
            an_event_makes_it_due_at_once
            an_event_that_an_advance_did_not_see_keeps_it_due
            an_event_that_was_seen_does_not
            an_event_is_no_reason_once_it_is_consumed
            a_new_visit_looks_at_old_events_again
            events_of_parked_executions_wait
            a_quarantined_execution_is_not
            a_control_event_makes_a_parked_execution_due
            a_control_event_keeps_it_due_until_it_is_consumed
            a_quarantined_execution_is_due_for_what_is_asked_later
        }
        $crate::store_conformance! { @area $home, searching,
            summaries_tell_how_an_execution_stands
            a_list_is_in_order_and_in_pages
            a_list_by_workflow_state_and_status
            a_list_of_none_and_of_all
            a_list_after_an_execution_that_is_not_there
            counts_are_by_workflow_state_and_status
            counts_follow_a_transition
            a_history_is_in_order_and_in_pages
            the_history_of_nothing_is_empty
            a_history_goes_on_after_the_end
        }
        $crate::store_conformance! { @area $home, finding,
            those_that_have_been_in_their_state_for_long
            those_that_have_an_error
            a_summary_tells_of_the_step_that_fails
            those_that_have_a_value
            values_change_with_the_record
            values_in_pages_and_with_other_conditions
            those_that_are_stuck
            those_of_a_version
        }
        $crate::store_conformance! { @area $home, size,
            large_payloads
            odd_names
            large_numbers
            ten_thousand_in_one_call
            a_call_of_nothing
            many_events_for_one_execution
            many_callers_at_once
            a_dropped_answer_still_applies
            calls_apply_in_the_order_in_which_they_were_answered
            a_read_sees_what_was_acknowledged
        }
        $crate::store_conformance! { @area $home, reopening,
            shows_everything_acknowledged
            an_id_still_counts_once
            epochs_go_on_growing
            an_old_epoch_is_refused
            keeps_what_is_due
            applies_what_was_queued_when_it_was_closed
        }
    };
    (@area $home:expr, $area:ident, $($property:ident)*) => {
        mod $area {
            use super::*;

            $($crate::store_conformance! { @property $home, $area, $property })*
        }
    };
    (@property $home:expr, $area:ident, $property:ident) => {
        #[test]
        fn $property() {
            let home = $home;
            $crate::testing::conformance::run($crate::testing::conformance::$area::$property(&home));
        }
    };
}
