//! What there was of load and kills, to be printed.

use std::collections::BTreeMap;
use std::fmt;

/// How often the process was killed, by the moment.
#[derive(Debug, Clone, Copy, Default)]
pub struct Kills {
    pub at_opening: u64,
    pub at_work: u64,
    pub at_checkpoint: u64,
}

impl Kills {
    pub fn all(&self) -> u64 {
        self.at_opening + self.at_work + self.at_checkpoint
    }
}

#[derive(Debug, Default)]
pub struct Summary {
    pub kills: Kills,
    /// How often what a kill had left was looked at before another process went on with it.
    pub looks: u64,
    pub pieces: u64,
    /// How many executions there were, by workflow.
    pub executions: BTreeMap<String, u64>,
    pub attempts: usize,
    pub repeated: usize,
}

impl Summary {
    pub fn add(&mut self, other: &Self) {
        let Self { kills, looks, pieces, executions, attempts, repeated } = other;
        self.kills.at_opening += kills.at_opening;
        self.kills.at_work += kills.at_work;
        self.kills.at_checkpoint += kills.at_checkpoint;
        self.looks += looks;
        self.pieces += pieces;
        for (workflow, count) in executions {
            *self.executions.entry(workflow.clone()).or_default() += count;
        }
        self.attempts += attempts;
        self.repeated += repeated;
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Kills { at_opening, at_work, at_checkpoint } = self.kills;
        let executions: u64 = self.executions.values().sum();
        let by_workflow: Vec<_> =
            self.executions.iter().map(|(workflow, count)| format!("{workflow} {count}")).collect();
        writeln!(
            formatter,
            "{} kills: {at_opening} at the opening, {at_work} at work, {at_checkpoint} near a checkpoint",
            self.kills.all()
        )?;
        writeln!(formatter, "{} looks at what a kill has left", self.looks)?;
        writeln!(formatter, "{} pieces, {executions} executions: {}", self.pieces, by_workflow.join(", "))?;
        writeln!(formatter, "{} attempts of steps, {} of them repeated after a kill", self.attempts, self.repeated)
    }
}
