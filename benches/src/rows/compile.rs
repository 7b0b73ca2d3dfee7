//! What a large machine costs its developer: the compiler's time, and the crates that come with the library.

use workflow_runtime::Error;

use super::Setting;
use crate::compile::{compile, tree};
use crate::figures::{Figure, Report};
use crate::options::Size;

pub(crate) fn run(setting: &Setting, report: &mut Report) -> Result<(), Error> {
    if setting.size == Size::Smoke {
        report.note("left out, as the dependencies alone would take minutes");
        return Ok(());
    }
    let tree = tree()?;
    report.add(Figure::new("with SQLite", "crates in the tree", tree.with_sqlite as f64, "").at_most(60.0));
    let without = tree.without_default_features as f64;
    report.add(Figure::new("without default features", "crates in the tree", without, ""));
    for machine in compile(setting.size.pick(&[50, 200][..], &[50], &[]))? {
        let variant = format!("{} states, {} handlers", machine.states, machine.handlers);
        let touched =
            [("a handler's body touched", machine.body_touched), ("a line added to a handler", machine.line_added)];
        report.add(Figure::new(&variant, "cargo check, clean", machine.clean, "s CPU"));
        for (what, seconds) in touched {
            let figure = Figure::new(&variant, format!("cargo check, {what}"), seconds, "s CPU");
            report.add(if machine.states == 200 { figure.at_most(1.5) } else { figure });
        }
    }
    Ok(())
}
