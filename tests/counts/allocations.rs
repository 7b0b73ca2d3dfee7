//! How often memory is asked for, and how much of it stays.

use std::sync::Arc;

use allocation_counter::{AllocationInfo, measure};
use workflow_runtime::prelude::*;
use workflow_runtime::stores::MemoryStore;

use super::load::{self, Play, Rally, RallyState, Resting, STEPS, Stop, settle};

/// Allocations of `work` on an engine with a memory store, which `before` has been done on already.
fn counted(
    before: impl AsyncFnOnce(&workflow_runtime::Engine),
    work: impl AsyncFnOnce(&workflow_runtime::Engine),
) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let engine = runtime.block_on(async {
        let engine = load::on(Arc::new(MemoryStore::new())).start().await.unwrap();
        before(&engine).await;
        engine
    });
    measure(|| runtime.block_on(work(&engine))).count_total
}

/// One of ten steps, with its share of the start, the end and what the memory store keeps.
///
/// When it breaks: look for a clone or a text that is made for each step or commit (`kernel`, `machine/step`, `engine/run`).
#[test]
fn a_durable_step_allocates_little() {
    const EXECUTIONS: usize = 500;
    const MOST: f64 = 15.0;
    let warm = async |engine: &_| {
        for id in 0..100 {
            load::steps(engine, id).await;
        }
    };
    let total = counted(warm, async |engine| {
        for id in 100..100 + EXECUTIONS {
            load::steps(engine, id).await;
        }
    });
    let each = total as f64 / (EXECUTIONS as u64 * STEPS) as f64;
    println!("{each:.1} allocations a durable step");
    assert!(each <= MOST, "{each:.1} allocations a durable step, more than {MOST}");
}

/// Sends a rally to and fro, and says how many allocations each of so many rounds of two transitions takes.
fn allocations_of_rounds(parts: usize, rounds: u32) -> Vec<f64> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (engine, rally) = runtime.block_on(async {
        let engine = load::on(Arc::new(MemoryStore::new())).start().await.unwrap();
        let rally = engine.start::<Rally>("a", Resting).await.unwrap();
        settle(&engine).await;
        (engine, rally)
    });
    let play = || {
        runtime.block_on(async {
            rally.send(Play { rounds }).await.unwrap();
            settle(&engine).await;
        });
    };
    play();
    let each = |_| measure(play).count_total as f64 / (2.0 * f64::from(rounds));
    let each = (0..parts).map(each).collect();
    runtime.block_on(async {
        rally.send(Stop).await.unwrap();
        rally.outcome().await.unwrap();
    });
    each
}

/// A handler without effects, from one state to the next: the engine need not make it a turn.
///
/// When it breaks: look at `machine/workflow.rs` (is it still called directly?) and at what the kernel makes for a transition.
#[test]
fn a_transition_without_effects_allocates_little() {
    const MOST: f64 = 3.6;
    let each = allocations_of_rounds(1, 2_000)[0];
    println!("{each:.1} allocations a transition");
    assert!(each <= MOST, "{each:.1} allocations a transition, more than {MOST}");
}

/// The machine alone is plain function calls.
///
/// When it breaks: something in the generated `match`, or in `machine/pure.rs`, makes a text, a box or a copy.
#[test]
fn a_transition_without_an_engine_allocates_nothing() {
    let taken = measure(|| {
        let state = Rally.take(RallyState::from(Resting), Play { rounds: 1_000 }).unwrap();
        assert!(matches!(state, RallyState::Resting(_)));
    });
    assert_eq!(taken.count_total, 0);
}

/// The last of 10,000 visits costs what the first did.
///
/// When it breaks: something grows with the number of visits, such as a list in the record or the kernel.
#[test]
fn the_last_visits_allocate_as_much_as_the_first() {
    let each = allocations_of_rounds(10, 500);
    let (first, last) = (each[0], each[9]);
    assert!(last <= 1.01 * first && first <= 1.01 * last, "{first:.2} at first, {last:.2} in the end: {each:?}");
}

/// What an engine keeps in memory of the executions that wait, beside what its store does.
fn kept_for(waiting: usize) -> i64 {
    let store = Arc::new(MemoryStore::new());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let engine = runtime.block_on(async {
        let engine = load::on(store.clone()).start().await.unwrap();
        let starts = (0..waiting).map(|id| (id.to_string(), Resting));
        engine.start_all::<Rally, _>(starts).await.unwrap();
        settle(&engine).await;
        engine
    });
    let AllocationInfo { bytes_current, .. } = measure(move || {
        drop(engine);
        drop(runtime);
    });
    drop(store);
    -bytes_current
}

/// An execution that waits is a row, and nothing in memory.
///
/// When it breaks: somebody keeps a list of all executions, by key or by time. The store is the queue.
#[test]
fn an_execution_that_waits_costs_no_memory() {
    const WAITING: usize = 10_000;
    const MOST: f64 = 50.0;
    let each = (kept_for(WAITING) - kept_for(0)) as f64 / WAITING as f64;
    println!("{each:.1} bytes in memory for each that waits");
    assert!(each <= MOST, "{each:.1} bytes in memory for each that waits, more than {MOST}");
}
