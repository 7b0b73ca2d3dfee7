//! Steps that block their thread.

use std::future::{Future, pending};
use std::panic::resume_unwind;

use crate::machine::Cx;
use crate::machine::spawner::SpawnError;

/// Runs an attempt of a step of `workflow` on a thread that may be blocked. Where the workflow is not shared, as in a unit
/// test with a detached context, it runs on the caller's.
pub fn blocking<W, R>(
    workflow: &W,
    cx: Cx,
    work: impl FnOnce(&W, &Cx) -> R + Send + 'static,
) -> impl Future<Output = R> + Send
where
    W: Send + Sync + 'static,
    R: Send + 'static,
{
    let shared = cx.shared(workflow);
    async move {
        match shared {
            Some(workflow) => blocking_free(cx, move |cx| work(&workflow, cx)).await,
            None => work(workflow, &cx),
        }
    }
}

/// The same for a step that is a function of its own.
pub async fn blocking_free<R: Send + 'static>(cx: Cx, work: impl FnOnce(&Cx) -> R + Send + 'static) -> R {
    let services = cx.turn().scope.services.clone();
    match services.spawn_blocking(move || work(&cx)).await {
        Ok(result) => result,
        // For whoever runs the attempt, it is as if it had panicked here.
        Err(SpawnError::Panicked { message }) => resume_unwind(Box::new(message)),
        // The runtime goes down, and this with it.
        Err(SpawnError::Stopped) => pending().await,
    }
}
