use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Advice, Kept, Mode, Verified};
use crate::testing::lock::section::{Kind, Root, Section};
use crate::testing::lock::shape::{Integer, Shape};
use crate::testing::lock::{Lock, LockError};

fn verify(path: &Path, mode: Mode, code: &Lock, kept: bool) -> Result<Verified, LockError> {
    super::verify(path, mode, code, &Kept { this: kept, ..Kept::default() }, &Advice::of_test())
}

const U32: Shape = Shape::Integer(Integer::new(false, 32));
const U64: Shape = Shape::Integer(Integer::new(false, 64));

fn code(states: &[(&str, Shape)]) -> Lock {
    let root = |shape: &Shape| Root { shape: shape.clone(), was: Default::default() };
    let roots = states.iter().map(|(name, shape)| ((Kind::State, (*name).to_owned()), root(shape)));
    let section = Section { roots: roots.collect(), ..Section::default() };
    Lock { workflow: "Sale".to_owned(), versions: BTreeMap::from([(1, section)]) }
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("workflows/Sale.lock");
    (folder, path)
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[test]
fn a_missing_lock_is_made_but_where_nothing_may_be_written() {
    let (_folder, path) = folder();
    let lock = code(&[("paid", U32)]);
    assert!(matches!(verify(&path, Mode::Check, &lock, false), Err(LockError::Missing { .. })));
    assert!(!path.exists());
    assert_eq!(verify(&path, Mode::Record, &lock, false).unwrap(), Verified::Made);
    assert_eq!(Lock::read(&path).unwrap(), Some(lock.clone()));
    for mode in [Mode::Record, Mode::Check, Mode::Accept] {
        assert_eq!(verify(&path, mode, &lock, false).unwrap(), Verified::Same);
    }
    // Nothing is left beside it.
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn what_fits_is_recorded_but_where_nothing_may_be_written() {
    let (_folder, path) = folder();
    verify(&path, Mode::Record, &code(&[("paid", U32)]), false).unwrap();
    let (before, more) = (text(&path), code(&[("paid", U32), ("sent", U32)]));
    let error = verify(&path, Mode::Check, &more, false).unwrap_err();
    assert!(matches!(error, LockError::Stale { .. }), "{error}");
    assert!(error.to_string().contains("state `sent` is new"), "{error}");
    assert_eq!(text(&path), before);
    let Verified::Recorded(changes) = verify(&path, Mode::Record, &more, false).unwrap() else { panic!() };
    assert_eq!(changes, "  + version 1: state `sent` is new\n");
    assert_eq!(verify(&path, Mode::Check, &more, false).unwrap(), Verified::Same);
}

#[test]
fn what_does_not_fit_is_recorded_only_when_it_is_accepted() {
    let (_folder, path) = folder();
    verify(&path, Mode::Record, &code(&[("paid", U64), ("sent", U32)]), false).unwrap();
    let (before, other) = (text(&path), code(&[("paid", U32)]));
    for mode in [Mode::Record, Mode::Check] {
        let error = verify(&path, mode, &other, false).unwrap_err().to_string();
        for part in [
            "! version 1: state `paid` was `u64` and is `u32`",
            "! version 1: state `sent` is gone",
            "1. Make it compatible",
            "2. Make it a new version",
            "version = 2, from(1 = v1::States)",
            "WORKFLOW_LOCK=accept",
        ] {
            assert!(error.contains(part), "{part}\n{error}");
        }
        assert!(!error.contains("Events and steps"), "{error}");
        assert_eq!(text(&path), before);
    }
    assert!(matches!(verify(&path, Mode::Accept, &other, false).unwrap(), Verified::Recorded(_)));
    assert_eq!(Lock::read(&path).unwrap(), Some(other));
}

#[test]
fn what_has_no_migration_is_not_told_to_migrate() {
    let (_folder, path) = folder();
    let with = |step: Shape| {
        let mut lock = code(&[("paid", U32)]);
        let root = Root { shape: step, was: Default::default() };
        lock.versions.get_mut(&1).unwrap().roots.insert((Kind::Step, "book".to_owned()), root);
        lock
    };
    verify(&path, Mode::Record, &with(U64), false).unwrap();
    let error = verify(&path, Mode::Record, &with(U32), false).unwrap_err().to_string();
    assert!(error.contains("! version 1: the result of step `book` was `u64` and is `u32`"), "{error}");
    assert!(
        error.contains("2. Events and steps have no migrations: give what is new another name")
            && !error.contains("#[migrate"),
        "{error}"
    );
}

#[test]
fn an_older_version_is_to_stay_and_newer_code_to_be_built() {
    let (_folder, path) = folder();
    let of_two = |old: Shape, new: Shape| {
        let (Some(old), Some(new)) =
            (code(&[("paid", old)]).versions.remove(&1), code(&[("paid", new)]).versions.remove(&1))
        else {
            panic!()
        };
        Lock { workflow: "Sale".to_owned(), versions: BTreeMap::from([(1, old), (2, new)]) }
    };
    verify(&path, Mode::Record, &of_two(U64, U64), false).unwrap();
    let told = |lock: &Lock| verify(&path, Mode::Check, lock, false).unwrap_err().to_string();
    let frozen = told(&of_two(U32, U64));
    assert!(frozen.contains("The types of version 1 stay as they were") && frozen.contains("`mod v1`"), "{frozen}");
    assert!(!frozen.contains("two ways out"), "{frozen}");
    let both = told(&of_two(U32, U32));
    assert!(
        both.contains("The types of version 1 stay") && both.contains("version = 3, from(2 = v2::States)"),
        "{both}"
    );
    let older = told(&code(&[("paid", U64)]));
    assert!(older.contains("The lock is of version 2, and this code is of version 1: build the newer code"), "{older}");
}

#[test]
fn a_file_that_cannot_be_read_is_never_written_over() {
    let (_folder, path) = folder();
    let lock = code(&[("paid", U32)]);
    verify(&path, Mode::Record, &lock, false).unwrap();
    let good = text(&path);
    let bad = [
        good.replace("u32", "u64"),
        good.replace("format 1", "format 2"),
        format!("<<<<<<< HEAD\n{good}"),
        good.replace("workflow Sale", "workflow Other"),
        String::new(),
    ];
    for bad in bad {
        fs::write(&path, &bad).unwrap();
        for mode in [Mode::Record, Mode::Check, Mode::Accept] {
            let error = verify(&path, mode, &lock, false).unwrap_err();
            assert!(matches!(error, LockError::Unreadable { .. } | LockError::Foreign { .. }), "{error}");
            assert_eq!(text(&path), bad);
        }
    }
    // Bytes that are no text, and a folder.
    fs::write(&path, [0xff]).unwrap();
    assert!(matches!(verify(&path, Mode::Accept, &lock, false), Err(LockError::Unreadable { .. })));
    assert_eq!(fs::read(&path).unwrap(), [0xff]);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(matches!(verify(&path, Mode::Accept, &lock, false), Err(LockError::Io { .. })));
}

#[test]
fn several_tests_may_hold_one_workflow_to_its_lock_at_once() {
    let (_folder, path) = folder();
    let lock = code(&[("paid", U32)]);
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| verify(&path, Mode::Record, &lock, false).unwrap());
        }
    });
    assert_eq!(Lock::read(&path).unwrap(), Some(lock));
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn lines_in_another_order_are_the_same_and_are_put_in_order() {
    let (_folder, path) = folder();
    let lock = code(&[("paid", U32), ("sent", U64)]);
    verify(&path, Mode::Record, &lock, false).unwrap();
    let good = text(&path);
    let mut lines: Vec<_> = good.lines().collect();
    lines.reverse();
    fs::write(&path, lines.join("\r\n")).unwrap();
    assert_eq!(verify(&path, Mode::Check, &lock, false).unwrap(), Verified::Same);
    assert_eq!(verify(&path, Mode::Record, &lock, false).unwrap(), Verified::Recorded(String::new()));
    assert_eq!(text(&path), good);
}

#[test]
fn what_may_be_written_is_for_the_environment_to_say() {
    for (lock, ci, mode) in [
        (None, None, Mode::Record),
        (None, Some("false"), Mode::Record),
        (Some(""), Some(""), Mode::Record),
        (None, Some("true"), Mode::Check),
        (None, Some("1"), Mode::Check),
        (Some("check"), None, Mode::Check),
        (Some("accept"), Some("true"), Mode::Accept),
    ] {
        assert_eq!(Mode::of(lock, ci).unwrap(), mode);
    }
    assert!(matches!(Mode::of(Some("Accept"), None), Err(LockError::UnknownMode { .. })));
}
