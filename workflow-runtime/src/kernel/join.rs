//! When a parallel call is decided: what its branches have come to, against what was asked for.
//!
//! | rule | succeeds | fails |
//! |---|---|---|
//! | all | when all have succeeded | with the first failure |
//! | settle | when all have ended | never |
//! | any | with the first success | when all have failed; without branches |
//! | race | if the first to end succeeded | if it failed; without branches |
//! | quorum(n) | with the n-th success | when fewer than n can still succeed |
//! | at least p % | when all have ended, and at least p % of them succeeded | when fewer than that can still succeed |

/// What is asked for of the branches of a parallel call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum JoinRule {
    /// All of them; the first failure ends the call, and stops the others.
    All,
    /// That they end, whatever they come to.
    Settle,
    /// One success, which stops the others.
    Any,
    /// That one ends, whatever it comes to; that stops the others.
    Race,
    /// So many successes, which stop the others.
    Quorum(u64),
    /// At least this share of them, in hundredths of a percent. All are run, unless it is out of reach.
    AtLeast(u32),
}

/// Whether a call is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It depends on branches that have not ended.
    Open,
    /// What was asked for is there.
    Succeeded,
    /// It is out of reach.
    Failed,
}

/// What the branches of one call have come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Join {
    rule: JoinRule,
    /// How many branches there are, once that is known.
    total: Option<u64>,
    succeeded: u64,
    failed: u64,
}

impl Join {
    /// Of a call none of whose branches has ended. `total` may be [told](Self::total) later.
    #[must_use]
    pub(crate) const fn new(rule: JoinRule, total: Option<u64>) -> Self {
        Self { rule, total, succeeded: 0, failed: 0 }
    }

    /// Says how many branches there are in all.
    pub(crate) fn total(&mut self, total: u64) {
        self.total = Some(total);
    }

    /// One more branch has ended.
    pub(crate) fn ended(&mut self, succeeded: bool) {
        match succeeded {
            true => self.succeeded += 1,
            false => self.failed += 1,
        }
    }

    /// Whether it is decided.
    #[must_use]
    pub(crate) fn verdict(&self) -> Verdict {
        let all_ended = self.total == Some(self.succeeded + self.failed);
        match self.rule {
            JoinRule::All if self.failed > 0 => Verdict::Failed,
            JoinRule::All | JoinRule::Settle if all_ended => Verdict::Succeeded,
            JoinRule::All | JoinRule::Settle => Verdict::Open,
            JoinRule::Race if self.failed > 0 && self.succeeded == 0 => Verdict::Failed,
            JoinRule::Any | JoinRule::Race => self.of_at_least(1),
            JoinRule::Quorum(wanted) => self.of_at_least(wanted),
            JoinRule::AtLeast(share) => match self.total {
                Some(total) if total - self.failed.min(total) < share_of(total, share) => Verdict::Failed,
                Some(_) if all_ended => Verdict::Succeeded,
                _ => Verdict::Open,
            },
        }
    }

    fn of_at_least(&self, wanted: u64) -> Verdict {
        match self.total {
            _ if self.succeeded >= wanted => Verdict::Succeeded,
            Some(total) if total.saturating_sub(self.failed) < wanted => Verdict::Failed,
            _ => Verdict::Open,
        }
    }
}

/// How many of `total` are at least so many hundredths of a percent of it.
fn share_of(total: u64, hundredths: u32) -> u64 {
    let wanted = (u128::from(total) * u128::from(hundredths)).div_ceil(10_000);
    u64::try_from(wanted).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Join, JoinRule, Verdict, share_of};

    const RULES: [JoinRule; 10] = [
        JoinRule::All,
        JoinRule::Settle,
        JoinRule::Any,
        JoinRule::Race,
        JoinRule::Quorum(1),
        JoinRule::Quorum(3),
        JoinRule::Quorum(9),
        JoinRule::AtLeast(10_000),
        JoinRule::AtLeast(6_600),
        JoinRule::AtLeast(1),
    ];

    /// What a rule says of a list in which everything has ended, read off its definition.
    fn expected(rule: JoinRule, ended: &[bool]) -> bool {
        let successes = ended.iter().filter(|ended| **ended).count() as u64;
        match rule {
            JoinRule::All => ended.iter().all(|ended| *ended),
            JoinRule::Settle => true,
            JoinRule::Any => successes > 0,
            JoinRule::Race => ended.first() == Some(&true),
            JoinRule::Quorum(wanted) => successes >= wanted,
            JoinRule::AtLeast(share) => successes * 10_000 >= u64::from(share) * ended.len() as u64,
        }
    }

    /// Every way in which up to eight branches can end, with the total known from the beginning and only at the end.
    #[test]
    fn a_verdict_comes_as_soon_as_it_is_certain_and_never_changes() {
        for rule in RULES {
            for len in 0..=8_u32 {
                for bits in 0..1_u32 << len {
                    let ended: Vec<bool> = (0..len).map(|bit| bits >> bit & 1 == 1).collect();
                    let known = walk(Join::new(rule, Some(u64::from(len))), &ended, false);
                    let unknown = walk(Join::new(rule, None), &ended, true);
                    assert_eq!(known, unknown, "{rule:?} of {ended:?}");
                    let expected = if expected(rule, &ended) { Verdict::Succeeded } else { Verdict::Failed };
                    assert_eq!(known, expected, "{rule:?} of {ended:?}");
                }
            }
        }
    }

    fn walk(mut join: Join, ended: &[bool], tell: bool) -> Verdict {
        let mut verdict = join.verdict();
        for succeeded in ended {
            join.ended(*succeeded);
            if verdict == Verdict::Open {
                verdict = join.verdict();
            }
        }
        if tell {
            join.total(ended.len() as u64);
        }
        if verdict == Verdict::Open { join.verdict() } else { verdict }
    }

    /// While a verdict is open, both ends are possible.
    #[test]
    fn a_verdict_is_open_only_while_it_depends_on_what_is_left() {
        for rule in RULES.into_iter().filter(|rule| *rule != JoinRule::Settle) {
            for len in 1..=7_u32 {
                for bits in 0..1_u32 << (len - 1) {
                    let begun: Vec<bool> = (0..len - 1).map(|bit| bits >> bit & 1 == 1).collect();
                    let mut join = Join::new(rule, Some(u64::from(len)));
                    let mut open = join.verdict() == Verdict::Open;
                    for succeeded in &begun {
                        join.ended(*succeeded);
                        open &= join.verdict() == Verdict::Open;
                    }
                    // At least p % waits for all of them, to give back what each came to.
                    if !open || matches!(rule, JoinRule::AtLeast(_)) {
                        continue;
                    }
                    let verdicts = [true, false].map(|last| {
                        let mut join = join;
                        join.ended(last);
                        join.verdict()
                    });
                    assert_eq!(verdicts, [Verdict::Succeeded, Verdict::Failed], "{rule:?} after {begun:?} of {len}");
                }
            }
        }
    }

    #[test]
    fn a_share_is_rounded_up() {
        let shares = [(100, 9_500), (10, 9_500), (1, 1), (0, 10_000), (3, 3_334), (3, 3_333), (7, 0)];
        assert_eq!(shares.map(|(total, share)| share_of(total, share)), [95, 10, 1, 0, 2, 1, 0]);
        assert_eq!(share_of(u64::MAX, 10_000), u64::MAX);
    }
}
