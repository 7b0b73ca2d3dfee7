//! What can be set before an engine starts.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use super::core::{Core, Parts};
use super::registry::{Machine, Registry, register};
use super::{Engine, EngineError, SystemClock};
use crate::base::Clock;
use crate::machine::{Flags, Interceptor, Services, Workflow};
use crate::store::{Store, StoreError};
#[cfg(feature = "sqlite")]
use crate::stores::this_process;

/// An engine to be.
///
/// | setting | default |
/// |---|---|
/// | [`max_active`](Self::max_active) | 256 executions |
/// | [`keep_history`](Self::keep_history) | all of it |
/// | [`keep_state_data`](Self::keep_state_data) | no |
/// | [`payload_limit`](Self::payload_limit) | 2 MiB |
/// | [`drain_timeout`](Self::drain_timeout) | 30 s |
/// | [`flags`](Self::flags) | all off |
/// | [`clock`](Self::clock) | [`SystemClock`] |
/// | [`shutdown_on_ctrl_c`](Self::shutdown_on_ctrl_c) | off |
#[derive(Debug)]
#[must_use = "nothing runs before `.start().await`"]
pub struct EngineBuilder {
    store: Source,
    machines: Vec<Arc<dyn Machine>>,
    max_active: usize,
    keep_history: Option<u64>,
    keep_state_data: bool,
    drain_timeout: Duration,
    services: Services,
    ctrl_c: bool,
    one_thread: bool,
}

#[derive(Debug)]
enum Source {
    Store(Arc<dyn Store>),
    #[cfg(feature = "sqlite")]
    Sqlite(std::path::PathBuf),
}

impl EngineBuilder {
    fn new(store: Source) -> Self {
        Self {
            store,
            machines: Vec::new(),
            max_active: 256,
            keep_history: None,
            keep_state_data: false,
            drain_timeout: Duration::from_secs(30),
            services: Services::new(SystemClock),
            ctrl_c: false,
            one_thread: false,
        }
    }

    pub(super) fn on_store(store: Arc<dyn Store>) -> Self {
        Self::new(Source::Store(store))
    }

    #[cfg(feature = "sqlite")]
    pub(super) fn on_sqlite(path: std::path::PathBuf) -> Self {
        Self::new(Source::Sqlite(path))
    }

    /// Adds a workflow: its executions in the store go on, and more of them can be started.
    pub fn workflow<W: Workflow>(mut self, workflow: W) -> Self {
        self.machines.push(register(workflow));
        self
    }

    /// How many executions may run at once, at least 1; those beyond wait in the store, and the names alone of as many
    /// as run and 256 more are known. One that waits (for an event, a timer, the next attempt of a step) does not count.
    pub fn max_active(mut self, executions: usize) -> Self {
        // The upper end is that of the semaphore behind it.
        self.max_active = executions.clamp(1, u32::MAX as usize >> 3);
        self
    }

    /// How many rows of its history an execution keeps, at least 1: with each row past those, its oldest are dropped. It is
    /// for executions that go round for ever, whose history would grow for ever. Nothing else changes: rows keep their
    /// numbers, and nothing that an execution does depends on them. What is dropped is dropped for good; the history of
    /// one that gets no new rows stays as it is.
    pub fn keep_history(mut self, rows: u64) -> Self {
        self.keep_history = Some(rows.max(1));
        self
    }

    /// Whether the history has the data of states besides their names, so that an execution can be
    /// [forked](Engine::fork) from any visit of it. It is off by default: each transition, and each `Stay`, writes the
    /// data of its state a second time, and it stays for as long as the [history](Self::keep_history) does, however private it is.
    /// What happened before it was switched on has none.
    pub fn keep_state_data(mut self, keep: bool) -> Self {
        self.keep_state_data = keep;
        self
    }

    /// The most bytes of JSON that the data of one state, one event or the result of one step may have.
    pub fn payload_limit(mut self, bytes: usize) -> Self {
        self.services.payload_limit = bytes;
        self
    }

    /// How long [`Engine::shutdown`] waits for running steps.
    pub fn drain_timeout(mut self, timeout: Duration) -> Self {
        self.drain_timeout = timeout;
        self
    }

    /// Takes the time from `clock`, such as a [`ManualClock`](crate::ManualClock) in tests.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.services.clock = Arc::new(clock);
        self
    }

    /// Has `flags` say which feature flags are on, for [`Cx::flag`](crate::Cx::flag): a type of your own, or a closure of the
    /// flag's name and the execution. Without, all are off.
    pub fn flags(mut self, flags: impl Flags) -> Self {
        self.services = self.services.flags(flags);
        self
    }

    /// Has `interceptor` see what runs, and answer in its place where it likes: for tests. See
    /// [`Interceptor`](crate::driver::Interceptor).
    pub fn interceptor(mut self, interceptor: Arc<dyn Interceptor>) -> Self {
        self.services.interceptor = Some(interceptor);
        self
    }

    /// Has blocking calls run on the runtime's own thread, so that nothing happens on another one.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn one_thread(mut self) -> Self {
        self.one_thread = true;
        self
    }

    /// Runs it on `store` instead.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = Source::Store(store);
        self
    }

    /// Shuts the engine down, as [`Engine::shutdown`] does, when the process is told to stop: by ctrl-c, or on Unix by
    /// SIGTERM. A second time, the process exits at once.
    pub fn shutdown_on_ctrl_c(mut self) -> Self {
        self.ctrl_c = true;
        self
    }

    /// The workflows, those that every engine has included.
    pub(super) fn registry(&self) -> Result<Registry, EngineError> {
        Registry::new(self.machines.iter().cloned().chain([super::schedule::built_in()]).collect())
    }

    /// The store in this file, in place of its own.
    #[cfg(all(feature = "command", feature = "sqlite"))]
    pub(super) fn in_file(mut self, path: std::path::PathBuf) -> Self {
        self.store = Source::Sqlite(path);
        self
    }

    /// The file of the store, if it is one.
    #[cfg(feature = "command")]
    pub(super) fn file(&self) -> Option<&std::path::Path> {
        match &self.store {
            Source::Store(_) => None,
            #[cfg(feature = "sqlite")]
            Source::Sqlite(path) => Some(path),
        }
    }

    /// The store, to be written. A file that is not there is not made.
    #[cfg(feature = "command")]
    pub(super) fn store_to_write(&self) -> Result<Arc<dyn Store>, StoreError> {
        match &self.store {
            Source::Store(store) => Ok(Arc::clone(store)),
            #[cfg(feature = "sqlite")]
            Source::Sqlite(path) if path.exists() => Ok(Arc::new(open_sqlite(path)?)),
            #[cfg(feature = "sqlite")]
            Source::Sqlite(path) => Err(StoreError::NoSuchFile { path: path.clone() }),
        }
    }

    /// What is written with: the present, whether the history has the data of states, and how many of its rows are kept, if
    /// not all.
    #[cfg(feature = "command")]
    pub(super) fn history_settings(&self) -> (crate::base::Timestamp, bool, Option<u64>) {
        (self.services.clock.now(), self.keep_state_data, self.keep_history)
    }

    /// The store, to be read only.
    pub(super) fn store_to_read(&self) -> Result<Arc<dyn Store>, StoreError> {
        match &self.store {
            Source::Store(store) => Ok(Arc::clone(store)),
            #[cfg(feature = "sqlite")]
            Source::Sqlite(path) => Ok(Arc::new(crate::stores::SqliteStore::open_read_only(path)?)),
        }
    }

    /// Opens the store, takes it over, and goes on with every execution in it.
    ///
    /// # Errors
    /// [`EngineError::DuplicateWorkflow`], [`EngineError::NoRuntime`], or that of the store.
    pub async fn start(self) -> Result<Engine, EngineError> {
        let runtime = Handle::try_current().map_err(|_| EngineError::NoRuntime)?;
        let registry = self.registry()?;
        registry.declare_limits(&self.services.limits);
        let store = open(self.store).await?;
        let epoch = store.acquire().await?;
        let core = Arc::new(Core::new(Parts {
            store,
            epoch,
            registry,
            services: self.services,
            drain_timeout: self.drain_timeout,
            max_active: self.max_active,
            keep_history: self.keep_history,
            keep_state_data: self.keep_state_data,
            runtime: runtime.clone(),
            one_thread: self.one_thread,
        }));
        core.start_scheduler();
        if self.ctrl_c {
            let core = Arc::downgrade(&core);
            runtime.spawn(async move {
                told_to_stop().await;
                tracing::info!("told to stop: running steps finish first");
                let shutdown = async {
                    if let Some(core) = core.upgrade() {
                        // Its error is given to whoever waits for an outcome or calls `shutdown`.
                        let _ = core.shutdown().await;
                    }
                    std::future::pending::<()>().await;
                };
                tokio::select! {
                    // Listened to before the first step is waited for, so that no signal is missed.
                    biased;
                    () = told_to_stop() => {}
                    () = shutdown => {}
                }
                std::process::exit(130);
            });
        }
        Ok(Engine::new(core))
    }
}

async fn open(source: Source) -> Result<Arc<dyn Store>, StoreError> {
    match source {
        Source::Store(store) => Ok(store),
        #[cfg(feature = "sqlite")]
        Source::Sqlite(path) => {
            let opened = tokio::task::spawn_blocking(move || open_sqlite(&path)).await;
            match opened {
                Ok(store) => Ok(Arc::new(store?)),
                Err(error) => Err(StoreError::Io { source: Arc::new(error) }),
            }
        }
    }
}

/// Opens the file, and waits a moment for an engine of this process that was dropped just now and has not let go yet.
#[cfg(feature = "sqlite")]
fn open_sqlite(path: &std::path::Path) -> Result<crate::stores::SqliteStore, StoreError> {
    const PATIENCE: Duration = Duration::from_millis(500);
    const PAUSE: Duration = Duration::from_millis(10);
    let begun = std::time::Instant::now();
    loop {
        match crate::stores::SqliteStore::open(path) {
            Err(StoreError::InUse { holder, .. }) if holder == this_process() && begun.elapsed() < PATIENCE => {
                std::thread::sleep(PAUSE);
            }
            opened => return opened,
        }
    }
}

/// Ready when the process is told to stop; never, if the system does not let us hear of it.
async fn told_to_stop() {
    let ctrl_c = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = ctrl_c => {}
        () = terminate => {}
    }
}
