//! Whether an attempt of a step may begin: how many at once, how many in a time, and whether the breaker lets it.

use std::fmt;
use std::time::Duration;

use super::adaptive::Adaptive;
use super::breaker::{Admits, Breaker, BreakerPolicy, BreakerState, Ended};
use super::rate::{Rate, RateWindow};
use crate::base::Timestamp;

/// How many attempts may be under way at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AtOnce {
    /// So many.
    Fixed(u32),
    /// As many as the service can do without getting slower, between these two: the latency of the attempts tells.
    Adaptive {
        /// At least.
        min: u32,
        /// At most.
        max: u32,
    },
}

impl fmt::Display for AtOnce {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(limit) => write!(formatter, "{limit}"),
            Self::Adaptive { min, max } => write!(formatter, "{min} to {max}"),
        }
    }
}

/// The limits of one step, which all executions of an engine share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct StepLimits {
    /// How many attempts may be under way at once.
    pub limit: Option<AtOnce>,
    /// How many attempts may begin in a time.
    pub rate: Option<Rate>,
    /// When attempts are held back because too many of them fail.
    pub breaker: Option<BreakerPolicy>,
}

impl StepLimits {
    /// No limits.
    #[must_use]
    pub const fn none() -> Self {
        Self { limit: None, rate: None, breaker: None }
    }

    /// Whether there is no limit at all.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::none()
    }

    /// What is wrong with them, if anything is.
    pub(crate) fn check(&self) -> Result<(), String> {
        let checks = [
            (self.limit == Some(AtOnce::Fixed(0)), "a limit of 0 lets nothing through: write at least 1"),
            (
                matches!(self.limit, Some(AtOnce::Adaptive { min: 0, .. })),
                "an adaptive limit lets at least 1 through: write `min` from 1",
            ),
            (
                matches!(self.limit, Some(AtOnce::Adaptive { min, max }) if min > max),
                "the bounds of the adaptive limit are upside down: write the smaller as `min`",
            ),
            (
                self.rate.is_some_and(|rate| rate.count == 0 || rate.per.is_zero()),
                "a rate lets at least 1 through, in some time",
            ),
            (self.breaker.is_some_and(|breaker| breaker.failures == 0), "a breaker opens after at least 1 failure"),
            (self.breaker.is_some_and(|breaker| breaker.probes == 0), "a breaker lets at least 1 probe through"),
            (
                self.breaker.is_some_and(|breaker| breaker.within.is_zero() || breaker.open.is_zero()),
                "the times of a breaker are not zero",
            ),
        ];
        match checks.iter().find(|(wrong, _)| *wrong) {
            Some((_, what)) => Err((*what).to_owned()),
            None => Ok(()),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Limiter {
    limits: StepLimits,
    in_use: u32,
    adaptive: Option<Adaptive>,
    window: RateWindow,
    breaker: Option<Breaker>,
}

/// The right to begin one attempt.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Admission {
    era: Option<u64>,
}

/// How an attempt ended that was admitted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum AttemptEnd {
    /// After this time, well or badly. `overload` says that it took too long.
    Ran { took: Duration, failed: bool, overload: bool },
    /// It was dropped on the way.
    Dropped,
    /// It did not even begin.
    NeverBegan,
}

impl Limiter {
    pub(crate) fn new(limits: StepLimits) -> Self {
        let none = StepLimits::none();
        let mut limiter =
            Self { limits: none, in_use: 0, adaptive: None, window: RateWindow::default(), breaker: None };
        limiter.set(limits);
        limiter
    }

    pub(crate) fn limits(&self) -> StepLimits {
        self.limits
    }

    /// Goes on with other limits; what is known of the step is kept where it still has a meaning.
    pub(crate) fn set(&mut self, limits: StepLimits) {
        self.limits = limits;
        match limits.limit {
            Some(AtOnce::Adaptive { min, max }) => {
                self.adaptive.get_or_insert_with(|| Adaptive::new(min, max)).set(min, max);
            }
            Some(AtOnce::Fixed(_)) | None => self.adaptive = None,
        }
        match limits.breaker {
            Some(policy) => self.breaker.get_or_insert_with(|| Breaker::new(policy)).set(policy),
            None => self.breaker = None,
        }
    }

    pub(crate) fn in_use(&self) -> u32 {
        self.in_use
    }

    /// How many may be under way at once at present.
    pub(crate) fn at_once(&self) -> Option<u32> {
        match (&self.adaptive, self.limits.limit) {
            (Some(adaptive), _) => Some(adaptive.limit()),
            (None, Some(AtOnce::Fixed(limit))) => Some(limit.max(1)),
            (None, _) => None,
        }
    }

    pub(crate) fn breaker(&self, now: Timestamp) -> Option<BreakerState> {
        self.breaker.as_ref().map(|breaker| breaker.state(now))
    }

    /// Lets an attempt begin, or says when to ask again: with `None`, when another one has ended.
    pub(crate) fn admit(&mut self, now: Timestamp) -> Result<Admission, Option<Timestamp>> {
        match self.breaker.as_mut().map(|breaker| breaker.admits(now)) {
            Some(Admits::At(due)) => return Err(Some(due)),
            Some(Admits::Later) => return Err(None),
            Some(Admits::Now) | None => {}
        }
        if self.at_once().is_some_and(|limit| self.in_use >= limit) {
            return Err(None);
        }
        if let Some(rate) = self.limits.rate {
            if let Some(due) = self.window.next(rate, now) {
                return Err(Some(due));
            }
            self.window.begin(rate, now);
        }
        self.in_use += 1;
        Ok(Admission { era: self.breaker.as_mut().map(Breaker::begin) })
    }

    pub(crate) fn end(&mut self, admission: Admission, end: AttemptEnd, now: Timestamp) {
        if let (AttemptEnd::Ran { took, overload, .. }, Some(adaptive)) = (end, &mut self.adaptive) {
            adaptive.observe(took, self.in_use, overload);
        }
        self.in_use = self.in_use.saturating_sub(1);
        if let (AttemptEnd::NeverBegan, Some(_)) = (end, self.limits.rate) {
            self.window.give_back();
        }
        if let (Some(breaker), Some(era)) = (&mut self.breaker, admission.era) {
            let ended = match end {
                AttemptEnd::Ran { failed: true, .. } => Ended::Badly,
                AttemptEnd::Ran { failed: false, .. } => Ended::Well,
                AttemptEnd::Dropped | AttemptEnd::NeverBegan => Ended::Dropped,
            };
            breaker.end(era, ended, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::EPOCH;

    fn limits(limit: Option<AtOnce>, rate: Option<Rate>, breaker: Option<BreakerPolicy>) -> StepLimits {
        StepLimits { limit, rate, breaker }
    }

    fn ran(failed: bool) -> AttemptEnd {
        AttemptEnd::Ran { took: Duration::from_millis(10), failed, overload: false }
    }

    #[test]
    fn a_place_is_free_again_however_the_attempt_ended() {
        let mut limiter = Limiter::new(limits(Some(AtOnce::Fixed(1)), None, None));
        for end in [ran(false), ran(true), AttemptEnd::Dropped, AttemptEnd::NeverBegan] {
            let admission = limiter.admit(NOW).expect("there is a place");
            assert_eq!(limiter.admit(NOW).unwrap_err(), None);
            limiter.end(admission, end, NOW);
        }
        assert_eq!(limiter.in_use(), 0);
    }

    #[test]
    fn a_lower_limit_holds_as_soon_as_enough_have_ended() {
        let mut limiter = Limiter::new(limits(Some(AtOnce::Fixed(3)), None, None));
        let under_way: Vec<_> = (0..3).map(|_| limiter.admit(NOW).unwrap()).collect();
        limiter.set(limits(Some(AtOnce::Fixed(1)), None, None));
        for admission in under_way {
            assert!(limiter.admit(NOW).is_err());
            limiter.end(admission, ran(false), NOW);
        }
        assert!(limiter.admit(NOW).is_ok());
    }

    #[test]
    fn an_attempt_that_did_not_begin_costs_nothing_of_the_rate() {
        let mut limiter = Limiter::new(limits(None, Some(Rate::per_minute(1)), None));
        let admission = limiter.admit(NOW).unwrap();
        limiter.end(admission, AttemptEnd::NeverBegan, NOW);
        let admission = limiter.admit(NOW).unwrap();
        limiter.end(admission, ran(false), NOW);
        assert_eq!(limiter.admit(NOW).unwrap_err(), Some(NOW + Duration::from_secs(60)));
    }

    #[test]
    fn an_open_breaker_takes_nothing_of_the_others() {
        let breaker = BreakerPolicy::new(1).open(Duration::from_secs(5));
        let mut limiter = Limiter::new(limits(Some(AtOnce::Fixed(9)), Some(Rate::per_minute(2)), Some(breaker)));
        let admission = limiter.admit(NOW).unwrap();
        limiter.end(admission, ran(true), NOW);
        for _ in 0..10 {
            assert_eq!(limiter.admit(NOW).unwrap_err(), Some(NOW + Duration::from_secs(5)));
        }
        assert!(limiter.admit(NOW + Duration::from_secs(5)).is_ok(), "the rate has one left");
    }

    #[test]
    fn nonsense_is_refused() {
        let adaptive = |min, max| Some(AtOnce::Adaptive { min, max });
        let wrong = [
            limits(Some(AtOnce::Fixed(0)), None, None),
            limits(adaptive(0, 3), None, None),
            limits(adaptive(4, 3), None, None),
            limits(None, Some(Rate::per_second(0)), None),
            limits(None, Some(Rate::new(1, Duration::ZERO)), None),
            limits(None, None, Some(BreakerPolicy::new(0))),
            limits(None, None, Some(BreakerPolicy::new(1).probes(0))),
            limits(None, None, Some(BreakerPolicy::new(1).open(Duration::ZERO))),
        ];
        assert!(wrong.iter().all(|limits| limits.check().is_err()));
        assert_eq!(limits(adaptive(3, 3), Some(Rate::per_second(1)), Some(BreakerPolicy::new(1))).check(), Ok(()));
    }
}
