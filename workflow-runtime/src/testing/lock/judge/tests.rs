use std::collections::{BTreeMap, BTreeSet};

use super::{Judgement, Kept};
use crate::testing::lock::Lock;
use crate::testing::lock::section::{Kind, Root, Section};
use crate::testing::lock::shape::{Integer, Shape};

fn judge(recorded: &Lock, code: &Lock, kept: bool) -> Judgement {
    super::judge(recorded, code, &Kept { this: kept, ..Kept::default() })
}

const U32: Shape = Shape::Integer(Integer::new(false, 32));
const U64: Shape = Shape::Integer(Integer::new(false, 64));

fn section(roots: &[(Kind, &str, Shape)]) -> Section {
    let root = |shape: &Shape| Root { shape: shape.clone(), was: Default::default() };
    let roots = roots.iter().map(|(kind, name, shape)| ((*kind, (*name).to_owned()), root(shape)));
    Section { roots: roots.collect(), ..Section::default() }
}

fn lock<const N: usize>(versions: [(u32, Section); N]) -> Lock {
    Lock { workflow: "Sale".to_owned(), versions: BTreeMap::from(versions) }
}

#[test]
fn a_change_that_fits_replaces_the_section() {
    let old = lock([(1, section(&[(Kind::State, "paid", U32)]))]);
    let new = lock([(1, section(&[(Kind::State, "paid", U64), (Kind::State, "sent", U32)]))]);
    let judgement = judge(&old, &new, false);
    assert!(!judgement.breaks());
    assert_eq!(judgement.differences.len(), 2);
    assert_eq!(judgement.lock, new);
    assert_eq!(judge(&new, &new, false).differences, []);
}

#[test]
fn a_new_version_is_added_and_the_old_one_stays() {
    let old = lock([(1, section(&[(Kind::State, "paid", U64), (Kind::Step, "pay", U64)]))]);
    // The state is smaller now, for which there is a migration.
    let new = section(&[(Kind::State, "paid", U32), (Kind::Step, "pay", U64)]);
    let code = lock([(1, section(&[(Kind::State, "paid", U64)])), (2, new.clone())]);
    let judgement = judge(&old, &code, false);
    assert!(!judgement.breaks(), "{judgement:#?}");
    assert_eq!(judgement.lock.versions[&1], old.versions[&1]);
    assert_eq!(judgement.lock.versions[&2], new);
    assert_eq!(judge(&judgement.lock, &code, false).differences, []);
}

#[test]
fn steps_and_events_have_no_migrations() {
    let old = lock([(1, section(&[(Kind::State, "paid", U64), (Kind::Step, "pay", U64), (Kind::Event, "gone", U32)]))]);
    let new = section(&[(Kind::State, "paid", U64), (Kind::Step, "pay", U32)]);
    let judgement = judge(&old, &lock([(1, section(&[(Kind::State, "paid", U64)])), (2, new)]), false);
    let breaks: Vec<_> = judgement.differences.iter().filter(|(_, difference)| difference.breaks).collect();
    assert!(breaks.len() == 1 && breaks[0].1.text.contains("step `pay`"), "{breaks:?}");
}

#[test]
fn a_new_version_names_the_one_before_it() {
    let old = lock([(1, section(&[(Kind::State, "paid", U32)]))]);
    let judgement = judge(&old, &lock([(2, section(&[(Kind::State, "paid", U64)]))]), false);
    assert!(judgement.breaks());
    assert!(judgement.differences[0].1.text.contains("from(1 = …)"), "{judgement:?}");
    // The code of another one that is kept is of no use.
    for (kept, breaks) in [(1, false), (2, true)] {
        let kept = Kept { this: false, older: BTreeSet::from([kept]) };
        let new = lock([(2, section(&[(Kind::State, "paid", U64)]))]);
        assert_eq!(super::judge(&old, &new, &kept).breaks(), breaks);
    }
}

#[test]
fn the_types_of_an_old_version_are_held_to_its_section() {
    let old = lock([
        (1, section(&[(Kind::State, "paid", U64), (Kind::State, "sent", U32), (Kind::Step, "pay", U32)])),
        (2, section(&[(Kind::State, "paid", U64)])),
    ]);
    let code = lock([(1, section(&[(Kind::State, "paid", U32)])), (2, section(&[(Kind::State, "paid", U64)]))]);
    let judgement = judge(&old, &code, false);
    let told: Vec<_> =
        judgement.differences.iter().map(|(version, difference)| (*version, difference.breaks)).collect();
    assert_eq!(told, [(1, true), (1, true)], "{judgement:#?}");
    assert_eq!(judgement.lock, old);
}

#[test]
fn a_version_does_not_go_back() {
    let old = lock([(1, section(&[])), (2, section(&[]))]);
    let judgement = judge(&old, &lock([(1, section(&[]))]), false);
    assert!(judgement.breaks());
    assert_eq!(judgement.lock, old);
}

#[test]
fn a_version_that_is_kept_is_held_to_its_own_section() {
    let old = lock([(1, section(&[(Kind::State, "paid", U32)])), (2, section(&[(Kind::State, "sent", U32)]))]);
    let judgement = judge(&old, &lock([(1, section(&[(Kind::State, "paid", U32)]))]), true);
    assert_eq!(judgement.differences, []);
    assert_eq!(judgement.lock, old);
    assert!(judge(&old, &lock([(1, section(&[]))]), true).breaks());
}
