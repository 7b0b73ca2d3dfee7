//! What can go wrong with a call of a store, and when it does.

use std::time::Duration;

/// What goes wrong with a call. All but [`Latency`](Self::Latency), and all that a read suffers, are the end of the store until
/// it is [opened again](super::FaultyStore::reopen): every further call answers that it is poisoned, as the contract of
/// stores has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The answer comes so much later, by tokio's clock.
    Latency(Duration),
    /// Nothing is done, and the answer is an error of the disk.
    Error,
    /// Nothing is done, and the answer is that the disk is full.
    Full,
    /// Of the commits of the call, the first half is applied, and the answer is an error. Of a single commit, nothing is
    /// applied: a commit is never torn.
    Torn,
    /// All of it is applied, and the answer is an error.
    LostAnswer,
    /// All of it is applied, and there is never an answer.
    Silence,
}

impl Fault {
    /// Every fault that a write can suffer, each once; the latency is 100 ms.
    pub const ALL: [Self; 6] = [
        Self::Latency(Duration::from_millis(100)),
        Self::Error,
        Self::Full,
        Self::Torn,
        Self::LostAnswer,
        Self::Silence,
    ];
}

/// What a call does to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Read,
    Write,
}

/// When there are which faults.
#[derive(Debug, Default)]
pub(super) struct Faults {
    rules: Vec<Rule>,
    random: Option<Random>,
}

#[derive(Debug)]
struct Rule {
    kind: Kind,
    /// The number of the call, from 1.
    call: u64,
    /// Whether all later calls suffer it too.
    onwards: bool,
    fault: Fault,
}

#[derive(Debug)]
struct Random {
    chance: fastrand::Rng,
    one_in: u32,
    faults: Vec<Fault>,
}

impl Faults {
    pub(super) fn at(&mut self, kind: Kind, call: u64, onwards: bool, fault: Fault) {
        self.rules.push(Rule { kind, call, onwards, fault });
    }

    pub(super) fn at_random(&mut self, seed: u64, one_in: u32, faults: Vec<Fault>) {
        self.random = Some(Random { chance: fastrand::Rng::with_seed(seed), one_in: one_in.max(1), faults });
    }

    /// What the call of this number suffers.
    pub(super) fn of(&mut self, kind: Kind, call: u64) -> Option<Fault> {
        let is_due = |rule: &&Rule| rule.kind == kind && (rule.call == call || rule.onwards && rule.call < call);
        if let Some(rule) = self.rules.iter().find(is_due) {
            return Some(rule.fault);
        }
        let random = self.random.as_mut()?;
        let is_due = random.chance.u32(0..random.one_in) == 0;
        random.chance.choice(&random.faults).copied().filter(|_| is_due)
    }
}
