//! Whether the steps did what the model says: each at least once, again only where a kill was in the way.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::expected::{Attempt, Expected, Phase};
use crate::log::Effect;

/// Looks at what the steps of one execution have done. How many of them were repeated, or what is wrong.
pub fn check(expected: &Expected, effects: &[&Effect]) -> Result<usize, String> {
    let begun: Vec<&Effect> = effects.iter().copied().filter(|effect| !effect.has_ended).collect();
    check_keys(&begun)?;
    let mut wrong = None;
    for way in &expected.ways {
        match check_way(way, &begun) {
            Ok(repeated) => return Ok(repeated),
            Err(error) => wrong = Some(error),
        }
    }
    let of_many = if expected.ways.len() > 1 { "none of the ways fits; of the last: " } else { "" };
    Err(format!("{of_many}{}", wrong.unwrap_or_else(|| "there is no way".to_owned())))
}

/// A call has one key, which no other call has, and is given the same each time. What follows a `#` in a name tells apart
/// what happened to one call before a person helped it, and after.
fn check_keys(begun: &[&Effect]) -> Result<(), String> {
    let mut by_name: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    for effect in begun {
        let call = (effect.key.as_str(), effect.detail.as_str());
        let name = effect.name.split('#').next().unwrap_or_default();
        let before = *by_name.entry(name).or_insert(call);
        if before != call {
            return Err(format!("`{}` was called as {before:?} and as {call:?}", effect.name));
        }
    }
    let keys: BTreeSet<&str> = by_name.values().map(|(key, _)| *key).collect();
    if keys.len() != by_name.len() {
        return Err("two calls have the same idempotency key".to_owned());
    }
    Ok(())
}

fn check_way(way: &[Phase], begun: &[&Effect]) -> Result<usize, String> {
    let mut phase_of: HashMap<&Attempt, usize> = HashMap::new();
    for (phase, attempts) in way.iter().enumerate() {
        phase_of.extend(attempts.attempts.iter().map(|attempt| (attempt, phase)));
    }
    let mut seen: HashMap<Attempt, BTreeMap<u32, usize>> = HashMap::new();
    let mut last = 0;
    for effect in begun {
        let attempt = Attempt { name: effect.name.clone(), number: effect.attempt };
        let Some(phase) = phase_of.get(&attempt) else {
            return Err(format!("attempt {} of `{}` was not to be made", attempt.number, attempt.name));
        };
        if *phase < last {
            return Err(format!("`{}` was done after what needs its result to be on disk", attempt.name));
        }
        last = *phase;
        let times = seen.entry(attempt.clone()).or_default().entry(effect.run).or_default();
        *times += 1;
        if *times > way[*phase].rounds {
            return Err(format!("`{}` was done {times} times in process {}", attempt.name, effect.run));
        }
    }
    let missing = phase_of.keys().find(|attempt| !seen.contains_key(**attempt));
    if let Some(missing) = missing {
        return Err(format!("attempt {} of `{}` was not made", missing.number, missing.name));
    }
    let mut repeated_after: BTreeMap<(u32, usize), usize> = BTreeMap::new();
    for (attempt, runs) in &seen {
        let last = runs.keys().last().copied().unwrap_or_default();
        for run in runs.keys().filter(|run| **run != last) {
            *repeated_after.entry((*run, phase_of[attempt])).or_default() += 1;
        }
    }
    for ((run, phase), repeated) in &repeated_after {
        let width = way[*phase].width;
        if *repeated > width {
            return Err(format!("the kill of process {run} had {repeated} attempts repeated, of {width} under way"));
        }
    }
    Ok(repeated_after.values().sum())
}

/// The most attempts of this step that were under way at one moment in one process.
pub fn most_at_once(name: &str, effects: &[Effect]) -> usize {
    let (mut run, mut now, mut most) = (0, 0_usize, 0);
    for effect in effects {
        if effect.run != run {
            (run, now) = (effect.run, 0);
        }
        if effect.name == name {
            now = if effect.has_ended { now - 1 } else { now + 1 };
            most = most.max(now);
        }
    }
    most
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::expected::{attempts, step};

    /// Lines such as `1 reserve`: what began in which process, each step under a key of its own.
    fn begun(lines: &[&str]) -> Vec<Effect> {
        let parse = |(place, line): (usize, &&str)| {
            let (run, name) = line.split_once(' ').unwrap();
            Effect {
                place,
                run: run.parse().unwrap(),
                has_ended: false,
                execution: "Test/a".to_owned(),
                name: name.to_owned(),
                attempt: 1,
                key: format!("key of {name}"),
                detail: String::new(),
            }
        };
        lines.iter().enumerate().map(parse).collect()
    }

    fn checked(phases: &[Phase], effects: &[Effect]) -> Result<usize, String> {
        let expected = Expected::new("Test", "a", "done", Value::Null, phases.to_vec());
        check(&expected, &effects.iter().collect::<Vec<_>>())
    }

    fn in_sequence(lines: &[&str]) -> Result<usize, String> {
        checked(&[step("one", 0), step("two", 0)].concat(), &begun(lines))
    }

    #[test]
    fn a_step_may_be_repeated_where_it_was_under_way_at_a_kill() {
        assert_eq!(in_sequence(&["1 one", "1 two"]), Ok(0));
        assert_eq!(in_sequence(&["1 one", "2 one", "2 two", "3 two"]), Ok(2));
    }

    #[test]
    fn all_else_is_wrong() {
        for (lines, wrong) in [
            (&["1 one"][..], "`two` was not made"),
            (&["1 one", "1 three", "1 two"], "`three` was not to be made"),
            (&["1 one", "1 one", "1 two"], "2 times in process 1"),
            (&["1 one", "1 two", "2 one"], "`one` was done after"),
            (&["1 two", "1 one"], "`one` was done after"),
        ] {
            let error = in_sequence(lines).unwrap_err();
            assert!(error.contains(wrong), "{error}");
        }
        let mut keys = begun(&["1 one", "2 one", "2 two"]);
        keys[1].key = "another".to_owned();
        assert!(checked(&[step("one", 0), step("two", 0)].concat(), &keys).unwrap_err().contains("was called as"));
        keys[1].key = keys[0].key.clone();
        keys[2].key = keys[0].key.clone();
        assert!(checked(&[step("one", 0), step("two", 0)].concat(), &keys).unwrap_err().contains("the same"));
    }

    #[test]
    fn a_kill_repeats_no_more_than_was_under_way() {
        let lines = ["1 one", "1 two", "2 one", "2 two"];
        let both = |width| [Phase { attempts: [attempts("one", 0), attempts("two", 0)].concat(), width, rounds: 1 }];
        assert_eq!(checked(&both(2), &begun(&lines)), Ok(2));
        assert!(checked(&both(1), &begun(&lines)).unwrap_err().contains("of 1 under way"));
    }

    #[test]
    fn what_is_under_way_at_once_is_counted_for_each_process() {
        let mut effects = begun(&["1 serve", "1 serve", "1 other", "2 serve", "2 serve", "2 serve"]);
        assert_eq!(most_at_once("serve", &effects), 3);
        effects[4].has_ended = true;
        assert_eq!(most_at_once("serve", &effects), 2);
    }
}
