//! Steps that sleep on the clock of a stepper, and a log of what they did and when.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use workflow_runtime::prelude::*;

/// What happened, and at which millisecond.
#[derive(Debug, Clone, Default)]
pub struct Log(Arc<Mutex<Vec<(String, i64)>>>);

impl Log {
    pub fn note(&self, what: &str, cx: &Cx) {
        // Not recorded: a test wants to know when it really was.
        let now = cx.now().as_millis();
        self.0.lock().unwrap().push((what.to_owned(), now));
    }

    pub fn all(&self) -> Vec<(String, i64)> {
        self.0.lock().unwrap().clone()
    }

    pub fn count(&self, what: &str) -> usize {
        self.all().iter().filter(|(noted, _)| noted == what).count()
    }
}

/// Says its name, after so many milliseconds; fails if its name says so.
#[step]
pub async fn say(cx: &Cx, log: Log, name: &str) -> Result<String> {
    log.note(name, cx);
    match name.contains("bad") {
        true => Err(Error::msg(format!("{name} fails"))),
        false => Ok(name.to_owned()),
    }
}

pub async fn after(cx: &Cx, log: &Log, name: &str, millis: u64) -> Result<String> {
    cx.sleep(Duration::from_millis(millis)).await;
    say(cx, log.clone(), name).await
}
