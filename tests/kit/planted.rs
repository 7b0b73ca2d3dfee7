//! Bugs that are found, and what is said of them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use workflow_runtime::prelude::*;
use workflow_runtime::store::{self, Store, StoreFuture};
use workflow_runtime::stores::MemoryStore;
use workflow_runtime::testing::{CrashTest, Sim};

/// What a function panics with.
pub fn panics<T>(bug: impl FnOnce() -> T) -> String {
    let panic = catch_unwind(AssertUnwindSafe(bug)).err().expect("the bug is found");
    panic.downcast_ref::<String>().cloned().unwrap_or_else(|| panic.downcast_ref::<&str>().unwrap().to_string())
}

/// The run that a failure names, to be run alone.
fn named(told: &str) -> String {
    let from = told.find("only(\"").expect(told) + "only(\"".len();
    told[from..].split('"').next().unwrap().to_owned()
}

#[state]
#[derive(Debug)]
pub struct Placed {
    pub amount: u64,
}
#[state(end)]
#[derive(Debug)]
pub struct Booked {
    pub amount: u64,
}
#[state(end)]
#[derive(Debug)]
pub struct NotBooked;

/// Charges where no step is: in the handler.
pub struct Hasty(pub Arc<AtomicU64>);

#[workflow(start = Placed, allow(fragile_step, small_machine))]
impl Hasty {
    #[state]
    async fn book(&self, cx: &Cx, placed: Placed) -> Result<Booked> {
        self.0.fetch_add(placed.amount, Ordering::Relaxed);
        self.note(cx).await?;
        Ok(Booked { amount: placed.amount })
    }

    #[step]
    async fn note(&self, _: &Cx) -> Result<()> {
        Ok(())
    }
}

async fn hasty(sim: Sim) -> Result<u64> {
    let charged = Arc::new(AtomicU64::new(0));
    let of_workflow = Arc::clone(&charged);
    sim.workflow(move || Hasty(Arc::clone(&of_workflow)));
    sim.start::<Hasty>("a", Placed { amount: 5 }).await?.outcome().await?;
    Ok(charged.load(Ordering::Relaxed))
}

#[test]
fn an_effect_in_a_handler_is_found_and_the_named_run_finds_it_again() {
    let told = panics(|| CrashTest::new().run(hasty));
    for part in [
        "does not survive this crash",
        "where: seed=0,before=2",
        "dies at Hasty/a: `placed` -> `booked` by its handler",
        "the scenario returned something else",
        "history of Hasty/a:\n       +00.000  visit 1  started in `placed`\n       +00.000  ---- crash\n       +00.000  visit 1  `placed` ->",
        "WORKFLOW_CRASH='seed=0,",
        "cargo test -p workflow-tests -- --exact planted::an_effect_in_a_handler",
    ] {
        assert!(told.contains(part), "no {part:?} in\n{told}");
    }
    let run = named(&told);
    let again = panics(|| CrashTest::new().only(&run).run(hasty));
    assert!(again.contains(",call=2' cargo test"), "it is the second call of this test: {again}");
    assert_eq!(told, again.replace(",call=2", ""), "it is reproduced, to the letter");
    // What is told of another point is no failure.
    CrashTest::new().only("seed=0,before=1").run(hasty);
}

#[test]
fn the_line_that_is_printed_plays_that_run_and_no_other() {
    const CHILD: &str = "KIT_CHILD";
    if std::env::var_os(CHILD).is_some() {
        let played = AtomicU64::new(0);
        let told = panics(|| {
            CrashTest::new().run(|sim| {
                played.fetch_add(1, Ordering::Relaxed);
                hasty(sim)
            })
        });
        println!("played {} times\n{told}", played.load(Ordering::Relaxed));
        return;
    }
    let told = panics(|| CrashTest::new().run(hasty));
    let line = told.lines().find_map(|line| line.strip_prefix("this run alone: ")).expect(&told);
    let (variable, command) = line.split_once(' ').unwrap();
    let (name, run) = variable.split_once('=').unwrap();
    let test = command.rsplit(' ').next().unwrap();
    assert_eq!(command, format!("cargo test -p workflow-tests -- --exact {test}"));
    // What cargo would run: the program that this is.
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(name, run.trim_matches('\''))
        .env(CHILD, "1")
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&child.stdout);
    assert!(output.contains("played 3 times"), "twice without a crash, once with it: {output}");
    assert!(output.contains(told.split("this run alone").next().unwrap()), "the same is told: {output}");
}

/// Its stock is not given back.
pub struct Forgetful(pub Arc<Mutex<i64>>);

#[workflow(start = Placed, allow(fragile_step, small_machine, no_undo))]
impl Forgetful {
    #[state]
    async fn book(&self, cx: &Cx, placed: Placed) -> Result<Next<(Booked, Unwind<NotBooked>)>> {
        self.reserve(cx).await?;
        match placed.amount {
            0 => Ok(goto(Booked { amount: 0 })),
            _ => Ok(unwind(NotBooked)),
        }
    }

    #[step]
    async fn reserve(&self, _: &Cx) -> Result<()> {
        *self.0.lock().unwrap() += 1;
        Ok(())
    }
}

#[test]
fn an_undo_that_is_forgotten_is_found_by_a_check_of_the_scenario() {
    let told = panics(|| {
        CrashTest::new().run(|sim: Sim| async move {
            let reserved = Arc::new(Mutex::new(0));
            let of_workflow = Arc::clone(&reserved);
            sim.workflow(move || Forgetful(Arc::clone(&of_workflow)));
            let outcome = sim.start::<Forgetful>("a", Placed { amount: 5 }).await?.outcome().await?;
            assert!(matches!(outcome, ForgetfulOutcome::NotBooked(_)));
            assert_eq!(*reserved.lock().unwrap(), 0, "nothing stays reserved");
            Ok(())
        })
    });
    assert!(told.starts_with("the scenario fails without a crash already"), "{told}");
    assert!(
        told.contains("nothing stays reserved") && told.contains("unwinds from `placed` into `not_booked`"),
        "{told}"
    );
}

mod lying {
    use super::*;
    use workflow_runtime::Timestamp;
    use workflow_runtime::record::ExecutionKey;

    /// Acknowledges what is in its cache, and writes it when the next write comes.
    #[derive(Debug)]
    pub struct Late {
        pub cache: MemoryStore,
        pub waiting: Mutex<Option<Vec<store::Commit>>>,
        pub written: Arc<Mutex<Vec<Written>>>,
    }

    #[derive(Debug, Clone)]
    pub enum Written {
        Acquired,
        Committed(Vec<store::Commit>),
    }

    impl Late {
        pub fn open(written: &Arc<Mutex<Vec<Written>>>) -> Self {
            let cache = MemoryStore::new();
            for written in written.lock().unwrap().iter() {
                match written {
                    Written::Acquired => drop(cache.acquire()),
                    Written::Committed(commits) => drop(cache.commit(commits.clone())),
                }
            }
            Self { cache, waiting: Mutex::default(), written: Arc::clone(written) }
        }
    }

    impl Store for Late {
        fn acquire(&self) -> StoreFuture<store::Epoch> {
            self.written.lock().unwrap().push(Written::Acquired);
            self.cache.acquire()
        }
        fn commit(
            &self,
            commits: Vec<store::Commit>,
        ) -> StoreFuture<Vec<std::result::Result<store::Committed, store::Refused>>> {
            let before = self.waiting.lock().unwrap().replace(commits.clone());
            self.written.lock().unwrap().extend(before.map(Written::Committed));
            self.cache.commit(commits)
        }
        fn load(&self, key: &ExecutionKey) -> StoreFuture<Option<store::Stored>> {
            self.cache.load(key)
        }
        fn event(&self, key: &ExecutionKey, event_id: &str) -> StoreFuture<Option<store::KnownEvent>> {
            self.cache.event(key, event_id)
        }
        fn due(&self, workflows: &[store::KnownWorkflow], now: Timestamp, limit: usize) -> StoreFuture<store::Due> {
            self.cache.due(workflows, now, limit)
        }
        fn list(&self, query: &store::Query) -> StoreFuture<store::Page> {
            self.cache.list(query)
        }
        fn counts(&self, workflow: Option<&str>) -> StoreFuture<Vec<store::StateCount>> {
            self.cache.counts(workflow)
        }
        fn history(&self, key: &ExecutionKey, after: u64, limit: usize) -> StoreFuture<Vec<store::HistoryRow>> {
            self.cache.history(key, after, limit)
        }
    }
}

/// Two steps, each with a result that the next one hangs on.
pub struct Careful;

#[workflow(start = Placed, allow(fragile_step, small_machine))]
impl Careful {
    #[state]
    async fn book(&self, cx: &Cx, placed: Placed) -> Result<Booked> {
        let amount = self.double(cx, placed.amount).await?;
        Ok(Booked { amount: self.double(cx, amount).await? })
    }

    #[step]
    async fn double(&self, _: &Cx, amount: u64) -> Result<u64> {
        Ok(amount * 2)
    }
}

#[test]
fn a_store_that_acknowledges_before_it_writes_is_found() {
    let told = panics(|| {
        CrashTest::new().run(|sim: Sim| async move {
            let written = Arc::default();
            sim.store(move || Ok(lying::Late::open(&written)));
            sim.workflow(|| Careful);
            sim.start::<Careful>("a", Placed { amount: 5 }).await?.outcome().await?;
            Ok(())
        })
    });
    let is_lost =
        told.contains("there is no execution") || told.contains("ran again, although its result had been saved");
    assert!(is_lost, "{told}");
}

/// Asks chance, and not `cx.random()`.
pub struct Gambler;

#[workflow(start = Placed, allow(fragile_step, small_machine))]
impl Gambler {
    #[state]
    async fn book(&self, cx: &Cx, placed: Placed) -> Result<Booked> {
        self.charge(cx, fastrand::u64(..)).await?;
        self.mail(cx).await?;
        Ok(Booked { amount: placed.amount })
    }

    #[step]
    async fn charge(&self, _: &Cx, _reference: u64) -> Result<()> {
        Ok(())
    }

    #[step]
    async fn mail(&self, _: &Cx) -> Result<()> {
        Ok(())
    }
}

/// Asks what no seed reaches.
pub struct Hasher;

#[workflow(start = Placed, allow(fragile_step, small_machine))]
impl Hasher {
    #[state]
    async fn book(&self, cx: &Cx, _: Placed) -> Result<Booked> {
        use std::hash::BuildHasher as _;
        let amount = std::hash::RandomState::new().hash_one(0);
        self.charge(cx).await?;
        Ok(Booked { amount })
    }

    #[step]
    async fn charge(&self, _: &Cx) -> Result<()> {
        Ok(())
    }
}

#[test]
fn a_handler_that_asks_chance_is_found_though_its_outcome_is_the_same() {
    let told = panics(|| {
        CrashTest::new().run(|sim: Sim| async move {
            sim.workflow(|| Gambler);
            sim.start::<Gambler>("a", Placed { amount: 5 }).await?.outcome().await?;
            Ok(())
        })
    });
    assert!(told.contains("step `charge` of Gambler/a was called otherwise after the crash"), "{told}");
    assert!(told.contains("cx.random()"), "{told}");
}

#[test]
fn chance_that_no_seed_reaches_is_told_from_what_a_crash_does() {
    let told = panics(|| {
        CrashTest::new().run(|sim: Sim| async move {
            sim.workflow(|| Hasher);
            sim.start::<Hasher>("a", Placed { amount: 5 }).await?.outcome().await?;
            Ok(())
        })
    });
    assert!(told.starts_with("two runs without a crash are not the same"), "{told}");
    assert!(told.contains("with other data at `amount`"), "{told}");
    assert!(!told.contains("WORKFLOW_CRASH"), "there is no run to name: {told}");
}

#[test]
fn a_field_that_chance_decides_is_ignored_by_its_name() {
    let ignoring = |fields: &[&str]| {
        fields.iter().fold(CrashTest::new(), |test, field| test.ignoring(*field)).run(|sim: Sim| async move {
            sim.workflow(|| Hasher);
            sim.start::<Hasher>("a", Placed { amount: 5 }).await?.outcome().await?;
            Ok(())
        })
    };
    assert!(ignoring(&["amount"]).single > 0);
    let told = panics(|| ignoring(&["amuont"]));
    assert!(told.contains("with other data at `amount`"), "{told}");
    assert!(told.contains("`ignoring(\"amuont\")`: nothing that an execution ends with has such a field"), "{told}");
    assert!(told.ends_with("there are `amount`; did you mean `amount`?"), "{told}");
    let told = panics(|| ignoring(&["amount", "receipt"]));
    assert!(told.starts_with("`ignoring(\"receipt\")`") && told.ends_with("there are `amount`"), "{told}");
    // Where nothing ended, nothing is known of fields.
    let told = panics(|| CrashTest::new().ignoring("amount").run(|_| async { Err::<(), _>(Error::msg("boom")) }));
    assert!(told.contains("boom") && !told.contains("ignoring"), "{told}");
}

/// Counts in memory what it has done.
pub struct Counter(AtomicU64);

#[workflow(start = Placed, allow(fragile_step, small_machine))]
impl Counter {
    #[state]
    async fn book(&self, cx: &Cx, placed: Placed) -> Result<Booked> {
        for _ in 0..placed.amount {
            self.count(cx).await?;
        }
        Ok(Booked { amount: self.0.load(Ordering::Relaxed) })
    }

    #[step]
    async fn count(&self, _: &Cx) -> Result<()> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[test]
fn what_a_workflow_keeps_in_memory_is_gone_after_a_crash() {
    let told = panics(|| {
        CrashTest::new().run(|sim: Sim| async move {
            sim.workflow(|| Counter(AtomicU64::new(0)));
            sim.start::<Counter>("a", Placed { amount: 3 }).await?.outcome().await?;
            Ok(())
        })
    });
    assert!(told.contains("Counter/a ended otherwise (with other data at `amount`)"), "{told}");
}
