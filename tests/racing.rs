//! Branches of which some are enough: `cx.race`, `cx.any` and `cx.quorum`.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::{Branches, JoinMissed, Rest, Stepper, Timestamp};

#[state]
struct Asking {
    how: String,
}

#[state(end)]
#[derive(Debug, PartialEq)]
struct Answered {
    by: Vec<String>,
}

/// What was asked, in the order in which it was.
type Log = Arc<Mutex<Vec<String>>>;

struct Survey {
    log: Log,
}

#[step]
async fn ask(cx: &Cx, log: Log, who: &str) -> Result<String> {
    log.lock().unwrap().push(format!("{who} {}", cx.idempotency_key()));
    match who.strip_prefix("no ") {
        Some(who) => Err(Error::msg(format!("{who} refuses"))),
        None => Ok(who.to_owned()),
    }
}

/// Asks after so many seconds.
async fn ask_after(cx: Cx, log: Log, who: &str, seconds: u64) -> Result<String> {
    cx.sleep(Duration::from_secs(seconds)).await;
    ask(&cx, log, who).await
}

#[workflow(start = Asking, allow(small_machine))]
impl Survey {
    #[state(allow(fragile_step))]
    async fn asking(&self, cx: &Cx, asking: Asking) -> Result<Answered> {
        let at = |who: &'static str, seconds: u64| {
            let log = Arc::clone(&self.log);
            move |cx: Cx| ask_after(cx, log, who, seconds)
        };
        let unlike = || {
            Branches::new()
                .with("slow", at("slow", 30))
                .with("bad", at("no bad", 5))
                .with("quick", at("quick", 10))
                .with("middling", at("middling", 20))
        };
        let by = match asking.how.as_str() {
            "race" => vec![cx.race(unlike()).await?],
            "any" => vec![cx.any(unlike()).await?],
            "quorum of 2" => cx.quorum(2, unlike()).await?,
            "quorum of 4" => cx.quorum(4, unlike()).await?,
            "quorum of 9" => cx.quorum(9, unlike()).await?,
            "nobody" => vec![cx.any(Branches::<String, Error>::new()).await?],
            "panic" => vec![cx.any(unlike().with("odd", |_| async { panic!("odd") })).await?],
            "race, then sleep" => {
                let first = cx.any(unlike()).await?;
                cx.sleep(Duration::from_secs(3_600)).await;
                vec![first]
            }
            other => return Err(Error::msg(format!("{other}?"))),
        };
        Ok(Answered { by })
    }
}

async fn survey(how: &str) -> (Stepper<Survey>, Rest, Log) {
    let log = Log::default();
    let asking = Asking { how: how.to_owned() };
    let mut stepper = Stepper::start(Survey { log: Arc::clone(&log) }, asking).unwrap();
    let rest = stepper.run_to_end().await.unwrap();
    (stepper, rest, log)
}

fn asked(log: &Log) -> Vec<String> {
    log.lock().unwrap().iter().map(|call| call.rsplit_once(' ').unwrap().0.to_owned()).collect()
}

fn block_on(test: impl Future<Output = ()>) {
    futures::executor::block_on(test);
}

fn answer(stepper: &Stepper<Survey>) -> Vec<String> {
    match stepper.outcome().unwrap() {
        Some(SurveyOutcome::Answered(answered)) => answered.by,
        None => panic!("there is no answer"),
    }
}

#[test]
fn a_race_is_what_the_first_to_end_came_to() {
    block_on(async {
        let (_, rest, log) = survey("race").await;
        let Rest::Parked(error) = rest else { panic!("{rest:?}") };
        assert_eq!(error.message, "bad refuses");
        assert_eq!(asked(&log), ["no bad"]);
    });
}

#[test]
fn any_is_the_first_success_and_stops_the_others() {
    block_on(async {
        let (stepper, _, log) = survey("any").await;
        assert_eq!(answer(&stepper), ["quick"]);
        assert_eq!(asked(&log), ["no bad", "quick"]);
        assert_eq!(stepper.now(), Timestamp::from_millis(10_000));
    });
}

#[test]
fn a_quorum_is_the_first_successes_in_the_order_of_the_branches() {
    block_on(async {
        let (stepper, _, log) = survey("quorum of 2").await;
        assert_eq!(answer(&stepper), ["quick", "middling"]);
        assert_eq!(asked(&log), ["no bad", "quick", "middling"]);
    });
}

#[test]
fn a_quorum_fails_as_soon_as_it_is_out_of_reach() {
    block_on(async {
        let (stepper, rest, log) = survey("quorum of 4").await;
        let Rest::Parked(error) = rest else { panic!("{rest:?}") };
        assert_eq!(error.message, "bad refuses");
        assert_eq!((asked(&log), stepper.now()), (vec!["no bad".to_owned()], Timestamp::from_millis(5_000)));
    });
}

#[test]
fn too_few_branches_are_told_without_running_any() {
    block_on(async {
        for (how, wanted, branches) in [("quorum of 9", 9, 4), ("nobody", 1, 0)] {
            let (_, rest, log) = survey(how).await;
            let Rest::Parked(error) = rest else { panic!("{rest:?}") };
            let call = if wanted == 9 { "quorum" } else { "any" };
            assert_eq!(error.message, JoinMissed { call: call.to_owned(), wanted, branches }.to_string());
            assert_eq!(asked(&log), Vec::<String>::new());
        }
    });
}

#[test]
fn a_branch_that_panics_ends_the_handler() {
    block_on(async {
        let (_, rest, _) = survey("panic").await;
        let Rest::Parked(error) = rest else { panic!("{rest:?}") };
        assert_eq!(error.message, "the branch `odd` of `any` panicked: odd");
    });
}

/// Every wait of a stepper ends a turn, and the next one begins with the journal alone.
#[test]
fn after_a_restart_the_same_branch_wins_and_no_other_is_begun_again() {
    block_on(async {
        let (stepper, _, log) = survey("race, then sleep").await;
        assert_eq!(answer(&stepper), ["quick"]);
        assert_eq!(asked(&log), ["no bad", "quick"], "the others would have been due in the meantime");
        assert_eq!(stepper.now(), Timestamp::from_millis(3_610_000));
    });
}
