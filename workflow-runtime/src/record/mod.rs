//! Layer 1: the records. These types, and no others, are what is persisted; a reader of an old file needs only this
//! folder.
//!
//! Everything is named: states, handlers, steps and events are written by the names they have in the workflow, never by
//! an index, so that reordering code changes nothing. A record is JSON in a [sealed](seal) envelope: a checksum over
//! what it is and whose it is, so that a damaged or misplaced row is found instead of believed.

mod attribute;
mod child;
mod closed;
mod control;
mod error;
mod event;
mod execution;
mod fork;
mod history;
mod journal;
mod json;
mod parallel;
mod reply;
mod seal;
mod undo;

pub use attribute::{AttributeKind, AttributeValue};
pub use child::{CHILD_EVENT, ChildCallRecord, ChildEnd, ChildReport, OutgoingRecord, ParentRecord};
pub use closed::Closed;
pub use control::{ControlAction, MoveOrder, Reason, SkipOrder};
pub use error::{ErrorKind, ErrorRecord};
pub use event::{EventRecord, NewEvent};
pub use execution::{
    Activity, Cause, ExecutionKey, ExecutionRecord, FIRST_VERSION, FailingRecord, ParkedRecord, SetAside, Status,
    TimerKind, TimerRecord,
};
pub(crate) use execution::{first_version, is_first_version};
pub use fork::{ForkRecord, KeptState};
pub use history::{HistoryKind, HistoryRecord};
pub use journal::{FLAG_KEY, JournalEntry, JournalResult};
pub use json::{Json, JsonError};
pub use parallel::{BranchRecord, ParallelEnd, ParallelRecord};
pub use reply::{Answer, ReplyRecord};
pub use seal::{RecordKind, Sealed, UnsealError, open, open_entry, seal, seal_entry};
pub(crate) use undo::UNDO_AT_ONCE;
pub use undo::{UndoOutput, UndoPlace, UndoRecord, UndoableCall, UnwindInto, check_undo};

/// The version of the persisted format that this build writes. It reads every version up to this one.
pub const FORMAT_VERSION: u32 = 3;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over by reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}
