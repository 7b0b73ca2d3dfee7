//! The circuit breaker of a step.
//!
//! | state | what happens | does next |
//! |---|---|---|
//! | closed | an attempt succeeds | closed |
//! | closed | an attempt fails, with fewer than `failures` in the last `within` | closed |
//! | closed | an attempt fails, and it is the last of `failures` in the last `within` | open, for as long as `open` says |
//! | open | an attempt is to begin before its time is over | delays it |
//! | open | its time is over | half-open |
//! | half-open | an attempt is to begin, and fewer than `probes` have | lets it begin, as a probe |
//! | half-open | another one is to begin | delays it until the probes have ended |
//! | half-open | a probe fails | open again |
//! | half-open | a probe succeeds, the last of `probes` | closed, with no failures |
//! | half-open | a probe is dropped before its end | half-open, with one probe fewer |
//! | any | an attempt ends that began in an earlier state | no change |

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::Timestamp;

/// When attempts of a step are held back because too many of them fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerPolicy {
    /// How many failures open it, at least 1.
    pub failures: u32,
    /// In how long a time.
    pub within: Duration,
    /// How long it stays open before it lets a few attempts through to see whether things are better.
    pub open: Duration,
    /// How many attempts that is, at least 1. All of them have to succeed.
    pub probes: u32,
}

impl BreakerPolicy {
    /// Opens after `failures` failures within a minute, for 30 s, and then lets one attempt through.
    #[must_use]
    pub const fn new(failures: u32) -> Self {
        Self { failures, within: Duration::from_secs(60), open: Duration::from_secs(30), probes: 1 }
    }

    /// The same, counting the failures of this time.
    #[must_use]
    pub const fn within(mut self, within: Duration) -> Self {
        self.within = within;
        self
    }

    /// The same, open for this long.
    #[must_use]
    pub const fn open(mut self, open: Duration) -> Self {
        self.open = open;
        self
    }

    /// The same, with this many attempts let through after that.
    #[must_use]
    pub const fn probes(mut self, probes: u32) -> Self {
        self.probes = probes;
        self
    }
}

/// What a breaker does at present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BreakerState {
    /// It lets everything through.
    Closed {
        /// How many failures it counts.
        failures: u32,
    },
    /// It lets nothing through.
    Open {
        /// Since when.
        since: Timestamp,
        /// Until when.
        until: Timestamp,
    },
    /// It lets a few attempts through, to see whether things are better.
    HalfOpen {
        /// How many of them are under way.
        probes: u32,
    },
}

#[derive(Debug)]
pub(crate) struct Breaker {
    policy: BreakerPolicy,
    state: State,
    /// Counts the states, so that an attempt that began in an earlier one is known.
    era: u64,
}

#[derive(Debug)]
enum State {
    Closed { failures: VecDeque<Timestamp> },
    Open { since: Timestamp, until: Timestamp },
    HalfOpen { under_way: u32, succeeded: u32 },
}

/// Whether an attempt may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admits {
    Now,
    /// Not before this time.
    At(Timestamp),
    /// Not before others have ended.
    Later,
}

/// How an attempt ended, as far as a breaker cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    Well,
    Badly,
    /// Nobody knows: it was dropped.
    Dropped,
}

impl Breaker {
    pub(crate) fn new(policy: BreakerPolicy) -> Self {
        Self { policy, state: State::Closed { failures: VecDeque::new() }, era: 0 }
    }

    /// Goes on with another policy, in the state that it is in.
    pub(crate) fn set(&mut self, policy: BreakerPolicy) {
        self.policy = policy;
    }

    pub(crate) fn admits(&mut self, now: Timestamp) -> Admits {
        if let State::Open { until, .. } = self.state {
            if now < until {
                return Admits::At(until);
            }
            self.enter(State::HalfOpen { under_way: 0, succeeded: 0 });
        }
        match self.state {
            State::HalfOpen { under_way, succeeded } if under_way + succeeded >= self.policy.probes.max(1) => {
                Admits::Later
            }
            _ => Admits::Now,
        }
    }

    /// An attempt that is [admitted](Self::admits) begins. What comes back is handed in again at its end.
    pub(crate) fn begin(&mut self) -> u64 {
        if let State::HalfOpen { under_way, .. } = &mut self.state {
            *under_way += 1;
        }
        self.era
    }

    pub(crate) fn end(&mut self, era: u64, ended: Ended, now: Timestamp) {
        if era != self.era {
            return;
        }
        match (&mut self.state, ended) {
            (State::Closed { failures }, Ended::Badly) => {
                failures.push_back(now);
                forget_old(failures, self.policy.within, now);
                if failures.len() >= self.policy.failures.max(1) as usize {
                    self.open(now);
                }
            }
            (State::HalfOpen { .. }, Ended::Badly) => self.open(now),
            (State::HalfOpen { under_way, succeeded }, Ended::Well) => {
                *under_way = under_way.saturating_sub(1);
                *succeeded += 1;
                if *succeeded >= self.policy.probes {
                    self.enter(State::Closed { failures: VecDeque::new() });
                }
            }
            (State::HalfOpen { under_way, .. }, Ended::Dropped) => *under_way = under_way.saturating_sub(1),
            (State::Closed { .. } | State::Open { .. }, _) => {}
        }
    }

    pub(crate) fn state(&self, now: Timestamp) -> BreakerState {
        match &self.state {
            State::Closed { failures } => {
                let counted = failures.iter().filter(|failure| now.since(**failure) < self.policy.within).count();
                BreakerState::Closed { failures: u32::try_from(counted).unwrap_or(u32::MAX) }
            }
            State::Open { since, until } => BreakerState::Open { since: *since, until: *until },
            State::HalfOpen { under_way, .. } => BreakerState::HalfOpen { probes: *under_way },
        }
    }

    fn open(&mut self, now: Timestamp) {
        self.enter(State::Open { since: now, until: now + self.policy.open });
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.era += 1;
    }
}

fn forget_old(failures: &mut VecDeque<Timestamp>, within: Duration, now: Timestamp) {
    while failures.front().is_some_and(|failure| now.since(*failure) >= within) {
        failures.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: BreakerPolicy = BreakerPolicy::new(3).within(Duration::from_secs(60)).open(Duration::from_secs(30));

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    fn attempt(breaker: &mut Breaker, ended: Ended, seconds: i64) {
        assert_eq!(breaker.admits(at(seconds)), Admits::Now, "at {seconds} s");
        let era = breaker.begin();
        breaker.end(era, ended, at(seconds));
    }

    fn opened_at(policy: BreakerPolicy, seconds: i64) -> Breaker {
        let mut breaker = Breaker::new(policy);
        (0..policy.failures).for_each(|_| attempt(&mut breaker, Ended::Badly, seconds));
        breaker
    }

    #[test]
    fn failures_that_are_spread_out_do_not_open_it() {
        let mut breaker = Breaker::new(POLICY);
        for minute in 0..100 {
            attempt(&mut breaker, Ended::Badly, minute * 60);
            attempt(&mut breaker, Ended::Well, minute * 60 + 1);
        }
        assert_eq!(breaker.state(at(6_000)), BreakerState::Closed { failures: 0 });
    }

    #[test]
    fn the_last_of_its_failures_opens_it_for_its_time() {
        let mut breaker = Breaker::new(POLICY);
        attempt(&mut breaker, Ended::Badly, 0);
        attempt(&mut breaker, Ended::Badly, 30);
        assert_eq!(breaker.state(at(30)), BreakerState::Closed { failures: 2 });
        attempt(&mut breaker, Ended::Badly, 59);
        assert_eq!(breaker.state(at(59)), BreakerState::Open { since: at(59), until: at(89) });
        assert_eq!(breaker.admits(at(88)), Admits::At(at(89)));
        assert_eq!(breaker.admits(at(89)), Admits::Now);
    }

    #[test]
    fn half_open_it_lets_only_its_probes_through() {
        let mut breaker = opened_at(POLICY.probes(2), 0);
        assert_eq!(breaker.admits(at(30)), Admits::Now);
        let first = breaker.begin();
        assert_eq!(breaker.admits(at(30)), Admits::Now);
        let second = breaker.begin();
        assert_eq!(breaker.admits(at(30)), Admits::Later);
        assert_eq!(breaker.state(at(30)), BreakerState::HalfOpen { probes: 2 });
        breaker.end(first, Ended::Well, at(31));
        assert_eq!(breaker.admits(at(31)), Admits::Later, "the other one is still under way");
        breaker.end(second, Ended::Well, at(32));
        assert_eq!(breaker.state(at(32)), BreakerState::Closed { failures: 0 });
    }

    #[test]
    fn a_probe_that_fails_opens_it_again() {
        let mut breaker = opened_at(POLICY, 0);
        attempt(&mut breaker, Ended::Badly, 40);
        assert_eq!(breaker.admits(at(69)), Admits::At(at(70)));
        attempt(&mut breaker, Ended::Well, 70);
        assert_eq!(breaker.admits(at(70)), Admits::Now);
    }

    #[test]
    fn a_probe_that_is_dropped_leaves_room_for_another() {
        let mut breaker = opened_at(POLICY, 0);
        attempt(&mut breaker, Ended::Dropped, 30);
        attempt(&mut breaker, Ended::Well, 30);
        assert_eq!(breaker.state(at(30)), BreakerState::Closed { failures: 0 });
    }

    #[test]
    fn an_attempt_that_began_before_counts_for_nothing() {
        let mut breaker = Breaker::new(POLICY);
        let slow = breaker.begin();
        (0..3).for_each(|_| attempt(&mut breaker, Ended::Badly, 0));
        breaker.end(slow, Ended::Well, at(10));
        assert_eq!(breaker.state(at(10)), BreakerState::Open { since: at(0), until: at(30) });
        assert_eq!(breaker.admits(at(30)), Admits::Now);
        breaker.end(slow, Ended::Badly, at(30));
        assert_eq!(breaker.state(at(30)), BreakerState::HalfOpen { probes: 0 });
    }
}
