//! What a mock says where the store behind fails: the same as without, whatever of a write is on disk.

use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::testing::{AtOnce, CrashTest, Fault, FaultyStore, Sim, when};
use workflow_runtime::{EngineError, MemoryStore, SqliteStore};

use super::mocks::{FakeBank, Fulfilment, Order, fulfilled, order, told};

/// Two orders, some of whose steps fail at first.
async fn orders(sim: Sim) -> Result<(Vec<String>, Vec<usize>, Vec<String>)> {
    let pay = when(Order::pay)
        .fails_times(2, "busy")
        .panics("oh")
        .times(1)
        .returns_with(|call| format!("paid at attempt {}", call.number));
    let weigh = when(Order::weigh).fails_times(1, "no scale").returns_with(|call| call.number);
    sim.mock(&pay);
    sim.mock(&weigh);
    sim.workflow(|| Fulfilment { bank: FakeBank });
    let first = sim.start::<Order>("a", order()).await?;
    // Nothing catches that: it is parked, and tried again by hand, which is an attempt of its own.
    assert!(matches!(first.outcome().await, Err(EngineError::Parked { .. })));
    first.retry("there is one now").await?;
    let outcomes = vec![told(first.outcome().await)?, fulfilled(&sim, "b").await?];
    let mut calls: Vec<_> =
        pay.all_attempts().iter().map(|call| format!("{} {}: {}", call.id(), call.attempt, call.number)).collect();
    calls.truncate(4);
    Ok((outcomes, vec![pay.attempts(), weigh.attempts()], calls))
}

#[test]
fn a_mock_says_the_same_whatever_the_store_fails_with_at_whichever_write() {
    let played = |fault: Option<(u64, Fault)>| {
        Sim::run(0, move |sim| async move {
            let store = FaultyStore::in_memory();
            let store = fault.into_iter().fold(store, |store, (write, fault)| store.at(write, fault));
            let disk = store.clone();
            sim.store(move || Ok(store.reopen()));
            sim.supervised();
            Ok((orders(sim).await?, disk.writes()))
        })
    };
    let (expected, writes) = played(None);
    assert_eq!(expected.2, ["a 1: 1", "a 2: 2", "a 3: 3", "a 4: 4"]);
    assert!(writes > 10, "{writes}");
    for write in 1..=writes {
        for fault in Fault::ALL.into_iter().filter(|fault| *fault != Fault::Silence) {
            assert_eq!(played(Some((write, fault))).0, expected, "{fault:?} at write {write}");
        }
    }
}

#[test]
fn a_write_without_an_answer_counts_by_what_the_next_process_finds() {
    let played = |write: u64, disk: FaultyStore<MemoryStore>| {
        Sim::run(0, move |sim| async move {
            let pay = when(Order::pay).fails_times(2, "busy").returns_with(|call| call.number.to_string());
            sim.mock(&pay);
            sim.workflow(|| Fulfilment { bank: FakeBank });
            let store = disk.at(write, Fault::Silence);
            sim.store(move || Ok(store.reopen()));
            let run = sim.start::<Order>("a", order()).await?;
            sim.advance("1h").await;
            sim.crash().await;
            run.outcome().await?;
            Ok((told(run.outcome().await)?, pay.attempts(), sim.histories().await?[0].1.len()))
        })
    };
    let writes = {
        let disk = FaultyStore::in_memory();
        let (expected, ..) = played(u64::MAX, disk.clone());
        assert_eq!(expected, "2 kettle 3 6 6");
        disk.writes()
    };
    // The first write is the start, which nobody asks for again before it is answered.
    for write in 2..=writes {
        assert_eq!(
            played(write, FaultyStore::in_memory()),
            ("2 kettle 3 6 6".to_owned(), 3, 2),
            "no answer to write {write}"
        );
    }
}

#[test]
fn a_mock_says_the_same_over_crashes_of_a_store_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let number = std::cell::Cell::new(0);
    let report = CrashTest::new().pairs(5).run(|sim: Sim| {
        number.set(number.get() + 1);
        let path = folder.path().join(format!("{}.db", number.get()));
        async move {
            let pay = when(Order::pay).fails_times(1, "busy").returns_with(|call| call.number.to_string());
            sim.mock(pay.takes(Duration::from_secs(1)));
            let store = std::sync::Arc::new(SqliteStore::open(path)?);
            sim.store(move || Ok(AtOnce::new(std::sync::Arc::clone(&store))));
            sim.workflow(|| Fulfilment { bank: FakeBank });
            Ok(fulfilled(&sim, "a").await?)
        }
    });
    assert!(report.single > 10 && report.pairs == 5, "{report}");
}
