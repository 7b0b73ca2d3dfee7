//! What a simulation is made of, and the process in it that lives, dies and is started again.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use super::clock::SimClock;
use super::fuse::{Fuse, Point};
use super::line::Line;
use super::rest::Rests;
use super::seed::chosen;
use super::tape::Tape;
use super::watchdog::Watchdog;
use crate::base::Timestamp;
use crate::engine::{Engine, EngineBuilder, EngineError};
use crate::machine::Graph;
use crate::record::ExecutionKey;
use crate::store::{HistoryRow, Query, Store, StoreError, Stored};
use crate::stores::MemoryStore;
use crate::testing::coverage::Observer;

/// 2030-01-01T00:00:00Z: no time that a program has by accident.
const START: Timestamp = Timestamp::from_millis(1_893_456_000_000);

/// A supervisor waits so long before it starts a process again.
const RESTART: Duration = Duration::from_secs(1);

/// How often it does while the scenario waits for one thing.
const MOST_RESTARTS: u64 = 1_000;

/// How often a store is opened that fails while it is looked at.
const MOST_OPENINGS: usize = 200;

type Configure = Arc<dyn Fn(EngineBuilder) -> EngineBuilder + Send + Sync>;
type OpenStore = Arc<dyn Fn() -> Result<Arc<dyn Store>, StoreError> + Send + Sync>;

/// A simulation.
pub(super) struct World {
    pub(super) seed: u64,
    pub(super) clock: SimClock,
    pub(super) rests: Arc<Rests>,
    pub(super) fuse: Arc<Fuse>,
    pub(super) tape: Arc<Tape>,
    pub(super) watchdog: Arc<Watchdog>,
    /// Who wants to know what is taken, if anybody does.
    pub(super) observer: Option<Arc<Observer>>,
    // Held only to read or change plain data, never over an await.
    settings: Mutex<Settings>,
    /// Somebody needs the process.
    wanted: Notify,
    up: watch::Sender<Option<Up>>,
    numbers: AtomicU64,
    waits: Mutex<BTreeMap<u64, String>>,
}

struct Settings {
    configure: Vec<Configure>,
    store: OpenStore,
    downtime: Duration,
    /// Whether the process is started again when its store has failed.
    supervised: bool,
    /// Whether a mock may be left without a call.
    leaves_mocks: bool,
    has_begun: bool,
    /// The workflows that the scenario has named.
    graphs: Vec<&'static Graph>,
    /// The store as it was opened last.
    opened: Option<Arc<dyn Store>>,
}

/// An execution as it is on disk.
#[derive(Debug, Clone)]
pub(in crate::testing) struct Kept {
    pub(in crate::testing) key: ExecutionKey,
    pub(in crate::testing) stored: Stored,
    pub(in crate::testing) history: Vec<HistoryRow>,
}

/// A process that runs.
#[derive(Debug, Clone)]
pub(super) struct Up {
    pub(super) process: u64,
    pub(super) engine: Engine,
}

impl fmt::Debug for World {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("World").field("seed", &self.seed).finish_non_exhaustive()
    }
}

impl World {
    /// A simulation that begins now. It is made where its time is.
    pub(super) fn new(seed: u64, rests: Arc<Rests>, points: Vec<Point>, observer: Option<Arc<Observer>>) -> Self {
        let clock = SimClock::new(START);
        let fuse = Arc::new(Fuse::new(points));
        let memory = MemoryStore::new();
        let settings = Settings {
            configure: Vec::new(),
            store: Arc::new(move || Ok(Arc::new(memory.clone()))),
            downtime: Duration::ZERO,
            supervised: false,
            leaves_mocks: false,
            has_begun: false,
            graphs: Vec::new(),
            opened: None,
        };
        let tape = Arc::new(Tape::new(seed, clock.clone(), Arc::clone(&fuse)));
        if let Some(observer) = &observer {
            tape.also(Arc::clone(observer) as _);
        }
        Self {
            seed,
            rests,
            tape,
            observer,
            clock,
            fuse,
            watchdog: Arc::new(Watchdog::new()),
            settings: Mutex::new(settings),
            wanted: Notify::new(),
            up: watch::Sender::new(None),
            numbers: AtomicU64::new(0),
            waits: Mutex::default(),
        }
    }

    fn settings(&self) -> MutexGuard<'_, Settings> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waits(&self) -> MutexGuard<'_, BTreeMap<u64, String>> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what the engine is started with; too late, once it was.
    #[track_caller]
    pub(super) fn configure(&self, what: &str, configure: Configure) {
        let mut settings = self.settings();
        assert!(!settings.has_begun, "`{what}` comes too late: it is said before the first execution is started");
        settings.configure.push(configure);
    }

    /// The scenario is about this workflow.
    pub(super) fn knows(&self, graph: &'static Graph) {
        let graphs = &mut self.settings().graphs;
        if !graphs.iter().any(|known| std::ptr::eq(*known, graph)) {
            graphs.push(graph);
            self.tape.mocks().knows(graph);
        }
    }

    /// The workflows that the scenario has named.
    pub(super) fn graphs(&self) -> Vec<&'static Graph> {
        self.settings().graphs.clone()
    }

    #[track_caller]
    pub(super) fn open_store_with(&self, open: OpenStore) {
        let mut settings = self.settings();
        assert!(!settings.has_begun, "`store` comes too late: it is said before the first execution is started");
        settings.store = open;
    }

    pub(super) fn set_downtime(&self, downtime: Duration) {
        self.settings().downtime = downtime;
    }

    pub(super) fn supervise(&self) {
        self.settings().supervised = true;
    }

    /// Mocks need not be called.
    #[cfg(feature = "proptest")]
    pub(super) fn leave_mocks(&self) {
        self.settings().leaves_mocks = true;
    }

    /// The store as it was opened last, past the line of the process: what is on disk.
    pub(super) fn disk(&self) -> Option<Arc<dyn Store>> {
        self.settings().opened.clone()
    }

    /// The next number: of what the scenario asks for, in order.
    pub(super) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// What chance decides for the scenario.
    pub(super) fn chance(&self, number: u64) -> u64 {
        chosen(self.seed, u128::from(number) << 64)
    }

    /// What the scenario waits for, as long as the answer lives.
    pub(super) fn waits_for(self: &Arc<Self>, what: String) -> Waits {
        let number = self.number();
        self.waits().insert(number, what);
        Waits { world: Arc::clone(self), number }
    }

    /// What the scenario waits for.
    pub(super) fn awaited(&self) -> Vec<String> {
        self.waits().values().cloned().collect()
    }

    /// The process, as soon as one runs.
    pub(super) async fn up(&self) -> Up {
        self.wanted.notify_one();
        let mut up = self.up.subscribe();
        loop {
            let running = up.borrow_and_update().clone().filter(|up| !self.fuse.is_dead(up.process));
            if let Some(running) = running {
                return running;
            }
            if up.changed().await.is_err() {
                // The sender is here, so it is not gone.
                std::future::pending::<()>().await;
            }
        }
    }

    /// The process, if one runs.
    pub(super) fn up_now(&self) -> Option<Up> {
        self.up.borrow().clone()
    }

    /// Starts the process when it is needed, and again whenever it has died.
    ///
    /// # Errors
    /// If that is not possible.
    pub(super) async fn keep_up(self: &Arc<Self>) -> Result<Infallible, EngineError> {
        self.wanted.notified().await;
        loop {
            let process = self.fuse.begin();
            let engine = tokio::select! {
                biased;
                () = self.fuse.died(process) => None,
                engine = self.start(process) => match engine {
                    Ok(engine) => Some(engine),
                    Err(EngineError::Store(error)) if self.settings().supervised => {
                        self.fuse.fail(process, &error);
                        None
                    }
                    Err(error) => return Err(error),
                },
            };
            if let Some(engine) = engine {
                self.up.send_replace(Some(Up { process, engine: engine.clone() }));
                self.fuse.died(process).await;
                self.up.send_replace(None);
                engine.crash();
                self.fuse.bury(process);
                // What it was stopped by is what was simulated.
                let _ = engine.stopped().await;
                drop(engine);
                // Whoever has asked it for something lets go of it, and of its store, which the next process opens.
                tokio::task::yield_now().await;
            }
            let mut pause = self.settings().downtime;
            if let Some(error) = self.fuse.failure(process) {
                if self.watchdog.restarted() > MOST_RESTARTS {
                    return Err(error.into());
                }
                pause = pause.max(RESTART);
            }
            self.fuse.bury(process);
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
        }
    }

    async fn start(self: &Arc<Self>, process: u64) -> Result<Engine, EngineError> {
        let (open, configure, supervised) = {
            let mut settings = self.settings();
            settings.has_begun = true;
            settings.opened = None;
            (Arc::clone(&settings.store), settings.configure.clone(), settings.supervised)
        };
        let store = open()?;
        self.settings().opened = Some(Arc::clone(&store));
        let line = Line {
            store,
            process,
            supervised,
            seed: self.seed,
            fuse: Arc::clone(&self.fuse),
            tape: Arc::clone(&self.tape),
            watchdog: Arc::clone(&self.watchdog),
            observer: self.observer.clone(),
        };
        let builder = Engine::in_memory().clock(self.clock.clone());
        let builder = configure.iter().fold(builder, |builder, configure| configure(builder));
        builder.store(Arc::new(line)).interceptor(Arc::clone(&self.tape) as _).one_thread().start().await
    }

    /// Ready when nothing can go on without time passing, in a process that lives.
    pub(super) async fn settle(&self) {
        loop {
            self.rests.rest().await;
            match self.up_now() {
                Some(up) if self.fuse.is_dead(up.process) => {}
                Some(_) => return,
                None if !self.settings().has_begun => return,
                None => {
                    self.up().await;
                }
            }
        }
    }

    /// Every execution, as it is on disk.
    pub(super) async fn everything(&self) -> Result<Vec<Kept>, StoreError> {
        let Some(disk) = self.disk() else { return Ok(Vec::new()) };
        let mut everything = everything_on(&*disk).await;
        let open = Arc::clone(&self.settings().store);
        for _ in 0..MOST_OPENINGS {
            if everything.is_ok() {
                break;
            }
            // It may be made to fail; what is on disk shows when it is opened again.
            everything = everything_on(&*open()?).await;
        }
        everything
    }

    /// What there is to say of mocks that were never called, and of failures that nothing came to.
    pub(super) fn unused(&self) -> Option<String> {
        if self.settings().leaves_mocks || self.tape.injected().is_at_a_point() {
            return None;
        }
        let unused = || self.tape.injected().unused(&self.graphs(), &self.tape.step_names());
        self.tape.mocks().unused(&self.tape.steps()).or_else(unused)
    }

    /// Nothing of it goes on.
    pub(super) fn end(&self) {
        if let Some(up) = self.up.send_replace(None) {
            up.engine.crash();
            self.fuse.kill_now();
            self.fuse.bury(up.process);
        }
        // The workflows may hold what holds this.
        self.settings().configure.clear();
    }
}

async fn everything_on(disk: &dyn Store) -> Result<Vec<Kept>, StoreError> {
    let mut everything = Vec::new();
    let mut query = Query::default();
    loop {
        let page = disk.list(&query).await?;
        for summary in page.executions {
            let key = summary.key();
            let Some(stored) = disk.load(&key).await? else { continue };
            let history = disk.history(&key, 0, usize::MAX).await?;
            everything.push(Kept { key, stored, history });
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(everything),
        }
    }
}

/// Says what the scenario waits for, until it is dropped.
#[derive(Debug)]
pub(super) struct Waits {
    world: Arc<World>,
    number: u64,
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.world.waits().remove(&self.number);
    }
}
