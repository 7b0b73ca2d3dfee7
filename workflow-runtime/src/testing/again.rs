//! How to have a run that failed again.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::str::FromStr;

thread_local! {
    /// How often each was called: a test has a thread of its own.
    static CALLS: RefCell<BTreeMap<&'static str, u64>> = const { RefCell::new(BTreeMap::new()) };
}

/// One call of a test of many runs, of which a test function may have several.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    variable: &'static str,
    /// Which one it is in its test, from 1.
    number: u64,
}

impl Call {
    /// The next call in this test of what is asked for with this variable.
    pub(super) fn next(variable: &'static str) -> Self {
        let number = CALLS.with_borrow_mut(|calls| {
            let number = calls.entry(variable).or_insert(0);
            *number += 1;
            *number
        });
        Self { variable, number }
    }

    /// What the variable asks of this call, if it does: `seed=0,before=5,call=2` asks something of the second one alone. What names no
    /// call asks it of the first one, if `is_one` says that it names one run; else of all.
    ///
    /// # Errors
    /// If it says no number.
    pub(super) fn asked(&self, is_one: impl Fn(&str) -> bool) -> Result<Option<String>, String> {
        let asked = std::env::var(self.variable).ok().filter(|asked| !asked.trim().is_empty());
        asked.map_or(Ok(None), |asked| self.of(&asked, is_one))
    }

    /// The one run that the variable asks of this call, or else what the test gives.
    ///
    /// # Panics
    /// If what is asked for is no run.
    #[track_caller]
    pub(super) fn only<C: FromStr<Err = String> + Clone>(&self, given: Option<&Result<C, String>>) -> Option<C> {
        let asked = self.asked(|_| true).transpose();
        let asked = asked.map(|asked| asked.and_then(|asked| asked.parse()));
        match asked.or_else(|| given.cloned()) {
            Some(Err(mistake)) => panic!("{mistake}"),
            Some(Ok(run)) => Some(run),
            None => None,
        }
    }

    fn of(&self, asked: &str, is_one: impl Fn(&str) -> bool) -> Result<Option<String>, String> {
        let call = |part: &&str| part.trim_start().starts_with("call=");
        let (calls, rest): (Vec<&str>, Vec<&str>) = asked.split(',').partition(call);
        let rest = rest.join(",");
        let number = match calls[..] {
            [] => is_one(&rest).then_some(1),
            [call, ..] => match call.trim().trim_start_matches("call=").parse::<u64>() {
                Ok(number) if number > 0 => Some(number),
                _ => {
                    return Err(format!(
                        "{} is {asked:?}: write it as it was printed; the calls of a test are counted from 1, as in `call=2`",
                        self.variable
                    ));
                }
            },
        };
        Ok(number.is_none_or(|number| number == self.number).then_some(rest))
    }

    /// What to type to have this call of the present test again, with this asked of it.
    pub(super) fn command(&self, value: &str) -> String {
        let package = std::env::var("CARGO_PKG_NAME").map(|name| format!(" -p {name}")).unwrap_or_default();
        let thread = std::thread::current();
        let test =
            thread.name().filter(|name| *name != "main").map(|name| format!(" -- --exact {name}")).unwrap_or_default();
        let call = if self.number == 1 { String::new() } else { format!(",call={}", self.number) };
        format!("{}='{value}{call}' cargo test{package}{test}", self.variable)
    }
}

#[cfg(test)]
mod tests {
    use super::Call;

    #[test]
    fn what_is_asked_is_asked_of_one_call_or_of_all() {
        let (first, second) = (Call::next("OTHER"), Call::next("OTHER"));
        assert_eq!((first.number, second.number, Call::next("ANOTHER").number), (1, 2, 1));
        let (one, all) = (|_: &str| true, |_: &str| false);
        let run = || Ok(Some("seed=0,before=5".to_owned()));
        assert_eq!((first.of("seed=0,before=5", one), second.of("seed=0,before=5", one)), (run(), Ok(None)));
        assert_eq!((first.of("seed=0,before=5", all), second.of("seed=0,before=5", all)), (run(), run()));
        assert_eq!(first.of("seed=0,before=5,call=2", one), Ok(None));
        assert_eq!(second.of("seed=0,before=5, call=2", all), run());
        for text in ["call=", "call=0,seed=1", "seed=1,call=x"] {
            assert!(second.of(text, one).unwrap_err().contains("are counted from 1, as in `call=2`"), "{text}");
        }
        assert!(first.command("seed=1").starts_with("OTHER='seed=1' cargo test"));
        assert!(second.command("seed=1").starts_with("OTHER='seed=1,call=2' cargo test"));
    }
}
