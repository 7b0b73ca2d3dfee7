//! Whatever stands in a row: it is refused, or it is a value that is written as what it was read from.
//!
//! Each case is one of the [seeds](seeds), changed a few times at random places, as JSON or as bytes; it is read as what it
//! was, and as each of the other formats. A failure prints its case and its number; `FUZZ_SEED` and `FUZZ_CASES` choose
//! others, and more.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "figures and failed cases are for people")]

mod change;
mod seeds;

use std::env;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use fastrand::Rng;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::*;
use crate::base::ExecutionId;
use change::{change, change_bytes};
use seeds::{Format, SEEDS};

const CASES: u64 = 30_000;

impl Format {
    const ALL: [Self; 8] = [
        Self::Execution,
        Self::Journal,
        Self::Event,
        Self::History,
        Self::Answer,
        Self::Undo,
        Self::Parked,
        Self::Report,
    ];

    /// Says whether the text is one of this format.
    fn is_read(self, text: &str) -> bool {
        match self {
            Self::Execution => is_stable::<ExecutionRecord>(text, look_at),
            Self::Journal => is_stable::<JournalEntry>(text, |entry| {
                let _ = (entry.step().len(), entry.has_failed(), entry.is_of("work"));
            }),
            Self::Event => is_stable::<NewEvent>(text, |event| {
                let _ = event.control();
            }),
            Self::History => is_stable::<HistoryRecord>(text, |_| {}),
            Self::Answer => is_stable::<ReplyRecord>(text, |_| {}),
            Self::Undo => is_stable::<UndoRecord>(text, |undo| {
                let _ = (undo.place(), undo.handler(), check_undo(std::slice::from_ref(undo), undo.older, 64));
            }),
            Self::Parked => is_stable::<ParkedRecord>(text, |parked| {
                let _ = (parked.error.to_string(), parked.error.to_error().to_string());
            }),
            Self::Report => is_stable::<ChildReport>(text, |_| {}),
        }
    }
}

/// All that a driver asks of a record before it goes on with it.
fn look_at(record: &ExecutionRecord) {
    let _ = (record.status(), record.wake_at(), record.next_timer(), record.edge_number(), record.last_error());
    let _ = (record.left_to_undo(), record.undo_wanted(), ChildEnd::of(record));
    let _ = record.failing.as_ref().map(|failing| failing.step().len());
    record.outgoing.iter().for_each(|outgoing| drop(outgoing.receiver()));
}

/// Reads a text, and writes what was read: what comes back is the same value, and the same text from then on.
fn is_stable<T: Serialize + DeserializeOwned + PartialEq + Debug>(text: &str, look_at: impl Fn(&T)) -> bool {
    let Ok(value) = serde_json::from_str::<T>(text) else { return false };
    look_at(&value);
    let _ = format!("{value:?}");
    let written = serde_json::to_string(&value).unwrap();
    // Nothing is left out of what is read but what nobody knows, so it gets no longer than by its defaults.
    assert!(written.len() <= text.len() * 2 + 1_000, "{} bytes became {}", text.len(), written.len());
    let again: T = serde_json::from_str(&written).unwrap();
    assert_eq!(again, value, "what was written is read as something else");
    assert_eq!(serde_json::to_string(&again).unwrap(), written);
    true
}

fn number(name: &str, default: u64) -> u64 {
    env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

fn is_read(format: Format, text: &str, number: u64) -> bool {
    let read = catch_unwind(AssertUnwindSafe(|| format.is_read(text)));
    read.unwrap_or_else(|panic| {
        eprintln!("case {number}, as {format:?}: {text}");
        resume_unwind(panic)
    })
}

#[test]
fn every_seed_is_of_its_format() {
    for (format, text) in SEEDS {
        assert!(is_read(*format, text, 0), "{format:?}: {text}");
    }
    for format in Format::ALL {
        assert!(SEEDS.iter().any(|(of, _)| *of == format), "{format:?} has no seed");
    }
}

#[test]
fn what_is_read_is_written_as_it_was_and_all_else_is_refused() {
    let (first, cases) = (number("FUZZ_SEED", 0), number("FUZZ_CASES", CASES));
    let mut read = 0_u64;
    for number in first..first + cases {
        let mut chance = Rng::with_seed(number);
        let (format, text) = SEEDS[chance.usize(0..SEEDS.len())];
        let mut value: Value = serde_json::from_str(text).unwrap();
        for _ in 0..chance.usize(0..4) {
            change(&mut value, &mut chance);
        }
        let mut bytes = value.to_string().into_bytes();
        if chance.u8(0..3) == 0 {
            change_bytes(&mut bytes, &mut chance);
        }
        // What is no UTF-8 is refused before it comes here.
        let text = String::from_utf8_lossy(&bytes);
        read += u64::from(is_read(format, &text, number));
        let other = Format::ALL[chance.usize(0..Format::ALL.len())];
        is_read(other, &text, number);
    }
    println!("{cases} cases, of which {read} were read");
    assert!(read > cases / 10 && read < cases, "{read} of {cases} were read");
}

/// However deep something is nested, it is read without a stack that grows with it, or refused.
#[test]
fn depth_takes_no_stack() {
    let before = |inner: &str| {
        format!(
            r#"{{"unwinding":{{"into":{{"park":{{"error":{{"kind":"failed","message":""}}}}}},"cause":"entry","before":{inner}}}}}"#
        )
    };
    let record = |activity: &str, data: &str| {
        format!(r#"{{"state":"a","data":{data},"visit":1,"started_at":0,"entered_at":0,"activity":{activity}}}"#)
    };
    let mut activity = "\"entry\"".to_owned();
    for depth in 0..2_000 {
        let is_read = is_read(Format::Execution, &record(&activity, "0"), depth);
        assert!(is_read || depth > 20, "{depth}");
        activity = before(&activity);
    }
    for brackets in ["[", "{\"a\":"] {
        let data = brackets.repeat(300_000);
        assert!(!is_read(Format::Execution, &record("\"entry\"", &data), 0), "it does not end");
        let closes = if brackets == "[" { "]" } else { "}" };
        let data = format!("{}0{}", brackets.repeat(300_000), closes.repeat(300_000));
        // Data of any depth is text until it is looked at.
        if let Ok(read) = serde_json::from_str::<ExecutionRecord>(&record("\"entry\"", &data)) {
            assert!(read.data.decode::<Value>().is_err(), "it is refused then");
        }
    }
}

/// One flipped bit, wherever it is, is no other record.
#[test]
fn a_seal_finds_every_flipped_bit() {
    let key = ExecutionKey { workflow: "Orders".into(), id: ExecutionId::new("a").unwrap() };
    let mut flipped = 0_u64;
    for (_, text) in SEEDS {
        let value: Value = serde_json::from_str(text).unwrap();
        let sealed = seal(RecordKind::Journal, &key, &value).unwrap();
        for place in 0..sealed.body.len() * 8 {
            let mut bytes = sealed.body.clone().into_bytes();
            bytes[place / 8] ^= 1 << (place % 8);
            let Ok(body) = String::from_utf8(bytes) else { continue };
            assert!(open::<Value>(RecordKind::Journal, &key, &body, sealed.checksum).is_err(), "{body}");
            flipped += 1;
        }
        for bit in 0..32 {
            let opened = open::<Value>(RecordKind::Journal, &key, &sealed.body, sealed.checksum ^ (1 << bit));
            assert!(opened.is_err(), "{}", sealed.body);
        }
        assert!(
            open::<Value>(RecordKind::Event, &key, &sealed.body, sealed.checksum).is_err(),
            "it is of another kind"
        );
    }
    assert!(flipped > 10_000, "{flipped} bits were flipped");
}
