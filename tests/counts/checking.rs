//! What a look at a whole store takes.

use std::sync::Arc;

use allocation_counter::measure;
use workflow_runtime::stores::MemoryStore;

use super::load::{self, Rally, Resting, settle};

/// The most memory that the check takes at once, with so many executions in the store.
fn most_for(executions: usize) -> u64 {
    let store = Arc::new(MemoryStore::new());
    load::run(async {
        let engine = load::on(store.clone()).start().await.unwrap();
        let starts = (0..executions).map(|id| (id.to_string(), Resting));
        engine.start_all::<Rally, _>(starts).await.unwrap();
        settle(&engine).await;
        engine.shutdown().await.unwrap();
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let check = || {
        let report = runtime.block_on(load::on(store.clone()).check()).unwrap();
        assert_eq!((report.tried, report.fit), (executions as u64, executions as u64));
    };
    measure(check).bytes_max
}

/// A hundred thousand executions are checked in the memory of some pages.
///
/// When it breaks: the check (`engine/checking/`) keeps something of each execution, or reads them all at once.
#[test]
fn a_check_takes_no_more_memory_for_more_executions() {
    let (few, many) = (most_for(1_000), most_for(100_000));
    println!("{few} bytes for 1,000 executions, {many} for 100,000");
    assert!(many <= 2 * few, "{few} bytes for 1,000 executions, and {many} for 100,000");
}
