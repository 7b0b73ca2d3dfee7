//! `heartbeat`: signs of life, and what a later attempt learns from them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use workflow_runtime::StepHeartbeatMissed;
use workflow_runtime::prelude::*;

use super::world::{Calls, World, settle, test};

#[state]
pub struct Copying {
    pub files: u32,
}

#[state(end)]
pub struct Copied {
    pub begun_at: Vec<String>,
}

#[state(end)]
pub struct Lost {
    pub error: StepHeartbeatMissed,
}

pub struct Copy {
    calls: Arc<Calls>,
    /// A file is copied when this says so.
    file: Arc<Notify>,
}

#[workflow(start = Copying)]
impl Copy {
    #[state]
    async fn copying(&self, cx: &Cx, copying: Copying) -> Result<Copied> {
        match copying.files {
            0 => self.silent(cx).await?,
            files => self.copy(cx, files).await?,
        }
        Ok(Copied { begun_at: self.calls.notes() })
    }

    #[catch(source)]
    fn lost(&self, _: Copying, error: StepHeartbeatMissed) -> Lost {
        Lost { error }
    }

    #[step(retry(max = 3, backoff = "1s..1s", jitter = none), heartbeat = "30s")]
    async fn copy(&self, cx: &Cx, files: u32) -> Result<()> {
        let done: u32 = cx.last_heartbeat().unwrap_or(0);
        self.calls.next(&done);
        for file in done..files {
            self.file.notified().await;
            cx.heartbeat_with(&(file + 1))?;
        }
        Ok(())
    }

    #[step(heartbeat = "5s")]
    async fn silent(&self, cx: &Cx) -> Result<()> {
        cx.heartbeat();
        std::future::pending().await
    }
}

struct Scene {
    world: World,
    calls: Arc<Calls>,
    file: Arc<Notify>,
}

impl Scene {
    fn new() -> Self {
        Self { world: World::default(), calls: Arc::default(), file: Arc::default() }
    }

    async fn engine(&self) -> workflow_runtime::Engine {
        let copy = Copy { calls: Arc::clone(&self.calls), file: Arc::clone(&self.file) };
        self.world.builder().workflow(copy).start().await.unwrap()
    }
}

#[test]
fn a_step_that_gives_signs_of_life_goes_on_for_as_long_as_it_likes() {
    test(async {
        let scene = Scene::new();
        let engine = scene.engine().await;
        let copy = engine.start::<Copy>("a", Copying { files: 10 }).await.unwrap();
        for _ in 0..10 {
            scene.world.pass(&engine, Duration::from_secs(29)).await;
            scene.file.notify_one();
            settle(&engine).await;
        }
        assert!(matches!(copy.outcome().await.unwrap(), CopyOutcome::Copied(copied) if copied.begun_at == ["0"]));
    });
}

#[test]
fn a_step_that_falls_silent_is_tried_again_from_where_it_was() {
    test(async {
        let scene = Scene::new();
        let engine = scene.engine().await;
        let copy = engine.start::<Copy>("a", Copying { files: 3 }).await.unwrap();
        settle(&engine).await;
        for _ in 0..2 {
            scene.file.notify_one();
            scene.world.pass(&engine, Duration::from_secs(1)).await;
        }
        // The second details came too soon after the first to be saved by themselves; the failure has saved them.
        scene.world.pass(&engine, Duration::from_secs(31)).await;
        assert_eq!(scene.calls.notes(), ["0", "2"]);
        scene.file.notify_one();
        settle(&engine).await;
        assert!(matches!(copy.outcome().await.unwrap(), CopyOutcome::Copied(copied) if copied.begun_at == ["0", "2"]));
    });
}

#[test]
fn after_a_crash_it_goes_on_from_what_was_saved() {
    test(async {
        let scene = Scene::new();
        let engine = scene.engine().await;
        engine.start::<Copy>("a", Copying { files: 3 }).await.unwrap();
        settle(&engine).await;
        scene.file.notify_one();
        settle(&engine).await;
        drop(engine);
        let engine = scene.engine().await;
        settle(&engine).await;
        assert_eq!(scene.calls.notes(), ["0", "1"]);
    });
}

#[test]
fn an_error_of_its_own_stands_for_a_missed_heartbeat() {
    test(async {
        let scene = Scene::new();
        let engine = scene.engine().await;
        let copy = engine.start::<Copy>("a", Copying { files: 0 }).await.unwrap();
        scene.world.pass(&engine, Duration::from_secs(5)).await;
        let CopyOutcome::Lost(lost) = copy.outcome().await.unwrap() else { panic!("it was copied") };
        assert_eq!(lost.error, StepHeartbeatMissed { step: "silent".to_owned(), heartbeat_millis: 5_000 });
    });
}
