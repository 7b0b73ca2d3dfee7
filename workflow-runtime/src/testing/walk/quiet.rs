//! Panics that are looked for: they are told once, at the end, and not each time that they come.

use std::cell::{Cell, RefCell};
use std::panic;
use std::sync::Once;

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

static HOOK: Once = Once::new();

/// As long as this lives, panics of this thread are not printed. Those of other tests are.
#[derive(Debug)]
pub(super) struct Quiet {
    before: bool,
}

impl Quiet {
    pub(super) fn begin() -> Self {
        HOOK.call_once(|| {
            let others = panic::take_hook();
            panic::set_hook(Box::new(move |panic| match QUIET.get() {
                true => {
                    let place = panic.location().map(ToString::to_string);
                    // It may panic while the place of another panic is read.
                    PLACE.with(|last| {
                        if let Ok(mut last) = last.try_borrow_mut() {
                            *last = place;
                        }
                    });
                }
                false => others(panic),
            }));
        });
        Self { before: QUIET.replace(true) }
    }

    /// Where the last panic was.
    pub(super) fn place(&self) -> Option<String> {
        PLACE.with(RefCell::take)
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        QUIET.set(self.before);
    }
}
