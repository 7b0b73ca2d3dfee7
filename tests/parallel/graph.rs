//! When branches begin and end, and what one failure does to the others.

use workflow_runtime::prelude::*;
use workflow_runtime::{ParallelTimedOut, Rest, Stepper};

use super::support::{Log, after};

#[state]
struct Begun {
    what: String,
}

#[state(end)]
#[derive(Debug, PartialEq)]
struct Done {
    said: String,
}

struct Graphs {
    log: Log,
}

#[workflow(start = Begun, allow(small_machine))]
impl Graphs {
    #[state]
    async fn run(&self, cx: &Cx, begun: Begun) -> Result<Done> {
        let said = match begun.what.as_str() {
            "diamond" => self.diamond(cx).await?,
            "uneven" => self.uneven(cx).await?,
            "failing" => self.failing(cx).await?,
            "tolerant" => self.tolerant(cx).await?,
            "barrier" => self.barrier(cx).await?,
            "early" => self.early(cx, true).await?,
            "late" => self.early(cx, false).await?,
            "slow" => self.slow(cx).await?,
            "panicking" => self.panicking(cx).await?,
            "wide" => self.wide(cx).await?,
            "nested" => self.nested(cx).await?,
            "alike" => self.alike(cx).await?,
            "failing, then asleep" => {
                let error = self.failing(cx).await.unwrap_err();
                cx.sleep(std::time::Duration::from_secs(60)).await;
                error.to_string()
            }
            other => other.to_owned(),
        };
        Ok(Done { said })
    }

    #[parallel]
    async fn diamond(&self, cx: &Cx) -> Result<String> {
        let a = after(cx, &self.log, "a", 100).await?;
        let b = after(cx, &self.log, &format!("{a}b"), 100).await?;
        let c = after(cx, &self.log, &format!("{a}c"), 100).await?;
        let d = after(cx, &self.log, &format!("{b}{c}d"), 100).await?;
        Ok(d)
    }

    /// Two chains that have nothing to do with each other.
    #[parallel]
    async fn uneven(&self, cx: &Cx) -> Result<String> {
        let quick = after(cx, &self.log, "quick", 10).await?;
        let slow = after(cx, &self.log, "slow", 100).await?;
        let next = after(cx, &self.log, &format!("after {quick}"), 10).await?;
        let last = after(cx, &self.log, &format!("after {slow}"), 10).await?;
        Ok(format!("{next}, {last}"))
    }

    #[parallel]
    async fn failing(&self, cx: &Cx) -> Result<String> {
        let slow = after(cx, &self.log, "slow", 100).await?;
        let bad = after(cx, &self.log, "bad", 50).await?;
        Ok(slow + &bad)
    }

    #[parallel]
    async fn tolerant(&self, cx: &Cx) -> Result<String> {
        let slow = after(cx, &self.log, "slow", 100).await?;
        let bad = after(cx, &self.log, "bad", 50).await;
        Ok(format!("{slow}, {}", bad.unwrap_err()))
    }

    #[parallel]
    async fn barrier(&self, cx: &Cx) -> Result<String> {
        let a = after(cx, &self.log, "a", 50).await?;
        let b = after(cx, &self.log, "b", 100).await?;
        after(cx, &self.log, "between", 10).await?;
        let c = after(cx, &self.log, "c", 10).await?;
        Ok(a + &b + &c)
    }

    #[parallel]
    async fn early(&self, cx: &Cx, leave: bool) -> Result<String> {
        let slow = after(cx, &self.log, "slow", 100).await?;
        let first = match after(cx, &self.log, "first", 50).await {
            Ok(first) if leave => return Ok(format!("only {first}")),
            Ok(first) => first,
            Err(_) => return Err(Error::msg("it does not fail")),
        };
        Ok(format!("{first} and {slow}"))
    }

    #[parallel(timeout = "75ms")]
    async fn slow(&self, cx: &Cx) -> Result<String> {
        let quick = after(cx, &self.log, "quick", 50).await?;
        let slow = after(cx, &self.log, "slow", 100).await?;
        Ok(quick + &slow)
    }

    #[parallel]
    async fn panicking(&self, cx: &Cx) -> Result<String> {
        let slow = after(cx, &self.log, "slow", 100).await?;
        let odd: String = async { panic!("odd") }.await;
        Ok(slow + &odd)
    }

    /// More than the thirty from which on a combinator polls its futures in another way.
    #[parallel]
    async fn wide(&self, cx: &Cx) -> Result<String> {
        let a = after(cx, &self.log, "x", 1).await?;
        let b = after(cx, &self.log, "x", 2).await?;
        let c = after(cx, &self.log, "x", 3).await?;
        let d = after(cx, &self.log, "x", 4).await?;
        let e = after(cx, &self.log, "x", 5).await?;
        let f = after(cx, &self.log, "x", 6).await?;
        let g = after(cx, &self.log, "x", 7).await?;
        let h = after(cx, &self.log, "x", 8).await?;
        let i = after(cx, &self.log, "x", 9).await?;
        let j = after(cx, &self.log, "x", 10).await?;
        let k = after(cx, &self.log, "x", 11).await?;
        let l = after(cx, &self.log, "x", 12).await?;
        let m = after(cx, &self.log, "x", 13).await?;
        let n = after(cx, &self.log, "x", 14).await?;
        let o = after(cx, &self.log, "x", 15).await?;
        let p = after(cx, &self.log, "x", 16).await?;
        let q = after(cx, &self.log, "x", 17).await?;
        let r = after(cx, &self.log, "x", 18).await?;
        let s = after(cx, &self.log, "x", 19).await?;
        let t = after(cx, &self.log, "x", 20).await?;
        let u = after(cx, &self.log, "x", 21).await?;
        let v = after(cx, &self.log, "x", 22).await?;
        let w = after(cx, &self.log, "x", 23).await?;
        let x = after(cx, &self.log, "x", 24).await?;
        let y = after(cx, &self.log, "x", 25).await?;
        let z = after(cx, &self.log, "x", 26).await?;
        let aa = after(cx, &self.log, "x", 27).await?;
        let bb = after(cx, &self.log, "x", 28).await?;
        let cc = after(cx, &self.log, "x", 29).await?;
        let dd = after(cx, &self.log, "x", 30).await?;
        let ee = after(cx, &self.log, "x", 31).await?;
        let ff = after(cx, &self.log, "x", 32).await?;
        let all =
            [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, aa, bb, cc, dd, ee, ff];
        Ok(all.concat())
    }

    #[parallel]
    async fn nested(&self, cx: &Cx) -> Result<String> {
        let one = self.diamond(cx).await?;
        let other = self.diamond(cx).await?;
        Ok(format!("{one} {other}"))
    }

    /// The same call in every branch, so that only the branch tells the results apart.
    #[parallel]
    async fn alike(&self, cx: &Cx) -> Result<String> {
        let first = numbered(cx, &self.log, 100).await?;
        let second = numbered(cx, &self.log, 50).await?;
        let third = numbered(cx, &self.log, 75).await?;
        cx.sleep(std::time::Duration::from_secs(1)).await;
        Ok(format!("{first} {second} {third}"))
    }
}

#[step]
async fn number(cx: &Cx, log: Log) -> Result<usize> {
    log.note("number", cx);
    Ok(log.count("number"))
}

async fn numbered(cx: &Cx, log: &Log, millis: u64) -> Result<usize> {
    cx.sleep(std::time::Duration::from_millis(millis)).await;
    number(cx, log.clone()).await
}

/// What came of it, at which millisecond, and what happened on the way.
fn run(what: &str) -> (Rest, Option<String>, i64, Log) {
    futures::executor::block_on(async {
        let log = Log::default();
        let begun = Begun { what: what.to_owned() };
        let mut stepper = Stepper::start(Graphs { log: log.clone() }, begun).unwrap();
        let rest = stepper.run_to_end().await.unwrap();
        let said = stepper.outcome().unwrap().map(|GraphsOutcome::Done(done)| done.said);
        (rest, said, stepper.now().as_millis(), log)
    })
}

fn log(entries: &[(&str, i64)]) -> Vec<(String, i64)> {
    entries.iter().map(|(what, at)| ((*what).to_owned(), *at)).collect()
}

#[test]
fn a_diamond_takes_the_time_of_its_longest_way() {
    let (_, said, now, noted) = run("diamond");
    assert_eq!((said.as_deref(), now), (Some("abacd"), 300));
    assert_eq!(noted.all(), log(&[("a", 100), ("ab", 200), ("ac", 200), ("abacd", 300)]));
}

#[test]
fn a_branch_begins_when_its_own_inputs_are_there() {
    let (_, said, now, noted) = run("uneven");
    assert_eq!((said.as_deref(), now), (Some("after quick, after slow"), 110));
    assert_eq!(noted.all(), log(&[("quick", 10), ("after quick", 20), ("slow", 100), ("after slow", 110)]));
}

#[test]
fn a_failure_ends_the_whole_at_once_and_stops_the_others() {
    let (rest, _, now, noted) = run("failing");
    let Rest::Parked(error) = rest else { panic!("{rest:?}") };
    assert_eq!((error.message.as_str(), now), ("bad fails", 50));
    assert_eq!(noted.all(), log(&[("bad", 50)]));
}

#[test]
fn what_a_failure_stopped_does_not_begin_again_in_a_later_turn() {
    let (_, said, now, noted) = run("failing, then asleep");
    assert_eq!((said.as_deref(), now), (Some("bad fails"), 60_050));
    assert_eq!(noted.all(), log(&[("bad", 50)]));
}

#[test]
fn without_a_question_mark_a_failure_is_a_value_and_stops_nothing() {
    let (_, said, now, _) = run("tolerant");
    assert_eq!((said.as_deref(), now), (Some("slow, bad fails"), 100));
}

#[test]
fn a_statement_that_awaits_is_a_barrier() {
    let (_, said, now, noted) = run("barrier");
    assert_eq!((said.as_deref(), now), (Some("abc"), 120));
    assert_eq!(noted.all(), log(&[("a", 50), ("b", 100), ("between", 110), ("c", 120)]));
}

#[test]
fn a_return_in_a_branch_ends_the_whole() {
    let (_, said, now, noted) = run("early");
    assert_eq!((said.as_deref(), now, noted.count("slow")), (Some("only first"), 50, 0));
    let (_, said, now, _) = run("late");
    assert_eq!((said.as_deref(), now), (Some("first and slow"), 100));
}

#[test]
fn a_timeout_cuts_the_whole_off() {
    let (rest, _, now, noted) = run("slow");
    let Rest::Parked(error) = rest else { panic!("{rest:?}") };
    let expected = ParallelTimedOut { call: "slow".to_owned(), timeout_millis: 75 };
    assert_eq!((error.message, now), (expected.to_string(), 75));
    assert_eq!(noted.all(), log(&[("quick", 50)]));
}

#[test]
fn a_panic_in_a_branch_ends_the_handler() {
    let (rest, _, now, noted) = run("panicking");
    let Rest::Parked(error) = rest else { panic!("{rest:?}") };
    assert_eq!((error.message.as_str(), now), ("the branch `odd` of `panicking` panicked: odd", 0));
    assert_eq!(noted.all(), log(&[]));
}

#[test]
fn more_than_thirty_branches_come_to_an_end() {
    let (_, said, now, noted) = run("wide");
    assert_eq!((said, now, noted.count("x")), (Some("x".repeat(32)), 32, 32));
}

#[test]
fn a_parallel_function_is_a_branch_of_another() {
    let (_, said, now, noted) = run("nested");
    assert_eq!((said.as_deref(), now), (Some("abacd abacd"), 300));
    assert_eq!(noted.count("abacd"), 2, "two calls are two calls");
}

/// Each sleep ends the turn, so every result was read back from the journal several times.
#[test]
fn results_belong_to_their_branch_in_whatever_order_they_came() {
    let (_, said, now, _) = run("alike");
    assert_eq!((said.as_deref(), now), (Some("3 1 2"), 1_100));
}

#[test]
fn the_graph_tells_of_parallel_functions() {
    let parallels = GraphsState::GRAPH.parallels;
    let diamond = parallels.iter().find(|parallel| parallel.name == "diamond").unwrap();
    assert_eq!((diamond.branches, diamond.each, diamond.limit), (&["a", "b", "c", "d"][..], false, None));
    let slow = parallels.iter().find(|parallel| parallel.name == "slow").unwrap();
    assert_eq!(slow.timeout, Some(std::time::Duration::from_millis(75)));
}
