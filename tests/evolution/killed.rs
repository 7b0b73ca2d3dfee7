//! The command `migrate` in a process of its own, which is killed half-way; and where it may not write.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use workflow_runtime::Engine;
use workflow_runtime::store::{Query, Store as _};
use workflow_runtime::stores::SqliteStore;

use super::world::{Calls, World, test, v1, v2};

/// The variable that makes a test of this file the program that is killed.
const FILE: &str = "EVOLUTION_KILLED_FILE";

const SALES: u32 = 4_500;

fn run(path: &Path, arguments: &[&str]) -> (u8, String, String) {
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let builder = Engine::sqlite(path).workflow(v2::Sale { calls: Calls::default() });
    let code = builder.run_command(arguments.iter().map(OsString::from), &mut output, &mut errors);
    (code, String::from_utf8(output).unwrap(), String::from_utf8(errors).unwrap())
}

async fn filled(path: &Path) {
    let world = World::on(Arc::new(SqliteStore::open(path).unwrap()));
    let engine = world.engine_of(world.v1()).await;
    let sales = (0..SALES).map(|number| (format!("s{number:04}"), v1::Pending { euros: 1 }));
    engine.start_all::<v1::Sale, _>(sales).await.unwrap();
    engine.shutdown().await.unwrap();
}

/// The program that is killed, where the variable names a file. By itself it has nothing to do.
#[test]
fn the_program() {
    let Some(path) = std::env::var_os(FILE).map(PathBuf::from) else { return };
    let builder = Engine::sqlite(path).workflow(v2::Sale { calls: Calls::default() });
    let code = builder.run_command(["migrate".into()], &mut std::io::stdout(), &mut std::io::stderr());
    assert_eq!(code, 0);
}

#[test]
fn one_that_is_killed_half_way_is_run_again_and_all_are_migrated_once() {
    test(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sales.db");
        filled(&path).await;
        let mut program = Command::new(std::env::current_exe().unwrap())
            .args(["killed::the_program", "--exact", "--nocapture"])
            .env(FILE, &path)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It says how far it is before it writes the page that it has read.
        let said = BufReader::new(program.stderr.take().unwrap()).lines().map_while(Result::ok);
        let told = said.into_iter().find(|line| line.contains("so far"));
        program.kill().unwrap();
        program.wait().unwrap();
        assert!(told.as_deref().is_some_and(|line| line.starts_with("Sale: 1")), "{told:?}");

        let (code, output, errors) = run(&path, &["migrate", "--json"]);
        assert_eq!(code, 0, "{errors}");
        let report: serde_json::Value = serde_json::from_str(&output).unwrap();
        let migrated = report["migrated"].as_u64().unwrap();
        assert!(migrated < u64::from(SALES) - 1_000, "{migrated} were left for the second run");
        let (_, output, _) = run(&path, &["migrate"]);
        assert!(output.starts_with("0 migrated, 0 kept, 0 failed"), "{output}");

        let world = World::on(Arc::new(SqliteStore::open(&path).unwrap()));
        let of_version = |version: u32| Query::default().version(version).limit(10_000);
        assert_eq!(world.store.list(&of_version(1)).await.unwrap().executions, []);
        let all = world.store.list(&of_version(2)).await.unwrap().executions;
        assert_eq!(all.len(), SALES as usize);
        for sale in all {
            assert_eq!(world.migrations(sale.id.as_str()).await.len(), 1, "{} was migrated once", sale.id);
        }
    });
}

#[test]
fn where_it_may_not_write_it_says_so_and_changes_nothing() {
    test(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sales.db");
        World::on(Arc::new(SqliteStore::open(&path).unwrap())).pending(&[("a", 1)]).await;
        let before = std::fs::read(&path).unwrap();
        // No log can be made beside the file, whoever runs this: permissions do not keep a superuser from anything.
        std::fs::create_dir(folder.path().join("sales.db-wal")).unwrap();
        let (code, output, errors) = run(&path, &["migrate"]);
        assert_eq!((code, output.as_str()), (2, ""), "{errors}");
        assert!(errors.contains("sales.db"), "{errors}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
        std::fs::remove_dir(folder.path().join("sales.db-wal")).unwrap();

        let mut permissions = std::fs::metadata(folder.path()).unwrap().permissions();
        permissions.set_readonly(true);
        std::fs::set_permissions(folder.path(), permissions.clone()).unwrap();
        let may_write = std::fs::write(folder.path().join("other"), "").is_ok();
        let (code, output, errors) = run(&path, &["migrate"]);
        let (dry_code, dry_output, dry_errors) = run(&path, &["migrate", "--dry-run"]);
        #[expect(clippy::permissions_set_readonly_false, reason = "the folder is to be removed")]
        permissions.set_readonly(false);
        std::fs::set_permissions(folder.path(), permissions).unwrap();
        if may_write {
            assert_eq!((code, output.as_str()), (0, "1 migrated, 0 kept, 0 failed\n"), "{errors}");
        } else {
            assert_eq!((code, output.as_str()), (2, ""), "{errors}");
            assert!(errors.contains("sales.db: the store is read-only: give this process the right"), "{errors}");
            assert_eq!((dry_code, dry_errors.as_str()), (0, ""));
            assert!(dry_output.starts_with("1 would be migrated"), "{dry_output}");
            assert_eq!(std::fs::read(&path).unwrap(), before);
        }
    });
}
