//! The digest of a step's arguments: part of what a recorded result is found by.

use std::fmt::{self, Write as _};
use std::hash::Hasher;
#[cfg(any(test, feature = "testing"))]
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Serialize;
use serde_json::Value;
use siphasher::sip128::{Hasher128, SipHasher13};

use crate::record::{Json, JsonError};

/// A digest over the serializable arguments of one call.
///
/// It is stable: across builds, machines and the order in which a map happens to iterate.
#[derive(Default)]
pub struct Digest {
    hasher: SipHasher13,
    /// What was digested, where a test wants to know.
    #[cfg(any(test, feature = "testing"))]
    arguments: Vec<Value>,
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Digest({:032x})", self.finish())
    }
}

impl Digest {
    /// The digest of no arguments.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn finish(&self) -> u128 {
        self.hasher.finish128().as_u128()
    }

    /// The digest, as keys have it: 32 hexadecimal digits.
    pub(super) fn hex(&self) -> Hex {
        Hex::new(self.finish())
    }

    pub(super) fn text(&mut self, text: &str) {
        self.hasher.write_usize_as_u64(text.len());
        self.hasher.write(text.as_bytes());
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.hasher.write_u8(0),
            Value::Bool(bool) => self.hasher.write_u8(if *bool { 2 } else { 1 }),
            Value::Number(number) => {
                self.hasher.write_u8(3);
                let mut short = Short { bytes: [0; 40], len: 0 };
                match write!(short, "{number}").is_ok().then(|| short.text()).flatten() {
                    Some(text) => self.text(text),
                    None => self.text(&number.to_string()),
                }
            }
            Value::String(string) => {
                self.hasher.write_u8(4);
                self.text(string);
            }
            Value::Array(values) => {
                self.hasher.write_u8(5);
                self.hasher.write_usize_as_u64(values.len());
                for value in values {
                    self.value(value);
                }
            }
            Value::Object(entries) => {
                self.hasher.write_u8(6);
                self.hasher.write_usize_as_u64(entries.len());
                let mut entries: Vec<_> = entries.iter().collect();
                entries.sort_unstable_by_key(|(name, _)| *name);
                for (name, value) in entries {
                    self.text(name);
                    self.value(value);
                }
            }
        }
    }
}

/// How many there are who want to know what calls are made with.
#[cfg(any(test, feature = "testing"))]
static WANTED: AtomicUsize = AtomicUsize::new(0);

/// Has the calls of steps tell their interceptors what they are made with, as long as it lives.
#[cfg(any(test, feature = "testing"))]
#[derive(Debug)]
pub(crate) struct ArgumentsWanted(());

#[cfg(any(test, feature = "testing"))]
impl ArgumentsWanted {
    pub(crate) fn new() -> Self {
        WANTED.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

#[cfg(any(test, feature = "testing"))]
impl Drop for ArgumentsWanted {
    fn drop(&mut self) {
        WANTED.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(any(test, feature = "testing"))]
impl Digest {
    fn tell(&mut self, argument: impl FnOnce() -> Value) {
        if WANTED.load(Ordering::Relaxed) > 0 {
            self.arguments.push(argument());
        }
    }

    /// The arguments, one after another; none, unless somebody wanted to know.
    pub(super) fn arguments(&self) -> &[Value] {
        &self.arguments
    }
}

/// 32 hexadecimal digits: what `{:032x}` writes, and far quicker.
pub(super) struct Hex([u8; 32]);

impl Hex {
    pub(super) fn new(number: u128) -> Self {
        let digit = |nibble: u8| nibble + if nibble < 10 { b'0' } else { b'a' - 10 };
        let mut digits = [0; 32];
        for (two, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(number.to_be_bytes()) {
            *two = [digit(byte >> 4), digit(byte & 0xf)];
        }
        Self(digits)
    }

    pub(super) fn text(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Hex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.text())
    }
}

/// A short text that is put together without memory of its own.
struct Short {
    bytes: [u8; 40],
    len: usize,
}

impl Short {
    fn text(&self) -> Option<&str> {
        str::from_utf8(self.bytes.get(..self.len)?).ok()
    }
}

impl fmt::Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len + text.len();
        self.bytes.get_mut(self.len..end).ok_or(fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

trait WriteLen {
    /// Like `write_usize`, which has another width on another machine.
    fn write_usize_as_u64(&mut self, len: usize);
}

impl WriteLen for SipHasher13 {
    fn write_usize_as_u64(&mut self, len: usize) {
        self.write(&(len as u64).to_le_bytes());
    }
}

/// One argument of a call: digested if its type is serializable, passed over if not (a client, a pool).
#[derive(Debug)]
pub struct ArgProbe<'a, T: ?Sized>(pub &'a T);

impl<T: Serialize + ?Sized> ArgProbe<'_, T> {
    /// Adds the argument.
    pub fn add_to(&self, digest: &mut Digest) {
        if let Ok(value) = serde_json::to_value(self.0) {
            digest.value(&value);
            #[cfg(any(test, feature = "testing"))]
            digest.tell(|| value);
        }
    }

    /// The argument as it is saved.
    ///
    /// # Errors
    /// If it has no JSON form.
    pub fn save(&self) -> Result<Json, JsonError> {
        Json::encode(self.0)
    }

    /// The argument for people, if it is short.
    #[must_use]
    pub fn label(&self) -> Option<String> {
        const LONGEST: usize = 120;
        serde_json::to_string(self.0).ok().filter(|text| text.len() <= LONGEST)
    }
}

/// The other side of [`ArgProbe`]: an argument that is not serializable.
pub trait UndigestedArg {
    /// Does nothing, but that a test that wants to know the arguments is told of a null.
    fn add_to(&self, digest: &mut Digest) {
        #[cfg(any(test, feature = "testing"))]
        digest.tell(|| Value::Null);
        let _ = digest;
    }

    /// Has nothing to save.
    ///
    /// # Errors
    /// None.
    fn save(&self) -> Result<Json, JsonError> {
        Ok(Json::null())
    }

    /// Nothing.
    #[must_use]
    fn label(&self) -> Option<String> {
        None
    }
}

impl<T: ?Sized> UndigestedArg for &ArgProbe<'_, T> {}
