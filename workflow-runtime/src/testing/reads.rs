//! What stands in front of a store hands every read on: all of them here, so that a new one is forgotten nowhere.

/// The reads of a [`Store`](crate::store::Store) that stands in front of another, each by its method `read`. One that is missing
/// here would be the default of the trait, and not what the store behind it does.
macro_rules! forward_reads {
    () => {
        $crate::testing::reads::forward_reads! {
            load(key: &$crate::record::ExecutionKey) -> Option<$crate::store::Stored>;
            load_many(keys: &[$crate::record::ExecutionKey]) -> Vec<$crate::store::Loaded>;
        }
        $crate::testing::reads::forward_reads!(others);
    };
    // All but those that load executions.
    (others) => {
        $crate::testing::reads::forward_reads! {
            inbox(key: &$crate::record::ExecutionKey, after: u64) -> Vec<$crate::record::EventRecord>;
            undo(key: &$crate::record::ExecutionKey, count: u64) -> Vec<$crate::record::UndoRecord>;
            undo_before(key: &$crate::record::ExecutionKey, before: $crate::record::UndoPlace)
                -> Option<Vec<$crate::record::UndoRecord>>;
            parent(key: &$crate::record::ExecutionKey) -> Option<$crate::record::ParentRecord>;
            event(key: &$crate::record::ExecutionKey, event_id: &str) -> Option<$crate::store::KnownEvent>;
            due(workflows: &[$crate::store::KnownWorkflow], now: $crate::base::Timestamp, limit: usize) -> $crate::store::Due;
            list(query: &$crate::store::Query) -> $crate::store::Page;
            counts(workflow: Option<&str>) -> Vec<$crate::store::StateCount>;
            history(key: &$crate::record::ExecutionKey, after: u64, limit: usize) -> Vec<$crate::store::HistoryRow>;
        }
    };
    ($($name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {
        $(
            fn $name(&self, $($argument: $type),*) -> $crate::store::StoreFuture<$answer> {
                self.read(|store| store.$name($($argument),*))
            }
        )*
    };
}

pub(super) use forward_reads;
