//! Which runs there are, one after another.

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;

use super::check::{self, Seen};
use super::compare::add_fields;
use super::course::Course;
use super::told::{Failure, told};
use super::{CrashReport, CrashTest};
use crate::base::Result as Ended;
use crate::testing::again::Call;
use crate::testing::names::instead;
use crate::testing::sim::{Played, Point, Sim, play};

pub(super) struct Runs<'a, S> {
    test: &'a CrashTest,
    call: Call,
    scenario: &'a S,
    report: CrashReport,
    /// The fields in the data that is left without a crash, once a run without one has ended well.
    fields: Option<BTreeSet<String>>,
}

/// A place to crash at, and how far a run that crashed there had come.
struct Single {
    point: Point,
    /// How many writes and steps there were at the crash, and in the end.
    at: (u64, u64),
    counts: (u64, u64),
}

impl<'a, T: fmt::Debug, F: Future<Output = Ended<T>>, S: Fn(Sim) -> F> Runs<'a, S> {
    pub(super) fn new(test: &'a CrashTest, call: Call, scenario: &'a S) -> Self {
        Self { test, call, scenario, report: CrashReport::default(), fields: None }
    }

    pub(super) fn report(&self) -> CrashReport {
        self.report
    }

    /// What is said of a name that is ignored, and that no field has.
    pub(super) fn ignored_in_vain(&self) -> Option<String> {
        let fields = self.fields.as_ref()?;
        let name = self.test.ignored.iter().find(|name| !fields.contains(*name))?;
        let there_are = instead(name, fields.iter().map(String::as_str));
        Some(format!(
            "`ignoring({name:?})`: nothing that an execution ends with has such a field; there are {there_are}"
        ))
    }

    #[track_caller]
    fn play(&self, course: &Course) -> Played<String> {
        // What comes of it is told as it is printed.
        play(course.seed, course.points.clone(), |sim| {
            let ended = (self.scenario)(sim);
            async move { Ok(format!("{:#?}", ended.await?)) }
        })
    }

    /// The run without a crash, which all others are compared with.
    #[track_caller]
    fn without(&mut self, seed: u64) -> Result<Seen, String> {
        let course = Course { seed, points: Vec::new() };
        let played = self.play(&course);
        if let Some(what) = played.ending.failure() {
            return Err(told(self.call, &course, &played, None, Failure::of(what)));
        }
        let fields = self.fields.get_or_insert_default();
        played.kept.iter().for_each(|kept| add_fields(kept, fields));
        let seen = Seen::new(played);
        let again = self.play(&course);
        if let Err(failure) = check::same(&seen, &again, &self.test.ignored) {
            return Err(told(self.call, &course, &again, Some(&seen), failure.by_itself()));
        }
        (self.report.writes, self.report.steps) = seen.played.counts;
        Ok(seen)
    }

    /// One run with crashes, compared with the one without.
    #[track_caller]
    fn with(&self, course: &Course, without: &Seen) -> Result<Played<String>, String> {
        let played = self.play(course);
        match check::survived(without, &played, &self.test.ignored) {
            Ok(()) => Ok(played),
            Err(failure) => Err(told(self.call, course, &played, Some(without), failure)),
        }
    }

    /// The run of this name alone.
    #[track_caller]
    pub(super) fn alone(&mut self, course: &Course) -> Result<(), String> {
        let without = self.without(course.seed)?;
        if !course.points.is_empty() {
            let played = self.with(course, &without)?;
            check::came_to_its_points(&played)
                .map_err(|failure| told(self.call, course, &played, Some(&without), failure))?;
            self.report.single = 1;
        }
        Ok(())
    }

    #[track_caller]
    pub(super) fn everywhere(&mut self, seed: u64) -> Result<(), String> {
        let without = self.without(seed)?;
        let (writes, steps) = without.played.counts;
        let mut singles = Vec::new();
        for point in self.points((0, 0), (writes, steps), &without.played.batches) {
            let course = Course { seed, points: vec![point] };
            let played = self.with(&course, &without)?;
            let at = played.deaths.first().copied().unwrap_or(played.counts);
            self.report.missed += usize::from(!played.left.is_empty());
            singles.push(Single { point, at, counts: played.counts });
            self.report.single += 1;
        }
        if self.test.repeats_alone {
            let course = Course { seed, points: vec![Point::EachStep] };
            self.with(&course, &without)?;
            self.report.single += 1;
            return Ok(());
        }
        let there_are: usize = singles.iter().map(|single| self.points(single.at, single.counts, &[]).count()).sum();
        self.report.pairs_there_are += there_are;
        let pairs = singles
            .iter()
            .flat_map(|single| self.points(single.at, single.counts, &[]).map(|second| [single.point, second]));
        let pairs: Vec<_> = spread(pairs, there_are, self.test.pairs).collect();
        for points in pairs {
            let played = self.with(&Course { seed, points: points.to_vec() }, &without)?;
            self.report.missed += usize::from(!played.left.is_empty());
            self.report.pairs += 1;
        }
        Ok(())
    }

    /// The points after so many writes and steps, up to so many.
    fn points(&self, from: (u64, u64), to: (u64, u64), batches: &[u64]) -> impl Iterator<Item = Point> + use<T, F, S> {
        let writes = if self.test.repeats_alone { 0..0 } else { from.0..to.0 };
        let batches = batches.to_vec();
        let writes = writes.map(|write| write + 1).flat_map(move |write| {
            let within = batches.contains(&write).then_some(Point::Within(write));
            [Some(Point::Before(write)), within, Some(Point::After(write))].into_iter().flatten()
        });
        writes.chain((from.1..to.1).map(|step| Point::Ended(step + 1)))
    }
}

/// At most so many of `all`, from its beginning to its end.
fn spread<P>(all: impl Iterator<Item = P>, there_are: usize, most: usize) -> impl Iterator<Item = P> {
    let most = most.min(there_are);
    // Each is taken at which the next whole number is reached.
    let is_taken = move |index: usize| (index + 1) * most / there_are.max(1) > index * most / there_are.max(1);
    all.enumerate().filter(move |(index, _)| is_taken(*index)).map(|(_, one)| one)
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn what_is_left_out_is_left_out_everywhere() {
        let taken = |there_are: usize, most| spread(0..there_are, there_are, most).collect::<Vec<_>>();
        assert_eq!(taken(10, 5), [1, 3, 5, 7, 9]);
        assert_eq!(taken(3, 200), [0, 1, 2]);
        assert_eq!(taken(7, 3), [2, 4, 6]);
        assert_eq!(taken(5, 0), [0_usize; 0]);
        assert_eq!(taken(0, 5), [0_usize; 0]);
    }
}
