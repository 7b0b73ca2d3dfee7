//! How a binding gets to those who use it: as the same code would have it without the attribute.

use std::time::Duration;

use workflow_runtime::prelude::*;
use workflow_runtime::{ExecutionId, ManualClock, Timestamp, block_on};

fn cx() -> Cx {
    Cx::detached("Test", ExecutionId::new("1").unwrap(), ManualClock::new(Timestamp::EPOCH))
}

/// Neither `Clone` nor `Copy`.
#[derive(Debug, PartialEq)]
struct Unique(u32);

async fn unique(value: u32) -> Result<Unique> {
    Ok(Unique(value))
}

async fn consume(unique: Unique) -> Result<u32> {
    Ok(unique.0)
}

async fn look(unique: &Unique) -> Result<u32> {
    Ok(unique.0)
}

async fn length(text: &str) -> Result<usize> {
    Ok(text.len())
}

async fn owned(text: String) -> Result<String> {
    Ok(text + "!")
}

async fn push(all: &mut Vec<u32>, value: u32) -> Result<()> {
    all.push(value);
    Ok(())
}

#[parallel]
async fn moved_to_its_only_user(_: &Cx) -> Result<u32> {
    let one = unique(1).await?;
    let other = unique(2).await?;
    let sum = consume(one).await? + consume(other).await?;
    Ok(sum)
}

#[parallel]
async fn borrowed_by_several_and_moved_to_the_tail(_: &Cx) -> Result<(u32, u32, Unique)> {
    let it = unique(3).await?;
    let one = look(&it).await?;
    let other = look(&it).await? + it.0;
    Ok((one, other, it))
}

#[parallel]
async fn cloned_for_several(_: &Cx) -> Result<(String, String, usize)> {
    let text = owned("a".to_owned()).await?;
    let one = owned(text).await?;
    // In sequential code, this needs the clone above; here each user has a value of its own.
    let other = owned(text.clone()).await?;
    Ok((one, other, text.len()))
}

struct Parsed<'a>(&'a str);

async fn parse(text: &str) -> Result<Parsed<'_>> {
    Ok(Parsed(text.trim_end_matches('!')))
}

#[parallel]
async fn held_on_to(_: &Cx) -> Result<(usize, String)> {
    let text = owned("held".to_owned()).await?;
    let parsed = parse(&text).await?;
    let length = length(&text).await?;
    Ok((length, parsed.0.to_owned()))
}

#[parallel]
async fn taken_apart(_: &Cx) -> Result<u32> {
    let (one, Unique(other)) = async { Ok::<_, Error>((1, Unique(2))) }.await?;
    let three: u32 = async { 3 }.await;
    let Some(four) = async { Some(4) }.await else { return Err(Error::msg("no four")) };
    Ok(one + other + three + four)
}

#[parallel]
async fn changed_one_after_the_other(_: &Cx) -> Result<Vec<u32>> {
    let mut all = Vec::new();
    let one = look(&Unique(1)).await?;
    all.push(one);
    let two = look(&Unique(2)).await?;
    push(&mut all, two).await?;
    let three = look(&Unique(3)).await?;
    all.push(three);
    Ok(all)
}

#[parallel]
async fn arguments_are_as_ever(
    _: &Cx,
    text: String,
    all: &mut Vec<u32>,
    mut count: u32,
    (left, right): (u32, u32),
) -> Result<String> {
    count += 1;
    let one = length(&text).await?;
    all.push(1);
    let other = length(&text).await?;
    all.push(2);
    let sum = async { left + right }.await;
    Ok(format!("{text} {one} {other} {count} {sum}"))
}

#[parallel]
async fn without_a_result(cx: &Cx) -> usize {
    let one = async { cx.now().as_millis() }.await;
    let other = async { cx.now().as_millis() }.await;
    if one != other {
        return 7;
    }
    usize::from(one == other)
}

#[parallel]
async fn plain_lets_are_nodes_too(cx: &Cx, order: &str) -> Result<String> {
    let one = length(order).await?;
    let doubled = one * 2;
    let other = length("other").await?;
    let text = format!("{doubled} {other}");
    cx.sleep(Duration::ZERO).await;
    Ok(text)
}

#[test]
fn a_binding_is_moved_borrowed_or_cloned() {
    block_on(async {
        let cx = cx();
        assert_eq!(moved_to_its_only_user(&cx).await.unwrap(), 3);
        assert_eq!(borrowed_by_several_and_moved_to_the_tail(&cx).await.unwrap(), (3, 6, Unique(3)));
        assert_eq!(cloned_for_several(&cx).await.unwrap(), ("a!!".to_owned(), "a!!".to_owned(), 2));
        assert_eq!(held_on_to(&cx).await.unwrap(), (5, "held".to_owned()));
        assert_eq!(taken_apart(&cx).await.unwrap(), 10);
    });
}

#[test]
fn what_can_change_goes_from_one_to_the_next() {
    block_on(async {
        let cx = cx();
        assert_eq!(changed_one_after_the_other(&cx).await.unwrap(), [1, 2, 3]);
        let mut all = Vec::new();
        let text = arguments_are_as_ever(&cx, "four".to_owned(), &mut all, 1, (3, 4)).await.unwrap();
        assert_eq!((text.as_str(), all), ("four 4 4 2 7", vec![1, 2]));
    });
}

#[test]
fn other_statements_and_other_returns_work() {
    block_on(async {
        let cx = cx();
        assert_eq!(without_a_result(&cx).await, 1);
        assert_eq!(plain_lets_are_nodes_too(&cx, "abc").await.unwrap(), "6 5");
    });
}
