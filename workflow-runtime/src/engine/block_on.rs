//! A runtime for those who have none.

use std::future::Future;

/// Runs `future` to its end on a new multi-threaded tokio runtime: what `#[workflow_runtime::main]` does.
///
/// # Panics
/// If the operating system gives no threads, or it is called from within a tokio runtime.
pub fn block_on<F: Future>(future: F) -> F::Output {
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(future),
        #[expect(clippy::panic, reason = "without a runtime nothing can run, as with tokio's own `main`")]
        Err(error) => panic!("cannot start the threads of a tokio runtime: {error}"),
    }
}
