//! Files that were written by every format there has been: each is opened by every later build.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use workflow_runtime::record::{ErrorKind, FORMAT_VERSION, HistoryKind, Reason, Status};
use workflow_runtime::store::Query;
use workflow_runtime::stores::SqliteStore;
use workflow_runtime::{Clock as _, Engine, EngineBuilder};

use super::fixture::{Act, Cancel, Draft, Go, Job, JobOutcome, JobState, World, settle, test};
use super::trip::{Booking, Extra, Then, Trip, why};

/// A workflow of which the files have executions of its first version, as the code was then.
mod first {
    use workflow_runtime::prelude::*;

    #[state]
    pub struct Pending {
        pub euros: u64,
    }
    #[state(end)]
    pub struct Paid {
        pub cents: u64,
    }
    #[event]
    pub struct Payment;

    pub struct Invoice;

    #[workflow(start = Pending, allow(endless_wait))]
    impl Invoice {
        #[on]
        fn paid(&self, pending: Pending, _: Payment) -> Paid {
            Paid { cents: pending.euros * 100 }
        }
    }
}

/// The same in its second version.
mod second {
    use super::first;
    pub use super::first::{Paid, Payment};
    use workflow_runtime::prelude::*;

    #[state]
    pub struct Pending {
        pub cents: u64,
    }
    #[state(group)]
    pub enum First {
        Pending(first::Pending),
        Paid(Paid),
    }

    pub struct Invoice;

    #[workflow(start = Pending, version = 2, from(1 = First), allow(endless_wait))]
    impl Invoice {
        #[migrate(from = 1)]
        fn in_cents(old: first::Pending) -> Pending {
            Pending { cents: old.euros * 100 }
        }

        #[on]
        fn paid(&self, pending: Pending, _: Payment) -> Paid {
            Paid { cents: pending.cents + 1 }
        }
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn on_file(path: &Path) -> World {
    World::on(Arc::new(SqliteStore::open(path).unwrap()))
}

fn builder(world: &World) -> EngineBuilder {
    world.builder().workflow(Trip { script: Arc::clone(&world.script) })
}

async fn until(engine: &Engine, what: &str, done: impl AsyncFn() -> bool) {
    for _ in 0..100_000 {
        if done().await {
            return;
        }
        settle(engine).await;
    }
    panic!("{what} does not come to its place");
}

/// One execution in each situation that a crash can leave behind.
async fn write(path: &Path) {
    let world = on_file(path);
    // The step that hangs at the end is not waited for.
    let engine = builder(&world).workflow(first::Invoice).drain_timeout(Duration::ZERO).start().await.unwrap();

    let done = world.working(&engine, "done").await;
    done.outcome().await.unwrap();

    let waiting = engine.start::<Job>("waiting", Draft { number: 1 }).await.unwrap();
    waiting.send_once("early", Cancel { why: "changed my mind".to_owned() }).await.unwrap();
    until(&engine, "waiting", async || waiting.record().await.unwrap().inbox_seen == 1).await;

    world.script.will("second", Act::Fail("not yet"));
    let retrying = world.working(&engine, "retrying").await;
    until(&engine, "retrying", async || retrying.record().await.unwrap().resume_at.is_some()).await;

    world.script.will("first", Act::Fail("the disk is on fire"));
    let parked = world.working(&engine, "parked").await;
    parked.outcome().await.unwrap_err();

    // Since format 2: what a person has done, and what nobody has looked at yet.
    let cancelled = engine.start::<Job>("cancelled", Draft { number: 1 }).await.unwrap();
    cancelled.cancel(Reason::new("the recall").by("alice")).await.unwrap();
    let held = engine.start::<Job>("held", Draft { number: 1 }).await.unwrap();
    held.park(Reason::new("wait for me").by("alice")).await.unwrap();

    // Since format 3: what is to be undone, in rows of its own.
    let trip = engine.start::<Trip>("undoable", Booking { then: Then::Wait }).await.unwrap();
    for seats in 1..=3 {
        until(&engine, "undoable", async || trip.state().await.is_ok() && engine.active() == 0).await;
        trip.send(Extra).await.unwrap();
        until(&engine, "undoable", async || trip.record().await.unwrap().undo_count == seats).await;
    }

    // The same: what later code has a newer version of.
    for id in ["invoice", "open invoice"] {
        let invoice = engine.start::<first::Invoice>(id, first::Pending { euros: 7 }).await.unwrap();
        until(&engine, id, async || invoice.record().await.unwrap().visit == 1 && engine.active() == 0).await;
    }

    world.script.will("first", Act::Fail("never reached"));
    world.script.will("clean_up", Act::Hang);
    let held = world.script.will_hold("second");
    let edge = engine.start::<Job>("edge", Draft { number: 1 }).await.unwrap();
    edge.send(Cancel { why: "at once".to_owned() }).await.unwrap();
    edge.send(Go).await.unwrap();
    until(&engine, "edge", async || world.script.count("clean_up") == 1).await;
    drop(held);
    engine.shutdown().await.unwrap();
}

async fn check(path: &Path, format: u32) {
    let world = on_file(path);
    let engine = builder(&world).workflow(second::Invoice).start().await.unwrap();
    let job = |id: &str| engine.execution::<Job>(id).unwrap();
    let name = path.display();

    let done = job("done");
    assert!(matches!(done.state().await.unwrap(), JobState::Done(done) if done.sum == 5), "{name}");
    let history = done.history(0, 100).await.unwrap();
    let path_taken: Vec<_> = history
        .iter()
        .filter_map(|row| match &row.record.kind {
            HistoryKind::Transition { from, to, attempts, .. } => Some((from.as_str(), to.as_str(), *attempts)),
            _ => None,
        })
        .collect();
    assert_eq!(path_taken, [("draft", "working", 0), ("working", "done", 2)], "{name}");

    let JobOutcome::Cancelled(cancelled) = job("edge").outcome().await.unwrap() else { panic!("{name}: edge") };
    assert_eq!(cancelled.why, "at once", "{name}");
    assert_eq!(world.script.count("clean_up"), 1, "{name}");

    world.pass(&engine, Duration::from_secs(2)).await;
    assert!(matches!(job("retrying").outcome().await.unwrap(), JobOutcome::Done(_)), "{name}");
    assert_eq!((world.script.count("first"), world.script.count("second")), (0, 1), "{name}");

    let parked = job("parked");
    let record = parked.record().await.unwrap();
    assert_eq!(record.status(), Status::Parked, "{name}");
    assert_eq!(record.parked.unwrap().error.message, "the disk is on fire", "{name}");
    parked.retry().await.unwrap();
    assert!(matches!(parked.outcome().await.unwrap(), JobOutcome::Done(_)), "{name}");

    if format >= 2 {
        let error = job("cancelled").outcome().await.unwrap_err().to_string();
        assert_eq!(error, "the execution Job/cancelled was cancelled: the recall (alice)", "{name}");
        let by_hand = engine.list(&Query::default().error_kind(ErrorKind::ByHand)).await.unwrap().executions;
        assert_eq!(by_hand.len(), 1, "{name}");
        job("held").retry().await.unwrap();
        job("held").send(Go).await.unwrap();
        assert!(matches!(job("held").outcome().await.unwrap(), JobOutcome::Done(_)), "{name}");
    }

    if format >= 3 {
        let trip = engine.execution::<Trip>("undoable").unwrap();
        assert_eq!(trip.record().await.unwrap().left_to_undo(), 3, "{name}");
        trip.send(super::trip::Cancel).await.unwrap();
        assert_eq!(why(trip.outcome().await.unwrap()), "the customer", "{name}");
        assert_eq!((world.script.count("free_odd"), world.script.count("cancel_flight")), (3, 1), "{name}");
    }

    if format >= 3 {
        let invoice = engine.execution::<second::Invoice>("invoice").unwrap();
        assert_eq!(invoice.record().await.unwrap().version, 1, "{name}");
        invoice.send(second::Payment).await.unwrap();
        let second::InvoiceOutcome::Paid(paid) = invoice.outcome().await.unwrap();
        assert_eq!(paid.cents, 701, "{name}");
        let report = engine.migrate_all(&Query::of::<second::Invoice>()).await.unwrap();
        assert_eq!(report.to_string(), "1 migrated, 0 kept, 0 failed", "{name}");
        let invoice = engine.execution::<second::Invoice>("open invoice").unwrap();
        assert!(
            matches!(invoice.state().await.unwrap(), second::InvoiceState::Pending(pending) if pending.cents == 700),
            "{name}"
        );
    }

    let waiting = job("waiting");
    assert!(matches!(waiting.state().await.unwrap(), JobState::Draft(_)), "{name}");
    waiting.send_once("early", Cancel { why: "a repetition".to_owned() }).await.unwrap();
    waiting.send(Go).await.unwrap();
    let JobOutcome::Cancelled(cancelled) = waiting.outcome().await.unwrap() else { panic!("{name}: waiting") };
    assert_eq!(cancelled.why, "changed my mind", "{name}");
    assert_eq!(world.clock.now().as_millis(), 2_000);
    engine.shutdown().await.unwrap();
}

/// The format version in the header of a file.
fn format_of(path: &Path) -> u32 {
    let header = std::fs::read(path).unwrap();
    u32::from_be_bytes(header[60..64].try_into().unwrap())
}

/// Each version of the format has a file, and so has each release, as the two need not change together.
fn fixtures_needed(changelog: &str) -> Vec<String> {
    let formats = (1..=FORMAT_VERSION).map(|format| format!("format-{format}.db"));
    let releases = changelog.lines().filter_map(|line| line.strip_prefix("## [")?.split(']').next());
    let releases = releases.filter(|release| *release != "Unreleased");
    formats.chain(releases.map(|release| format!("release-{release}.db"))).collect()
}

#[test]
fn every_release_in_the_changelog_needs_a_file() {
    let changelog = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n## [0.2.0] - 2027-01-30\n- [x]\n\n## [0.1.0]\n";
    let needed = fixtures_needed(changelog);
    assert_eq!(needed.last().unwrap(), "release-0.1.0.db");
    assert_eq!(needed.len() as u32, FORMAT_VERSION + 2, "{needed:?}");
}

#[test]
fn a_file_of_every_format_and_release_is_opened_and_its_executions_go_on() {
    let changelog = std::fs::read_to_string(folder().join("../../CHANGELOG.md")).unwrap();
    for name in fixtures_needed(&changelog) {
        let fixture = folder().join(name);
        if !fixture.exists() {
            test(write(&fixture));
            std::fs::remove_file(fixture.with_extension("db.lock")).ok();
            panic!("{} was missing and has been written: commit it, and never change it again", fixture.display());
        }
    }
    let mut formats = std::collections::BTreeSet::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let fixture = entry.unwrap().path();
        if fixture.extension().is_some_and(|extension| extension == "db") {
            let copy = tempfile::tempdir().unwrap();
            let path = copy.path().join(fixture.file_name().unwrap());
            std::fs::copy(&fixture, &path).unwrap();
            let format = format_of(&path);
            test(check(&path, format));
            formats.insert(format);
        }
    }
    assert!(formats.iter().copied().eq(1..=FORMAT_VERSION), "one file for each format: {formats:?}");
}
