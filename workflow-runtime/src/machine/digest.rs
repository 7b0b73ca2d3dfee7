//! The digest of a step's arguments: part of what a recorded result is found by.

use std::fmt::{self, Write as _};
use std::hash::Hasher;

use serde::Serialize;
use serde_json::Value;
use siphasher::sip128::{Hasher128, SipHasher13};

use crate::record::{Json, JsonError};

/// A digest over the serializable arguments of one call.
///
/// It is stable: across builds, machines and the order in which a map happens to iterate.
#[derive(Default)]
pub struct Digest(SipHasher13);

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
        self.0.finish128().as_u128()
    }

    /// The digest, as keys have it: 32 hexadecimal digits.
    pub(super) fn hex(&self) -> Hex {
        Hex::new(self.finish())
    }

    pub(super) fn text(&mut self, text: &str) {
        self.0.write_usize_as_u64(text.len());
        self.0.write(text.as_bytes());
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.0.write_u8(0),
            Value::Bool(bool) => self.0.write_u8(if *bool { 2 } else { 1 }),
            Value::Number(number) => {
                self.0.write_u8(3);
                let mut short = Short { bytes: [0; 40], len: 0 };
                match write!(short, "{number}").is_ok().then(|| short.text()).flatten() {
                    Some(text) => self.text(text),
                    None => self.text(&number.to_string()),
                }
            }
            Value::String(string) => {
                self.0.write_u8(4);
                self.text(string);
            }
            Value::Array(values) => {
                self.0.write_u8(5);
                self.0.write_usize_as_u64(values.len());
                for value in values {
                    self.value(value);
                }
            }
            Value::Object(entries) => {
                self.0.write_u8(6);
                self.0.write_usize_as_u64(entries.len());
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
    /// Does nothing.
    fn add_to(&self, _: &mut Digest) {}

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
