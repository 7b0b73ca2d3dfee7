//! Many walks, and the shortest one that breaks something.

use std::fmt;
use std::str::FromStr;

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::Walk;
use super::act::{Act, read, written};
use super::told::WalkFailure;
use crate::machine::Workflow;
use crate::testing::again::Call;
use crate::testing::names::{instead, steps_of};
use crate::testing::sim::outside_of_a_runtime;

/// The variable that says which walks there are.
const VARIABLE: &str = "WORKFLOW_WALK";

/// How many walks are tried to make one that fails shorter.
const MOST_TRIES: usize = 2_000;

/// What was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct WalkReport {
    /// How many walks there were.
    pub walks: u32,
    /// How many acts they had together.
    pub acts: usize,
}

impl fmt::Display for WalkReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} walks of {} acts", self.walks, self.acts)
    }
}

/// Which walks: `seed=7`, `walks=10000`, `seed=7,walk=3` for one alone.
#[derive(Debug, Default, PartialEq, Eq)]
struct Course {
    seed: Option<u64>,
    walk: Option<u32>,
    walks: Option<u32>,
}

impl FromStr for Course {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mistake = || {
            format!(
                "{VARIABLE} is {text:?}: write it as it was printed, such as `seed=7,walk=3`, or say how many with `walks=10000`"
            )
        };
        let mut course = Self::default();
        for part in text.split(',') {
            let (name, number) = part.split_once('=').ok_or_else(mistake)?;
            let number = number.trim();
            match name.trim() {
                "seed" => course.seed = Some(number.parse().map_err(|_| mistake())?),
                "walk" => course.walk = Some(number.parse().map_err(|_| mistake())?),
                "walks" => course.walks = Some(number.parse().map_err(|_| mistake())?),
                _ => return Err(mistake()),
            }
        }
        Ok(course)
    }
}

impl<W: Workflow, O> Walk<W, O> {
    /// Plays all walks.
    ///
    /// # Panics
    /// If one of them breaks something: with the shortest walk that does, its history, and the line to type to have it again. If
    /// what was said of the walks cannot be meant.
    #[track_caller]
    pub fn run(mut self) -> WalkReport {
        // Said here, as panics of a walk are told in the end alone.
        outside_of_a_runtime();
        let call = Call::next(VARIABLE);
        let asked = call.asked(|asked| asked.contains("walk="));
        let course = match asked.and_then(|asked| asked.map_or(Ok(Course::default()), |asked| asked.parse())) {
            Ok(course) => course,
            Err(mistake) => panic!("{mistake}"),
        };
        if let Err(mistake) = self.check() {
            panic!("{mistake}");
        }
        if let Some(text) = self.only.clone() {
            let acts = match read(&text).and_then(|acts| self.known(&acts).map(|()| acts)) {
                Ok(acts) => acts,
                Err(mistake) => panic!("{mistake}"),
            };
            if let Err(failure) = self.play_acts(&acts) {
                panic!("the walk breaks what is to hold\n\n{failure}");
            }
            return WalkReport { walks: 1, acts: acts.len() };
        }
        self.seed = course.seed.unwrap_or(self.seed);
        let walks = match course.walk {
            Some(walk) => walk..walk.saturating_add(1),
            None => 0..course.walks.unwrap_or(self.walks),
        };
        let mut report = WalkReport { walks: 0, acts: 0 };
        let is_all = course.walk.is_none();
        for walk in walks {
            match self.one(walk) {
                Ok(acts) => (report.walks, report.acts) = (report.walks + 1, report.acts + acts),
                Err((failure, tries)) => panic!("{}", self.told(call, walk, &failure, tries)),
            }
        }
        if is_all && report.walks > 0 {
            if let Some(step) = self.never_called() {
                panic!(
                    "the step `{step}` is to fail, and was not called in {report}: is that its name? The steps of {} are {}",
                    W::NAME,
                    instead(step, steps_of(&[W::GRAPH]))
                );
            }
            // Who asks for another number of walks asks for what there is time for.
            if let Some(event) = self.never_sent().filter(|_| course.walks.is_none()) {
                panic!(
                    "the event `{event}` is given, and was not sent in {report}, so nothing is known of it: let there be more of them with `.walks(…)`, or longer ones with `.length(…)`"
                );
            }
        }
        report
    }

    /// One walk: how many acts it has; or the shortest that fails, and how many were tried for that.
    fn one(&self, walk: u32) -> Result<usize, (WalkFailure, usize)> {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.seed.to_le_bytes());
        seed[8..12].copy_from_slice(&walk.to_le_bytes());
        let config = Config { failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
        let mut tree = match self.acts().new_tree(&mut runner) {
            Ok(tree) => tree,
            Err(reason) => panic!("no walk can be made: {reason}"),
        };
        let acts = tree.current();
        let Err(mut shortest) = self.play_acts(&acts) else { return Ok(acts.len()) };
        let mut tries = 0;
        let mut changed = tree.simplify();
        while changed && tries < MOST_TRIES {
            tries += 1;
            changed = match self.play_acts(&tree.current()) {
                Err(failure) => {
                    shortest = failure;
                    tree.simplify()
                }
                Ok(()) => tree.complicate(),
            };
        }
        // What the last changes have made needless.
        'again: while tries < MOST_TRIES {
            for place in 0..shortest.acts().len() {
                tries += 1;
                let mut fewer: Vec<Act> = shortest.acts().to_vec();
                fewer.remove(place);
                if let Err(failure) = self.play_acts(&fewer) {
                    shortest = failure;
                    continue 'again;
                }
            }
            break;
        }
        Err((shortest, tries))
    }

    fn told(&self, call: Call, walk: u32, failure: &WalkFailure, tries: usize) -> String {
        let again = call.command(&format!("seed={},walk={walk}", self.seed));
        format!(
            "a walk breaks what is to hold: the shortest of {tries} that were tried\n\n{failure}\nthis walk again: {again}\n             or: .only({:?})",
            written(failure.acts())
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_course_is_read_and_what_is_none_is_refused() {
        let course = |text: &str| text.parse::<Course>();
        assert_eq!(course("seed=7, walk=3"), Ok(Course { seed: Some(7), walk: Some(3), walks: None }));
        assert_eq!(course("walks=10000"), Ok(Course { walks: Some(10_000), ..Course::default() }));
        for text in ["", "seed", "seed=x", "walk=-1", "run=1"] {
            assert!(course(text).unwrap_err().contains("seed=7,walk=3"), "{text}");
        }
    }
}
