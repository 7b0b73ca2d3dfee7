//! A report as a table for people.

use std::fmt::Write as _;

use crate::figures::{Bar, Bound, Figure, Of, Report};

const COLUMNS: usize = 6;

/// The figures of one row, and the notes on them.
pub(crate) fn table(report: &Report, row: &str, title: &str) -> String {
    let mut lines = vec![["variant", "figure", "value", "beside", "bar", ""].map(str::to_owned)];
    lines.extend(report.of(row).into_iter().map(line));
    let mut widths = [0; COLUMNS];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = format!("\n{row}: {title}\n");
    for line in &lines {
        let mut cells = String::new();
        for (place, (width, cell)) in widths.iter().zip(line).enumerate() {
            // Values stand to the right, words to the left.
            let _ = match place {
                2 => write!(cells, "  {cell:>width$}"),
                _ => write!(cells, "  {cell:<width$}"),
            };
        }
        text.push_str(cells.trim_end());
        text.push('\n');
    }
    for note in report.notes_of(row) {
        let _ = writeln!(text, "  note: {note}");
    }
    text
}

fn line(figure: &Figure) -> [String; COLUMNS] {
    let beside = figure.reference().map(|reference| format!("{} × {}", short(reference.ratio), reference.name));
    let (bar, met) = match figure.bar_and_met() {
        Some((bar, met)) => (words(bar), if met { "met" } else { "MISSED" }),
        None => (String::new(), ""),
    };
    [
        figure.variant().to_owned(),
        figure.what().to_owned(),
        format!("{} {}", short(figure.value()), figure.unit()),
        beside.unwrap_or_default(),
        bar,
        met.to_owned(),
    ]
}

fn words(bar: Bar) -> String {
    let bound = match bar.bound {
        Bound::AtMost => "≤",
        Bound::AtLeast => "≥",
    };
    match bar.of {
        Of::Value => format!("{bound} {}", short(bar.limit)),
        Of::Ratio => format!("{bound} {} ×", short(bar.limit)),
    }
}

/// Three digits that say something, and thousands set apart.
fn short(value: f64) -> String {
    match value.abs() {
        _ if !value.is_finite() => "-".to_owned(),
        0.0 => "0".to_owned(),
        size if size >= 100.0 => grouped(value),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        size if size >= 0.001 => format!("{value:.4}"),
        _ => format!("{value:.2e}"),
    }
}

fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0.0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::{short, table};
    use crate::figures::{Figure, Report};

    #[test]
    fn numbers_are_short() {
        assert_eq!(short(1_234_567.8), "1,234,568");
        assert_eq!(short(12.345), "12.3");
        assert_eq!(short(0.0123), "0.0123");
        assert_eq!(short(0.0), "0");
        assert_eq!(short(f64::NAN), "-");
    }

    #[test]
    fn a_bar_is_judged_by_the_value_or_by_the_ratio() {
        let mut report = Report::default();
        report.begin("steps");
        report.add(Figure::new("here", "rate", 50.0, "steps/s").beside("there", 0.4).ratio_at_least(0.5));
        report.add(Figure::new("here", "syncs", 1.0, "a step").beside("there", 4.0).at_most(1.15));
        assert_eq!(report.bars(), (1, 2));
        let table = table(&report, "steps", "a title");
        assert!(table.contains("≥ 0.5000 ×  MISSED"), "{table}");
        assert!(table.contains("≤ 1.15      met"), "{table}");
    }
}
