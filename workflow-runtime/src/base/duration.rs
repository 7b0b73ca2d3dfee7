//! Durations as people write them.

use std::fmt;
use std::time::Duration;

/// Prints a duration in the notation of the attributes, largest unit first and exact: `15m`, `1h30m`, `250ms`.
///
/// The largest unit is the day, since `14d` says more than `2w`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HumanDuration(pub(crate) Duration);

const UNITS: [(u128, &str); 7] = [
    (86_400_000_000_000, "d"),
    (3_600_000_000_000, "h"),
    (60_000_000_000, "m"),
    (1_000_000_000, "s"),
    (1_000_000, "ms"),
    (1_000, "us"),
    (1, "ns"),
];

impl fmt::Display for HumanDuration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_zero() {
            return formatter.write_str("0s");
        }
        let mut rest = self.0.as_nanos();
        for (size, unit) in UNITS {
            let count = rest / size;
            rest %= size;
            if count > 0 {
                write!(formatter, "{count}{unit}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(duration: Duration) -> String {
        HumanDuration(duration).to_string()
    }

    #[test]
    fn prints_what_was_written() {
        assert_eq!(text(Duration::from_secs(15 * 60)), "15m");
        assert_eq!(text(Duration::from_secs(90 * 60)), "1h30m");
        assert_eq!(text(Duration::from_secs(14 * 86_400)), "14d");
        assert_eq!(text(Duration::from_millis(200)), "200ms");
        assert_eq!(text(Duration::from_millis(86_400_000 + 1)), "1d1ms");
    }

    #[test]
    fn prints_the_extremes() {
        assert_eq!(text(Duration::ZERO), "0s");
        assert_eq!(text(Duration::from_nanos(1_500)), "1us500ns");
        assert_eq!(text(Duration::MAX), "213503982334601d7h15s999ms999us999ns");
    }
}
