//! What the disk gives right now: some give a few fast syncs and then slow ones, so a durable row without this beside it says
//! nothing.

use std::fs::File;
use std::io::Write as _;
use std::time::Instant;

use workflow_runtime::Error;

use crate::figures::{Figure, Report};
use crate::limit::ROW;
use crate::measure::{Percentiles, micros};
use crate::options::Size;
use crate::places::Place;

/// Appends rows to a plain file, with a sync after each.
pub(crate) fn probe(place: &Place, size: Size) -> Result<Percentiles, Error> {
    let scratch = place.scratch()?;
    let mut file = File::create(scratch.path().join("probe"))?;
    let mut times = Vec::new();
    for _ in 0..size.pick(200, 100, 5) {
        let begun = Instant::now();
        file.write_all(&[0; ROW])?;
        file.sync_data()?;
        times.push(begun.elapsed());
    }
    Ok(Percentiles::of(times))
}

/// Adds what was probed before and after some work.
pub(crate) fn add(report: &mut Report, variant: &str, [before, after]: [Percentiles; 2]) {
    for (when, probed) in [("before", before), ("after", after)] {
        report.add(Figure::new(variant, format!("append + sync {when}, p50"), micros(probed.p50), "µs"));
        report.add(Figure::new(variant, format!("append + sync {when}, p99"), micros(probed.p99), "µs"));
    }
}
