//! The command, on executions of older versions: `migrate` brings them to the present one while no engine runs.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use workflow_runtime::prelude::*;
use workflow_runtime::store::{Query, Store};
use workflow_runtime::stores::{MemoryStore, SqliteStore};
use workflow_runtime::{Engine, EngineBuilder, Status};

use super::dying::{Dying, Moment};
use super::world::{Payment, World, settle, test, v1, v2, v3};

#[state]
pub struct Asked;

#[state(end)]
pub struct Answered;

/// A workflow beside the sales.
pub struct Other;

#[workflow(start = Asked)]
impl Other {
    #[after("10d")]
    fn answered(&self, _: Asked) -> Answered {
        Answered
    }
}

/// Runs the command: its exit code, what it says, and what is wrong.
fn command(builder: EngineBuilder, arguments: &[&str]) -> (u8, String, String) {
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let code = builder.run_command(arguments.iter().map(OsString::from), &mut output, &mut errors);
    (code, String::from_utf8(output).unwrap(), String::from_utf8(errors).unwrap())
}

fn sqlite(path: &Path) -> World {
    World::on(Arc::new(SqliteStore::open(path).unwrap()))
}

/// The code of the second version, on a file.
fn second(path: &Path) -> EngineBuilder {
    Engine::sqlite(path).workflow(v2::Sale { calls: Arc::default() })
}

#[test]
fn those_of_a_file_are_migrated_and_those_that_cannot_be_are_left_and_named() {
    test(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sales.db");
        sqlite(&path).pending(&[("a", 1), ("b", 13), ("c", 66), ("d", 4)]).await;

        let before = std::fs::read(&path).unwrap();
        let (code, output, errors) = command(second(&path), &["migrate", "--dry-run"]);
        assert_eq!((code, errors.as_str()), (1, ""));
        assert!(output.starts_with("2 would be migrated, 0 kept, 2 would fail; nothing was written\n"), "{output}");
        assert_eq!(std::fs::read(&path).unwrap(), before);

        let (code, output, errors) = command(second(&path), &["migrate"]);
        assert_eq!((code, errors.as_str()), (1, ""));
        assert!(output.starts_with("2 migrated, 0 kept, 2 failed\n"), "{output}");
        for expected in ["Sale/b: ", "nobody sells for 13 euros", "Sale/c: ", "66 euros"] {
            assert!(output.contains(expected), "{output}");
        }
        let (_, output, _) = command(second(&path), &["migrate", "--json", "--workflow", "Sale"]);
        let report: serde_json::Value = serde_json::from_str(&output).unwrap();
        assert_eq!(
            (&report["migrated"], &report["failed"]),
            (&0.into(), &2.into()),
            "those that are done are not found"
        );
        assert_eq!(report["why_failed"][0]["id"], "b");

        let world = sqlite(&path);
        assert_eq!((world.version("a").await, world.version("b").await), (2, 1));
        assert_eq!(world.record("b").await.status(), Status::Waiting, "the code of its version goes on with it");
        assert_eq!(world.migrations("a").await.len(), 1);
        assert_eq!(world.migrations("b").await.len(), 0);
        assert_eq!(world.calls(), [""; 0], "nothing was run");
        drop(world);
        let third = Engine::sqlite(&path).workflow(v3::Sale);
        assert_eq!(command(third, &["migrate"]).0, 0);
        let world = sqlite(&path);
        let engine = world.engine_of(v3::Sale).await;
        assert!(engine.list(&Query::default().before_version(3)).await.unwrap().executions.is_empty());
        let sale = engine.execution::<v3::Sale>("c").unwrap();
        assert!(matches!(sale.state().await.unwrap(), v3::SaleState::Unpaid(unpaid) if unpaid.cents == 6_600));
        engine.shutdown().await.unwrap();
    });
}

#[test]
fn what_is_cut_off_at_any_commit_is_finished_by_the_next_run() {
    test(async {
        for left in 0..4 {
            for moment in [Moment::Before, Moment::After] {
                let store = MemoryStore::new();
                let world = World::on(Arc::new(store.clone()));
                let old = world.engine_of(world.v1()).await;
                let sales = (0..250).map(|number| (format!("sale-{number:03}"), v1::Pending { euros: 1 }));
                old.start_all::<v1::Sale, _>(sales).await.unwrap();
                old.shutdown().await.unwrap();

                let dying: Arc<dyn Store> = Dying::new(store, left, moment);
                let (code, output, errors) = command(Engine::on(dying).workflow(world.v2()), &["migrate"]);
                let case = format!("{left} {moment:?}: {output}{errors}");
                match left {
                    // There are three pages.
                    3 => assert_eq!((code, output.as_str()), (0, "250 migrated, 0 kept, 0 failed\n"), "{case}"),
                    _ => assert_eq!((code, output.as_str()), (2, ""), "{case}"),
                }
                if (1..3).contains(&left) {
                    let told = format!("before that: {left}00 migrated, 0 kept, 0 failed");
                    assert!(errors.contains(&told) && errors.contains("run it again"), "{case}");
                }
                assert_eq!(command(world.builder().workflow(world.v2()), &["migrate"]).0, 0, "{case}");
                for number in 0..250 {
                    let id = format!("sale-{number:03}");
                    assert_eq!(world.version(&id).await, 2, "{case}");
                    assert_eq!(world.migrations(&id).await.len(), 1, "{case}");
                }
            }
        }
    });
}

#[test]
fn ten_thousand_are_migrated_and_the_command_says_how_far_it_is() {
    test(async {
        let world = World::default();
        let old = world.engine_of(world.v1()).await;
        let sales = (0..10_000).map(|number| (format!("sale-{number}"), v1::Pending { euros: 1 }));
        old.start_all::<v1::Sale, _>(sales).await.unwrap();
        old.shutdown().await.unwrap();
        let (code, output, errors) = command(world.builder().workflow(world.v2()), &["migrate"]);
        assert_eq!((code, output.as_str()), (0, "10000 migrated, 0 kept, 0 failed\n"));
        assert_eq!(errors.lines().count(), 5, "{errors}");
        assert!(errors.lines().all(|line| line.starts_with("Sale: ") && line.ends_with(" so far")), "{errors}");
    });
}

#[test]
fn an_engine_that_runs_keeps_the_file_or_loses_the_store() {
    test(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sales.db");
        let world = sqlite(&path);
        let engine = world.engine_of(world.v1()).await;
        engine.start::<v1::Sale>("a", v1::Pending { euros: 1 }).await.unwrap();
        let (code, output, errors) = command(second(&path), &["migrate"]);
        assert_eq!((code, output.as_str()), (2, ""));
        assert!(errors.contains("sales.db is in use by") && errors.contains("stop that first"), "{errors}");
        let (code, output, _) = command(second(&path), &["migrate", "--dry-run"]);
        assert_eq!(code, 0, "that is only read");
        assert!(output.starts_with("1 would be migrated"), "{output}");
        engine.shutdown().await.unwrap();

        // A store that has no lock: what the engine does not know, it leaves alone.
        let world = World::default();
        let engine = world.engine_of(world.v1()).await;
        let sale = engine.start::<v1::Sale>("a", v1::Pending { euros: 1 }).await.unwrap();
        settle(&engine).await;
        assert_eq!(command(world.builder().workflow(world.v2()), &["migrate"]).0, 0);
        sale.send(Payment).await.unwrap();
        settle(&engine).await;
        assert_eq!((world.version("a").await, world.record("a").await.state.as_str()), (2, "pending"));
        assert!(engine.start::<v1::Sale>("b", v1::Pending { euros: 1 }).await.is_ok(), "a start needs no epoch");
        engine.execution::<v1::Sale>("b").unwrap().send(Payment).await.unwrap();
        settle(&engine).await;
        assert_eq!(world.record("b").await.state, "pending", "the store is not the engine's any more");
    });
}

#[test]
fn what_cannot_be_migrated_at_all_says_why_and_changes_nothing() {
    test(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sales.db");
        let told = |arguments: &[&str]| {
            let (code, output, errors) = command(second(&path), arguments);
            assert_eq!((code, output.as_str()), (2, ""), "{errors}");
            errors
        };
        assert!(told(&["migrate"]).contains("there is no file"));
        assert!(told(&["migrate", "--dry-run"]).contains("there is no file"));
        assert!(!path.exists());
        assert!(told(&["migrate", "--workflow", "Sail"]).contains("has no workflow `Sail`; it has Sale"));
        let lock = told(&["lock"]);
        assert!(lock.contains("`cargo run --example lock -- check`") && lock.contains("lock_command!"), "{lock}");
        assert!(told(&["migrate", "all"]).contains("`migrate` takes no `all`"));
        assert!(told(&["check", "--dry-run"]).contains("`check` takes no `--dry-run`"));
        assert!(told(&["fork", "a", "1", "b", "--dry-run"]).contains("`fork` takes no `--dry-run`"));
        assert!(told(&["migrate", "--workflow"]).contains("--workflow"));

        sqlite(&path).pending(&[("a", 1)]).await;
        let file = rusqlite::Connection::open(&path).unwrap();
        file.execute_batch("PRAGMA user_version = 99").unwrap();
        drop(file);
        let before = std::fs::read(&path).unwrap();
        let newer = told(&["migrate"]);
        assert!(newer.contains("format version 99") && newer.contains("nothing was changed"), "{newer}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    });
}

#[test]
fn a_damaged_one_and_a_newer_one_are_left_and_hide_none() {
    test(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sales.db");
        sqlite(&path).pending(&[("a", 1), ("b", 2), ("c", 3)]).await;
        let file = rusqlite::Connection::open(&path).unwrap();
        file.execute("UPDATE executions SET body = replace(body, '2', '3') WHERE id = 'b'", []).unwrap();
        drop(file);
        assert_eq!(command(Engine::sqlite(&path).workflow(v3::Sale), &["migrate"]).0, 1);
        let (code, output, _) = command(second(&path), &["migrate"]);
        assert_eq!(code, 1);
        assert!(output.starts_with("0 migrated, 0 kept, 1 failed\n"), "{output}");
        assert!(
            output.contains("2 are left as they were") && output.contains("2  Sale  version 3 is newer"),
            "{output}"
        );
        assert!(output.contains("Sale/b: what is stored of Sale/b cannot be read"), "{output}");
        let world = sqlite(&path);
        assert_eq!((world.version("a").await, world.version("c").await), (3, 3));
    });
}

#[test]
fn those_that_the_program_has_no_code_for_are_counted_by_workflow_and_version() {
    test(async {
        let world = World::default();
        world.pending(&[("old", 1)]).await;
        let new = world.builder().workflow(world.v2()).workflow(Other).start().await.unwrap();
        let sales = (0..250).map(|number| (format!("new-{number}"), v2::Pending { cents: 1 }));
        new.start_all::<v2::Sale, _>(sales).await.unwrap();
        let over = new.start::<v2::Sale>("over", v2::Pending { cents: 1 }).await.unwrap();
        over.terminate("not wanted").await.unwrap();
        new.start_all::<Other, _>((0..3).map(|number| (number.to_string(), Asked))).await.unwrap();
        settle(&new).await;
        new.shutdown().await.unwrap();

        let newer = "  version 2 is newer than this program, which has version 1: run a build that has it\n";
        let foreign = "  version 1: this program has no such workflow; give it one with `.workflow(…)`\n";
        let told = format!(
            "253 are left as they were, as this program has no code for them:\n          3  Other{foreign}        250  Sale{newer}"
        );
        let first = || world.builder().workflow(world.v1());
        // The one that the second version had not touched is of the present version here, so it is not counted.
        let (code, output, errors) = command(first(), &["migrate"]);
        assert_eq!((code, errors.as_str()), (1, ""), "{output}");
        assert_eq!(output, format!("0 migrated, 0 kept, 0 failed\n{told}"));
        let (code, output, _) = command(first(), &["migrate", "--dry-run"]);
        assert_eq!(code, 1);
        assert_eq!(output, format!("0 would be migrated, 0 kept, 0 would fail; nothing was written\n{told}"));
        let (code, output, _) = command(first(), &["migrate", "--json"]);
        let report: serde_json::Value = serde_json::from_str(&output).unwrap();
        assert_eq!((code, &report["without_code"]), (1, &253.into()));
        let group = |workflow: &str, version: u32, reason: &str, count: u32| serde_json::json!({ "workflow": workflow, "version": version, "reason": reason, "count": count });
        let groups = [group("Other", 1, "unknown_workflow", 3), group("Sale", 2, "newer_version", 250)];
        assert_eq!(report["why_without_code"], serde_json::Value::from(groups.to_vec()));

        // Asked about one workflow, it says nothing of the others.
        let (code, output, _) = command(world.builder().workflow(world.v2()), &["migrate", "--workflow", "Sale"]);
        assert_eq!((code, output.as_str()), (0, "1 migrated, 0 kept, 0 failed\n"));
        let (code, output, _) = command(world.builder().workflow(world.v2()), &["migrate"]);
        assert_eq!(code, 1);
        assert!(output.ends_with(&format!("          3  Other{foreign}")), "{output}");
        assert_eq!(command(world.builder().workflow(v3::Sale).workflow(Other), &["migrate"]).0, 0, "all are there");
    });
}

#[test]
fn a_check_says_which_cannot_be_migrated_and_why_and_which_are_newer() {
    test(async {
        let world = World::default();
        world.pending(&[("a", 1), ("b", 13), ("c", 66)]).await;
        let (code, output, _) = command(world.builder().workflow(world.v2()), &["check"]);
        assert_eq!(code, 1);
        assert!(output.starts_with("1 of 3 executions go on with this code\n"), "{output}");
        for expected in ["from version 1 of the workflow", "nobody sells for 13 euros", "66 euros"] {
            assert!(output.contains(expected), "{output}");
        }
        assert_eq!(world.version("a").await, 1, "nothing is written");
        assert_eq!(command(world.builder().workflow(v3::Sale), &["check"]).0, 0);
        assert_eq!(command(world.builder().workflow(v3::Sale), &["migrate"]).0, 0);
        let (code, output, _) = command(world.builder().workflow(world.v2()), &["check"]);
        assert_eq!(code, 1);
        assert!(output.contains("it is of version 3 of the workflow, which is newer"), "{output}");
    });
}

#[test]
fn a_fork_of_an_older_version_is_migrated_or_refused_with_the_reason() {
    test(async {
        let world = World::default();
        world.pending(&[("a", 1), ("b", 13)]).await;
        let second = || world.builder().workflow(world.v2());
        let (code, output, errors) = command(second(), &["fork", "a", "1", "again"]);
        assert_eq!((code, errors.as_str()), (0, ""), "{output}");
        assert_eq!((world.version("again").await, world.version("a").await), (2, 1), "the other is left as it was");
        let (code, _, errors) = command(second(), &["fork", "b", "1", "never"]);
        assert_eq!(code, 1);
        for expected in
            ["`pending` was one of version 1", "of version 2", "nobody sells for 13 euros", "fork with code"]
        {
            assert!(errors.contains(expected), "{errors}");
        }
        let (code, _, errors) = command(world.builder().workflow(world.v1()), &["fork", "again", "1", "back"]);
        assert_eq!(code, 1);
        assert!(errors.contains("was one of version 2") && errors.contains("newer"), "{errors}");
        let engine = world.engine_of(world.v2()).await;
        let again = engine.execution::<v2::Sale>("again").unwrap();
        assert!(matches!(again.state().await.unwrap(), v2::SaleState::Pending(pending) if pending.cents == 100));
        engine.shutdown().await.unwrap();
    });
}
