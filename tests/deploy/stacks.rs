//! The check looks at all that an execution may have to undo, however much it is.

use std::path::{Path, PathBuf};

use workflow_runtime::prelude::*;
use workflow_runtime::{CheckReport, Engine, Misfit, block_on};

mod now {
    use workflow_runtime::prelude::*;

    #[state]
    pub struct Beginning {
        pub rounds: u32,
    }
    #[state]
    pub struct Booking {
        pub left: u32,
    }
    #[state]
    pub struct Waiting;
    #[state(end)]
    pub struct Over;
    #[event]
    pub struct End;

    pub struct Tour;

    #[workflow(start = Beginning, allow(endless_wait, fragile_step))]
    impl Tour {
        #[state]
        async fn begin(&self, cx: &Cx, beginning: Beginning) -> Result<Booking> {
            self.open(cx).await?;
            Ok(Booking { left: beginning.rounds })
        }

        #[state]
        async fn book(&self, cx: &Cx, booking: Booking) -> Result<Next<(Booking, Waiting)>> {
            self.reserve(cx, booking.left).await?;
            match booking.left.checked_sub(1) {
                Some(left) => Ok(goto(Booking { left })),
                None => Ok(goto(Waiting)),
            }
        }

        #[on]
        fn ends(&self, _: Waiting, _: End) -> Unwind<Over> {
            Unwind(Over)
        }

        #[step(undo = give_back)]
        async fn open(&self, _: &Cx) -> Result<u32> {
            Ok(0)
        }

        #[step(undo = give_back)]
        async fn reserve(&self, _: &Cx, number: u32) -> Result<u32> {
            Ok(number)
        }

        async fn give_back(&self, _: &Cx, _: u32) -> Result<()> {
            Ok(())
        }
    }
}

/// The same, without the step that is undone last.
mod next {
    use super::now::{End, Over};
    use workflow_runtime::prelude::*;

    #[state]
    pub struct Beginning {
        pub rounds: u32,
    }
    #[state]
    pub struct Booking {
        pub left: u32,
    }
    #[state]
    pub struct Waiting;

    pub struct Tour;

    #[workflow(start = Beginning, allow(endless_wait, fragile_step))]
    impl Tour {
        #[state]
        fn begin(&self, beginning: Beginning) -> Booking {
            Booking { left: beginning.rounds }
        }

        #[state]
        async fn book(&self, cx: &Cx, booking: Booking) -> Result<Waiting> {
            self.reserve(cx, booking.left).await?;
            Ok(Waiting)
        }

        #[on]
        fn ends(&self, _: Waiting, _: End) -> Unwind<Over> {
            Unwind(Over)
        }

        #[step(undo = give_back)]
        async fn reserve(&self, _: &Cx, number: u32) -> Result<u32> {
            Ok(number)
        }

        async fn give_back(&self, _: &Cx, _: u32) -> Result<()> {
            Ok(())
        }
    }
}

/// A store with one execution that has 302 steps to undo, some pages of them.
async fn store(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("tours.db");
    let engine = Engine::sqlite(&path).workflow(now::Tour).start().await?;
    let tour = engine.start::<now::Tour>("a", now::Beginning { rounds: 300 }).await?;
    while !matches!(tour.state().await?, now::TourState::Waiting(_)) {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    engine.shutdown().await?;
    Ok(path)
}

fn reasons(report: &CheckReport) -> Vec<&Misfit> {
    report.misfits.iter().map(|group| &group.reason).collect()
}

#[test]
fn a_step_at_the_bottom_that_cannot_be_undone_any_more_is_found() {
    let done: Result<()> = block_on(async {
        let folder = tempfile::tempdir()?;
        let path = store(folder.path()).await?;
        let report = Engine::sqlite(&path).workflow(now::Tour).check().await?;
        assert!(report.is_fit() && report.unknown.is_empty(), "{report}");
        let report = Engine::sqlite(&path).workflow(next::Tour).check().await?;
        assert_eq!(reasons(&report), [&Misfit::NoUndo { step: "open".to_owned() }], "{report}");
        Ok(())
    });
    done.unwrap();
}

#[test]
fn a_row_that_is_gone_from_the_middle_or_the_bottom_or_is_damaged_is_found() {
    let done: Result<()> = block_on(async {
        let folder = tempfile::tempdir()?;
        let path = store(folder.path()).await?;
        for (number, sql) in [
            "DELETE FROM undo WHERE visit = 150",
            "DELETE FROM undo WHERE visit = (SELECT MIN(visit) FROM undo)",
            "UPDATE undo SET body = replace(body, 'reserve', 'reserwe') WHERE visit = 20",
            "UPDATE undo SET place = place + 1 WHERE visit = 20",
        ]
        .iter()
        .enumerate()
        {
            let damaged = folder.path().join(format!("damaged-{number}.db"));
            std::fs::copy(&path, &damaged)?;
            rusqlite::Connection::open(&damaged)?.execute(sql, [])?;
            let report = Engine::sqlite(&damaged).workflow(now::Tour).check().await?;
            let [Misfit::Damaged { what }] = *reasons(&report) else { panic!("{sql}: {report}") };
            assert!(what.contains("to be undone"), "{sql}: {what}");
        }
        Ok(())
    });
    done.unwrap();
}

#[test]
fn what_is_undone_meanwhile_is_no_damage() {
    let done: Result<()> = block_on(async {
        let folder = tempfile::tempdir()?;
        let path = store(folder.path()).await?;
        let engine = Engine::sqlite(&path).workflow(now::Tour).start().await?;
        let tour = engine.execution::<now::Tour>("a")?;
        tour.send(now::End).await?;
        let mut checks = 0;
        while tour.record().await?.status() != workflow_runtime::Status::Ended {
            let report = Engine::sqlite(&path).workflow(now::Tour).check().await?;
            assert!(report.is_fit(), "{report}");
            checks += 1;
        }
        assert!(checks > 0);
        engine.shutdown().await?;
        Ok(())
    });
    done.unwrap();
}
