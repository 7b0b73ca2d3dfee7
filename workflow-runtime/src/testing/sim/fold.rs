//! Histories that go round: what is the same again and again is told once.

/// The longest round that is looked for, in lines.
const LONGEST: usize = 6;

/// So often it has to come in a row.
const OFTEN: usize = 3;

/// A line of a history: when, in which visit, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::testing) struct Line {
    pub(in crate::testing) at: String,
    pub(in crate::testing) visit: Option<u64>,
    pub(in crate::testing) what: String,
}

impl Line {
    fn told(&self) -> String {
        let visit = self.visit.map_or_else(String::new, |visit| format!("visit {visit}  "));
        format!("{:>12}  {visit}{}", self.at, self.what)
    }
}

/// The lines as they are printed. Where some come again and again in the same order, at other times and in other visits, the first
/// of them are there, and how often they come again.
pub(in crate::testing) fn folded(lines: &[Line]) -> Vec<String> {
    let mut told = Vec::new();
    let mut place = 0;
    while let Some(line) = lines.get(place) {
        let Some((round, times)) = round(&lines[place..]) else {
            told.push(line.told());
            place += 1;
            continue;
        };
        told.extend(lines[place..place + round].iter().map(Line::told));
        place += round * times;
        let which = if round == 1 { "the same".to_owned() } else { format!("the same {round} lines") };
        told.push(format!("{:>12}  … {which} {} times more, until {}", "", times - 1, lines[place - 1].at));
    }
    told
}

/// How many lines the round has that begins here, and how often it comes, if that is often.
fn round(lines: &[Line]) -> Option<(usize, usize)> {
    (1..=LONGEST.min(lines.len() / OFTEN)).find_map(|round| {
        let same =
            |one: &[Line]| one.len() == round && one.iter().zip(lines).all(|(one, first)| one.what == first.what);
        let times = lines.chunks(round).take_while(|one| same(one)).count();
        (times >= OFTEN).then_some((round, times))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(whats: &str) -> Vec<Line> {
        let line = |(place, what): (usize, &str)| Line {
            at: format!("+{place}"),
            visit: Some(place as u64),
            what: what.to_owned(),
        };
        whats.split(' ').enumerate().map(line).collect()
    }

    fn told(whats: &str) -> Vec<String> {
        let told = folded(&lines(whats));
        let what = |line: &String| {
            let line = line.trim_start();
            line.strip_prefix('+').and_then(|line| line.split_once("  ")).map_or(line, |(_, what)| what).to_owned()
        };
        told.iter().map(what).collect()
    }

    #[test]
    fn what_comes_again_and_again_is_told_once() {
        assert_eq!(
            told("a b b b b c"),
            ["visit 0  a", "visit 1  b", "… the same 3 times more, until +4", "visit 5  c"]
        );
        let rounds = ["visit 0  a", "visit 1  b", "… the same 2 lines 2 times more, until +5", "visit 6  a"];
        assert_eq!(told("a b a b a b a"), rounds);
        let few = folded(&lines("a b a b c c"));
        assert_eq!(few.len(), 6, "twice is told twice: {few:?}");
        assert!(folded(&[]).is_empty());
    }

    #[test]
    fn ten_thousand_lines_are_a_few() {
        let many = "tick ".repeat(10_000);
        assert_eq!(told(many.trim_end()), ["visit 0  tick", "… the same 9999 times more, until +9999"]);
    }
}
