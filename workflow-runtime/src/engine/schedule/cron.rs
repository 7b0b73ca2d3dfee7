//! Cron expressions: the five fields of crontab(5), on a civil calendar that knows no time zone.

use jiff::civil::{Date, DateTime, date};

use super::ScheduleError;

/// Leap days are at most eight years apart.
const LONGEST_SEARCH_DAYS: usize = 366 * 9;

/// A parsed expression. A set of numbers is a mask, bit `n` for `n`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cron {
    minutes: u64,
    hours: u64,
    days: u64,
    last_day: bool,
    months: u64,
    weekdays: u64,
    /// `5#2` and `5L`: the second and the last Friday of the month, from 1; 0 is the last.
    nth_weekdays: Vec<(u8, u8)>,
    /// Both fields of days say something: then either is enough.
    either_day: bool,
    every_hour: bool,
}

/// What a field may hold.
struct Field {
    name: &'static str,
    first: u8,
    last: u8,
    names: &'static [&'static str],
}

const MINUTE: Field = Field { name: "minute", first: 0, last: 59, names: &[] };
const HOUR: Field = Field { name: "hour", first: 0, last: 23, names: &[] };
const DAY: Field = Field { name: "day of the month", first: 1, last: 31, names: &[] };
const MONTH: Field = Field {
    name: "month",
    first: 1,
    last: 12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
const WEEKDAY: Field =
    Field { name: "day of the week", first: 0, last: 7, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] };

const NICKNAMES: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

impl Cron {
    pub(super) fn parse(text: &str) -> Result<Self, ScheduleError> {
        Self::read(text).map_err(|message| ScheduleError::Cron { text: text.to_owned(), message })
    }

    fn read(text: &str) -> Result<Self, String> {
        let mut written = text.trim();
        if written.starts_with('@') {
            let known = NICKNAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(written));
            let Some((_, expression)) = known else {
                let names: Vec<_> = NICKNAMES.iter().map(|(name, _)| format!("`{name}`")).collect();
                return Err(format!("there is no `{written}`: there are {}", names.join(", ")));
            };
            written = expression;
        }
        let fields: Vec<&str> = written.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields.as_slice() else {
            let hint = if fields.len() == 6 { "; for seconds, use `Schedule::every`" } else { "" };
            let count = fields.len();
            return Err(format!(
                "it has {count} fields, and takes 5: minute, hour, day of the month, month, day of the week{hint}"
            ));
        };
        let mut cron = Self {
            minutes: numbers(&MINUTE, minute)?,
            hours: numbers(&HOUR, hour)?,
            days: 0,
            last_day: false,
            months: numbers(&MONTH, month)?,
            weekdays: 0,
            nth_weekdays: Vec::new(),
            either_day: !day.starts_with('*') && !weekday.starts_with('*'),
            every_hour: hour.starts_with('*') && !hour.contains('/'),
        };
        for item in items(&DAY, day)? {
            match item {
                "L" | "l" => cron.last_day = true,
                item => cron.days |= item_numbers(&DAY, item)?,
            }
        }
        for item in items(&WEEKDAY, weekday)? {
            match nth_weekday(item)? {
                Some(nth) => cron.nth_weekdays.push(nth),
                None => cron.weekdays |= item_numbers(&WEEKDAY, item)?,
            }
        }
        // 7 is Sunday as well.
        if cron.weekdays & (1 << 7) != 0 {
            cron.weekdays |= 1;
        }
        match cron.next_from(date(2000, 1, 1).at(0, 0, 0, 0)) {
            Some(_) => Ok(cron),
            None => Err("no year has such a day".to_owned()),
        }
    }

    /// Whether it names every hour, so that it goes by the time that passes and not by the clock on the wall.
    pub(super) fn is_every_hour(&self) -> bool {
        self.every_hour
    }

    /// The first time at or after `from` that it names.
    pub(super) fn next_from(&self, from: DateTime) -> Option<DateTime> {
        let minute_begun = from.second() > 0 || from.subsec_nanosecond() > 0;
        let (mut day, mut minutes) = (from.date(), minute_of(from) + usize::from(minute_begun));
        for _ in 0..LONGEST_SEARCH_DAYS {
            if self.names_day(day)
                && let Some(time) = (minutes..24 * 60).find(|minutes| self.names_time(*minutes))
            {
                let (hour, minute) = (i8::try_from(time / 60).ok()?, i8::try_from(time % 60).ok()?);
                return Some(day.at(hour, minute, 0, 0));
            }
            day = day.tomorrow().ok()?;
            minutes = 0;
        }
        None
    }

    fn names_time(&self, minutes: usize) -> bool {
        self.hours & (1 << (minutes / 60)) != 0 && self.minutes & (1 << (minutes % 60)) != 0
    }

    fn names_day(&self, day: Date) -> bool {
        if self.months & (1 << day.month()) == 0 {
            return false;
        }
        let is_last = day.day() == day.days_in_month();
        let by_month = self.days & (1 << day.day()) != 0 || self.last_day && is_last;
        let weekday = day.weekday().to_sunday_zero_offset().unsigned_abs();
        let which = (day.day().unsigned_abs() - 1) / 7 + 1;
        let is_last_of_its_kind = day.day() + 7 > day.days_in_month();
        let by_week = self.weekdays & (1 << weekday) != 0
            || self
                .nth_weekdays
                .iter()
                .any(|(of, nth)| *of == weekday && (*nth == which || *nth == 0 && is_last_of_its_kind));
        if self.either_day { by_month || by_week } else { by_month && by_week }
    }
}

fn minute_of(time: DateTime) -> usize {
    usize::from(time.hour().unsigned_abs()) * 60 + usize::from(time.minute().unsigned_abs())
}

fn numbers(field: &Field, text: &str) -> Result<u64, String> {
    items(field, text)?.into_iter().try_fold(0, |numbers, item| Ok(numbers | item_numbers(field, item)?))
}

fn items<'a>(field: &Field, text: &'a str) -> Result<Vec<&'a str>, String> {
    let items: Vec<_> = text.split(',').collect();
    match items.iter().any(|item| item.is_empty()) {
        true => Err(format!("the {} `{text}` has an empty item: leave the comma out", field.name)),
        false => Ok(items),
    }
}

/// `*`, `5`, `1-5`, each with a step, as in `*/15`.
fn item_numbers(field: &Field, item: &str) -> Result<u64, String> {
    let Field { name, first, last, .. } = *field;
    let (range, step) = match item.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (item, None),
    };
    let step_size = match step.map(str::parse::<u8>) {
        None => 1,
        Some(Ok(step)) if step > 0 => step,
        Some(_) => {
            return Err(format!("the step of the {name} `{item}` is a number from 1 to {last}, as in `*/15`"));
        }
    };
    let (from, to) = match range.split_once('-') {
        _ if range == "*" => (first, if last == 7 { 6 } else { last }),
        Some((from, to)) => (number(field, from, item)?, number(field, to, item)?),
        None => {
            let from = number(field, range, item)?;
            (from, if step.is_some() { last } else { from })
        }
    };
    if from > to {
        return Err(format!("the {name} `{item}` goes from {from} down to {to}: write the smaller one first"));
    }
    Ok((from..=to).step_by(usize::from(step_size)).fold(0, |numbers, number| numbers | 1 << number))
}

fn number(field: &Field, text: &str, item: &str) -> Result<u8, String> {
    let Field { name, first, last, names } = field;
    let named = names.iter().position(|known| known.eq_ignore_ascii_case(text));
    if let Some(place) = named.and_then(|place| u8::try_from(place).ok()) {
        return Ok(place + first);
    }
    let number = text.parse::<u8>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    match number {
        Some(number) if (*first..=*last).contains(&number) => Ok(number),
        _ => {
            let or_names = match (names.first(), names.last()) {
                (Some(one), Some(other)) => format!(", or `{one}` to `{other}`"),
                _ => String::new(),
            };
            Err(format!(
                "the {name} `{item}` is out of range: it is {first} to {last}{or_names}, `*`, a range `{first}-{last}`, a step `*/2`, or a list of these"
            ))
        }
    }
}

/// `5#2` and `5L`.
fn nth_weekday(item: &str) -> Result<Option<(u8, u8)>, String> {
    let (weekday, nth) = if let Some((weekday, nth)) = item.split_once('#') {
        let nth = nth.parse::<u8>().ok().filter(|nth| (1..=5).contains(nth));
        let wrong =
            || format!("`{item}` counts the weeks of the month from 1 to 5, as in `fri#2` for the second Friday");
        (weekday, nth.ok_or_else(wrong)?)
    } else if let Some(weekday) = item.strip_suffix(['L', 'l']) {
        (weekday, 0)
    } else {
        return Ok(None);
    };
    Ok(Some((number(&WEEKDAY, weekday, item)? % 7, nth)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(text: &str, from: &str, count: usize) -> Vec<String> {
        let cron = Cron::parse(text).unwrap();
        let mut from: DateTime = from.parse().unwrap();
        let mut times = Vec::new();
        for _ in 0..count {
            let next = cron.next_from(from).unwrap();
            times.push(next.strftime("%Y-%m-%d %H:%M").to_string());
            from = next.checked_add(jiff::Span::new().seconds(1)).unwrap();
        }
        times
    }

    #[track_caller]
    fn refused(text: &str) -> String {
        Cron::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn fields_are_lists_of_ranges_and_steps() {
        assert_eq!(times("0 2 * * *", "2026-01-31T02:00:00", 2), ["2026-01-31 02:00", "2026-02-01 02:00"]);
        assert_eq!(
            times("*/20 9-10 * * *", "2026-01-01T09:30:00", 3),
            ["2026-01-01 09:40", "2026-01-01 10:00", "2026-01-01 10:20"]
        );
        assert_eq!(times("30/20 0 * jan,Dec *", "2026-01-31T00:31:00", 2), ["2026-01-31 00:50", "2026-12-01 00:30"]);
        assert_eq!(times("0 0 * * mon-wed", "2026-11-18T00:00:01", 2), ["2026-11-23 00:00", "2026-11-24 00:00"]);
        assert_eq!(times("@hourly", "2026-01-01T00:00:01", 1), ["2026-01-01 01:00"]);
    }

    #[test]
    fn sunday_is_0_and_7() {
        for text in ["0 0 * * 0", "0 0 * * 7", "0 0 * * sun", "0 0 * * 7L,7#1,7#2,7#3,7#4", "@weekly"] {
            assert_eq!(times(text, "2026-11-22T00:00:00", 2), ["2026-11-22 00:00", "2026-11-29 00:00"], "{text}");
        }
    }

    #[test]
    fn two_fields_of_days_mean_either() {
        assert_eq!(
            times("0 0 13 * fri", "2026-02-01T00:00:00", 3),
            ["2026-02-06 00:00", "2026-02-13 00:00", "2026-02-20 00:00"]
        );
        assert_eq!(times("0 0 */2 * fri", "2026-02-01T00:00:00", 2), ["2026-02-13 00:00", "2026-02-27 00:00"]);
    }

    #[test]
    fn days_may_be_counted_from_the_end_or_by_week() {
        assert_eq!(
            times("0 0 L * *", "2027-11-30T01:00:00", 3),
            ["2027-12-31 00:00", "2028-01-31 00:00", "2028-02-29 00:00"]
        );
        assert_eq!(times("0 0 * * fri#2", "2026-01-01T00:00:00", 2), ["2026-01-09 00:00", "2026-02-13 00:00"]);
        assert_eq!(times("0 0 * * 5L", "2026-12-01T00:00:00", 2), ["2026-12-25 00:00", "2027-01-29 00:00"]);
        assert_eq!(times("0 0 29 2 *", "2026-01-01T00:00:00", 2), ["2028-02-29 00:00", "2032-02-29 00:00"]);
    }

    #[test]
    fn what_is_wrong_is_said_by_name() {
        assert!(refused("0 25 * * *").contains("the hour `25` is out of range: it is 0 to 23"));
        assert!(refused("0 2 * * * *").contains("it has 6 fields, and takes 5"));
        assert!(refused("").contains("it has 0 fields"));
        assert!(refused("0 2 0 * *").contains("the day of the month `0`"));
        assert!(refused("0 2 * foo *").contains("1 to 12, or `jan` to `dec`"));
        assert!(refused("*/0 * * * *").contains("the step of the minute `*/0`"));
        assert!(refused("30-10 * * * *").contains("write the smaller one first"));
        assert!(refused("1,,2 * * * *").contains("empty item"));
        assert!(refused("+1 * * * *").contains("the minute `+1`"));
        assert!(refused("0 0 * * 5#6").contains("from 1 to 5"));
        assert!(refused("0 0 30 2 *").contains("no year has such a day"));
        assert!(refused("@reboot").contains("there is no `@reboot`: there are `@hourly`"));
        assert!(refused("0 25 * * *").contains("`0 25 * * *`"));
    }
}
