//! What is measured of a process, and how many measurements become one figure.

use std::path::Path;
use std::time::Duration;
use std::{fs, io};

/// What half of all measurements do not exceed, and 99 of 100.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Percentiles {
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
}

impl Percentiles {
    pub(crate) fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |percent: usize| {
            let place = (times.len() * percent / 100).min(times.len().saturating_sub(1));
            times.get(place).copied().unwrap_or_default()
        };
        Self { p50: at(50), p99: at(99) }
    }
}

/// The middle one of `values`; NaN if there are none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

pub(crate) fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// The memory that this process has now, in bytes.
pub(crate) fn memory() -> io::Result<f64> {
    status("VmRSS:")
}

fn status(field: &str) -> io::Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok());
    kibibytes.map(|kibibytes| kibibytes * 1024.0).ok_or_else(|| io::Error::other(format!("no {field} in the status")))
}

/// The bytes of a SQLite file and of its log.
pub(crate) fn size_on_disk(file: &Path) -> io::Result<f64> {
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    let log = fs::metadata(&log).map_or(0, |log| log.len());
    Ok((fs::metadata(file)?.len() + log) as f64)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Percentiles, median};

    #[test]
    fn percentiles_are_measurements_that_were_made() {
        let times = (1..=200).rev().map(Duration::from_millis).collect();
        let Percentiles { p50, p99 } = Percentiles::of(times);
        assert_eq!((p50, p99), (Duration::from_millis(101), Duration::from_millis(199)));
        assert_eq!(Percentiles::of(Vec::new()).p99, Duration::ZERO);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
    }
}
