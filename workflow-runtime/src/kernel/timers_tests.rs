//! Timers whose time hangs on the data, and those that fire again and again.

use std::sync::Arc;
use std::time::Duration;

use crate::base::Timestamp;
use crate::kernel::{AfterPlan, Decided, HandlerPlan, Kernel, Next, Plan, StatePlan, TimerRule};
use crate::record::{ErrorKind, ErrorRecord, ExecutionRecord, Json, Status};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

fn pure(name: &str) -> HandlerPlan {
    HandlerPlan { name: name.into(), pure: true }
}

fn error(message: &str) -> ErrorRecord {
    ErrorRecord { kind: ErrorKind::Failed, message: message.to_owned(), sources: Vec::new() }
}

/// Stores it and reads it back, as a crash would.
fn reload(execution: &Kernel) -> Kernel {
    let text = serde_json::to_string(execution.record()).unwrap();
    let record: ExecutionRecord = serde_json::from_str(&text).unwrap();
    assert_eq!(&record, execution.record());
    Kernel::begun(record)
}

/// An execution whose timers hang on its data, which is a number of seconds or `null`.
fn timed() -> Plan {
    let mut plan = Plan::default();
    let after = |rule, name: &str| AfterPlan { rule, handler: pure(name) };
    let after = vec![
        after(TimerRule::Every(Duration::from_secs(10)), "again"),
        after(TimerRule::Computed, "patience"),
        after(TimerRule::At, "deadline"),
    ];
    plan.add("open", &[], StatePlan { after, on: vec![], ..StatePlan::default() });
    plan.with_timers(Arc::new(|handler, record| {
        let seconds: Option<i64> = record.data.decode().map_err(|_| error("no number"))?;
        Ok(seconds.map(|seconds| at(seconds + if handler == "patience" { 100 } else { 0 })))
    }))
}

fn timed_start(data: &str) -> Kernel {
    let new = Kernel::start("open".to_owned(), json(data), &timed(), at(0));
    Kernel::begun(new.record)
}

fn due(execution: &Kernel, handler: &str) -> Option<Timestamp> {
    execution.record().timers.iter().find(|timer| timer.handler == handler && !timer.fired).map(|timer| timer.due)
}

#[test]
fn timers_that_hang_on_the_data_are_set_at_the_entry() {
    let execution = timed_start("5");
    assert_eq!([due(&execution, "again"), due(&execution, "patience")], [Some(at(10)), Some(at(105))]);
    assert_eq!(due(&execution, "deadline"), Some(at(5)));
    assert_eq!(due(&timed_start("null"), "deadline"), None);
}

#[test]
fn a_repeating_timer_fires_once_for_what_was_missed_and_keeps_to_its_periods() {
    let mut execution = timed_start("1000");
    assert_eq!(execution.decide(&timed(), at(37)), Next::Run(pure("again")));
    assert_eq!(due(&execution, "again"), Some(at(40)));
    execution.handled(Decided::Wait, vec![], &timed(), at(38));
    assert_eq!(execution.decide(&timed(), at(38)), Next::Wait { until: Some(at(40)) });
    let mut execution = reload(&execution);
    assert_eq!(execution.decide(&timed(), at(40)), Next::Run(pure("again")));
    assert_eq!(due(&execution, "again"), Some(at(50)), "exactly then is not late");
}

#[test]
fn stay_moves_a_point_in_time_with_the_data_and_nothing_else() {
    let mut execution = timed_start("5");
    assert_eq!(execution.decide(&timed(), at(5)), Next::Run(pure("deadline")));
    execution.handled(Decided::Stay { data: json("5") }, vec![], &timed(), at(5));
    assert_eq!(due(&execution, "deadline"), None, "it has fired for that time");
    execution.decide(&timed(), at(10));
    execution.handled(Decided::Stay { data: json("15") }, vec![], &timed(), at(10));
    assert_eq!([due(&execution, "deadline"), due(&execution, "patience")], [Some(at(15)), Some(at(105))]);
    execution.decide(&timed(), at(15));
    execution.handled(Decided::Stay { data: json("null") }, vec![], &timed(), at(15));
    assert!(execution.record().timers.iter().all(|timer| timer.handler != "deadline"));
}

#[test]
fn a_point_in_time_that_was_left_as_it_is_fires_again_only_while_it_is_to_come() {
    let mut execution = timed_start("5");
    assert_eq!(execution.decide(&timed(), at(5)), Next::Run(pure("deadline")));
    // The clock is turned back while the handler runs, which finds that it is too early.
    execution.handled(Decided::Stay { data: json("5") }, vec![], &timed(), at(3));
    let mut execution = reload(&execution);
    assert_eq!(due(&execution, "deadline"), Some(at(5)));
    assert_eq!(execution.decide(&timed(), at(3)), Next::Wait { until: Some(at(5)) });
    assert_eq!(execution.decide(&timed(), at(5)), Next::Run(pure("deadline")));
    // Else it would be fired again and again.
    execution.handled(Decided::Stay { data: json("5") }, vec![], &timed(), at(5));
    assert_eq!(due(&execution, "deadline"), None);
}

#[test]
fn a_time_that_cannot_be_told_parks_the_execution_before_it_does_anything() {
    let mut execution = timed_start("\"soon\"");
    assert_eq!(execution.record().status(), Status::Running, "so that somebody looks");
    assert_eq!(execution.decide(&timed(), at(1)), Next::Parked);
    let mut execution = reload(&execution);
    execution.retry(at(2));
    assert_eq!(execution.decide(&timed(), at(2)), Next::Parked);
}

#[test]
fn a_retry_moves_timers_but_for_points_in_time() {
    let mut execution = timed_start("50");
    execution.park(error("stop"), at(1));
    execution.retry(at(21));
    assert_eq!([due(&execution, "again"), due(&execution, "deadline")], [Some(at(30)), Some(at(50))]);
}
