//! Feature flags: asked once in a visit, and the same from then on.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::{Cx, Services, panic_text};
use crate::base::Name;
use crate::record::{ExecutionKey, FLAG_KEY, JournalEntry, JournalResult};

/// Says which feature flags are on, for [`Cx::flag`]: a table, a configuration that is read anew now and then, or a client
/// of a flag service that keeps its answers in memory. Closures of this form are such, too, and may return a `bool` or an
/// `Option<bool>`.
///
/// ```
/// # use workflow_runtime::prelude::*;
/// # #[state] pub struct Draft;
/// # #[state(end)] pub struct Published;
/// # pub struct Article;
/// # #[workflow(start = Draft)]
/// # impl Article { #[state] fn publish(&self, _: Draft) -> Published { Published } }
/// use workflow_runtime::{Engine, ExecutionKey};
///
/// # workflow_runtime::block_on(async {
/// let engine = Engine::in_memory()
///     .workflow(Article)
///     .flags(|flag: &str, of: &ExecutionKey| flag == "two_columns" && of.id.as_str().starts_with("test-"))
///     .start()
///     .await?;
/// # engine.shutdown().await?;
/// # workflow_runtime::Result::<()>::Ok(())
/// # }).unwrap();
/// ```
pub trait Flags: Send + Sync + 'static {
    /// Whether this flag is on for this execution; `None` if there is no such flag, which counts as off.
    ///
    /// It is called in the middle of a handler, and not to block. A panic counts as off, too.
    fn is_on(&self, flag: &str, execution: &ExecutionKey) -> Option<bool>;
}

impl<F, A> Flags for F
where
    F: Fn(&str, &ExecutionKey) -> A + Send + Sync + 'static,
    A: Into<Option<bool>>,
{
    fn is_on(&self, flag: &str, execution: &ExecutionKey) -> Option<bool> {
        self(flag, execution).into()
    }
}

impl fmt::Debug for dyn Flags {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Flags")
    }
}

impl Cx {
    /// Whether the feature flag `name` is on, as the engine's [`flags`](crate::EngineBuilder::flags) say.
    ///
    /// The answer is recorded, and holds for the whole visit: for every handler, branch and step of it, after a crash, a
    /// retry and a restart with other flags, too. So what a handler has begun one way it ends that way. The next visit
    /// asks anew, and so does each undo. A plain `if config.new_prices` may say yes before a crash and no after it.
    ///
    /// The history says what was decided, and [why](crate::HistoryKind::Flag) it is off if nobody has said so: there is no such flag, the engine
    /// was given none, or what says so has panicked. That holds for the visit, too.
    ///
    /// ```
    /// # use workflow_runtime::prelude::*;
    /// # #[state] struct Cart { items: u32 }
    /// # #[state(end)] struct Priced { cents: u32 }
    /// # struct Sale;
    /// # #[workflow(start = Cart)]
    /// # impl Sale {
    /// #[state]
    /// async fn price(&self, cx: &Cx, cart: Cart) -> Result<Priced> {
    ///     let each = if cx.flag("new_prices") { 90 } else { 100 };
    ///     Ok(Priced { cents: each * cart.items })
    /// }
    /// # }
    /// # use workflow_runtime::{ExecutionKey, Stepper};
    /// # workflow_runtime::block_on(async {
    /// let sale = Stepper::start(Sale, Cart { items: 2 })?;
    /// let mut sale = sale.flags(|flag: &str, _: &ExecutionKey| flag == "new_prices");
    /// sale.run().await?;
    /// assert!(matches!(sale.outcome()?, Some(SaleOutcome::Priced(priced)) if priced.cents == 180));
    /// # workflow_runtime::Result::<()>::Ok(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        let key = Name::from(format!("{FLAG_KEY}{name}"));
        let entry = match self.turn().recorded(&key) {
            Some(entry) => entry,
            // Two branches may ask at once, each on its own thread: what is recorded first holds for both.
            None => self.turn().record_once(self.turn().scope.services.flag(name, key, &self.turn().scope.key)),
        };
        matches!(entry.result, JournalResult::Flag { on: true, .. })
    }

    /// A [detached](Self::detached) context, with flags. To be called first: what was recorded before is forgotten. A context
    /// that an execution runs with is given back as it is.
    ///
    /// ```
    /// # use workflow_runtime::prelude::*;
    /// # use workflow_runtime::{ExecutionId, ExecutionKey, ManualClock};
    /// let cx = Cx::detached("Sale", ExecutionId::new("1")?, ManualClock::default());
    /// assert!(!cx.flag("new_prices"));
    /// let cx = cx.with_flags(|_: &str, _: &ExecutionKey| true);
    /// assert!(cx.flag("new_prices"));
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use]
    pub fn with_flags(self, flags: impl Flags) -> Self {
        match self.turn().is_detached() {
            true => Self::detached_with(self.turn().scope.key.clone(), self.turn().scope.services.clone().flags(flags)),
            false => self,
        }
    }
}

impl Services {
    /// The same, with these feature flags.
    #[must_use]
    pub fn flags(mut self, flags: impl Flags) -> Self {
        self.flags = Some(Arc::new(flags));
        self
    }

    /// What is to be recorded of a flag.
    fn flag(&self, flag: &str, key: Name, execution: &ExecutionKey) -> JournalEntry {
        let said = match &self.flags {
            None => Err("there are no flags: give the engine some with `.flags(…)`".to_owned()),
            Some(flags) => match catch_unwind(AssertUnwindSafe(|| flags.is_on(flag, execution))) {
                Ok(Some(on)) => Ok(on),
                Ok(None) => Err("there is no such flag".to_owned()),
                Err(panic) => Err(format!("asking for it panicked: {}", panic_text(&*panic))),
            },
        };
        let (on, because) = match said {
            Ok(on) => (on, None),
            Err(because) => {
                tracing::warn!(%execution, flag, because, "the flag is off for this visit");
                (false, Some(because))
            }
        };
        JournalEntry::new(key, 0, JournalResult::Flag { on, because })
    }
}
