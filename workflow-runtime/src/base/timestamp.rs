//! A point in time, as it is persisted.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A point in time in whole milliseconds since the Unix epoch, UTC.
///
/// Milliseconds are what is persisted: a due time that is read back is exactly the one that was written.
///
/// ```
/// use std::time::Duration;
/// use workflow_runtime::Timestamp;
///
/// let start = Timestamp::from_millis(1_700_000_000_000);
/// assert_eq!((start + Duration::from_secs(60)).since(start), Duration::from_secs(60));
/// assert_eq!(start.to_string(), "2023-11-14T22:13:20Z");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The Unix epoch.
    pub const EPOCH: Self = Self(0);
    /// The latest point in time that can be represented; a due time past it never comes.
    pub const MAX: Self = Self(i64::MAX);

    /// The point `millis` milliseconds after the Unix epoch (before it, if negative).
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The time from `earlier` to this point; zero if `earlier` is later, as after a clock was set back.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        let millis = self.0.saturating_sub(earlier.0);
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;

    /// The point that is `duration` later; [`Timestamp::MAX`] if that cannot be represented.
    fn add(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(millis))
    }
}

impl From<SystemTime> for Timestamp {
    /// Cut down to whole milliseconds; a time before the epoch becomes the epoch.
    fn from(time: SystemTime) -> Self {
        let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::EPOCH + since_epoch
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC; plain milliseconds for a point outside the years that calendars reach.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(time) => write!(formatter, "{time}"),
            Err(_) => write!(formatter, "{} ms", self.0),
        }
    }
}
