//! One branch for each item of a list.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::{ExecutionId, JoinMissed, ManualClock, ParallelTimedOut, Rest, Stepper, Timestamp, block_on};

use super::support::{Log, after};

fn cx() -> Cx {
    Cx::detached("Test", ExecutionId::new("1").unwrap(), ManualClock::new(Timestamp::EPOCH))
}

async fn halve(number: u32) -> Result<u32> {
    match number % 2 {
        0 => Ok(number / 2),
        _ => Err(Error::msg(format!("{number} is odd"))),
    }
}

#[parallel]
async fn all(_: &Cx, #[each] number: u32) -> Result<u32> {
    halve(number).await
}

#[parallel(join = settle)]
async fn settled(_: &Cx, #[each] number: u32) -> Result<u32> {
    halve(number).await
}

#[parallel(join = any)]
async fn any(_: &Cx, #[each] number: u32) -> Result<u32> {
    halve(number).await
}

#[parallel(join = quorum(2))]
async fn two(_: &Cx, #[each] number: u32) -> Result<u32, Error> {
    halve(number).await
}

#[parallel(join = at_least("66.6%"))]
async fn two_thirds(_: &Cx, #[each] number: u32) -> Result<u32> {
    halve(number).await
}

#[parallel(limit = 3)]
async fn plain(cx: &Cx, prefix: String, #[each] (left, right): (u32, u32), shared: Arc<str>) -> String {
    let _ = cx;
    format!("{prefix}{}{shared}", left + right)
}

fn texts(results: &[Result<u32>]) -> Vec<String> {
    results.iter().map(|result| result.as_ref().map_or_else(ToString::to_string, ToString::to_string)).collect()
}

#[test]
fn results_come_in_the_order_of_the_items() {
    block_on(async {
        let cx = cx();
        assert_eq!(all(&cx, [2, 4, 6]).await.unwrap(), [1, 2, 3]);
        assert_eq!(all(&cx, (0..10).filter(|number| number % 4 == 0)).await.unwrap(), [0, 2, 4]);
        let borrowed = [1, 2];
        assert_eq!(all(&cx, borrowed.iter().map(|number| number * 2)).await.unwrap(), [1, 2]);
        let pairs = vec![(1, 2), (3, 4)];
        assert_eq!(plain(&cx, "<".to_owned(), pairs, ">".into()).await, ["<3>", "<7>"]);
    });
}

#[test]
fn each_join_gives_what_it_says() {
    block_on(async {
        let cx = cx();
        assert_eq!(all(&cx, [2, 3, 5]).await.unwrap_err().to_string(), "3 is odd");
        assert_eq!(texts(&settled(&cx, [2, 3, 4]).await), ["1", "3 is odd", "2"]);
        assert_eq!(any(&cx, [3, 5, 8, 6]).await.unwrap(), 4);
        assert_eq!(any(&cx, [3, 5]).await.unwrap_err().to_string(), "3 is odd");
        assert_eq!(two(&cx, [2, 3, 4, 6]).await.unwrap(), [1, 2]);
        assert_eq!(two(&cx, [2, 3, 5]).await.unwrap_err().to_string(), "3 is odd");
        assert_eq!(texts(&two_thirds(&cx, [2, 3, 4]).await.unwrap_or_default()), ["1", "3 is odd", "2"]);
        assert_eq!(two_thirds(&cx, [2, 3, 5]).await.unwrap_err().to_string(), "3 is odd");
    });
}

#[test]
fn an_empty_list_is_done_or_has_too_few() {
    block_on(async {
        let cx = cx();
        assert!(all(&cx, []).await.unwrap().is_empty());
        assert!(settled(&cx, []).await.is_empty());
        assert!(two_thirds(&cx, std::iter::empty()).await.unwrap().is_empty());
        let missed = |call: &str, wanted, branches| JoinMissed { call: call.to_owned(), wanted, branches };
        assert_eq!(any(&cx, []).await.unwrap_err().downcast_ref(), Some(&missed("any", 1, 0)));
        assert_eq!(two(&cx, [2]).await.unwrap_err().downcast_ref(), Some(&missed("two", 2, 1)));
        // Without a length before, it is known when the list has ended.
        let one = (2..9).filter(|number| *number == 4);
        assert_eq!(two(&cx, one).await.unwrap_err().downcast_ref(), Some(&missed("two", 2, 1)));
    });
}

/// How many are alive at once, and how many were at most.
#[derive(Debug, Clone, Default)]
struct Alive(Arc<(AtomicUsize, AtomicUsize)>);

struct Living(Alive);

impl Alive {
    fn one_more(&self) -> Living {
        let now = self.0.0.fetch_add(1, Ordering::Relaxed) + 1;
        self.0.1.fetch_max(now, Ordering::Relaxed);
        Living(self.clone())
    }
}

impl Drop for Living {
    fn drop(&mut self) {
        self.0.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[state]
struct Begun {
    what: String,
}

#[state(end)]
#[derive(Debug, PartialEq)]
struct Done {
    said: Vec<String>,
}

struct Lists {
    log: Log,
    alive: Alive,
    computed: AtomicUsize,
}

#[workflow(start = Begun, allow(small_machine))]
impl Lists {
    #[state]
    async fn run(&self, cx: &Cx, begun: Begun) -> Result<Done> {
        let said = match begun.what.as_str() {
            "four at once" => self.spoken(cx, (0..10).map(|number| (format!("{number}"), 100))).await?,
            "same names" => self.spoken(cx, ["a", "a", "a"].map(|name| (name.to_owned(), 10))).await?,
            "failing" => self.spoken(cx, [("slow", 100), ("bad", 50), ("late", 70)].map(owned)).await?,
            "slow" => self.spoken(cx, [("slow", 10_000), ("quick", 50)].map(owned)).await?,
            "first" => vec![self.first(cx, [("slow", 90), ("bad", 10), ("quick", 50)].map(owned)).await?],
            "first, then asleep" => {
                let first = self.first(cx, [("slow", 90), ("bad", 10), ("quick", 50)].map(owned)).await?;
                cx.sleep(Duration::from_secs(60)).await;
                vec![first]
            }
            "failing, then asleep" => {
                let spoken = self.spoken(cx, [("slow", 100), ("bad", 50), ("late", 70)].map(owned)).await;
                cx.sleep(Duration::from_secs(60)).await;
                vec![spoken.unwrap_err().to_string()]
            }
            "both" => vec![self.both(cx).await?],
            "computed" => {
                let squares = self.squares(cx, 0..5).await;
                cx.sleep(Duration::from_secs(60)).await;
                squares.iter().map(ToString::to_string).collect()
            }
            "panicking" => self.spoken(cx, [("slow", 100), ("panic", 10)].map(owned)).await?,
            other => vec![other.to_owned()],
        };
        Ok(Done { said })
    }

    #[parallel(limit = 4, timeout = "5s")]
    async fn spoken(&self, cx: &Cx, #[each] (name, millis): (String, u64)) -> Result<String> {
        let _living = self.alive.one_more();
        assert!(name != "panic", "no panic");
        after(cx, &self.log, &name, millis).await
    }

    #[parallel(join = any)]
    async fn first(&self, cx: &Cx, #[each] (name, millis): (String, u64)) -> Result<String> {
        after(cx, &self.log, &name, millis).await
    }

    #[parallel]
    async fn squares(&self, _: &Cx, #[each] number: usize) -> usize {
        self.computed.fetch_add(1, Ordering::Relaxed);
        number * number
    }

    /// A list in a graph, and a graph in a list.
    #[parallel]
    async fn both(&self, cx: &Cx) -> Result<String> {
        let spoken = self.spoken(cx, [("a", 10), ("b", 20)].map(owned)).await?;
        let pairs = self.pairs(cx, [("c".to_owned(), 5), ("d".to_owned(), 15)]).await?;
        Ok(format!("{} {}", spoken.concat(), pairs.concat()))
    }

    #[parallel]
    async fn pairs(&self, cx: &Cx, #[each] (name, millis): (String, u64)) -> Result<String> {
        self.pair(cx, name, millis).await
    }

    #[parallel]
    async fn pair(&self, cx: &Cx, name: String, millis: u64) -> Result<String> {
        let left = after(cx, &self.log, &name, millis).await?;
        let right = after(cx, &self.log, &name.to_uppercase(), millis).await?;
        Ok(left + &right)
    }
}

fn owned((name, millis): (&str, u64)) -> (String, u64) {
    (name.to_owned(), millis)
}

fn run(what: &str) -> (Rest, Vec<String>, i64, Arc<Lists>) {
    futures::executor::block_on(async {
        let lists = Arc::new(Lists { log: Log::default(), alive: Alive::default(), computed: AtomicUsize::new(0) });
        let mut stepper = Stepper::<Lists>::start(Arc::clone(&lists), Begun { what: what.to_owned() }).unwrap();
        let rest = stepper.run_to_end().await.unwrap();
        let said = stepper.outcome().unwrap().map(|ListsOutcome::Done(done)| done.said);
        (rest, said.unwrap_or_default(), stepper.now().as_millis(), lists)
    })
}

fn names(lists: &Lists) -> Vec<String> {
    lists.log.all().into_iter().map(|(name, _)| name).collect()
}

#[test]
fn no_more_run_at_once_than_the_limit_and_the_next_begins_when_one_ends() {
    let (_, said, now, lists) = run("four at once");
    assert_eq!(said, (0..10).map(|number| number.to_string()).collect::<Vec<_>>());
    assert_eq!((now, lists.alive.0.1.load(Ordering::Relaxed)), (300, 4));
}

#[test]
fn items_that_are_alike_are_branches_of_their_own() {
    let (_, said, _, lists) = run("same names");
    assert_eq!((said, lists.log.count("a")), (vec!["a".to_owned(); 3], 3));
}

#[test]
fn the_first_failure_stops_the_others() {
    let (rest, _, now, lists) = run("failing");
    let Rest::Parked(error) = rest else { panic!("{rest:?}") };
    assert_eq!((error.message.as_str(), now), ("bad fails", 50));
    assert_eq!(names(&lists), ["bad"]);
}

#[test]
fn the_whole_has_a_timeout() {
    let (rest, _, now, lists) = run("slow");
    let Rest::Parked(error) = rest else { panic!("{rest:?}") };
    let expected = ParallelTimedOut { call: "spoken".to_owned(), timeout_millis: 5_000 };
    assert_eq!((error.message, now), (expected.to_string(), 5_000));
    assert_eq!(names(&lists), ["quick"]);
}

#[test]
fn a_panic_in_a_branch_ends_the_handler() {
    let (rest, _, _, _) = run("panicking");
    let Rest::Parked(error) = rest else { panic!("{rest:?}") };
    assert_eq!(error.message, "the branch `[\"panic\",10]` of `spoken` panicked: no panic");
}

#[test]
fn what_was_decided_stays_decided_in_a_later_turn() {
    let (_, said, now, lists) = run("first");
    assert_eq!((said, now), (vec!["quick".to_owned()], 50));
    assert_eq!(names(&lists), ["bad", "quick"]);
    let (_, said, now, lists) = run("first, then asleep");
    assert_eq!((said, now), (vec!["quick".to_owned()], 60_050));
    assert_eq!(names(&lists), ["bad", "quick"]);
    let (_, said, now, lists) = run("failing, then asleep");
    assert_eq!((said, now), (vec!["bad fails".to_owned()], 60_050));
    assert_eq!(names(&lists), ["bad"]);
}

#[test]
fn a_branch_without_steps_is_not_run_again_either() {
    let (_, said, _, lists) = run("computed");
    assert_eq!(said, ["0", "1", "4", "9", "16"]);
    assert_eq!(lists.computed.load(Ordering::Relaxed), 5);
}

#[test]
fn graphs_and_lists_nest() {
    let (_, said, now, lists) = run("both");
    assert_eq!((said, now), (vec!["ab cCdD".to_owned()], 20));
    assert_eq!(lists.log.all().len(), 6);
}

#[test]
fn the_graph_tells_of_lists() {
    let spoken = ListsState::GRAPH.parallels.iter().find(|parallel| parallel.name == "spoken").unwrap();
    assert_eq!((spoken.each, spoken.limit, spoken.branches), (true, Some(4), &[][..]));
    let squares = ListsState::GRAPH.parallels.iter().find(|parallel| parallel.name == "squares").unwrap();
    assert_eq!(squares.limit, Some(16), "the default");
}
