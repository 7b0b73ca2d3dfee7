//! How often the store is asked for what it holds.

use workflow_runtime::stores::MemoryStore;

use super::load::{self, Begun, Steps, settle};
use super::tally::Tallied;

/// What waits for a place is loaded in groups, as many at a time as there are free places.
///
/// When it breaks: the scheduler (`engine/scheduler.rs`) reads executions one by one, or looks for what is due too often.
#[test]
fn a_backlog_is_read_in_groups() {
    const EXECUTIONS: u64 = 10_000;
    let (store, tally) = Tallied::on(MemoryStore::new());
    let [_, loads, looks] = load::run(async {
        let engine = load::on(store).start().await.unwrap();
        settle(&engine).await;
        tally.take();
        let starts = (0..EXECUTIONS).map(|id| (id.to_string(), Begun));
        engine.start_all::<Steps, _>(starts).await.unwrap();
        settle(&engine).await;
        tally.take()
    });
    println!("{loads} loads and {looks} looks for a backlog of {EXECUTIONS}");
    assert!(loads * 20 <= EXECUTIONS, "{loads} loads for {EXECUTIONS} executions");
    assert!(looks * 100 <= EXECUTIONS, "{looks} looks for {EXECUTIONS} executions");
}
