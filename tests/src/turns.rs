//! One handler at a time, without any driver.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use workflow_runtime::driver::{Decided, Finished, HandlerCall, Progress, Services, Turn, TurnScope};
use workflow_runtime::{ExecutionId, ExecutionKey, JournalEntry, Json, ManualClock, Timestamp, Workflow};

/// One call of a handler over a state's data, as JSON.
#[must_use]
pub fn call(state: &str, data: &str, handler: &str, payload: Option<&str>) -> HandlerCall {
    let json = |text: &str| -> Json { serde_json::from_str(text).expect("the test's JSON") };
    HandlerCall {
        state: state.into(),
        data: json(data),
        handler: handler.into(),
        payload: payload.map(json),
        undo: None,
    }
}

/// Runs one handler to its end, saving what is to be saved; gives what it decided and every entry of the journal.
pub fn run<W: Workflow>(workflow: &Arc<W>, call: HandlerCall) -> (Finished, Vec<JournalEntry>) {
    let scope = TurnScope {
        key: ExecutionKey { workflow: W::NAME.into(), id: ExecutionId::new("1").expect("an id") },
        visit: 1,
        handler: call.handler.clone(),
        edge_number: 0,
        services: Services::new(ManualClock::new(Timestamp::EPOCH)),
    };
    let mut turn = Turn::new(Arc::clone(workflow), call, scope, Vec::new());
    let mut journal = Vec::new();
    loop {
        match now(turn.next()) {
            Progress::Save(entries) => {
                journal.extend(entries);
                turn.saved();
            }
            Progress::Finished(finished) => {
                journal.extend(finished.results.iter().cloned());
                return (finished, journal);
            }
            other => panic!("the handler did not end: {other:?}"),
        }
    }
}

/// Where a handler goes, and the data that it goes with.
pub fn decide<W: Workflow>(workflow: &Arc<W>, call: HandlerCall) -> (String, String) {
    let (finished, _) = run(workflow, call);
    match finished.result.expect("the handler succeeds") {
        Decided::Goto { state, data } => (state.to_owned(), data.text().to_owned()),
        Decided::Stay { data } => ("stay".to_owned(), data.text().to_owned()),
        Decided::Wait => ("wait".to_owned(), String::new()),
        Decided::Unwind { state, data } => (format!("unwind {state}"), data.text().to_owned()),
        Decided::Undone { effect } => ("undone".to_owned(), effect.to_string()),
        Decided::Reply { reply, .. } => ("reply".to_owned(), reply.text().to_owned()),
        Decided::Refuse { refusal } => ("refuse".to_owned(), refusal.text().to_owned()),
    }
}

/// The value of a future that has nothing to wait for.
pub fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the future waits"),
    }
}
