//! Events that are answered, refused, rejected, dropped and repeated.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use workflow_runtime::prelude::*;
use workflow_runtime::store::{Change, Commit, Query, Store, StoreError};
use workflow_runtime::stores::MemoryStore;
use workflow_runtime::{
    AskError, Engine, EngineError, EventPolicy, Execution, HistoryKind, ManualClock, Status, Stepper, Timestamp,
};

use super::fixture::{settle, test};
use super::hooked::{Call, Hooked};

#[state]
pub struct Open {
    seats: u32,
}

#[state]
pub struct Closed;

#[state(end)]
pub struct Held;

/// Takes seats.
#[event]
pub struct Book {
    seats: u32,
}

/// It means nothing later.
#[event(reject)]
pub struct Knock;

#[event(drop)]
pub struct Hint;

#[event(key = "reference")]
pub struct Payment {
    reference: String,
    seats: u32,
}

#[event]
pub struct Close;

#[event]
pub struct Start;

#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Booking {
    left: u32,
}

#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Full {
    left: u32,
}

#[event]
pub struct Count;

#[derive(Default)]
pub struct Desk {
    calls: AtomicU32,
    broken: AtomicBool,
    jammed: AtomicBool,
}

/// What closes the desk.
#[derive(Debug, serde::Serialize, serde::Deserialize, thiserror::Error)]
#[error("out of paper")]
pub struct OutOfPaper;

pub struct Concert {
    desk: Arc<Desk>,
}

#[workflow(start = Open, include(on counted(ConcertLive, Count) -> Reply<u32, Wait>))]
impl Concert {
    #[on(allow(endless_wait))]
    async fn book(&self, cx: &Cx, open: Open, book: Book) -> Result<Reply<Booking, Next<(Stay<Open>, Closed)>, Full>> {
        let Some(left) = open.seats.checked_sub(book.seats) else { return Ok(refuse(Full { left: open.seats })) };
        self.print(cx, left).await?;
        let booking = Booking { left };
        Ok(match left {
            0 => reply(booking, goto(Closed)),
            seats => reply(booking, goto(Stay(Open { seats }))),
        })
    }

    #[on]
    fn book_late(&self, _: Closed, _: Book) -> Reply<Booking, Wait, Full> {
        refuse(Full { left: 0 })
    }

    #[on]
    fn knocked(&self, _: Closed, _: Knock) -> Reply<String, Wait> {
        reply("closed".to_owned(), Wait)
    }

    #[on]
    fn hinted(&self, _: Closed, _: Hint) -> Reply<(), Wait> {
        reply((), Wait)
    }

    #[on]
    fn paid(&self, open: Open, payment: Payment) -> Stay<Open> {
        assert!(!payment.reference.is_empty());
        Stay(Open { seats: open.seats - payment.seats })
    }

    #[on]
    fn close(&self, _: Open, _: Close) -> Closed {
        Closed
    }

    #[catch(source)]
    fn give_up(&self, _: Open, _: OutOfPaper) -> Closed {
        Closed
    }

    #[on(allow(endless_wait))]
    fn start(&self, _: Closed, _: Start) -> Held {
        Held
    }

    #[step]
    async fn print(&self, _: &Cx, _: u32) -> Result<()> {
        self.desk.calls.fetch_add(1, Ordering::Relaxed);
        if self.desk.broken.load(Ordering::Relaxed) {
            return Err(OutOfPaper.into());
        }
        if self.desk.jammed.load(Ordering::Relaxed) {
            return Err(Error::msg("jammed"));
        }
        Ok(())
    }
}

mod part {
    use super::{Concert, ConcertLive, Count};
    use workflow_runtime::prelude::*;

    #[workflow(part)]
    impl Concert {
        #[on(allow(endless_wait))]
        fn counted(&self, live: ConcertLive, _: Count) -> Reply<u32, Wait> {
            match live {
                ConcertLive::Open(open) => reply(open.seats, Wait),
                ConcertLive::Closed(_) => reply(0, Wait),
            }
        }
    }
}

struct World {
    store: Arc<dyn Store>,
    desk: Arc<Desk>,
}

impl World {
    fn on(store: Arc<dyn Store>) -> Self {
        Self { store, desk: Arc::default() }
    }

    fn new() -> Self {
        Self::on(Arc::new(MemoryStore::new()))
    }

    async fn engine(&self) -> Engine {
        let concert = Concert { desk: Arc::clone(&self.desk) };
        let clock = ManualClock::new(Timestamp::EPOCH);
        Engine::on(Arc::clone(&self.store)).clock(clock).workflow(concert).start().await.unwrap()
    }

    async fn concert(&self, engine: &Engine) -> Execution<Concert> {
        engine.start("a", Open { seats: 5 }).await.unwrap()
    }
}

async fn seats(concert: &Execution<Concert>) -> Option<u32> {
    match concert.state().await.unwrap() {
        ConcertState::Open(open) => Some(open.seats),
        ConcertState::Closed(_) | ConcertState::Held(_) => None,
    }
}

fn refused<T: std::fmt::Debug>(asked: Result<T, AskError<Full>>) -> Full {
    match asked {
        Err(AskError::Refused(full)) => full,
        other => panic!("{other:?}"),
    }
}

fn engine_error<T: std::fmt::Debug, E: std::fmt::Debug>(asked: Result<T, AskError<E>>) -> EngineError {
    match asked {
        Err(AskError::Engine(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_edge_answers_and_a_refusal_changes_nothing() {
    test(async {
        let world = World::new();
        let engine = world.engine().await;
        let concert = world.concert(&engine).await;
        assert_eq!(concert.ask(Book { seats: 3 }).await.unwrap(), Booking { left: 2 });
        assert_eq!(refused(concert.ask(Book { seats: 3 }).await), Full { left: 2 });
        assert_eq!(seats(&concert).await, Some(2));
        assert_eq!(concert.ask(Count).await.unwrap(), 2, "a part answers, too");
        assert_eq!(concert.ask(Book { seats: 2 }).await.unwrap(), Booking { left: 0 });
        assert_eq!(refused(concert.ask(Book { seats: 1 }).await), Full { left: 0 }, "another edge, the same types");
        let rows = concert.history(0, 100).await.unwrap();
        let refusals = rows.iter().filter(|row| matches!(row.record.kind, HistoryKind::Refused { .. }));
        assert_eq!(refusals.count(), 2);
    });
}

#[test]
fn an_answer_is_the_same_for_whoever_asks_again_also_after_a_restart_and_the_end() {
    test(async {
        let world = World::new();
        let engine = world.engine().await;
        let concert = world.concert(&engine).await;
        assert_eq!(concert.ask_once("one", Book { seats: 3 }).await.unwrap(), Booking { left: 2 });
        assert_eq!(refused(concert.ask_once("two", Book { seats: 3 }).await), Full { left: 2 });
        drop((concert, engine));
        let engine = world.engine().await;
        let concert = engine.execution::<Concert>("a").unwrap();
        concert.send(Close).await.unwrap();
        concert.send(Start).await.unwrap();
        concert.outcome().await.unwrap();
        assert_eq!(concert.ask_once("one", Book { seats: 3 }).await.unwrap(), Booking { left: 2 });
        assert_eq!(refused(concert.ask_once("two", Book { seats: 3 }).await), Full { left: 2 });
        let ended = engine_error(concert.ask_once("three", Book { seats: 3 }).await);
        assert!(matches!(ended, EngineError::Ended { .. }), "{ended:?}");
        assert_eq!(world.desk.calls.load(Ordering::Relaxed), 1);
    });
}

/// The process dies when the answer is written, or just before: whoever asks again gets it, and nothing is done twice.
#[test]
fn a_crash_before_or_after_the_answer_loses_none_and_makes_no_second() {
    for lost in [true, false] {
        test(async move {
            let memory = MemoryStore::new();
            let broken = Arc::new(AtomicBool::new(true));
            let (breaks, armed) = (Arc::clone(&broken), Arc::new(AtomicBool::new(false)));
            let failing = move |call: Call<'_>| {
                if !breaks.load(Ordering::Relaxed) {
                    return Ok(());
                }
                let answers = |commits: &[Commit]| {
                    commits.iter().any(|commit| match &commit.change {
                        Change::Advance { advance, .. } => !advance.replies.is_empty(),
                        _ => false,
                    })
                };
                match call {
                    Call::Commit(commits) if answers(commits) && lost => {
                        Err(StoreError::Poisoned { reason: "a test".to_owned() })
                    }
                    Call::Commit(commits) => {
                        armed.store(answers(commits), Ordering::Relaxed);
                        Ok(())
                    }
                    Call::Committed if armed.load(Ordering::Relaxed) => {
                        Err(StoreError::Poisoned { reason: "a test".to_owned() })
                    }
                    _ => Ok(()),
                }
            };
            let world = World::on(Hooked::new(memory.clone(), failing));
            let engine = world.engine().await;
            let concert = world.concert(&engine).await;
            let first = concert.ask_once("one", Book { seats: 3 }).await;
            assert!(first.is_err() || !lost, "what reached the store may be read there");
            drop((concert, engine));
            broken.store(false, Ordering::Relaxed);
            let engine = world.engine().await;
            let concert = engine.execution::<Concert>("a").unwrap();
            assert_eq!(concert.ask_once("one", Book { seats: 3 }).await.unwrap(), Booking { left: 2 });
            assert_eq!(seats(&concert).await, Some(2), "booked once, lost: {lost}");
        });
    }
}

#[test]
fn who_asks_hears_of_a_failure_that_another_edge_caught_and_waits_while_it_is_parked() {
    test(async {
        let world = World::new();
        world.desk.broken.store(true, Ordering::Relaxed);
        let engine = world.engine().await;
        let concert = world.concert(&engine).await;
        let failed = engine_error(concert.ask(Book { seats: 3 }).await);
        assert!(matches!(&failed, EngineError::EdgeFailed { .. }), "{failed:?}");
        assert!(failed.to_string().contains("out of paper"), "{failed}");
        assert_eq!(seats(&concert).await, None, "the catch closed it");

        world.desk.broken.store(false, Ordering::Relaxed);
        world.desk.jammed.store(true, Ordering::Relaxed);
        let parked = engine.start::<Concert>("parked", Open { seats: 5 }).await.unwrap();
        let asking = parked.ask(Book { seats: 3 });
        let mending = async {
            settle(&engine).await;
            assert_eq!(parked.record().await.unwrap().status(), Status::Parked);
            world.desk.jammed.store(false, Ordering::Relaxed);
            parked.retry().await.unwrap();
        };
        let (answer, ()) = futures::join!(asking, mending);
        assert_eq!(answer.unwrap(), Booking { left: 2 });
    });
}

mod cautious {
    use super::*;

    #[state]
    pub struct Selling;

    #[state(end)]
    pub struct Sold;

    #[event]
    pub struct Buy;

    pub struct Cautious {
        pub desk: Arc<Desk>,
    }

    #[workflow(start = Selling, on_failure = unwind, allow(no_undo, fragile_step, small_machine))]
    impl Cautious {
        #[on(allow(endless_wait))]
        async fn bought(&self, cx: &Cx, _: Selling, _: Buy) -> Result<Reply<u32, Sold>> {
            let seat = self.reserve(cx).await?;
            self.print(cx).await?;
            Ok(reply(seat, Sold))
        }

        #[step(undo = release)]
        async fn reserve(&self, _: &Cx) -> Result<u32> {
            Ok(self.desk.calls.fetch_add(1, Ordering::Relaxed))
        }

        async fn release(&self, _: &Cx, _: u32) -> Result<()> {
            Ok(())
        }

        #[step]
        async fn print(&self, _: &Cx) -> Result<()> {
            if self.desk.broken.load(Ordering::Relaxed) { Err(OutOfPaper.into()) } else { Ok(()) }
        }
    }
}

#[test]
fn who_asks_waits_also_where_a_failure_undoes_all_before_it_parks() {
    test(async {
        let desk = Arc::new(Desk::default());
        desk.broken.store(true, Ordering::Relaxed);
        let cautious = cautious::Cautious { desk: Arc::clone(&desk) };
        let engine = Engine::in_memory().workflow(cautious).start().await.unwrap();
        let sale = engine.start::<cautious::Cautious>("a", cautious::Selling).await.unwrap();
        let mending = async {
            settle(&engine).await;
            assert_eq!(sale.record().await.unwrap().status(), Status::Parked);
            desk.broken.store(false, Ordering::Relaxed);
            sale.retry().await.unwrap();
        };
        let (answer, ()) = futures::join!(sale.ask(cautious::Buy), mending);
        assert_eq!(answer.unwrap(), 1, "the first seat was given back, and the answer is that of the retry");
        // Cancelled while it is parked, it will not answer any more.
        desk.broken.store(true, Ordering::Relaxed);
        let sale = engine.start::<cautious::Cautious>("b", cautious::Selling).await.unwrap();
        let giving_up = async {
            settle(&engine).await;
            assert_eq!(sale.record().await.unwrap().status(), Status::Parked);
            sale.cancel("enough").await.unwrap();
        };
        let (answer, ()) = futures::join!(sale.ask(cautious::Buy), giving_up);
        let error = engine_error(answer);
        assert!(matches!(&error, EngineError::Ended { .. }), "{error:?}");
    });
}

#[test]
fn an_event_that_the_state_does_not_take_is_rejected_where_its_type_says_so() {
    test(async {
        let world = World::new();
        let engine = world.engine().await;
        let concert = world.concert(&engine).await;
        settle(&engine).await;
        let sent = concert.send(Knock).await.unwrap_err();
        assert!(
            matches!(&sent, EngineError::Rejected { event, state, .. } if event == "knock" && state == "open"),
            "{sent:?}"
        );
        let asked = engine_error(concert.ask_once("k", Knock).await);
        assert!(matches!(asked, EngineError::Rejected { .. }), "{asked:?}");
        concert.send(Close).await.unwrap();
        settle(&engine).await;
        assert_eq!(concert.ask(Knock).await.unwrap(), "closed");
        concert.send(Start).await.unwrap();
        let ended = engine_error(concert.ask(Knock).await);
        assert!(matches!(ended, EngineError::Ended { .. } | EngineError::Rejected { .. }), "{ended:?}");
    });
}

#[test]
fn a_repetition_of_an_event_that_was_taken_is_not_rejected() {
    test(async {
        let world = World::new();
        let engine = world.engine().await;
        let concert = world.concert(&engine).await;
        concert.send(Close).await.unwrap();
        settle(&engine).await;
        concert.send_once("k", Knock).await.unwrap();
        settle(&engine).await;
        concert.send_once("k", Knock).await.unwrap();
        assert_eq!(concert.ask_once("k", Knock).await.unwrap(), "closed");
    });
}

#[test]
fn an_event_that_is_dropped_leaves_a_row_and_no_answer() {
    test(async {
        let world = World::new();
        let engine = world.engine().await;
        let concert = world.concert(&engine).await;
        let unanswered = engine_error(concert.ask(Hint).await);
        assert!(matches!(unanswered, EngineError::Unanswered { .. }), "{unanswered:?}");
        concert.send(Close).await.unwrap();
        settle(&engine).await;
        let rows = concert.history(0, 100).await.unwrap();
        let dropped = rows
            .iter()
            .filter(|row| matches!(&row.record.kind, HistoryKind::EventRefused { event, .. } if event == "hint"));
        assert_eq!(dropped.count(), 1);
        concert.ask(Hint).await.unwrap();
    });
}

#[test]
fn an_event_with_a_key_is_taken_once() {
    test(async {
        let world = World::new();
        let engine = world.engine().await;
        let concert = world.concert(&engine).await;
        let payment = |reference: &str| Payment { reference: reference.to_owned(), seats: 1 };
        concert.send(payment("x")).await.unwrap();
        concert.send(payment("x")).await.unwrap();
        concert.send(payment("y")).await.unwrap();
        settle(&engine).await;
        assert_eq!(seats(&concert).await, Some(3));
        drop((concert, engine));
        let engine = world.engine().await;
        let concert = engine.execution::<Concert>("a").unwrap();
        concert.send(payment("y")).await.unwrap();
        settle(&engine).await;
        assert_eq!(seats(&concert).await, Some(3), "also after a restart");
        let empty = concert.send(Payment { reference: "x".repeat(10_000), seats: 1 }).await.unwrap_err();
        assert!(matches!(empty, EngineError::InvalidId(_)), "{empty:?}");
    });
}

#[test]
fn what_waits_for_whom_can_be_listed() {
    test(async {
        let world = World::new();
        let engine = world.engine().await;
        let concert = world.concert(&engine).await;
        concert.send(Close).await.unwrap();
        settle(&engine).await;
        let page = engine.list(&Query::of::<Concert>()).await.unwrap();
        let waiting = page.executions.iter().map(|summary| {
            let events = ConcertState::GRAPH.events_of(&summary.state).map(|event| event.name);
            (summary.id.as_str(), events.collect::<Vec<_>>())
        });
        assert_eq!(waiting.collect::<Vec<_>>(), [("a", vec!["book", "knock", "hint", "start", "count"])]);
        assert_eq!(ConcertState::GRAPH.event("knock").unwrap().policy, EventPolicy::Reject);
        assert_eq!(ConcertState::GRAPH.handler("book").unwrap().reply, Some("Booking"));
    });
}

#[test]
fn a_stepper_asks_too() {
    test(async {
        let mut concert = Stepper::start(Concert { desk: Arc::default() }, Open { seats: 5 }).unwrap();
        assert_eq!(concert.ask(Book { seats: 3 }).await.unwrap(), Ok(Booking { left: 2 }));
        assert_eq!(concert.ask(Book { seats: 3 }).await.unwrap(), Err(Full { left: 2 }));
        assert!(concert.ask(Knock).await.unwrap_err().to_string().contains("takes no event"));
        let payment = || Payment { reference: "x".to_owned(), seats: 1 };
        concert.send(payment()).await.unwrap();
        concert.send(payment()).await.unwrap();
        assert!(matches!(concert.state().unwrap(), ConcertState::Open(Open { seats: 1 })));
    });
}
