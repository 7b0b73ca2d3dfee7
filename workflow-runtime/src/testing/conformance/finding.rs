//! [`Store::list`](crate::store::Store::list) by what executions have in them: their age, their last error, their attributes.

use std::collections::BTreeMap;

use super::sample::{
    ORDERS, at, ended, error, json, key, key_of, parked, quarantine, running_since, to, waiting, waiting_until,
};
use super::{Bench, Home};
use crate::record::{AttributeValue, ErrorKind, ErrorRecord, ExecutionRecord, FailingRecord};
use crate::store::Query;

fn orders() -> Query {
    Query { workflow: Some(ORDERS.into()), ..Query::default() }
}

async fn found(bench: &Bench, query: Query) -> Vec<String> {
    bench.list(&query).await.0
}

fn failing(message: &str, kind: ErrorKind) -> ExecutionRecord {
    let error = ErrorRecord { kind, ..error(message) };
    let key = "work:send:d:0".to_owned();
    let failing = FailingRecord { key: key.into(), attempts: 3, error, since: at(1_200), due: at(9_000) };
    ExecutionRecord { failing: Some(failing), resume_at: Some(at(9_000)), ..running_since(1_000) }
}

fn with(attributes: &[(&str, &str)]) -> ExecutionRecord {
    let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), json(value)));
    ExecutionRecord { attributes: attributes.collect::<BTreeMap<_, _>>(), ..waiting() }
}

/// By when it entered the state, not by when it began.
pub async fn those_that_have_been_in_their_state_for_long(home: &impl Home) {
    let bench = Bench::new(home).await;
    for (id, entered_at) in [("a", 1_000), ("b", 2_000), ("c", 3_000)] {
        bench.create(&key(id), running_since(entered_at)).await;
    }
    let before = async |time| found(&bench, orders().entered_before(at(time))).await;
    assert_eq!(before(1_000).await, [""; 0]);
    assert_eq!(before(2_001).await, ["a", "b"]);
    let later = ExecutionRecord { visit: 2, entered_at: at(9_000), ..running_since(9_000) };
    bench.advance(&key("a"), 1, to(later)).await;
    assert_eq!(before(4_000).await, ["b", "c"]);
}

/// That of a parked one, or of a step that is tried again; and none once it is over that.
pub async fn those_that_have_an_error(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), parked()).await;
    bench.create(&key("b"), failing("the Bank is closed, 50% sure_", ErrorKind::TimedOut)).await;
    bench.create(&key("c"), waiting()).await;
    bench.create(&key("d"), running_since(1_000)).await;
    bench.change(&key("d"), quarantine("a flipped bit")).await.unwrap();
    let by = async |text: &str| found(&bench, orders().error(text)).await;
    assert_eq!(by("carrier").await, ["a"]);
    assert_eq!(by("THE CARRIER IS GONE: timed out").await, ["a"], "sources count, and case does not");
    assert_eq!(by("bank").await, ["b"]);
    assert_eq!(by("50% sure_").await, ["b"], "nothing in a text is a pattern");
    assert_eq!(by("%").await, ["b"]);
    assert_eq!(by("flipped").await, ["d"]);
    assert_eq!(by("").await, ["a", "b", "d"]);
    assert_eq!(by("weather").await, [""; 0]);
    assert_eq!(found(&bench, orders().error_kind(ErrorKind::TimedOut)).await, ["b"]);
    let either = orders().error_kind(ErrorKind::TimedOut).error_kind(ErrorKind::Failed);
    assert_eq!(found(&bench, either).await, ["a", "b", "d"]);
    assert_eq!(found(&bench, orders().error_kind(ErrorKind::Failed).error("bank")).await, [""; 0]);

    bench.advance(&key("a"), 1, to(ended())).await;
    bench.advance(&key("b"), 1, to(waiting())).await;
    bench.advance(&key("d"), 1, to(waiting())).await;
    assert_eq!(by("").await, [""; 0]);
}

/// A summary has what makes it stuck.
pub async fn a_summary_tells_of_the_step_that_fails(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), failing("no", ErrorKind::Failed)).await;
    bench.create(&key("b"), parked()).await;
    let page = bench.store.list(&orders()).await.unwrap().executions;
    let step = page[0].failing.as_ref().unwrap();
    assert_eq!((step.step(), step.attempts, step.since, step.due), ("send", 3, at(1_200), at(9_000)));
    assert_eq!((page[0].parked_at, page[1].parked_at), (None, Some(at(3_000))));
    assert_eq!(page[1].failing, None);
}

/// Of every kind, by all of those that are asked for.
pub async fn those_that_have_a_value(home: &impl Home) {
    let bench = Bench::new(home).await;
    let both = [("customer", "\"it's \\\"Ada\\\"\""), ("amount", "18446744073709551615")];
    bench.create(&key("a"), with(&both)).await;
    bench.create(&key("b"), with(&[("customer", "\"it's \\\"Ada\\\"\""), ("amount", "-7"), ("paid", "true")])).await;
    bench.create(&key("c"), with(&[("customer", "\"Bob\""), ("amount", "\"-7\"")])).await;
    bench.create(&key("d"), waiting()).await;
    bench.create(&key_of("Refunds", "e"), with(&[("customer", "\"Bob\"")])).await;
    let by = async |name: &str, value: AttributeValue| found(&bench, orders().attribute(name, value)).await;
    assert_eq!(by("customer", "it's \"Ada\"".into()).await, ["a", "b"]);
    assert_eq!(by("customer", "Bob".into()).await, ["c"], "each workflow has its own");
    assert_eq!(by("customer", "bob".into()).await, [""; 0]);
    assert_eq!(by("amount", u64::MAX.into()).await, ["a"]);
    assert_eq!(by("amount", (-7).into()).await, ["b"], "a number is no text");
    assert_eq!(by("paid", true.into()).await, ["b"]);
    assert_eq!(by("paid", false.into()).await, [""; 0]);
    assert_eq!(by("weather", "good".into()).await, [""; 0]);
    let two = orders().attribute("customer", "it's \"Ada\"").attribute("amount", -7);
    assert_eq!(found(&bench, two).await, ["b"]);
    let any_workflow = Query::default().attribute("customer", "Bob");
    assert_eq!(found(&bench, any_workflow).await, ["c", "e"]);
}

/// They are those of the state that it is in.
pub async fn values_change_with_the_record(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), with(&[("customer", "\"Ada\""), ("paid", "false")])).await;
    bench.create(&key("b"), waiting()).await;
    let by = async |name: &str, value: AttributeValue| found(&bench, orders().attribute(name, value)).await;
    bench.advance(&key("a"), 1, to(with(&[("customer", "\"Bob\"")]))).await;
    bench.advance(&key("b"), 1, to(with(&[("customer", "\"Ada\"")]))).await;
    assert_eq!(by("customer", "Ada".into()).await, ["b"]);
    assert_eq!(by("customer", "Bob".into()).await, ["a"]);
    assert_eq!(by("paid", false.into()).await, [""; 0]);
    bench.advance(&key("a"), 1, to(waiting())).await;
    let at_its_end = ExecutionRecord { attributes: with(&[("customer", "\"Ada\"")]).attributes, ..ended() };
    bench.advance(&key("b"), 1, to(at_its_end)).await;
    assert_eq!(by("customer", "Bob".into()).await, [""; 0]);
    assert_eq!(by("customer", "Ada".into()).await, ["b"], "what has ended can be found too");
}

/// Whatever else is asked for, and wherever a page begins.
pub async fn values_in_pages_and_with_other_conditions(home: &impl Home) {
    let bench = Bench::new(home).await;
    for number in 0..60 {
        let customer = if number % 2 == 0 { "\"Ada\"" } else { "\"Bob\"" };
        let record = ExecutionRecord { ..with(&[("customer", customer)]) };
        let record = if number % 3 == 0 { ExecutionRecord { parked: parked().parked, ..record } } else { record };
        bench.create(&key(&format!("n{number:02}")), record).await;
    }
    let all: Vec<_> = (0..60).step_by(2).map(|number| format!("n{number:02}")).collect();
    for limit in [1, 7, 29, 30] {
        let mut query = orders().attribute("customer", "Ada").limit(limit);
        let mut seen = Vec::new();
        loop {
            let (ids, next) = bench.list(&query).await;
            seen.extend(ids);
            match next {
                Some(next) => query = query.after(next),
                None => break,
            }
        }
        assert_eq!(seen, all, "by {limit}");
    }
    let query =
        |after| orders().attribute("customer", "Bob").status(crate::record::Status::Parked).after(after).limit(2);
    assert_eq!(bench.list(&query(key("n10"))).await, (vec!["n15".into(), "n21".into()], Some(key("n21"))));
    assert_eq!(bench.list(&query(key_of("Before", "n50"))).await.0, ["n03", "n09"]);
    assert_eq!(bench.list(&query(key_of("Refunds", "a"))).await.0, [""; 0]);
}

/// Those with an error, and those that nobody has looked at in time.
pub async fn those_that_are_stuck(home: &impl Home) {
    let bench = Bench::new(home).await;
    bench.create(&key("a"), parked()).await;
    bench.create(&key("b"), failing("no", ErrorKind::Failed)).await;
    bench.create(&key("c"), waiting()).await;
    bench.create(&key("d"), waiting_until(5_000)).await;
    bench.create(&key("e"), ended()).await;
    bench.create(&key("f"), waiting()).await;
    bench.send(&key("f"), "unseen").await;
    bench.create(&key_of("Refunds", "g"), waiting_until(5_000)).await;
    let stuck = async |query: Query, time| found(&bench, Query { stuck_before: Some(at(time)), ..query }).await;
    assert_eq!(stuck(orders(), 0).await, ["a", "b"]);
    assert_eq!(stuck(orders(), 5_000).await, ["a", "b", "f"]);
    assert_eq!(stuck(orders(), 5_001).await, ["a", "b", "d", "f"]);
    assert_eq!(stuck(Query::default(), 5_001).await, ["a", "b", "d", "f", "g"]);
    assert_eq!(stuck(orders().after(key("b")).limit(1), 5_001).await, ["d"]);
}

/// Those that an upgrade has left to do.
pub async fn those_of_a_version(home: &impl Home) {
    let bench = Bench::new(home).await;
    for (id, version) in [("a", 1), ("b", 3), ("c", 2), ("d", 1)] {
        bench.create(&key(id), ExecutionRecord { version, ..waiting() }).await;
    }
    bench.create(&key_of("Refunds", "e"), waiting()).await;
    assert_eq!(found(&bench, orders().version(1)).await, ["a", "d"]);
    assert_eq!(found(&bench, orders().before_version(3)).await, ["a", "c", "d"]);
    assert_eq!(found(&bench, orders().version(4)).await, [""; 0]);
    assert_eq!(found(&bench, Query::default().version(1)).await, ["a", "d", "e"]);
    let page = bench.store.list(&orders().version(2)).await.unwrap();
    assert_eq!(page.executions.iter().map(|summary| summary.version).collect::<Vec<_>>(), [2]);
    bench.advance(&key("a"), 1, to(ExecutionRecord { version: 2, ..waiting() })).await;
    assert_eq!(found(&bench, orders().version(2)).await, ["a", "c"]);
}
