//! Finding executions by what is in them, and what is stuck.

use std::sync::Arc;
use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::record::{ErrorKind, Status};
use workflow_runtime::store::Query;
use workflow_runtime::stores::{MemoryStore, SqliteStore};
use workflow_runtime::{Clock as _, Engine, EngineError, ManualClock, StuckBecause, Timestamp};

use super::fixture::{Act, Draft, Job, World, settle, test};

#[state]
#[serde(rename_all = "camelCase")]
pub struct Open {
    #[index]
    customer: String,
    #[index]
    due_at: Option<Timestamp>,
    #[index]
    #[serde(rename = "urgency")]
    priority: u8,
    #[index]
    paid: bool,
    text: String,
}

#[state(end)]
pub struct Closed {
    #[index]
    customer: String,
}

#[event]
pub struct Escalate;

#[event]
pub struct Close;

pub struct Ticket;

#[workflow(start = Open)]
impl Ticket {
    #[on(allow(endless_wait))]
    fn escalated(&self, open: Open, _: Escalate) -> Stay<Open> {
        Stay(Open { priority: open.priority + 1, due_at: None, ..open })
    }

    #[on]
    fn closed(&self, open: Open, _: Close) -> Closed {
        Closed { customer: open.customer }
    }
}

fn open(customer: &str, priority: u8) -> Open {
    let due_at = Some(Timestamp::from_millis(7_000));
    Open { customer: customer.to_owned(), due_at, priority, paid: priority > 2, text: "customer".to_owned() }
}

fn tickets() -> Query {
    Query::of::<Ticket>()
}

async fn ids(engine: &Engine, query: Query) -> Vec<String> {
    let page = engine.list(&query).await.unwrap();
    page.executions.iter().map(|found| found.id.to_string()).collect()
}

async fn until(engine: &Engine, done: impl AsyncFn() -> bool) {
    for _ in 0..10_000 {
        if done().await {
            return;
        }
        settle(engine).await;
    }
    panic!("it does not come to that: {:?}", engine.list(&Query::default()).await);
}

async fn tickets_are_found(engine: Engine) {
    let start = [("a", open("Ada", 1)), ("b", open("Bob", 2)), ("c", open("Ada", 3))];
    engine.start_all::<Ticket, _>(start).await.unwrap();
    assert_eq!(ids(&engine, tickets().attribute("customer", "Ada")).await, ["a", "c"]);
    assert_eq!(ids(&engine, tickets().attribute("customer", "Ada").attribute("paid", true)).await, ["c"]);
    assert_eq!(ids(&engine, tickets().attribute("urgency", 2)).await, ["b"]);
    let due = Timestamp::from_millis(7_000);
    assert_eq!(ids(&engine, tickets().attribute("dueAt", due)).await, ["a", "b", "c"]);
    assert_eq!(ids(&engine, tickets().attribute("dueAt", due).limit(2)).await, ["a", "b"]);

    // The data changes, and the state does not.
    let ticket = |id| engine.execution::<Ticket>(id).unwrap();
    ticket("a").send(Escalate).await.unwrap();
    ticket("c").send(Close).await.unwrap();
    ticket("c").outcome().await.unwrap();
    until(&engine, async || ids(&engine, tickets().attribute("urgency", 1)).await.is_empty()).await;
    assert_eq!(ids(&engine, tickets().attribute("urgency", 2)).await, ["a", "b"]);
    assert_eq!(ids(&engine, tickets().attribute("dueAt", due)).await, ["b"]);
    assert_eq!(ids(&engine, tickets().attribute("customer", "Ada")).await, ["a", "c"]);
    assert_eq!(ids(&engine, tickets().attribute("customer", "Ada").state::<Closed>()).await, ["c"]);
    assert_eq!(ids(&engine, tickets().attribute("customer", "Ada").status(Status::Waiting)).await, ["a"]);
}

#[test]
fn executions_are_found_by_the_fields_of_their_states() {
    test(async {
        tickets_are_found(Engine::in_memory().workflow(Ticket).start().await.unwrap()).await;
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("tickets.db")).unwrap();
        tickets_are_found(Engine::on(Arc::new(store)).workflow(Ticket).start().await.unwrap()).await;
    });
}

#[test]
fn an_attribute_that_there_is_not_is_refused_by_name() {
    test(async {
        let world = World::default();
        let engine = world.builder().workflow(Ticket).start().await.unwrap();
        let refused = async |query: Query| engine.list(&query).await.unwrap_err().to_string();
        let unknown = refused(tickets().attribute("text", "help")).await;
        let expected = "no state of `Ticket` has an attribute `text`: there is `customer`, `dueAt`, `paid`, `urgency`";
        assert_eq!(unknown, expected);
        let wrong = refused(tickets().attribute("urgency", "2")).await;
        assert_eq!(wrong, "the attribute `urgency` is a whole number, and the query has a text for it");
        let none = refused(Query::of::<Job>().attribute("number", 2)).await;
        assert!(none.contains("put `#[index]` on the field"), "{none}");
        let of_what = refused(Query::default().attribute("customer", "Ada")).await;
        assert!(of_what.contains("say of which, with `Query::of::<…>()`"), "{of_what}");
        let other = Engine::in_memory().workflow(Ticket).start().await.unwrap();
        let error = other.list(&Query::of::<Job>().attribute("number", 2)).await.unwrap_err();
        assert!(matches!(error, EngineError::UnknownWorkflow { .. }), "{error}");
    });
}

#[test]
fn the_graph_tells_what_can_be_searched_by() {
    let attributes = Ticket::GRAPH.state("open").unwrap().attributes;
    let names: Vec<_> = attributes.iter().map(|attribute| attribute.name).collect();
    assert_eq!(names, ["customer", "dueAt", "urgency", "paid"]);
}

#[test]
fn executions_are_found_by_age_and_by_their_last_error() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        engine.start::<Job>("old", Draft { number: 1 }).await.unwrap();
        world.pass(&engine, Duration::from_secs(600)).await;
        engine.start::<Job>("new", Draft { number: 1 }).await.unwrap();
        world.script.will("first", Act::Fail("the disk is on fire"));
        world.working(&engine, "parked").await.outcome().await.unwrap_err();
        world.script.will("second", Act::Fail("the line is BUSY"));
        world.working(&engine, "retrying").await;
        settle(&engine).await;
        let minute = Duration::from_secs(60);
        assert_eq!(ids(&engine, Query::of::<Job>().older_than(minute)).await, ["old"]);
        assert_eq!(ids(&engine, Query::of::<Job>().older_than(Duration::from_secs(601))).await, [""; 0]);
        assert_eq!(ids(&engine, Query::default().error("disk")).await, ["parked"]);
        assert_eq!(ids(&engine, Query::default().error("busy")).await, ["retrying"]);
        assert_eq!(ids(&engine, Query::default().error_kind(ErrorKind::Failed)).await, ["parked", "retrying"]);
        world.pass(&engine, minute).await;
        assert_eq!(ids(&engine, Query::default().error("busy")).await, [""; 0], "it is over that");
    });
}

#[test]
fn what_is_stuck_is_told_with_where_why_and_since_when() {
    test(async {
        let world = World::default();
        let engine = world.engine().await;
        engine.start::<Job>("waits", Draft { number: 1 }).await.unwrap();
        world.clock.advance_to(Timestamp::from_millis(1_000));
        world.script.will("first", Act::Fail("the disk is on fire"));
        world.working(&engine, "parked").await.outcome().await.unwrap_err();
        for _ in 0..2 {
            world.script.will("second", Act::Fail("the line is busy"));
        }
        world.working(&engine, "retrying").await;
        settle(&engine).await;
        let since = world.clock.now();
        world.pass(&engine, world.clock.next_due().unwrap().since(since)).await;
        let second = world.clock.next_due().unwrap();

        let stuck = engine.stuck(&Query::default()).await.unwrap();
        assert_eq!((stuck.executions.len(), stuck.next), (2, None));
        let [parked, retrying] = stuck.executions.as_slice() else { panic!("two of them are") };
        assert_eq!((parked.id.as_str(), &*parked.state, &parked.because), ("parked", "working", &StuckBecause::Parked));
        assert_eq!(parked.to_string(), "Job/parked  working  parked  since 1970-01-01T00:00:01Z  the disk is on fire");
        let failing = StuckBecause::Failing { step: "second".to_owned(), attempts: 2, next_attempt: second };
        assert_eq!((retrying.id.as_str(), &retrying.because, retrying.since), ("retrying", &failing, since));
        assert_eq!(retrying.error.as_ref().unwrap().message, "the line is busy");
        let line = retrying.to_string();
        assert!(line.starts_with("Job/retrying  working  `second` failed 2 times, next at 1970-"), "{line}");

        let first = engine.stuck(&Query::default().limit(1)).await.unwrap();
        assert_eq!(first.executions[0].id.as_str(), "parked");
        let rest = engine.stuck(&Query::default().after(first.next.unwrap())).await.unwrap();
        assert_eq!((rest.executions.len(), rest.executions[0].id.as_str()), (1, "retrying"));
        let parked = engine.stuck(&Query::default().status(Status::Parked)).await.unwrap();
        assert_eq!(parked.executions.len(), 1);
    });
}

#[test]
fn what_is_due_and_finds_no_engine_that_runs_it_is_stuck() {
    test(async {
        let (store, clock) = (MemoryStore::new(), ManualClock::new(Timestamp::EPOCH));
        let world = World { store: Arc::new(store), clock, ..World::default() };
        let engine = world.engine().await;
        engine.start::<Job>("left", Draft { number: 1 }).await.unwrap();
        drop(engine);
        let other = Engine::on(Arc::clone(&world.store)).clock(world.clock.clone()).workflow(Ticket);
        let other = other.start().await.unwrap();
        // It was to expire after an hour, and nobody here knows how.
        world.pass(&other, Duration::from_secs(3_660)).await;
        assert!(other.stuck(&Query::default()).await.unwrap().executions.is_empty(), "a minute is no reason to worry");
        world.pass(&other, Duration::from_secs(1)).await;
        let stuck = other.stuck(&Query::of::<Job>()).await.unwrap().executions;
        assert_eq!((stuck.len(), &stuck[0].because, &stuck[0].error), (1, &StuckBecause::Overdue, &None));
        assert_eq!(stuck[0].since, Timestamp::from_millis(3_600_000));
    });
}
