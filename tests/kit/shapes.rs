//! Every shape that a workflow can have survives a crash everywhere.

use serde::{Deserialize, Serialize};
use workflow_runtime::prelude::*;
use workflow_runtime::testing::{CrashTest, Fault, FaultyStore, Sim, crash_everywhere};
use workflow_runtime::{AskError, EngineError, Schedule, Timestamp};

use super::fixture::*;

#[state]
#[derive(Debug, Clone)]
pub struct Planning {
    pub places: Vec<String>,
}
#[state]
#[derive(Debug)]
pub struct Travelling {
    pub places: Vec<String>,
}
#[state(end)]
#[derive(Debug)]
pub struct Home {
    pub seen: Vec<String>,
    pub stamps: u32,
    pub at: Timestamp,
    pub lot: u64,
    pub diary: String,
}
#[state(end)]
#[derive(Debug)]
pub struct Stayed {
    pub why: String,
}
#[event]
pub struct Add {
    pub place: String,
}
#[event]
pub struct Go;
#[event]
pub struct Stamp;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Full;

pub struct Trip {
    pub outside: Outside,
}

#[workflow(start = Planning, on_failure = unwind, allow(fragile_step, endless_wait, no_undo))]
impl Trip {
    #[on]
    fn add(&self, mut planning: Planning, add: Add) -> Reply<usize, Stay<Planning>, Full> {
        if planning.places.len() == 3 {
            return refuse(Full);
        }
        planning.places.push(add.place);
        reply(planning.places.len(), Stay(planning))
    }

    #[on]
    fn go(&self, planning: Planning, _: Go) -> Travelling {
        Travelling { places: planning.places }
    }

    #[state]
    async fn travel(&self, cx: &Cx, travelling: Travelling) -> Result<Home> {
        let lot = cx.random();
        self.pack(cx, lot).await?;
        let seen = self.all(cx, travelling.places.clone()).await?;
        cx.sleep(std::time::Duration::from_secs(3_600)).await;
        let mut stamps = 0;
        for place in &travelling.places {
            let Ok(LegOutcome::Arrived(_)) =
                cx.call::<Leg>(format!("{}-{place}", cx.id()), Leaving { to: place.clone() }).await
            else {
                return Err(Error::msg(format!("lost on the way to {place}")));
            };
            stamps += 1;
        }
        cx.recv::<Stamp>().await;
        Ok(Home { seen, stamps: stamps + 1, at: cx.now(), lot, diary: cx.uuid() })
    }

    #[parallel(limit = 2)]
    async fn all(&self, cx: &Cx, #[each] place: String) -> Result<String> {
        self.see(cx, &place).await
    }

    #[step(undo = unpack)]
    async fn pack(&self, cx: &Cx, lot: u64) -> Result<u64> {
        self.outside.act(cx.idempotency_key(), "packed").await?;
        Ok(lot)
    }
    async fn unpack(&self, cx: &Cx, _lot: u64) -> Result<()> {
        self.outside.act(cx.idempotency_key(), "unpacked").await.map(|_| ())
    }

    #[step(retry(max = 5))]
    async fn see(&self, cx: &Cx, place: &str) -> Result<String> {
        self.outside.act(cx.idempotency_key(), &format!("saw {place}")).await
    }
}

#[state]
#[derive(Debug, Clone)]
pub struct Leaving {
    pub to: String,
}
#[state(end)]
#[derive(Debug)]
pub struct Arrived;

pub struct Leg {
    pub outside: Outside,
}

#[workflow(start = Leaving, allow(fragile_step, small_machine))]
impl Leg {
    #[state]
    async fn leave(&self, cx: &Cx, leaving: Leaving) -> Result<Arrived> {
        if leaving.to == "nowhere" {
            return Err(Error::msg("there is no such place"));
        }
        self.ride(cx, &leaving.to).await?;
        Ok(Arrived)
    }

    #[step]
    async fn ride(&self, cx: &Cx, to: &str) -> Result<()> {
        self.outside.act(cx.idempotency_key(), &format!("rode to {to}")).await.map(|_| ())
    }
}

fn world(sim: &Sim) -> Outside {
    let outside = Outside::default();
    let (of_trip, of_leg) = (outside.clone(), outside.clone());
    sim.workflow(move || Trip { outside: of_trip.clone() });
    sim.workflow(move || Leg { outside: of_leg.clone() });
    outside
}

async fn trip(sim: Sim) -> Result<(String, Vec<String>)> {
    sim.patience(std::time::Duration::from_secs(86_400), 20_000);
    let outside = world(&sim);
    let trip = sim.start::<Trip>("t", Planning { places: Vec::new() }).await?;
    for (count, place) in ["Rome", "Lima", "Oslo"].into_iter().enumerate() {
        assert_eq!(
            trip.ask(Add { place: place.into() }).await.map_err(|error| Error::msg(format!("{error:?}")))?,
            count + 1
        );
    }
    assert!(matches!(trip.ask(Add { place: "Bonn".into() }).await, Err(AskError::Refused(Full))));
    trip.send(Go).await?;
    sim.advance("2h").await;
    trip.send(Stamp).await?;
    let TripOutcome::Home(mut home) = trip.outcome().await?;
    home.at = Timestamp::EPOCH;
    Ok((format!("{home:?}"), outside.done()))
}

#[test]
fn branches_children_answers_events_and_chance_survive() {
    let report = CrashTest::new().pairs(100).run(trip);
    assert!(report.writes > 20 && report.steps == 7, "{report}");
}

#[test]
fn another_seed_survives_as_well() {
    CrashTest::new().seeds([1, 2]).pairs(20).run(trip);
}

#[test]
fn being_cancelled_survives_and_undoes() {
    crash_everywhere(|sim| async move {
        let outside = world(&sim);
        let trip = sim.start::<Trip>("t", Planning { places: vec!["Rome".into()] }).await?;
        trip.send(Go).await?;
        sim.advance("30m").await;
        trip.cancel("it rains").await?;
        assert!(matches!(trip.outcome().await, Err(EngineError::Cancelled { .. })));
        let done = outside.done();
        assert!(done.contains(&"unpacked".to_owned()), "{done:?}");
        Ok(done)
    });
}

#[test]
fn being_parked_is_an_outcome_like_any_other() {
    crash_everywhere(|sim| async move {
        let outside = world(&sim);
        let trip = sim.start::<Trip>("t", Planning { places: vec!["nowhere".into()] }).await?;
        trip.send(Go).await?;
        sim.advance("1d").await;
        let leg = sim.execution::<Leg>("t-nowhere");
        assert!(matches!(leg.outcome().await, Err(EngineError::Parked { .. })));
        leg.terminate("it is not there").await?;
        assert!(matches!(trip.outcome().await, Err(EngineError::Parked { .. })), "its failure is caught by nothing");
        Ok(outside.done())
    });
}

#[test]
fn several_executions_at_once_and_a_schedule_survive() {
    CrashTest::new().pairs(40).run(|sim: Sim| async move {
        let outside = Outside::default();
        let of_shop = outside.clone();
        sim.workflow(move || Shop { outside: of_shop.clone() });
        sim.with("the schedule", |engine| async move {
            engine.schedule("hourly", Schedule::every("1h").start::<Shop>(Unpaid { order: 7 })).await
        })
        .await?;
        let (one, two) = futures::join!(
            sim.start::<Shop>("one", Unpaid { order: 1 }),
            sim.start::<Shop>("two", Unpaid { order: 13 })
        );
        let (one, two) = (one?, two?);
        let (sent, also) = futures::join!(one.send(Paid), two.send(Paid));
        sent?;
        also?;
        sim.advance("150m").await;
        let outcomes = (one.outcome().await?, two.outcome().await?);
        Ok((format!("{outcomes:?}"), outside.done()))
    });
}

#[test]
fn many_starts_in_one_write_survive_being_torn() {
    let report = CrashTest::new().pairs(30).run(|sim: Sim| async move {
        let outside = Outside::default();
        let of_leg = outside.clone();
        sim.workflow(move || Leg { outside: of_leg.clone() });
        sim.with("all starts", |engine| async move {
            let places = ["Rome", "Lima", "Oslo"];
            engine.start_all::<Leg, _>(places.map(|place| (place, Leaving { to: place.into() }))).await
        })
        .await?;
        sim.advance("1h").await;
        Ok(outside.done())
    });
    assert!(report.single as u64 > 2 * report.writes + report.steps, "a write of three commits can be torn: {report}");
}

#[test]
fn any_fault_of_the_store_at_any_write_is_survived_under_a_supervisor() {
    let played = |fault: Option<(u64, Fault)>| {
        Sim::run(3, move |sim| async move {
            let mut store = FaultyStore::in_memory();
            if let Some((write, fault)) = fault {
                store = store.at(write, fault);
            }
            let disk = store.clone();
            sim.store(move || Ok(store.reopen()));
            sim.supervised();
            let (_, mut done) = trip(sim).await?;
            done.dedup();
            Ok((done, disk.writes(), disk.suffered().len()))
        })
    };
    let (expected, writes, _) = played(None);
    for write in 1..=writes {
        // A store that never answers keeps whoever waits for it, as it does in life.
        for fault in Fault::ALL.into_iter().filter(|fault| *fault != Fault::Silence) {
            let (done, _, suffered) = played(Some((write, fault)));
            assert_eq!((done, suffered), (expected.clone(), 1), "{fault:?} at write {write}");
        }
    }
}

#[test]
fn faults_at_random_are_survived() {
    let played = |seed| {
        Sim::run(seed, move |sim| async move {
            let faults =
                [Fault::LostAnswer, Fault::Torn, Fault::Error, Fault::Latency(std::time::Duration::from_secs(1))];
            let store = FaultyStore::in_memory().at_random(seed, 12, faults);
            let disk = store.clone();
            sim.store(move || Ok(store.reopen()));
            sim.supervised();
            let (told, done) = trip(sim).await?;
            Ok((told, done, disk.suffered()))
        })
    };
    let mut suffered = 0;
    for seed in 0..10 {
        let (told, done, faults) = played(seed);
        assert!(done.contains(&"rode to Lima".to_owned()), "{done:?}");
        suffered += faults.len();
        assert_eq!((told, done, faults), played(seed), "the same again with one seed");
    }
    assert!(suffered > 20, "{suffered}");
}
