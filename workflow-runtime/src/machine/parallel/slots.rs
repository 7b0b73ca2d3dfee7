//! What one branch hands to others: a binding of the function, from where it is made to where it is used.

use std::sync::{Mutex, OnceLock, PoisonError};

/// A binding that has one user, who takes it; or whose users have it one after the other.
#[derive(Debug)]
pub struct Moved<T>(Mutex<Option<T>>);

impl<T> Default for Moved<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T> Moved<T> {
    /// One that is to be filled.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Fills it.
    pub fn set(&self, value: T) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
    }

    /// Empties it. Whoever calls this waits for the one that fills it.
    pub fn take(&self) -> T {
        let value = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        value.unwrap_or_else(not_there)
    }
}

/// A binding that has several users at once, who borrow it.
#[derive(Debug)]
pub struct Lent<T>(OnceLock<T>);

impl<T> Default for Lent<T> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<T> Lent<T> {
    /// One that is to be filled.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Fills it.
    pub fn set(&self, value: T) {
        // Each binding is made once.
        let _ = self.0.set(value);
    }

    /// Borrows it. Whoever calls this waits for the one that fills it.
    pub fn get(&self) -> &T {
        self.0.get().unwrap_or_else(not_there)
    }

    /// Takes it, when nobody borrows it any more.
    pub fn take(self) -> T {
        self.0.into_inner().unwrap_or_else(not_there)
    }
}

#[expect(clippy::panic, reason = "a branch runs after those whose bindings it uses")]
fn not_there<T>() -> T {
    panic!("a binding is used before it is made")
}
