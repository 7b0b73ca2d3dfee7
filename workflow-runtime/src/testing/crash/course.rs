//! Places to crash at, as people read and write them.

use std::fmt;
use std::str::FromStr;

use super::super::sim::Point;

/// The variable that has a failed run done again, and no other.
pub(super) const VARIABLE: &str = "WORKFLOW_CRASH";

impl fmt::Display for Point {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Before(write) => write!(formatter, "before={write}"),
            Self::Within(write) => write!(formatter, "within={write}"),
            Self::After(write) => write!(formatter, "after={write}"),
            Self::Ended(step) => write!(formatter, "step={step}"),
            Self::EachStep => formatter.write_str("step=each"),
        }
    }
}

/// One run of a scenario: `seed=7,before=5,after=9`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Course {
    pub(super) seed: u64,
    pub(super) points: Vec<Point>,
}

impl fmt::Display for Course {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "seed={}", self.seed)?;
        self.points.iter().try_for_each(|point| write!(formatter, ",{point}"))
    }
}

impl FromStr for Course {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mistake = || {
            format!(
                "{text:?} names no run: write it as it was printed, such as `seed=7,before=5` or `seed=7,before=5,after=9`"
            )
        };
        let mut course = Self { seed: 0, points: Vec::new() };
        for (index, part) in text.split(',').enumerate() {
            let (name, number) = part.trim().split_once('=').ok_or_else(mistake)?;
            if (name.trim(), number.trim()) == ("step", "each") {
                course.points.push(Point::EachStep);
                continue;
            }
            let number: u64 = number.trim().parse().map_err(|_| mistake())?;
            match (name.trim(), index) {
                ("seed", 0) => course.seed = number,
                ("before", _) => course.points.push(Point::Before(number)),
                ("within", _) => course.points.push(Point::Within(number)),
                ("after", _) => course.points.push(Point::After(number)),
                ("step", _) => course.points.push(Point::Ended(number)),
                _ => return Err(mistake()),
            }
        }
        Ok(course)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_course_is_read_as_it_is_printed() {
        for text in
            ["seed=0", "seed=7,before=5", "seed=18446744073709551615,within=2,after=9,step=1", "seed=1,step=each"]
        {
            assert_eq!(text.parse::<Course>().unwrap().to_string(), text);
        }
        assert_eq!(" after=3 ".parse::<Course>().unwrap().to_string(), "seed=0,after=3");
    }

    #[test]
    fn what_is_no_course_is_refused_with_an_example() {
        for text in ["", "seed", "seed=x", "before=1,seed=2", "behind=3", "before=-1", "before=1,"] {
            let told = text.parse::<Course>().unwrap_err();
            assert!(told.contains("seed=7,before=5"), "{text}: {told}");
        }
    }
}
