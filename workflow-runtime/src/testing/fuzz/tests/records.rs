//! Whatever stands in a row: it is refused, or it is a value that is written as what it was read from.
//!
//! Each case is one of the [seeds](seeds), changed a few times at random places, as JSON or as bytes; it is read as what it
//! was, and as each of the other formats. A failure prints its case and its number; `FUZZ_SEED` and `FUZZ_CASES` choose
//! others, and more.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use fastrand::Rng;
use serde_json::Value;

use super::change::{change, change_bytes};
use super::number;
use super::seeds::SEEDS;
use crate::base::ExecutionId;
use crate::record::{ExecutionKey, ExecutionRecord, RecordKind, open, seal};
use crate::testing::fuzz::records::Format;

const CASES: u64 = 30_000;

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
