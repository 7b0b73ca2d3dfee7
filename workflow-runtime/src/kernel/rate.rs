//! How often something may begin in a time: a window that slides.
//!
//! In no time of the given length do more begin than are allowed. Up to 1,000 a period, each beginning is remembered
//! exactly; of more than that, the times are rounded up to a thousandth of the period, so memory is bounded and the rate
//! errs to the low side.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::base::Timestamp;

/// At most so many in a time, such as 100 a second.
///
/// ```
/// use workflow_runtime::Rate;
///
/// assert_eq!("100/s".parse::<Rate>()?, Rate::per_second(100));
/// assert_eq!(Rate::per_hour(5).to_string(), "5/h");
/// # Ok::<_, workflow_runtime::InvalidRate>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rate {
    /// How many, at least 1.
    pub count: u32,
    /// In how long a time.
    pub per: Duration,
}

const UNITS: [(&str, Duration); 4] = [
    ("s", Duration::from_secs(1)),
    ("m", Duration::from_secs(60)),
    ("h", Duration::from_secs(3_600)),
    ("d", Duration::from_secs(86_400)),
];

impl Rate {
    /// At most `count` in any time as long as `per`.
    #[must_use]
    pub const fn new(count: u32, per: Duration) -> Self {
        Self { count, per }
    }

    /// At most `count` a second.
    #[must_use]
    pub const fn per_second(count: u32) -> Self {
        Self::new(count, Duration::from_secs(1))
    }

    /// At most `count` a minute.
    #[must_use]
    pub const fn per_minute(count: u32) -> Self {
        Self::new(count, Duration::from_secs(60))
    }

    /// At most `count` an hour.
    #[must_use]
    pub const fn per_hour(count: u32) -> Self {
        Self::new(count, Duration::from_secs(3_600))
    }
}

/// A text is not a rate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a rate: write a number from 1 and a unit (`s`, `m`, `h`, `d`), as in \"100/s\"")]
pub struct InvalidRate {
    text: String,
}

impl FromStr for Rate {
    type Err = InvalidRate;

    fn from_str(text: &str) -> Result<Self, InvalidRate> {
        let parsed = || {
            let (count, unit) = text.split_once('/')?;
            let (_, per) = UNITS.iter().find(|(name, _)| *name == unit.trim())?;
            let count: u32 = count.trim().parse().ok().filter(|count| *count > 0)?;
            Some(Self::new(count, *per))
        };
        parsed().ok_or_else(|| InvalidRate { text: text.to_owned() })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match UNITS.iter().find(|(_, per)| *per == self.per) {
            Some((unit, _)) => write!(formatter, "{}/{unit}", self.count),
            None => write!(formatter, "{} in {:?}", self.count, self.per),
        }
    }
}

/// What has begun of late.
#[derive(Debug, Default)]
pub(crate) struct RateWindow {
    /// When, and how many then; oldest first.
    begun: VecDeque<(Timestamp, u32)>,
    count: u32,
}

impl RateWindow {
    /// When the next may begin, if not now.
    pub(crate) fn next(&mut self, rate: Rate, now: Timestamp) -> Option<Timestamp> {
        while let Some((at, count)) = self.begun.front().copied()
            && at + rate.per <= now
        {
            self.begun.pop_front();
            self.count -= count;
        }
        if self.count < rate.count.max(1) {
            return None;
        }
        // If the rate was lowered, more than one of them has to be forgotten.
        let mut over = self.count - rate.count.max(1);
        let free = self.begun.iter().find(|(_, count)| match over.checked_sub(*count) {
            Some(rest) => {
                over = rest;
                false
            }
            None => true,
        });
        free.map(|(at, _)| *at + rate.per)
    }

    pub(crate) fn begin(&mut self, rate: Rate, now: Timestamp) {
        self.count += 1;
        let grain = if rate.count <= 1_000 { Duration::ZERO } else { rate.per / 1_000 };
        match self.begun.back_mut() {
            // What is rounded counts from the end of its grain.
            Some((at, count)) if now <= *at => *count += 1,
            _ => self.begun.push_back((now + grain, 1)),
        }
    }

    /// The last one did not begin after all.
    pub(crate) fn give_back(&mut self) {
        if let Some((_, count)) = self.begun.back_mut() {
            *count -= 1;
            self.count -= 1;
            if *count == 0 {
                self.begun.pop_back();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    /// When each of `calls` begins that all wait from the start.
    fn begins(rate: Rate, calls: usize) -> Vec<i64> {
        let mut window = RateWindow::default();
        let mut now = at(0);
        let mut begun = Vec::new();
        while begun.len() < calls {
            match window.next(rate, now) {
                Some(later) => {
                    assert!(later > now);
                    now = later;
                }
                None => {
                    window.begin(rate, now);
                    begun.push(now.as_millis());
                }
            }
        }
        begun
    }

    #[test]
    fn in_no_second_do_more_begin_than_are_allowed() {
        let begun = begins(Rate::per_second(10), 35);
        assert_eq!(begun.iter().filter(|at| **at == 0).count(), 10);
        assert_eq!(begun.iter().filter(|at| **at == 3_000).count(), 5);
        for (index, first) in begun.iter().enumerate() {
            let later = begun.get(index + 10).copied().unwrap_or(i64::MAX);
            assert!(later - first >= 1_000, "{first} and {later}");
        }
    }

    #[test]
    fn it_slides_and_does_not_jump() {
        let rate = Rate::per_second(2);
        let mut window = RateWindow::default();
        window.begin(rate, at(0));
        window.begin(rate, at(900));
        assert_eq!(window.next(rate, at(950)), Some(at(1_000)));
        assert_eq!(window.next(rate, at(1_000)), None);
        window.begin(rate, at(1_000));
        assert_eq!(window.next(rate, at(1_000)), Some(at(1_900)));
    }

    #[test]
    fn what_did_not_begin_is_free_again() {
        let rate = Rate::per_minute(1);
        let mut window = RateWindow::default();
        window.begin(rate, at(0));
        assert_eq!(window.next(rate, at(1)), Some(at(60_000)));
        window.give_back();
        assert_eq!(window.next(rate, at(1)), None);
    }

    #[test]
    fn a_high_rate_needs_little_memory_and_is_not_exceeded() {
        let rate = Rate::per_minute(60_000);
        let mut window = RateWindow::default();
        let mut begun = 0;
        for millis in 0..60_000 {
            for _ in 0..5 {
                if window.next(rate, at(millis)).is_none() {
                    window.begin(rate, at(millis));
                    begun += 1;
                }
            }
        }
        assert_eq!(begun, 60_000);
        assert!(window.begun.len() <= 1_001, "{}", window.begun.len());
    }

    #[test]
    fn a_rate_that_was_lowered_holds_at_once() {
        let mut window = RateWindow::default();
        (0..10).for_each(|second| window.begin(Rate::per_minute(10), at(second * 1_000)));
        assert_eq!(window.next(Rate::per_minute(3), at(10_000)), Some(at(67_000)));
    }

    #[test]
    fn slips_are_refused() {
        for text in ["", "100", "/s", "0/s", "-1/s", "1/week", "100 per s", "1.5/s", "99999999999/s"] {
            let error = text.parse::<Rate>().unwrap_err();
            assert!(error.to_string().contains("100/s"), "{error}");
        }
        assert_eq!("5 / m".parse(), Ok(Rate::per_minute(5)));
    }
}
