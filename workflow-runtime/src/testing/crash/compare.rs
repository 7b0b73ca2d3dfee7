//! Whether two runs left the same behind.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::base::Timestamp;
use crate::record::{ErrorRecord, ExecutionKey, Status};
use crate::testing::sim::{Kept, Played};

/// What differs first.
pub(super) struct Differs {
    pub(super) key: ExecutionKey,
    pub(super) what: String,
}

/// The first difference between what two runs left behind, if there is one.
pub(super) fn difference<T, U>(without: &Played<T>, with: &Played<U>, ignored: &[String]) -> Option<Differs> {
    let mut theirs = with.kept.iter().peekable();
    for ours in &without.kept {
        if let Some(more) = theirs.next_if(|theirs| theirs.key < ours.key) {
            return Some(added(more));
        }
        let Some(found) = theirs.next_if(|theirs| theirs.key == ours.key) else {
            let what = format!("{} is there without the crash, and not with it", ours.key);
            return Some(Differs { key: ours.key.clone(), what });
        };
        let (expected, got) = (End::of(ours, without.span(), ignored), End::of(found, with.span(), ignored));
        if expected != got {
            let what = format!(
                "{} ended otherwise ({})\n  without the crash: {}\n  with it:           {}",
                ours.key,
                expected.first_difference(&got),
                expected.told,
                got.told
            );
            return Some(Differs { key: ours.key.clone(), what });
        }
    }
    theirs.next().map(added)
}

fn added(kept: &Kept) -> Differs {
    Differs { key: kept.key.clone(), what: format!("{} is there with the crash, and not without it", kept.key) }
}

/// How an execution ended, as far as it is compared.
struct End {
    state: String,
    status: Status,
    data: Value,
    error: Option<(String, String)>,
    closed: Option<String>,
    visit: u64,
    waits_for: Vec<String>,
    inbox: Vec<String>,
    /// As it is told of: with all its data.
    told: String,
}

impl PartialEq for End {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl End {
    fn of(kept: &Kept, span: (Timestamp, Timestamp), ignored: &[String]) -> Self {
        let record = &kept.stored.record;
        let told_error = |error: &ErrorRecord| (format!("{:?}", error.kind), error.to_string());
        let error = record.parked.as_ref().map(|parked| told_error(&parked.error));
        let closed = record.closed.as_ref().map(ToString::to_string);
        let reason = error.as_ref().map(|(_, error)| error).or(closed.as_ref());
        let told = format!(
            "{} in `{}` {}{}",
            record.status(),
            record.state,
            record.data.text(),
            reason.map_or_else(String::new, |reason| format!(": {reason}"))
        );
        let mut waits_for: Vec<_> = record.waits_for.iter().map(ToString::to_string).collect();
        waits_for.sort();
        Self {
            state: record.state.to_string(),
            status: record.status(),
            data: leveled(data_of(kept), span, ignored),
            error,
            closed,
            visit: record.visit,
            waits_for,
            inbox: kept.stored.inbox.iter().map(|event| event.event.name.clone()).collect(),
            told,
        }
    }

    #[expect(clippy::type_complexity, reason = "it is compared, and nothing else")]
    fn parts(&self) -> (&str, Status, &Value, &Option<(String, String)>, &Option<String>, u64, &[String], &[String]) {
        let Self { state, status, data, error, closed, visit, waits_for, inbox, .. } = self;
        (state, *status, data, error, closed, *visit, waits_for, inbox)
    }

    fn first_difference(&self, other: &Self) -> String {
        if self.state != other.state {
            return "in another state".to_owned();
        }
        if self.status != other.status {
            return "with another status".to_owned();
        }
        if let Some(place) = differs_at(&self.data, &other.data) {
            return match place.is_empty() {
                true => "with other data".to_owned(),
                false => format!("with other data at `{place}`"),
            };
        }
        if self.error != other.error || self.closed != other.closed {
            return "for another reason".to_owned();
        }
        if self.visit != other.visit {
            return format!("after {} visits, and {} with the crash", self.visit, other.visit);
        }
        if self.waits_for != other.waits_for {
            return format!("waiting for {:?}, and for {:?} with the crash", self.waits_for, other.waits_for);
        }
        format!("with {:?} in its inbox, and {:?} with the crash", self.inbox, other.inbox)
    }
}

/// The place of the first difference in two values, as a path.
fn differs_at(one: &Value, other: &Value) -> Option<String> {
    let inside = |name: &str, place: String| match (name.is_empty(), place.is_empty()) {
        (_, true) => name.to_owned(),
        _ => format!("{name}.{place}"),
    };
    match (one, other) {
        (Value::Object(ones), Value::Object(others)) => {
            let missing = others.keys().find(|name| !ones.contains_key(*name)).cloned();
            let differs = ones.iter().find_map(|(name, one)| match others.get(name) {
                Some(other) => differs_at(one, other).map(|place| inside(name, place)),
                None => Some(name.clone()),
            });
            differs.or(missing)
        }
        (Value::Array(ones), Value::Array(others)) if ones.len() == others.len() => {
            let mut both = ones.iter().zip(others).enumerate();
            both.find_map(|(index, (one, other))| differs_at(one, other).map(|place| inside(&index.to_string(), place)))
        }
        (one, other) => (one != other).then(String::new),
    }
}

/// Without what is not compared: ignored fields, and times within the simulation, which a crash may delay.
fn leveled(value: Value, span: (Timestamp, Timestamp), ignored: &[String]) -> Value {
    let is_within = |millis: i64| (span.0.as_millis()..=span.1.as_millis()).contains(&millis);
    match value {
        Value::Object(fields) => {
            let kept = fields.into_iter().filter(|(name, _)| !ignored.contains(name));
            Value::Object(kept.map(|(name, value)| (name, leveled(value, span, ignored))).collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(|value| leveled(value, span, ignored)).collect()),
        Value::Number(number) if number.as_i64().is_some_and(is_within) => Value::from("a time"),
        Value::String(text) => {
            let time = text.parse::<jiff::Timestamp>().ok();
            match time.is_some_and(|time| is_within(time.as_millisecond())) {
                true => Value::from("a time"),
                false => Value::String(text),
            }
        }
        value => value,
    }
}

/// Adds the names of the fields in the data of an execution, at any depth.
pub(super) fn add_fields(kept: &Kept, to: &mut BTreeSet<String>) {
    fn add(value: Value, to: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    to.insert(name);
                    add(value, to);
                }
            }
            Value::Array(values) => values.into_iter().for_each(|value| add(value, to)),
            _ => {}
        }
    }
    add(data_of(kept), to);
}

fn data_of(kept: &Kept) -> Value {
    serde_json::from_str(kept.stored.record.data.text()).unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_of_the_simulation_and_ignored_fields_are_not_compared() {
        let span = (Timestamp::from_millis(1_893_456_000_000), Timestamp::from_millis(1_893_456_001_000));
        let leveled = |value| leveled(value, span, &["receipt".to_owned()]);
        let one =
            json!({"at": 1_893_456_000_500_i64, "day": "2030-01-01T00:00:00.2Z", "deep": [{"receipt": 1, "sum": 5}]});
        let other =
            json!({"at": 1_893_456_000_700_i64, "day": "2030-01-01T00:00:01Z", "deep": [{"receipt": 2, "sum": 5}]});
        assert_eq!(leveled(one.clone()), leveled(other));
        let late =
            json!({"at": 1_893_456_009_000_i64, "day": "2030-01-01T00:00:00.2Z", "deep": [{"receipt": 1, "sum": 5}]});
        assert_ne!(leveled(one), leveled(late));
    }

    #[test]
    fn the_first_difference_is_told_by_its_place() {
        let at = |one: Value, other: Value| differs_at(&one, &other);
        assert_eq!(at(json!({"a": {"b": [1, 2]}}), json!({"a": {"b": [1, 3]}})).as_deref(), Some("a.b.1"));
        assert_eq!(at(json!({"a": 1}), json!({"a": 1, "b": 2})).as_deref(), Some("b"));
        assert_eq!(at(json!({"a": 1, "b": 2}), json!({"a": 1})).as_deref(), Some("b"));
        assert_eq!(at(json!(1), json!(2)).as_deref(), Some(""));
        assert_eq!(at(json!([1]), json!([1])), None);
    }
}
