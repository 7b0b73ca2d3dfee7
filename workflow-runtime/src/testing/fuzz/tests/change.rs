//! One change at a random place of a JSON value, or of its bytes.

use fastrand::Rng;
use serde_json::{Map, Number, Value};

const NAMES: [&str; 24] = [
    "state",
    "data",
    "visit",
    "activity",
    "entry",
    "handler",
    "cause",
    "payload",
    "unwinding",
    "into",
    "before",
    "undo",
    "undo_count",
    "timers",
    "due",
    "kind",
    "error",
    "message",
    "sources",
    "done",
    "failed",
    "order",
    "older",
    "output",
];

const TEXTS: [&str; 12] =
    ["", "entry", "waiting", "ended", "failed", "by_hand", "~cancel", "::", "a:b:c:0", "\u{0}", "ä😀", "every"];

/// Changes `value` once, somewhere.
pub(super) fn change(value: &mut Value, chance: &mut Rng) {
    let goes_in = chance.u8(0..8) > 0;
    match value {
        Value::Object(map) if goes_in && !map.is_empty() => change_map(map, chance),
        Value::Array(items) if goes_in && !items.is_empty() => {
            let place = chance.usize(0..items.len());
            match chance.u8(0..6) {
                0 => drop(items.remove(place)),
                1 => items.push(items[place].clone()),
                _ => change(&mut items[place], chance),
            }
        }
        value => *value = any(chance, 3),
    }
}

fn change_map(map: &mut Map<String, Value>, chance: &mut Rng) {
    let names: Vec<String> = map.keys().cloned().collect();
    let name = &names[chance.usize(0..names.len())];
    let other = NAMES[chance.usize(0..NAMES.len())].to_owned();
    match chance.u8(0..10) {
        0 => drop(map.remove(name)),
        1 => drop(map.insert(other, any(chance, 2))),
        2 => {
            if let Some(value) = map.remove(name) {
                map.insert(other, value);
            }
        }
        _ => map.values_mut().nth(chance.usize(0..names.len())).into_iter().for_each(|value| change(value, chance)),
    }
}

/// Any value, in groups of at most this depth.
fn any(chance: &mut Rng, depth: u32) -> Value {
    match chance.u8(0..12) {
        0 => Value::Null,
        1 => Value::Bool(chance.bool()),
        2 => Number::from(chance.u64(..)).into(),
        3 => Number::from(chance.i64(..)).into(),
        4 => [0, 1, i64::MAX, i64::MIN, -1][chance.usize(0..5)].into(),
        5 => Number::from_f64(chance.f64() * 1e300).map_or(Value::Null, Value::Number),
        6 => u64::MAX.into(),
        7 | 8 => TEXTS[chance.usize(0..TEXTS.len())].into(),
        9 => "x".repeat(chance.usize(0..300)).into(),
        10 if depth > 0 => (0..chance.usize(0..4)).map(|_| any(chance, depth - 1)).collect(),
        _ if depth > 0 => {
            let one = |chance: &mut Rng| (NAMES[chance.usize(0..NAMES.len())].to_owned(), any(chance, depth - 1));
            (0..chance.usize(0..4)).map(|_| one(chance)).collect::<Map<_, _>>().into()
        }
        _ => Value::Null,
    }
}

/// Changes some bytes.
pub(super) fn change_bytes(bytes: &mut Vec<u8>, chance: &mut Rng) {
    for _ in 0..chance.usize(1..4) {
        let place = chance.usize(0..=bytes.len());
        match chance.u8(0..5) {
            0 => bytes.truncate(place),
            1 => bytes.insert(place, chance.u8(..)),
            2 => bytes.insert(place, b"[]{}\",:0-"[chance.usize(0..9)]),
            _ => bytes.get_mut(place).into_iter().for_each(|byte| *byte ^= 1 << chance.u8(0..8)),
        }
    }
}
