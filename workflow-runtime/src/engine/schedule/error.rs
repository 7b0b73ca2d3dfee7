//! What can be wrong with a schedule.

use super::spec::{LONGEST_NAME, MOST_TICKS};
use crate::base::Timestamp;

/// Why a schedule is refused. Each says what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// The text is no cron expression.
    #[error("`{text}` is no cron expression: {message}")]
    Cron {
        /// What was written.
        text: String,
        /// Which field is wrong, and what it may hold.
        message: String,
    },
    /// There is no such time zone.
    #[error(
        "there is no time zone `{name}`:{} use a name of the IANA database, such as `Europe/Berlin` or `UTC`",
        nearest.as_ref().map(|nearest| format!(" did you mean `{nearest}`? If not,")).unwrap_or_default()
    )]
    TimeZone {
        /// What was written.
        name: String,
        /// The known name that was probably meant.
        nearest: Option<String>,
    },
    /// An interval was given a time zone.
    #[error(
        "an interval counts the time that passes, and has no time zone: leave `time_zone` out, or use `Schedule::cron`"
    )]
    TimeZoneOfInterval,
    /// The text is no interval.
    #[error(
        "`{text}` is no interval: write numbers with units, as in `90s` or `1h30m`, from `1ms` to `100y`; there are `ms`, `s`, `m`, `h`, `d`, `w`, `y`"
    )]
    Interval {
        /// What was written.
        text: String,
    },
    /// The name cannot be one.
    #[error("a schedule cannot be called `{name}`: a name has 1 to {LONGEST_NAME} bytes, and no control characters")]
    Name {
        /// The name.
        name: String,
    },
    /// The limit of `CatchUp::All` is out of range.
    #[error("`CatchUp::All` makes up for 1 to {MOST_TICKS} ticks, not for {limit}")]
    CatchUpLimit {
        /// The limit.
        limit: u32,
    },
    /// The range of a backfill has no tick.
    #[error("the schedule has no tick from {from} to {until}")]
    NoTick {
        /// The beginning of the range.
        from: Timestamp,
        /// Its end.
        until: Timestamp,
    },
    /// The range of a backfill has too many ticks.
    #[error("the schedule has more than {MOST_TICKS} ticks from {from} to {until}: backfill one part after the other")]
    TooManyTicks {
        /// The beginning of the range.
        from: Timestamp,
        /// Its end.
        until: Timestamp,
    },
    /// The range of a backfill is not over yet.
    #[error("a backfill makes up for what is past, and {until} is not: it is {now}")]
    NotPast {
        /// The end of the range.
        until: Timestamp,
        /// The present.
        now: Timestamp,
    },
    /// There is no such schedule.
    #[error("there is no schedule `{name}`: make it with `engine.schedule`")]
    Unknown {
        /// The name.
        name: String,
    },
    /// The schedule was cancelled or terminated as an execution, and cannot come back.
    #[error("the schedule `{name}` was ended by hand, for good: use another name")]
    Ended {
        /// The name.
        name: String,
    },
}
