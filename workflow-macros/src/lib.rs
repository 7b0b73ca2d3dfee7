//! The attributes of `workflow-runtime`, which re-exports them: depend on that crate instead.

mod body;
mod case;
mod check;
mod data_impl;
mod duration;
mod errors;
mod expand;
mod flow;
mod fn_impl;
mod lint;
mod lints;
mod machine_impl;
mod model;
mod nearest;
mod parallel_impl;
mod parse;
mod picture;
mod sequential_impl;
mod versions;
mod warnings;

#[cfg(test)]
mod fuzz_tests;
#[cfg(test)]
mod size_tests;
#[cfg(test)]
mod tests;

extern crate proc_macro;

use proc_macro::TokenStream;

use crate::parse::data::DataKind;

/// Declares a state: a type whose data is what is persisted while an execution is in it.
///
/// On a struct or an enum, it derives serde's traits, where the user has not, and gives the type a persisted name. The
/// data needs no `Clone` and no `Debug`; each field has to be serializable and `Send`. Attributes of serde on the type and
/// its fields work as ever.
///
/// | key | meaning | default |
/// |---|---|---|
/// | `end` | the workflow ends here, and the data is its outcome | it does not |
/// | `pivot` | entering it makes all that was done before final: it is not undone any more | it does not |
/// | `group` | it is no state, but several under one name: [see below](#groups) | it is a state |
/// | `name = "…"` | the persisted name: letters, digits and `_` | the type's, in snake case |
/// | `was = "…"`, `was("…", "…")` | older persisted names that are still read | none |
/// | `crate = "…"` | where the runtime is | `::workflow_runtime` |
///
/// ```
/// use workflow_runtime::prelude::*;
///
/// #[state(was = "pending")]
/// pub struct PendingPayment { cents: u64 }
///
/// #[state(end)]
/// pub enum Closed { Shipped { tracking: String }, Cancelled }
///
/// use workflow_runtime::State;
/// assert_eq!((PendingPayment::NAME, PendingPayment::WAS, Closed::END), ("pending_payment", &["pending"][..], true));
/// ```
///
#[doc = include_str!("docs/groups.md")]
///
#[doc = include_str!("docs/index.md")]
///
/// # On a method
///
/// Inside of a [`#[workflow]`](macro@workflow) impl, it makes the entry handler of a state: it runs when the state is
/// entered. See there for the signature. It takes `allow(…)`.
///
/// # On a free function
///
/// A crate that owns a state can bring its entry handler along, for any workflow that gives it what it needs. The first
/// argument borrows the workflow, whose type is the one type parameter. The workflow lists the handler in its `include(…)`.
///
/// ```
/// use workflow_runtime::prelude::*;
///
/// pub trait Provides<T> {
///     fn provide(&self) -> T;
/// }
///
/// #[state] pub struct Returning;
/// #[state(end)] pub struct Refunded { cents: u64 }
///
/// #[state]
/// pub async fn refund<W: Provides<u64>>(workflow: &W, _: &Cx, _: Returning) -> Result<Refunded> {
///     Ok(Refunded { cents: workflow.provide() })
/// }
///
/// struct Returns;
///
/// impl Provides<u64> for Returns {
///     fn provide(&self) -> u64 { 250 }
/// }
///
/// #[workflow(start = Returning, include(state refund(Returning) -> Refunded))]
/// impl Returns {}
///
/// assert_eq!(ReturnsState::GRAPH.handlers[0].name, "refund");
/// ```
#[proc_macro_attribute]
pub fn state(arguments: TokenStream, item: TokenStream) -> TokenStream {
    data_impl::expand_data_attribute(DataKind::State, arguments.into(), &item.into()).into()
}

#[doc = include_str!("docs/event.md")]
#[proc_macro_attribute]
pub fn event(arguments: TokenStream, item: TokenStream) -> TokenStream {
    data_impl::expand_data_attribute(DataKind::Event, arguments.into(), &item.into()).into()
}

/// Makes an `impl` a workflow: its handlers are checked as one graph, and drawn in the docs of the type. A workflow that
/// has no use for states is [one function](#one-function).
///
/// | key | meaning | default |
/// |---|---|---|
/// | `start = S` | the state that an execution starts in | has to be given |
/// | `include(…)` | the handlers that are written elsewhere, an edge per line | none |
/// | `events(E, …)` | events that handlers wait for with `cx.recv`, where the impl does not show it | those in its bodies |
/// | `on_failure = unwind` | a failure that nothing catches has all done before [undone](macro@step#undo), then it parks in a new visit, where `retry` begins the handler anew; one of data that cannot be read parks at once | `park`: it parks as it is |
/// | `part` | this impl is a part: the main one includes its handlers | it is the main one |
/// | `version = 2`, `from(…)`, `keep`, `name = "…"` | which version it is, and where older executions go: [see below](#versions) | 1 |
/// | `vis = pub(crate)` | the visibility of what is generated | `pub` |
/// | `allow(…)` | lints that are not to speak | all speak |
/// | `crate = "…"` | where the runtime is | `::workflow_runtime` |
///
/// ```
/// use workflow_runtime::prelude::*;
///
/// #[state] pub struct PendingPayment { cents: u64 }
/// #[state] pub struct Shipping { reference: String }
/// #[state(end)] pub struct Shipped { tracking: String }
/// #[state(end)] pub struct Cancelled;
/// #[event] pub struct Payment { reference: String }
///
/// pub struct Sale;
///
/// #[workflow(start = PendingPayment)]
/// impl Sale {
///     /// The customer paid.
///     #[on]
///     fn paid(&self, _: PendingPayment, payment: Payment) -> Shipping {
///         Shipping { reference: payment.reference }
///     }
///
///     #[after("15m")]
///     fn unpaid(&self, _: PendingPayment) -> Cancelled {
///         Cancelled
///     }
///
///     #[state]
///     async fn ship(&self, cx: &Cx, sale: Shipping) -> Result<Next<(Shipped, Cancelled)>> {
///         if sale.reference.is_empty() {
///             return Ok(goto(Cancelled));
///         }
///         let tracking = self.book_parcel(cx).await?;
///         Ok(goto(Shipped { tracking }))
///     }
///
///     #[catch]
///     fn gave_up(&self, _: Shipping, _: Error) -> Cancelled {
///         Cancelled
///     }
///
///     #[step(retry(max = 5, backoff = "200ms..30s"), timeout = "10s")]
///     async fn book_parcel(&self, cx: &Cx) -> Result<String> {
///         Ok(cx.idempotency_key())
///     }
/// }
///
/// let edges: Vec<_> = SaleTransition::ALL.iter().map(|edge| (edge.from(), edge.to())).collect();
/// assert_eq!(edges[0], ("pending_payment", "shipping"));
/// ```
///
/// # Handlers
///
/// | attribute | it runs when | signature |
/// |---|---|---|
/// | `#[state]` | the state is entered | `async fn (&self, cx: &Cx, state: S) -> R` |
/// | [`#[on]`](macro@on) | the event arrives | `async fn (&self, cx: &Cx, state: S, event: E) -> R` |
/// | [`#[after("15m")]`](macro@after) | the state has lasted that long | `async fn (&self, cx: &Cx, state: S) -> R` |
/// | [`#[at(field)]`](macro@at) | the time has come that the state names | as for `#[after]` |
/// | [`#[every("2d")]`](macro@every) | the state has lasted that long again | as for `#[after]`; `R` has to have `Stay<S>` or `Wait` |
/// | [`#[catch]`](macro@catch) | a handler of the state failed for good | `async fn (&self, cx: &Cx, state: S, error: E) -> R` |
///
/// A handler without effects is a plain `fn` without `cx`. `R` says where it may go, bare or in a `Result`:
///
/// | `R` | means |
/// |---|---|
/// | `A` | to the state `A` |
/// | `Unwind<A>` | have everything undone that has an [`undo`](macro@step), then to the state `A` |
/// | `Next<(A, B)>` | to one of them, made by `goto`; `Stay<S>` and `Wait` may be among them, and `Unwind<A>`, made by `unwind` |
/// | `Stay<S>` | stay, with new data |
/// | `Wait` | stay as it is |
/// | `Reply<R, T>`, `Reply<R, T, E>` | for `#[on]`: answer the event with `R`, and do `T`, which is any of these, made by `reply(answer, target)`; or refuse it with `E`, made by `refuse(error)`, and stay as it is |
///
/// # One function
///
/// Where states would be too much, a workflow is one `async fn`: it has one running state, which is what the function was
/// started with, and its steps are free functions. After a crash it is called again, and recorded steps are not run again.
///
/// ```
/// use workflow_runtime::prelude::*;
/// use workflow_runtime::Engine;
///
/// pub struct Disk { folder: String }
///
/// /// Copies a database.
/// #[workflow]
/// async fn backup(cx: &Cx, #[dep] disk: &Disk, db: String) -> Result<String> {
///     let dump = dump(cx, &db).await?;
///     store(cx, disk, &dump).await
/// }
///
/// #[step(retry(max = 3))]
/// async fn dump(_: &Cx, db: &str) -> Result<String> {
///     Ok(format!("{db}.dump"))
/// }
///
/// #[step(retry(max = 5), timeout = "10m")]
/// async fn store(_: &Cx, disk: &Disk, dump: &str) -> Result<String> {
///     Ok(format!("{}/{dump}", disk.folder))
/// }
///
/// # workflow_runtime::block_on(async {
/// let backup = Backup { disk: Disk { folder: "/safe".into() } };
/// let engine = Engine::in_memory().workflow(backup).start().await?;
/// let execution = engine.start::<Backup>("users-1", BackupInput { db: "users".into() }).await?;
/// let BackupOutcome::Done(BackupDone { output }) = execution.outcome().await?;
/// assert_eq!(output, "/safe/users.dump");
/// # workflow_runtime::Result::<()>::Ok(())
/// # }).unwrap();
/// ```
///
/// | what it takes | becomes |
/// |---|---|
/// | `cx: &Cx`, first | – |
/// | `name: T` | a field of `BackupInput`, which is saved: `T` is owned and serializable |
/// | `#[dep] name: &T` | a field `name: T` of the workflow, `Backup`, which is lent |
/// | `#[dep] name: T` | the same, and each run gets a clone |
///
/// Docs of an argument go to the field, and so does `#[serde(…)]`, as in `#[serde(default)]` for an argument that is new.
/// The function returns `Result<T>` or `Result<T, E>`. `T` is the outcome, `BackupDone { output: T }`, in the end state
/// `done`; the other state is `running`. An error parks the execution. The function stays what it is, and can be called
/// in a test, with `Cx::detached`. Of the keys, it takes all but `start`, `include`,
/// `part`, `version`, `from` and `keep`; `vis` is the function's own, if it is left out.
///
/// # What is generated
///
/// For a workflow `Sale`, with the visibility `vis`:
///
/// | item | what it is |
/// |---|---|
/// | `SaleState` | every state, data inside; `SaleState::GRAPH` is the graph |
/// | `SaleLive`, `SaleOutcome` | the states that are no end, and those that are; a handler that takes `SaleLive` is for any of them |
/// | `SaleEvent` | every event that some state takes or a handler waits for |
/// | `SaleTransition` | every edge, without data: `PaidToShipping` |
/// | `SalePendingPaymentNext` | what that state can go to by handlers of its own; one such enum for each state that is no end |
///
/// The names of states, events and handlers are persisted, never their order.
///
#[doc = include_str!("docs/parts.md")]
///
#[doc = include_str!("docs/versions.md")]
///
/// # Lints
///
/// They are warnings, and can be allowed for a handler, a step, or the whole impl, with `allow(name)` in its attribute. A macro can
/// warn by way of a deprecation alone, so rustc begins each with "use of deprecated associated constant
/// `_::__Lint::no_undo`:", where the last word is the lint, and `#![deny(deprecated)]` makes errors of all.
///
/// | lint | what it finds |
/// |---|---|
/// | `endless_wait` | a state that waits for events, or whose entry handler does with `cx.recv`, and that has no `#[after]` |
/// | `fragile_step` | a step without `retry`, called where the state has no `#[catch]` |
/// | `never_taken` | a declared target that the handler provably never takes |
/// | `ambient_time` | the clock or a pause in a handler, past `cx.now()` and `cx.sleep(…)` |
/// | `ambient_task` | a task or thread that a handler starts |
/// | `no_migration` | a version before this one that `from(…)` has nothing of (for the `impl`) |
/// | `no_undo` | a step without `undo` in a workflow that unwinds (for the step, or the `impl`) |
/// | `small_machine` | fewer than five states, one after the other: an `async fn` would do |
/// | `unmarked_step` | an async method that takes `&Cx` and uses it as a step does, without `#[step]` (for the `impl`) |
#[proc_macro_attribute]
pub fn workflow(arguments: TokenStream, item: TokenStream) -> TokenStream {
    machine_impl::expand_workflow_attribute(arguments.into(), item.into()).into()
}

#[doc = include_str!("docs/migrate.md")]
#[proc_macro_attribute]
pub fn migrate(_: TokenStream, item: TokenStream) -> TokenStream {
    fn_impl::expand_stray("migrate", &item.into()).into()
}

/// Makes a method of a [`#[workflow]`](macro@workflow) impl run when an event arrives: an edge of the state.
///
/// It interrupts the entry handler: a running step finishes, and the handler goes no further. It takes the state and, last, the
/// event. A state has at most one such handler for an event, and one of its own goes before one of a [group](macro@state#groups)
/// that it is in. [`Reply<R, Target>`](../workflow_runtime/struct.Reply.html), made by `reply(answer, target)`, answers whoever sent
/// the event with `ask`, and `refuse(error)` leaves all as it was.
/// One that takes the built-in event `workflow_runtime::Cancel` says how the state is left when the execution is cancelled; it
/// interrupts any handler.
///
/// | key | meaning |
/// |---|---|
/// | `allow(…)` | lints that are not to speak of this handler |
///
/// ```
/// use workflow_runtime::prelude::*;
/// # #[state] struct Pending;
/// # #[state(end)] struct Done;
/// # #[event] struct Payment;
/// # struct Sale;
///
/// #[workflow(start = Pending)]
/// impl Sale {
///     #[on(allow(endless_wait))]
///     fn paid(&self, _: Pending, _: Payment) -> Done {
///         Done
///     }
/// }
/// ```
#[proc_macro_attribute]
pub fn on(_: TokenStream, item: TokenStream) -> TokenStream {
    fn_impl::expand_stray("on", &item.into()).into()
}

#[doc = include_str!("docs/after.md")]
#[proc_macro_attribute]
pub fn after(_: TokenStream, item: TokenStream) -> TokenStream {
    fn_impl::expand_stray("after", &item.into()).into()
}

#[doc = include_str!("docs/at.md")]
#[proc_macro_attribute]
pub fn at(_: TokenStream, item: TokenStream) -> TokenStream {
    fn_impl::expand_stray("at", &item.into()).into()
}

#[doc = include_str!("docs/every.md")]
#[proc_macro_attribute]
pub fn every(_: TokenStream, item: TokenStream) -> TokenStream {
    fn_impl::expand_stray("every", &item.into()).into()
}

/// Makes a method of a [`#[workflow]`](macro@workflow) impl run when a handler of the state failed for good.
///
/// It takes the state and, last, the error: of the type that a handler returned, or `Error`, which takes every failure and
/// is asked last. An error type has to be serializable, so that it is the same after a restart. A failure that no such
/// handler takes parks the execution.
///
/// | key | meaning |
/// |---|---|
/// | `source` | the error is in the chain of sources of what the handlers return, so the macro cannot see that it occurs |
/// | `allow(…)` | lints that are not to speak of this handler |
///
/// ```
/// use workflow_runtime::prelude::*;
/// # #[state] struct Paying;
/// # #[state(end)] struct Paid;
/// # #[state(end)] struct Declined;
/// # struct Sale;
///
/// #[workflow(start = Paying)]
/// impl Sale {
///     #[state]
///     async fn pay(&self, cx: &Cx, _: Paying) -> Result<Paid> {
///         self.charge(cx).await?;
///         Ok(Paid)
///     }
///
///     #[catch]
///     fn declined(&self, _: Paying, _: Error) -> Declined {
///         Declined
///     }
///
///     #[step(retry(max = 3))]
///     async fn charge(&self, _: &Cx) -> Result<()> {
///         Err(Error::msg("no money"))
///     }
/// }
/// ```
#[proc_macro_attribute]
pub fn catch(_: TokenStream, item: TokenStream) -> TokenStream {
    fn_impl::expand_stray("catch", &item.into()).into()
}

/// Declares a step: an async function with effects, whose result is recorded, so that it is not run again after a crash.
///
/// It goes on a method of a [`#[workflow]`](macro@workflow) impl, `(&self, cx: &Cx, …)`, or on a free function, `(cx: &Cx, …)`,
/// and is called as it is written. It returns `Result<T>` or `Result<T, E>`; `T` and `E` have to be serializable, but `E` may
/// be the boxed `Error`. The result is found again by the arguments that are serializable; others, such as clients, are
/// passed through.
///
/// | key | meaning | default |
/// |---|---|---|
/// | `retry(max = n)` | attempts in all, the first included, at least 1 | one attempt |
/// | `retry(…, backoff = "a..b")` | the pause after a failure is a random part of `a`, doubled from attempt to attempt, up to `b` | `"100ms..1m"` |
/// | `retry(…, jitter = …)` | which part of a pause is left to chance: `full`, `equal` (half of it) or `none` | `full` |
/// | `retry(…, only(A, B))` | it is tried again after these variants of its error, and no others | after all |
/// | `retry(…, never(A, B))` | it is tried again after all variants of its error but these | after all |
/// | `timeout = "…"` | how long one attempt may take | as long as it takes |
/// | `heartbeat = "…"` | how long one attempt may go without `cx.heartbeat()` | as long as it takes |
/// | `limit = n` | how many attempts may be under way at once, over all executions of an engine | any number |
/// | `limit = adaptive(min = a, max = b)` | as many as the service can do without getting slower, as their latency tells; `min` is 1 if left out | |
/// | `rate = "100/s"` | how many attempts may begin in any time of that length, over all executions; also `/m`, `/h`, `/d` | any number |
/// | `breaker(failures = n)` | after so many failures, attempts are held back for a while, over all executions | never |
/// | `breaker(…, within = "…")` | in how long a time | `"1m"` |
/// | `breaker(…, open = "…")` | how long they are held back, before a few are let through to see whether things are better | `"30s"` |
/// | `breaker(…, probes = n)` | how many those are; all have to succeed | 1 |
/// | `blocking` | it is a plain `fn` that blocks its thread, and has one of its own; its arguments are taken by value | it is an `async fn` |
/// | `cancel` | an event or a timer cuts a running attempt off | it finishes first |
/// | `undo = f` | the method that undoes it; on methods, see below | it cannot be undone |
/// | `was = "…"`, `was("…", "…")` | names that it had before, under which results are recorded | none |
/// | `allow(…)` | lints that are not to speak of this step; on methods | |
/// | `crate = "…"` | where the runtime is; on free functions | `::workflow_runtime` |
///
/// A `blocking` step that is cut off by its `timeout` or its `heartbeat` is abandoned: its thread goes on to the end, and nobody
/// hears of its result. Where there are no other threads, as in a `Stepper`, it runs where it is called.
///
/// A step can also be written where it is called: see `Cx::step`.
///
/// A call that `limit`, `rate` or `breaker` holds back waits its turn, first come, first served; it uses up no attempt, and
/// its execution leaves memory. What happened before is not known after a restart: limits are as declared, and breakers
/// closed. `Engine::limits` shows what they come to, and `Engine::set_limit` changes them while the engine runs.
///
/// Arguments that are taken by value have to be `Clone` where the step is retried.
///
/// An attempt that is cut off by its `timeout` or its `heartbeat`, or that panics, is tried again whatever `only` and `never`
/// say. After the last one, the error is `StepTimedOut`, `StepHeartbeatMissed` or `StepPanicked`, which a `#[catch]` handler
/// can take (with `source`, where the handler's own error is of another type).
///
/// ```
/// use workflow_runtime::prelude::*;
/// # struct Client;
/// # impl Client { async fn post(&self, _: &str, _: String) -> Result<u64> { Ok(1) } }
///
/// #[step(retry(max = 5, backoff = "200ms..30s"), timeout = "10s")]
/// async fn charge(cx: &Cx, client: &Client, reference: &str) -> Result<u64> {
///     client.post(reference, cx.idempotency_key()).await
/// }
/// ```
///
#[doc = include_str!("docs/undo.md")]
#[proc_macro_attribute]
pub fn step(arguments: TokenStream, item: TokenStream) -> TokenStream {
    fn_impl::expand_step_attribute(arguments.into(), &item.into()).into()
}

/// Runs what does not depend on each other at once, within one handler.
///
/// It goes on an async method of a [`#[workflow]`](macro@workflow) impl, `(&self, cx: &Cx, …)`, or on a free async function,
/// `(cx: &Cx, …)`, and is called as it is written.
///
/// # As sequential code
///
/// Each top-level `let … = ….await…;` is a branch. It begins when the bindings are there that it uses, and not when those
/// are that stand above it; the last expression runs when all are done. A name counts as used wherever it occurs, in
/// macros and their format strings too. An awaiting statement without `let` is a barrier: all above is done before it, and
/// nothing below begins before it is. So is any other statement that may leave the function, for what is below.
///
/// `?` in a branch fails the whole at once and drops the other branches; without it, the binding is a `Result` and nothing
/// is dropped. `return` in a branch ends the whole. A binding is moved to its only user; several users borrow it where they write `&name`,
/// and else have a clone each. A panic in a branch ends the handler.
///
/// ```
/// use workflow_runtime::prelude::*;
/// # use workflow_runtime::{ExecutionId, SystemClock};
///
/// #[step]
/// async fn load(cx: &Cx, what: &str) -> Result<u64> {
///     Ok(what.len() as u64)
/// }
///
/// #[parallel(timeout = "30s")]
/// async fn total(cx: &Cx, order: &str) -> Result<u64> {
///     let base = load(cx, order).await?;
///     // These two run at once, as soon as `base` is there.
///     let tax = load(cx, &format!("tax on {base}")).await?;
///     let freight = load(cx, &format!("freight of {base}")).await?;
///     Ok(base + tax + freight)
/// }
/// # let cx = Cx::detached("Test", ExecutionId::new("1").unwrap(), SystemClock);
/// # assert_eq!(workflow_runtime::block_on(total(&cx, "order")).unwrap(), 25);
/// ```
///
/// # With a list
///
/// With `#[each]` on an argument, there is one branch for each item of any iterator, and the body is what a branch does, in
/// order. Branches run on all threads of the engine, so all arguments are owned: those but the item are cloned for each
/// branch. A list of any length takes the memory of `limit` branches and of the results.
///
/// | `join` | returns, of `-> Result<T, E>` | is over |
/// |---|---|---|
/// | `all` (default) | `Result<Vec<T>, E>` | with the first failure, which stops the others |
/// | `settle` | `Vec<Result<T, E>>` | when all have ended |
/// | `any` | `Result<T, E>` | with the first success, which stops the others; fails with the first item's error |
/// | `quorum(n)` | `Result<Vec<T>, E>`: those n | with the n-th success; fails when n are out of reach, with the first failed item's error |
/// | `at_least("95%")` | `Result<Vec<Result<T, E>>, E>` | when all have ended; fails when that share is out of reach, likewise |
///
/// Results come in the order of the items. A function that returns no `Result` gives a `Vec` of what it returns. An empty
/// list gives an empty `Vec`; with `any` and `quorum`, it fails with [`JoinMissed`](struct.JoinMissed.html), and so does
/// a list that is shorter than the quorum.
///
/// ```
/// use workflow_runtime::prelude::*;
/// # use workflow_runtime::{ExecutionId, SystemClock};
///
/// #[step(retry(max = 3))]
/// async fn fetch(cx: &Cx, host: &str, page: u32) -> Result<u32> {
///     Ok(page * 2)
/// }
///
/// #[parallel(limit = 4)]
/// async fn fetch_all(cx: &Cx, host: String, #[each] page: u32) -> Result<u32> {
///     fetch(cx, &host, page).await
/// }
/// # let cx = Cx::detached("Test", ExecutionId::new("1").unwrap(), SystemClock);
/// # workflow_runtime::block_on(async {
/// assert_eq!(fetch_all(&cx, "example.org".to_owned(), 1..=3).await?, [2, 4, 6]);
/// # Ok::<_, Error>(())
/// # }).unwrap();
/// ```
///
/// # Keys
///
/// | key | meaning | default |
/// |---|---|---|
/// | `timeout = "…"` | how long the whole may take, counted from the first call; then it fails with [`ParallelTimedOut`](struct.ParallelTimedOut.html) | as long as it takes |
/// | `limit = n` | with `#[each]`: how many branches run at once | 16 |
/// | `join = …` | with `#[each]`: what is asked for | `all` |
/// | `crate = "…"` | where the runtime is; on free functions | `::workflow_runtime` |
///
/// Where there is no room for `ParallelTimedOut` or `JoinMissed` (the error type is neither the boxed `Error` nor one of them, or `settle`
/// returns no error of the whole), the handler ends with it, and a `#[catch]` may take it.
///
/// # After a crash
///
/// Results of steps are found by the branch that they belong to: by its binding, or by its item. So branches may run in any
/// order, on any thread, and each goes on where it was. A branch without steps that has ended is not run again if what it
/// came to can be serialized. What decided a call that stopped its other branches is recorded, so that none of those begins
/// again. Dropping the call's future, as a race does, stops its branches.
#[proc_macro_attribute]
pub fn parallel(arguments: TokenStream, item: TokenStream) -> TokenStream {
    parallel_impl::expand_parallel_attribute(arguments.into(), &item.into()).into()
}

/// Runs an `async fn main()` to its end, on threads of its own.
///
/// | key | meaning | default |
/// |---|---|---|
/// | `crate = "…"` | where the runtime is | `::workflow_runtime` |
///
/// ```
/// use workflow_runtime::Result;
///
/// #[workflow_runtime::main]
/// async fn main() -> Result<()> {
///     Ok(())
/// }
/// ```
#[proc_macro_attribute]
pub fn main(arguments: TokenStream, item: TokenStream) -> TokenStream {
    fn_impl::expand_main_attribute(arguments.into(), &item.into()).into()
}

/// Draws a workflow where its docs are made. No part of the public interface: generated code calls it.
#[doc(hidden)]
#[proc_macro]
pub fn picture(diagram: TokenStream) -> TokenStream {
    picture::expand_picture(diagram.into()).into()
}
