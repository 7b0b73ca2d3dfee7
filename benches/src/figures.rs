//! What a row of the table says.

use serde::Serialize;

/// One line of the table.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Figure {
    row: String,
    variant: String,
    what: String,
    value: f64,
    unit: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<Reference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bar: Option<Bar>,
    #[serde(skip_serializing_if = "Option::is_none")]
    met: Option<bool>,
}

/// The same work, done by something else in the same run.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Reference {
    pub(crate) name: String,
    /// This figure divided by that of the reference.
    pub(crate) ratio: f64,
}

/// What a figure is to reach.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Bar {
    pub(crate) of: Of,
    pub(crate) bound: Bound,
    pub(crate) limit: f64,
}

/// What a [`Bar`] is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Of {
    Value,
    Ratio,
}

/// Which side of a [`Bar`] is the good one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bound {
    AtMost,
    AtLeast,
}

impl Figure {
    /// A figure of `variant`, such as `what` = "rate" of `value` "steps/s".
    pub(crate) fn new(variant: impl Into<String>, what: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self {
            row: String::new(),
            variant: variant.into(),
            what: what.into(),
            value,
            unit,
            reference: None,
            bar: None,
            met: None,
        }
    }

    /// The value is `ratio` times that of `name`.
    pub(crate) fn beside(mut self, name: impl Into<String>, ratio: f64) -> Self {
        self.reference = Some(Reference { name: name.into(), ratio });
        self
    }

    pub(crate) fn at_most(self, limit: f64) -> Self {
        self.bar(Bar { of: Of::Value, bound: Bound::AtMost, limit })
    }

    pub(crate) fn at_least(self, limit: f64) -> Self {
        self.bar(Bar { of: Of::Value, bound: Bound::AtLeast, limit })
    }

    pub(crate) fn ratio_at_most(self, limit: f64) -> Self {
        self.bar(Bar { of: Of::Ratio, bound: Bound::AtMost, limit })
    }

    pub(crate) fn ratio_at_least(self, limit: f64) -> Self {
        self.bar(Bar { of: Of::Ratio, bound: Bound::AtLeast, limit })
    }

    fn bar(mut self, bar: Bar) -> Self {
        let judged = match bar.of {
            Of::Value => Some(self.value),
            Of::Ratio => self.reference.as_ref().map(|reference| reference.ratio),
        };
        self.met = judged.map(|value| match bar.bound {
            Bound::AtMost => value <= bar.limit,
            Bound::AtLeast => value >= bar.limit,
        });
        self.bar = Some(bar);
        self
    }

    pub(crate) fn variant(&self) -> &str {
        &self.variant
    }

    pub(crate) fn what(&self) -> &str {
        &self.what
    }

    pub(crate) fn value(&self) -> f64 {
        self.value
    }

    pub(crate) fn unit(&self) -> &'static str {
        self.unit
    }

    pub(crate) fn reference(&self) -> Option<&Reference> {
        self.reference.as_ref()
    }

    pub(crate) fn bar_and_met(&self) -> Option<(Bar, bool)> {
        self.bar.zip(self.met)
    }
}

/// What a run has found, row by row.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    figures: Vec<Figure>,
    /// What is to be known of the figures.
    notes: Vec<String>,
    #[serde(skip)]
    row: String,
}

impl Report {
    /// What is added from now on belongs to `row`.
    pub(crate) fn begin(&mut self, row: &str) {
        row.clone_into(&mut self.row);
    }

    pub(crate) fn add(&mut self, mut figure: Figure) {
        figure.row.clone_from(&self.row);
        self.figures.push(figure);
    }

    /// Something to be known, such as why a figure is missing.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(format!("{}: {}", self.row, note.into()));
    }

    /// The figures of one row.
    pub(crate) fn of(&self, row: &str) -> Vec<&Figure> {
        self.figures.iter().filter(|figure| figure.row == row).collect()
    }

    pub(crate) fn notes_of(&self, row: &str) -> impl Iterator<Item = &str> {
        self.notes.iter().filter_map(move |note| note.strip_prefix(row)?.strip_prefix(": "))
    }

    /// How many bars are met, and how many there are.
    pub(crate) fn bars(&self) -> (usize, usize) {
        let met: Vec<_> = self.figures.iter().filter_map(|figure| figure.met).collect();
        (met.iter().filter(|met| **met).count(), met.len())
    }
}
