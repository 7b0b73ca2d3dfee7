//! Runs with a failure, as people read and write them.

use std::fmt;
use std::str::FromStr;

use crate::testing::sim::{FailPoint, FailWhat};

/// The variable that has a failed run done again, and no other.
pub(super) const VARIABLE: &str = "WORKFLOW_FAIL";

/// One run of a scenario: `seed=7,attempt=5` or `seed=7,handler=2,for-good`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Course {
    pub(super) seed: u64,
    pub(super) point: Option<FailPoint>,
}

impl fmt::Display for Course {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "seed={}", self.seed)?;
        let Some(FailPoint { what, for_good }) = self.point else { return Ok(()) };
        match what {
            FailWhat::Attempt(nth) => write!(formatter, ",attempt={nth}")?,
            FailWhat::Handler(nth) => write!(formatter, ",handler={nth}")?,
        }
        if for_good { formatter.write_str(",for-good") } else { Ok(()) }
    }
}

impl FromStr for Course {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        read(text).ok_or_else(|| {
            format!("{text:?} names no run: write it as it was printed, such as `seed=7,attempt=5` or `seed=7,handler=2,for-good`")
        })
    }
}

fn read(text: &str) -> Option<Course> {
    let mut parts = text.split(',').map(str::trim);
    let seed = parts.next()?.strip_prefix("seed=")?.parse().ok()?;
    let Some(what) = parts.next() else { return Some(Course { seed, point: None }) };
    let (kind, nth) = what.split_once('=')?;
    let nth = nth.trim().parse().ok()?;
    let what = match kind.trim() {
        "attempt" => FailWhat::Attempt(nth),
        "handler" => FailWhat::Handler(nth),
        _ => return None,
    };
    let for_good = match parts.next() {
        None => false,
        Some("for-good") => true,
        Some(_) => return None,
    };
    parts.next().is_none().then_some(Course { seed, point: Some(FailPoint { what, for_good }) })
}

#[cfg(test)]
mod tests {
    use super::Course;

    #[test]
    fn a_course_is_read_as_it_is_printed() {
        for text in ["seed=0", "seed=7,attempt=5", "seed=7,attempt=5,for-good", "seed=18446744073709551615,handler=1"] {
            assert_eq!(text.parse::<Course>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "seed=x",
            "attempt=5",
            "seed=1,attempt",
            "seed=1,write=2",
            "seed=1,attempt=1,often",
            "seed=1,attempt=1,for-good,x",
        ] {
            assert!(text.parse::<Course>().unwrap_err().contains("names no run"), "{text}");
        }
    }
}
