//! The rows of the table, one file each.

mod steps;

use workflow_runtime::Error;

use crate::figures::Report;
use crate::options::Size;
use crate::places::Places;

/// The names of the rows, and what they are about.
pub(crate) const ROWS: [(&str, &str); 1] = [("steps", "ten durable steps in sequence")];

/// What every row is given.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) size: Size,
    pub(crate) places: Places,
}

/// Runs one row.
pub(crate) async fn run(row: &str, setting: &Setting, report: &mut Report) -> Result<(), Error> {
    report.begin(row);
    match row {
        "steps" => steps::run(setting, report).await,
        other => Err(Error::msg(format!("there is no row `{other}`"))),
    }
}
