//! A limit that finds out by itself how much a service can do at once.
//!
//! Where a service has as much to do as it can, more at once does not make it faster: calls queue in it, and take longer.
//! So the limit is raised as long as calls take about as long as they do without a queue, and lowered when they take
//! longer. By Little's law, `limit × (1 − fastest / present)` calls are in the queue, where `fastest` is how long a call takes
//! without one; that number is kept between a tenth and a fifth of the limit (after TCP Vegas: L. Brakmo, L. Peterson,
//! "TCP Vegas: End to End Congestion Avoidance on a Global Internet", 1995).
//!
//! The service may get slower for other reasons, and `fastest` may be out of date. So every now and then the limit is halved
//! for a moment, in which the queue runs empty, and it is measured anew.

use std::time::Duration;

/// As many calls make up one measurement, at least, and as the limit allows at once.
const FEWEST_CALLS: u32 = 8;
/// After as many measurements, what a call takes without a queue is measured anew.
const MEASUREMENTS: u32 = 100;

#[derive(Debug)]
pub(crate) struct Adaptive {
    min: u32,
    max: u32,
    limit: f64,
    /// What a call takes without a queue, in seconds.
    fastest: Option<f64>,
    measurements: u32,
    window: Window,
}

/// The calls of one measurement.
#[derive(Debug, Default)]
struct Window {
    calls: u32,
    seconds: f64,
    /// Whether the limit held somebody back: if not, it says nothing about the service.
    full: bool,
    overload: bool,
    /// Calls that began under a higher limit, which are not to be counted.
    skip: u32,
}

impl Adaptive {
    pub(crate) fn new(min: u32, max: u32) -> Self {
        let (min, max) = (min.max(1), max.max(min).max(1));
        Self { min, max, limit: f64::from(min), fastest: None, measurements: 0, window: Window::default() }
    }

    /// Goes on with other bounds.
    pub(crate) fn set(&mut self, min: u32, max: u32) {
        (self.min, self.max) = (min.max(1), max.max(min).max(1));
        self.change(self.limit);
    }

    /// How many may be under way at once.
    pub(crate) fn limit(&self) -> u32 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is between two numbers of that type"
        )]
        let limit = self.limit as u32;
        limit.clamp(self.min, self.max)
    }

    /// A call has ended that took so long, while `in_use` were under way, itself included. `overload` says that it failed
    /// in a way that overload may be the reason of.
    pub(crate) fn observe(&mut self, latency: Duration, in_use: u32, overload: bool) {
        if self.window.skip > 0 {
            self.window.skip -= 1;
            return;
        }
        self.window.calls += 1;
        self.window.seconds += latency.as_secs_f64();
        self.window.full |= in_use >= self.limit();
        self.window.overload |= overload;
        if self.window.calls >= self.limit().max(FEWEST_CALLS) {
            self.measured();
        }
    }

    fn measured(&mut self) {
        let window = std::mem::take(&mut self.window);
        let present = window.seconds / f64::from(window.calls);
        if window.overload {
            return self.change(self.limit * 0.8);
        }
        let fastest = self.fastest.map_or(present, |fastest| fastest.min(present));
        self.fastest = Some(fastest);
        self.measurements += 1;
        if self.measurements >= MEASUREMENTS {
            self.measurements = 0;
            self.fastest = None;
            // Those that are under way began with a queue.
            self.window.skip = self.limit();
            return self.change(self.limit / 2.0);
        }
        let queue = if present > 0.0 { self.limit * (1.0 - fastest / present) } else { 0.0 };
        let step = 1.0 + (self.limit / 10.0).floor();
        if queue > (self.limit / 5.0).max(2.0) {
            self.change(self.limit - step);
        } else if window.full && queue < (self.limit / 10.0).max(1.0) {
            self.change(self.limit + step);
        }
    }

    fn change(&mut self, limit: f64) {
        self.limit = limit.clamp(f64::from(self.min), f64::from(self.max));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A service that does `capacity` calls at once in `base` each, and lets the others queue.
    fn latency(base: Duration, capacity: u32, in_use: u32) -> Duration {
        base.mul_f64(f64::from(in_use.max(capacity)) / f64::from(capacity))
    }

    /// The limits while as many calls are under way as are allowed, over `calls` calls.
    fn run(adaptive: &mut Adaptive, base: Duration, capacity: u32, calls: u32) -> Vec<u32> {
        let mut limits = Vec::new();
        for call in 0..calls {
            let in_use = adaptive.limit();
            // A natural spread of a tenth up and down.
            let spread = 0.9 + f64::from(call % 11) / 50.0;
            adaptive.observe(latency(base, capacity, in_use).mul_f64(spread), in_use, false);
            limits.push(adaptive.limit());
        }
        limits
    }

    #[test]
    fn it_settles_near_what_the_service_can_do() {
        for capacity in [5, 20, 50] {
            let mut adaptive = Adaptive::new(1, 200);
            let limits = run(&mut adaptive, Duration::from_millis(100), capacity, 40_000);
            let late: Vec<_> = limits.into_iter().skip(10_000).map(f64::from).collect();
            let mean = late.iter().sum::<f64>() / late.len() as f64;
            let capacity = f64::from(capacity);
            assert!((capacity * 0.8..=capacity * 1.5 + 2.0).contains(&mean), "{mean} for {capacity}");
        }
    }

    #[test]
    fn it_follows_a_service_that_gets_weaker_and_stronger() {
        let mut adaptive = Adaptive::new(1, 200);
        run(&mut adaptive, Duration::from_millis(100), 40, 20_000);
        let weak = run(&mut adaptive, Duration::from_millis(100), 10, 20_000);
        assert!(weak.last().is_some_and(|limit| *limit <= 20), "{:?}", weak.last());
        run(&mut adaptive, Duration::from_millis(100), 80, 40_000);
        assert!(adaptive.limit() >= 40, "{}", adaptive.limit());
    }

    #[test]
    fn it_gets_used_to_a_service_that_is_slower_for_other_reasons() {
        let mut adaptive = Adaptive::new(1, 200);
        run(&mut adaptive, Duration::from_millis(10), 20, 20_000);
        run(&mut adaptive, Duration::from_millis(500), 20, 40_000);
        assert!((15..=35).contains(&adaptive.limit()), "{}", adaptive.limit());
    }

    #[test]
    fn it_stays_where_nobody_is_held_back() {
        let mut adaptive = Adaptive::new(4, 64);
        for _ in 0..1_000 {
            adaptive.observe(Duration::from_millis(10), 1, false);
        }
        assert_eq!(adaptive.limit(), 4);
    }

    #[test]
    fn overload_lowers_it_down_to_its_least() {
        let mut adaptive = Adaptive::new(2, 64);
        run(&mut adaptive, Duration::from_millis(100), 64, 5_000);
        assert!(adaptive.limit() > 20);
        for _ in 0..5_000 {
            adaptive.observe(Duration::from_secs(1), adaptive.limit(), true);
        }
        assert_eq!(adaptive.limit(), 2);
    }

    #[test]
    fn it_keeps_its_bounds() {
        let mut adaptive = Adaptive::new(3, 7);
        let limits = run(&mut adaptive, Duration::from_millis(100), 100, 5_000);
        assert!(limits.iter().all(|limit| (3..=7).contains(limit)));
        assert_eq!(adaptive.limit(), 7);
        adaptive.set(1, 5);
        assert_eq!(adaptive.limit(), 5);
    }
}
