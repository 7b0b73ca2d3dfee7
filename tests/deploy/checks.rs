//! Before a deploy: every execution of a store is tried with new code, by the call and by the command.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use workflow_runtime::prelude::*;
use workflow_runtime::{CheckReport, Engine, EngineBuilder, Misfit, Unknown, block_on};

/// The code that is in production.
mod now {
    use workflow_runtime::prelude::*;

    #[state]
    pub struct Waiting {
        pub number: u32,
    }
    #[state]
    pub struct Working {
        pub number: u32,
    }
    #[state]
    pub struct Held {
        pub number: u32,
    }
    #[state(end)]
    pub struct Done;
    #[event]
    pub struct Go {
        pub hard: bool,
    }
    #[event]
    pub struct Hold;
    #[event]
    pub struct Note {
        pub text: String,
    }
    #[event]
    pub struct Gone;

    pub struct Job;

    #[workflow(start = Waiting, allow(endless_wait))]
    impl Job {
        #[on]
        fn go(&self, waiting: Waiting, _: Go) -> Working {
            Working { number: waiting.number }
        }

        #[on]
        fn hold(&self, waiting: Waiting, _: Hold) -> Held {
            Held { number: waiting.number }
        }

        #[on]
        fn noted(&self, held: Held, _: Note) -> Working {
            Working { number: held.number }
        }

        #[on]
        fn gone(&self, _: Held, _: Gone) -> Done {
            Done
        }

        #[state]
        async fn work(&self, cx: &Cx, working: Working) -> Result<Done> {
            let _ = (cx.now(), cx.random(), cx.flag("new"));
            self.reserve(cx, working.number).await?;
            self.count(cx).await?;
            cx.step("written here", || async { Result::<u32>::Ok(1) }).await?;
            cx.sleep(std::time::Duration::from_secs(1_000_000)).await;
            Ok(Done)
        }

        #[step(undo = release, allow(fragile_step))]
        async fn reserve(&self, _: &Cx, number: u32) -> Result<u32> {
            Ok(number)
        }

        async fn release(&self, _: &Cx, _: u32) -> Result<()> {
            Ok(())
        }

        #[step(allow(fragile_step, no_undo))]
        async fn count(&self, _: &Cx) -> Result<String> {
            Ok("many".to_owned())
        }
    }

    #[state]
    pub struct Open;
    #[state(end)]
    pub struct Closed;

    /// What later code does not have at all.
    pub struct Ticket;

    #[workflow(start = Open, allow(endless_wait))]
    impl Ticket {
        #[on]
        fn closed(&self, _: Open, _: Go) -> Closed {
            Closed
        }
    }
}

/// The code that is to be deployed: much of it is as it must not be.
mod next {
    use workflow_runtime::prelude::*;

    #[state]
    pub struct Waiting {
        pub number: u32,
        pub by: String,
    }
    #[state]
    pub struct Working {
        pub number: u32,
    }
    #[state(end)]
    pub struct Done;
    #[event]
    pub struct Go {
        pub hard: u32,
    }

    pub struct Job;

    #[workflow(start = Waiting, allow(endless_wait))]
    impl Job {
        #[on]
        fn go(&self, waiting: Waiting, _: Go) -> Working {
            Working { number: waiting.number }
        }

        #[state]
        async fn labour(&self, cx: &Cx, _: Working) -> Result<Done> {
            self.count(cx).await?;
            Ok(Done)
        }

        #[step(allow(fragile_step))]
        async fn count(&self, _: &Cx) -> Result<u32> {
            Ok(7)
        }
    }
}

struct Folder(tempfile::TempDir);

impl Folder {
    /// A store with executions in every position that a deploy may find them in; an engine may still have it open.
    async fn new() -> (Self, Engine) {
        let folder = Self(tempfile::tempdir().unwrap());
        let engine = Engine::sqlite(folder.path()).workflow(now::Job).workflow(now::Ticket).start().await.unwrap();
        for number in 0..7 {
            engine.start::<now::Job>(format!("waiting {number}"), now::Waiting { number }).await.unwrap();
        }
        let held = engine.start::<now::Job>("held", now::Waiting { number: 7 }).await.unwrap();
        held.send(now::Hold).await.unwrap();
        held.send(now::Go { hard: true }).await.unwrap();
        for id in ["working", "noted"] {
            let working = engine.start::<now::Job>(id, now::Waiting { number: 8 }).await.unwrap();
            working.send(now::Go { hard: true }).await.unwrap();
            while working.record().await.unwrap().resume_at.is_none() {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
            if id == "noted" {
                working.send(now::Note { text: "soon".to_owned() }).await.unwrap();
            }
        }
        let over = engine.start::<now::Job>("over", now::Waiting { number: 9 }).await.unwrap();
        over.send(now::Hold).await.unwrap();
        over.send(now::Gone).await.unwrap();
        over.outcome().await.unwrap();
        engine.start::<now::Ticket>("ticket", now::Open).await.unwrap();
        while held.record().await.unwrap().visit < 2 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        (folder, engine)
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("jobs.db")
    }
}

fn same(path: &Path) -> EngineBuilder {
    Engine::sqlite(path).workflow(now::Job).workflow(now::Ticket)
}

fn later(path: &Path) -> EngineBuilder {
    Engine::sqlite(path).workflow(next::Job)
}

/// What is said of the executions in a state, with how many and the first of them.
fn misfits<'a>(report: &'a CheckReport, state: &str) -> Vec<(&'a Misfit, u64, &'a str)> {
    let of_state = report.misfits.iter().filter(|group| group.state == state);
    let mut misfits: Vec<_> = of_state.map(|group| (&group.reason, group.count, group.ids[0].as_str())).collect();
    misfits.sort();
    misfits
}

#[test]
fn a_store_in_use_fits_the_code_that_wrote_it() {
    block_on(async {
        let (folder, engine) = Folder::new().await;
        let report = same(&folder.path()).check().await?;
        assert!(report.is_fit(), "{report}");
        assert_eq!((report.tried, report.fit), (11, 11), "what has ended is not tried");
        let fitting: Vec<_> =
            report.fitting.iter().map(|group| (group.workflow.as_str(), group.state.as_str(), group.count)).collect();
        let expected = [("Job", "held", 1), ("Job", "waiting", 7), ("Job", "working", 2), ("Ticket", "open", 1)];
        assert_eq!(fitting, expected);
        let unknown: Vec<_> = report.unknown.iter().map(|group| (&group.reason, group.count)).collect();
        assert_eq!(unknown, [(&Unknown::Step { step: "written here".to_owned() }, 2)]);
        engine.shutdown().await?;
        Result::<()>::Ok(())
    })
    .unwrap();
}

#[test]
fn what_does_not_fit_is_told_by_reason_and_state() {
    block_on(async {
        let (folder, engine) = Folder::new().await;
        let report = later(&folder.path()).check().await?;
        assert!(!report.is_fit());
        assert_eq!((report.tried, report.fit), (11, 0), "{report}");
        let no_field = Misfit::UnreadableState { error: "missing field `by`".to_owned() };
        assert_eq!(misfits(&report, "waiting"), [(&no_field, 7, "waiting 0")]);
        let held = misfits(&report, "held");
        assert!(held.iter().any(|(misfit, ..)| **misfit == Misfit::UnknownState), "{held:?}");
        let unreadable = |misfit: &Misfit| matches!(misfit, Misfit::UnreadableEvent { event, .. } if event == "go");
        assert!(held.iter().any(|(misfit, ..)| unreadable(misfit)), "{held:?}");
        assert_eq!(misfits(&report, "open"), [(&Misfit::UnknownWorkflow, 1, "ticket")]);
        let working = misfits(&report, "working");
        let expected = [
            (Misfit::LostResults { handler: "work".to_owned() }, 2, "noted"),
            (Misfit::NoUndo { step: "reserve".to_owned() }, 2, "noted"),
            (Misfit::UnknownEvent { event: "note".to_owned() }, 1, "noted"),
        ];
        for (misfit, count, id) in &expected {
            assert!(working.contains(&(misfit, *count, id)), "{misfit:?} of {working:?}");
        }
        let unreadable = |misfit: &Misfit| matches!(misfit, Misfit::UnreadableResult { step, .. } if step == "count");
        assert!(working.iter().any(|(misfit, count, _)| unreadable(misfit) && *count == 2), "{working:?}");
        engine.shutdown().await?;
        Result::<()>::Ok(())
    })
    .unwrap();
}

#[test]
fn a_damaged_execution_is_a_misfit_and_hides_no_other() {
    block_on(async {
        let (folder, engine) = Folder::new().await;
        engine.shutdown().await?;
        drop(engine);
        let file = rusqlite::Connection::open(folder.path())?;
        file.execute("UPDATE executions SET body = replace(body, '3', '4') WHERE id = 'waiting 3'", [])?;
        drop(file);
        let report = same(&folder.path()).check().await?;
        assert_eq!((report.tried, report.fit), (11, 10));
        let [damaged] = report.misfits.as_slice() else { panic!("{report}") };
        assert!(matches!(damaged.reason, Misfit::Damaged { .. }) && damaged.ids == ["waiting 3"], "{report}");
        Result::<()>::Ok(())
    })
    .unwrap();
}

#[test]
fn a_thousand_kinds_of_trouble_are_a_bounded_report() {
    block_on(async {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("jobs.db");
        let engine = same(&path).start().await?;
        let jobs = (0..2_500).map(|number| (format!("{number:04}"), now::Waiting { number }));
        engine.start_all::<now::Job, _>(jobs).await?;
        engine.shutdown().await?;
        drop(engine);
        let file = rusqlite::Connection::open(&path)?;
        // Each of another state, as far as the columns say.
        file.execute("UPDATE executions SET state = 'state ' || id", [])?;
        drop(file);
        let report = same(&path).check().await?;
        assert_eq!((report.tried, report.fit, report.misfits.len()), (2_500, 0, 1_000));
        assert_eq!(report.left_out, 1_500);
        assert!(!report.is_fit());
        Result::<()>::Ok(())
    })
    .unwrap();
}

/// Runs the command: its exit code, what it says, and what is wrong.
fn command(builder: EngineBuilder, arguments: &[&str]) -> (u8, String, String) {
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let code = builder.run_command(arguments.iter().map(OsString::from), &mut output, &mut errors);
    (code, String::from_utf8(output).unwrap(), String::from_utf8(errors).unwrap())
}

#[test]
fn the_command_says_with_its_exit_code_whether_all_fit() {
    let (folder, engine) = block_on(Folder::new());
    let path = folder.path();
    let (code, output, errors) = command(same(&path), &["check"]);
    assert_eq!((code, errors.as_str()), (0, ""));
    assert!(output.starts_with("11 of 11 executions go on with this code\n"), "{output}");
    let store = format!("--store={}", path.display());
    let (code, output, _) = command(later(Path::new("nowhere.db")), &["check", &store, "--json"]);
    assert_eq!(code, 1);
    let report: serde_json::Value = serde_json::from_str(&output).unwrap();
    assert_eq!((&report["tried"], &report["fit"]), (&11.into(), &0.into()));
    assert_eq!(report["misfits"][0]["reason"], "unreadable_state");
    let (code, output, errors) = command(same(Path::new("nowhere.db")), &["check"]);
    assert_eq!((code, output.as_str()), (2, ""));
    assert!(errors.contains("nowhere.db") && errors.contains("there is no file"), "{errors}");
    assert!(!Path::new("nowhere.db").exists());
    drop(engine);
}

#[test]
fn the_command_works_inside_of_a_runtime() {
    block_on(async {
        let (folder, engine) = Folder::new().await;
        assert_eq!(command(same(&folder.path()), &["check"]).0, 0);
        engine.shutdown().await?;
        Result::<()>::Ok(())
    })
    .unwrap();
}

#[test]
fn the_command_forks_an_execution_of_a_store_that_nobody_uses() {
    let (folder, engine) = block_on(Folder::new());
    let path = folder.path();
    let fork = ["fork", "held", "2", "again", "--workflow", "Job"];
    let (code, _, errors) = command(same(&path), &fork);
    assert_eq!(code, 2);
    assert!(errors.contains("in use"), "{errors}");
    block_on(engine.shutdown()).unwrap();
    drop(engine);
    let (code, output, errors) = command(same(&path), &fork);
    assert_eq!((code, errors.as_str()), (0, ""));
    assert!(output.contains("Job/again is a fork of Job/held at its visit 2"), "{output}");
    assert!(command(same(&path), &fork).1.contains("is already a fork of"));
    let refusals = [
        (["fork", "held", "1", "other"], "data of its states was not kept"),
        (["fork", "nobody", "1", "other"], "no execution Job/nobody in this store"),
        (["fork", "held", "9", "other"], "it has had 2 so far; these of its visits can be forked: 2"),
        (["fork", "held", "2", "waiting 0"], "choose another id"),
    ];
    for (arguments, expected) in refusals {
        let (code, output, errors) = command(same(&path), &[&arguments[..], &["--workflow", "Job"]].concat());
        assert_eq!((code, output.as_str()), (1, ""), "{errors}");
        assert!(errors.contains(expected), "{errors}");
    }
    block_on(async {
        let engine = same(&path).start().await?;
        let again = engine.execution::<now::Job>("again")?;
        assert!(matches!(again.state().await?, now::JobState::Held(held) if held.number == 7));
        engine.shutdown().await?;
        Result::<()>::Ok(())
    })
    .unwrap();
}

#[test]
fn bad_arguments_say_what_is_wrong_and_how_it_is_written() {
    let cases: [(&[&str], &str); 14] = [
        (&[], "no command"),
        (&["chekc"], "no command `chekc`"),
        (&["check", "--jsn"], "--jsn"),
        (&["check", "now"], "takes no `now`"),
        (&["check", "--store"], "--store"),
        (&["check", "--workflow", "Job"], "takes no `--workflow`"),
        (&["fork", "a", "first", "b"], "`first` is no visit"),
        (&["fork", "a", "0", "b"], "`0` is no visit: write a number from 1"),
        (&["fork", "a", "-1", "b"], "`-1` is no visit: write a number from 1"),
        (&["fork", "a", "-12", "b"], "`-12` is no visit: write a number from 1"),
        (&["fork", "a", "1"], "FROM VISIT NEW_ID"),
        (&["fork", "a", "1", "b", "--json"], "takes no `--json`"),
        (&["fork", "a", "1", "b"], "--workflow`: Job, Ticket"),
        (&["fork", "a", "1", "b", "--workflow", "Jobs"], "no workflow `Jobs`; it has Job, Ticket"),
    ];
    for (arguments, expected) in cases {
        let (code, output, errors) = command(same(Path::new("nowhere.db")), arguments);
        assert_eq!((code, output.as_str()), (2, ""), "{arguments:?}");
        assert!(errors.contains(expected), "{arguments:?}: {errors}");
    }
    let (code, output, errors) = command(same(Path::new("nowhere.db")), &["--help"]);
    assert_eq!((code, errors.as_str()), (0, ""));
    assert!(output.contains("fork FROM VISIT NEW_ID") && output.contains("Exit code"));
}
