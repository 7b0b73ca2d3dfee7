//! When a schedule ticks: a cron expression in a time zone, or an interval.
//!
//! | the clock | a cron expression that names every hour | any other |
//! |---|---|---|
//! | goes forward | the times left out are passed over | a time that is left out ticks as much later as the clock moved |
//! | goes back | the repeated times tick twice | the repeated times tick the first time |
//!
//! So `0 2 * * *` ticks once on every day, and `*/15 * * * *` every quarter of an hour that passes. An interval counts the
//! time that passes, whatever clocks do.

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, ToSpan as _};

use super::cron::Cron;
use crate::base::Timestamp;

/// More than any clock was ever moved at once.
const LONGEST_SHIFT_HOURS: i64 = 25;

/// The times of a schedule.
#[derive(Debug, Clone)]
pub(super) enum Timetable {
    Cron { cron: Cron, zone: TimeZone },
    Every { period: Duration, since: Timestamp },
}

impl Timetable {
    /// The first tick after `time`; `None` if there is none in the years that calendars reach.
    pub(super) fn after(&self, time: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Every { period, since } => next_period(*period, *since, time),
            Self::Cron { cron, zone } => {
                let time = jiff::Timestamp::from_millisecond(time.as_millis()).ok()?;
                let next = next_named(cron, zone, time)?;
                Some(Timestamp::from_millis(next.as_millisecond()))
            }
        }
    }

    /// The ticks after `after` and up to `until`, the first `limit` of them.
    pub(super) fn between(&self, after: Timestamp, until: Timestamp, limit: usize) -> Vec<Timestamp> {
        let next = |time: &Timestamp| self.after(*time);
        std::iter::successors(self.after(after), next).take_while(|time| *time <= until).take(limit).collect()
    }
}

/// The newest ticks from `first`, which is one, to `until`, at most `limit`, the oldest of them first.
pub(super) fn newest(table: &Timetable, first: Timestamp, until: Timestamp, limit: usize) -> Vec<Timestamp> {
    let before = |time: Timestamp, millis: i64| Timestamp::from_millis(time.as_millis().saturating_sub(millis));
    let mut window: i64 = 3_600_000;
    // After a long downtime there may be millions, of which the last are wanted.
    loop {
        let from = before(until, window).max(before(first, 1));
        let ticks = table.between(from, until, usize::MAX);
        if ticks.len() >= limit || from < first {
            return ticks.get(ticks.len().saturating_sub(limit)..).unwrap_or_default().to_vec();
        }
        window = window.saturating_mul(4);
    }
}

fn next_period(period: Duration, since: Timestamp, time: Timestamp) -> Option<Timestamp> {
    let period = i64::try_from(period.as_millis()).ok().filter(|period| *period > 0)?;
    let passed = time.as_millis().saturating_sub(since.as_millis());
    let periods = passed.div_euclid(period).saturating_add(1);
    let next = since.as_millis().checked_add(periods.checked_mul(period)?)?;
    Some(Timestamp::from_millis(next)).filter(|next| *next > time)
}

fn next_named(cron: &Cron, zone: &TimeZone, time: jiff::Timestamp) -> Option<jiff::Timestamp> {
    // Where the clock was moved shortly before or is shortly after, an earlier name may mean a later time.
    let mut from = zone.to_datetime(time);
    if is_near_a_shift(zone, time) {
        from = from.checked_sub(LONGEST_SHIFT_HOURS.hours()).ok()?;
    }
    let mut best: Option<jiff::Timestamp> = None;
    while let Some(named) = cron.next_from(from) {
        if let Some(best) = best {
            let settled = match is_near_a_shift(zone, best) {
                true => named > zone.to_datetime(best).checked_add(LONGEST_SHIFT_HOURS.hours()).ok()?,
                false => named > zone.to_datetime(best),
            };
            if settled {
                break;
            }
        }
        let later = meant(cron, zone, named).into_iter().flatten().filter(|meant| *meant > time);
        best = best.into_iter().chain(later).min();
        from = named.checked_add(1.minute()).ok()?;
    }
    best
}

/// The times that a civil time stands for: usually one.
fn meant(cron: &Cron, zone: &TimeZone, named: DateTime) -> [Option<jiff::Timestamp>; 2] {
    let ambiguous = zone.to_ambiguous_timestamp(named);
    match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => [ambiguous.unambiguous().ok(), None],
        AmbiguousOffset::Gap { .. } if cron.is_every_hour() => [None, None],
        AmbiguousOffset::Gap { .. } => [ambiguous.compatible().ok(), None],
        AmbiguousOffset::Fold { .. } => {
            let first = zone.to_ambiguous_timestamp(named).earlier().ok();
            [first, ambiguous.later().ok().filter(|_| cron.is_every_hour())]
        }
    }
}

/// Whether the clock of the zone differs a day before and a day after: no zone moves it twice in two days.
fn is_near_a_shift(zone: &TimeZone, time: jiff::Timestamp) -> bool {
    let shift = SignedDuration::from_hours(LONGEST_SHIFT_HOURS);
    match (time.checked_sub(shift), time.checked_add(shift)) {
        (Ok(before), Ok(after)) => zone.to_offset(before) != zone.to_offset(after),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(text: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
        let zone = TimeZone::get(zone).unwrap();
        let table = Timetable::Cron { cron: Cron::parse(text).unwrap(), zone };
        let after: jiff::Timestamp = after.parse().unwrap();
        let ticks = table.between(Timestamp::from_millis(after.as_millisecond()), Timestamp::MAX, count);
        ticks.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_time_that_the_clock_leaves_out_ticks_as_much_later() {
        let after = "2026-03-28T01:00:00Z";
        assert_eq!(
            ticks("30 2 * * *", "Europe/Berlin", after, 3),
            [
                "2026-03-28T01:30:00Z",
                // 02:30 is not there: it is 03:30 then.
                "2026-03-29T01:30:00Z",
                "2026-03-30T00:30:00Z",
            ]
        );
        assert_eq!(ticks("0 3 * * *", "Europe/Berlin", after, 2), ["2026-03-28T02:00:00Z", "2026-03-29T01:00:00Z"]);
        // Two names of one time are one tick.
        assert_eq!(
            ticks("30 2,3 * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", 2),
            ["2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"]
        );
    }

    #[test]
    fn a_time_that_comes_twice_ticks_the_first_time() {
        let after = "2026-10-24T00:00:00Z";
        assert_eq!(
            ticks("30 2 * * *", "Europe/Berlin", after, 3),
            ["2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z",]
        );
        // Asked in between, it is not ticked again.
        assert_eq!(ticks("30 2 * * *", "Europe/Berlin", "2026-10-25T00:45:00Z", 1), ["2026-10-26T01:30:00Z"]);
    }

    #[test]
    fn every_hour_goes_by_the_time_that_passes() {
        assert_eq!(
            ticks("30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", 3),
            ["2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z", "2026-03-29T02:30:00Z",]
        );
        assert_eq!(
            ticks("*/30 * * * *", "Europe/Berlin", "2026-10-24T23:45:00Z", 6),
            [
                "2026-10-25T00:00:00Z",
                "2026-10-25T00:30:00Z",
                "2026-10-25T01:00:00Z",
                "2026-10-25T01:30:00Z",
                "2026-10-25T02:00:00Z",
                "2026-10-25T02:30:00Z",
            ]
        );
    }

    #[test]
    fn other_shifts_than_an_hour_are_followed() {
        // Half an hour.
        assert_eq!(
            ticks("15 2 * * *", "Australia/Lord_Howe", "2026-10-02T15:45:00Z", 3),
            ["2026-10-03T15:45:00Z", "2026-10-04T15:15:00Z", "2026-10-05T15:15:00Z",]
        );
        // A whole day, which is then a day later.
        assert_eq!(
            ticks("0 12 30 12 *", "Pacific/Apia", "2011-12-29T00:00:00Z", 2),
            ["2011-12-30T22:00:00Z", "2012-12-29T22:00:00Z"]
        );
    }

    #[test]
    fn wherever_clocks_are_moved_a_day_has_one_tick_and_an_hour_four_quarters() {
        let year = |text: &str, zone: &TimeZone| {
            let table = Timetable::Cron { cron: Cron::parse(text).unwrap(), zone: zone.clone() };
            let day = |day: i64| Timestamp::from_millis((20_500 + day) * 86_400_000);
            table.between(day(0), day(365), usize::MAX)
        };
        for name in ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Chatham", "Africa/Casablanca"]
        {
            let zone = TimeZone::get(name).unwrap();
            for text in ["0 2 * * *", "29 2 * * *", "59 2 * * *"] {
                let date = |tick: &Timestamp| {
                    zone.to_datetime(jiff::Timestamp::from_millisecond(tick.as_millis()).unwrap()).date()
                };
                let mut dates: Vec<_> = year(text, &zone).iter().map(date).collect();
                assert_eq!(dates.len(), 365, "{name}");
                dates.dedup();
                assert_eq!(dates.len(), 365, "{name}");
            }
        }
        for name in ["Europe/Berlin", "Australia/Lord_Howe"] {
            let zone = TimeZone::get(name).unwrap();
            let quarters = year("*/15 * * * *", &zone);
            let apart = quarters.windows(2).all(|pair| pair[1].since(pair[0]) == Duration::from_secs(900));
            assert!(apart && quarters.len() == 365 * 96, "{name}");
        }
    }

    #[test]
    fn an_interval_counts_from_where_it_began() {
        let table = Timetable::Every { period: Duration::from_secs(60), since: Timestamp::from_millis(7) };
        let after = |millis| table.after(Timestamp::from_millis(millis)).map(Timestamp::as_millis);
        assert_eq!((after(0), after(7), after(-60_000)), (Some(7), Some(60_007), Some(-59_993)));
        assert_eq!(after(60_006), Some(60_007));
        assert_eq!(after(60_007), Some(120_007));
        assert_eq!(table.after(Timestamp::MAX), None);
    }

    #[test]
    fn the_newest_ticks_are_found_from_the_end() {
        let table = Timetable::Every { period: Duration::from_secs(1), since: Timestamp::EPOCH };
        let year = Timestamp::from_millis(365 * 86_400_000);
        let millis = |ticks: Vec<Timestamp>| ticks.into_iter().map(Timestamp::as_millis).collect::<Vec<_>>();
        assert_eq!(millis(newest(&table, Timestamp::from_millis(1_000), year, 2)), [31_535_999_000, 31_536_000_000]);
        let yearly = Timetable::Cron { cron: Cron::parse("@yearly").unwrap(), zone: TimeZone::UTC };
        let first = Timestamp::from_millis(365 * 86_400_000);
        assert_eq!(newest(&yearly, first, Timestamp::from_millis(400 * 86_400_000), 9), [first]);
        assert_eq!(newest(&yearly, first, first, 1), [first]);
    }

    #[test]
    fn there_is_an_end_of_time() {
        let table = Timetable::Cron { cron: Cron::parse("@daily").unwrap(), zone: TimeZone::UTC };
        assert_eq!(table.after(Timestamp::MAX), None);
    }
}
