//! Durations as text: `15m`, `1h30m`, `200ms..30s`.

use std::time::Duration;

use syn::LitStr;

const UNITS: [(&str, u64); 6] =
    [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 604_800_000)];
/// A hundred years: what is longer is a slip, and all of it fits into any clock.
const LONGEST_MILLIS: u64 = 100 * 365 * 86_400_000;

/// A duration that is not zero.
pub(crate) fn parse_duration(literal: &LitStr) -> syn::Result<Duration> {
    parse(&literal.value()).map_err(|message| syn::Error::new(literal.span(), message))
}

/// A lower and an upper bound.
pub(crate) fn parse_range(literal: &LitStr) -> syn::Result<(Duration, Duration)> {
    let error = |message: String| syn::Error::new(literal.span(), message);
    let text = literal.value();
    let Some((low, high)) = text.split_once("..") else {
        return Err(error(format!(
            "`{text}` is not a range: write the shortest and the longest pause, as in \"200ms..30s\""
        )));
    };
    let (low, high) = (parse(low).map_err(error)?, parse(high).map_err(error)?);
    if low > high {
        return Err(error(format!("the range `{text}` is upside down: write the shorter pause first")));
    }
    Ok((low, high))
}

/// The duration as a person writes it: `1h30m`.
pub(crate) fn duration_text(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (unit, factor) in UNITS.iter().rev() {
        let count = rest / factor;
        rest %= factor;
        if count > 0 {
            text.push_str(&format!("{count}{unit}"));
        }
    }
    text
}

fn parse(text: &str) -> Result<Duration, String> {
    let mut rest = text.trim();
    let mut millis = 0_u64;
    if rest.is_empty() {
        return Err("an empty duration: write a number and a unit, as in \"15m\"".to_owned());
    }
    let too_long = || format!("`{text}` is longer than 100 years");
    while !rest.is_empty() {
        let (number, tail) = rest.split_at(rest.find(|char: char| !char.is_ascii_digit()).unwrap_or(rest.len()));
        let (unit, tail) = tail.split_at(tail.find(|char: char| char.is_ascii_digit()).unwrap_or(tail.len()));
        if number.is_empty() {
            return Err(format!("`{text}` is not a duration: write a number and a unit, as in \"15m\" or \"1h30m\""));
        }
        if unit.is_empty() {
            return Err(format!("`{text}` has no unit: write \"{number}s\" or \"{number}m\", for example"));
        }
        // `1h 30m`
        let Some((_, factor)) = UNITS.iter().find(|(name, _)| *name == unit.trim_end()) else {
            let write = meant(unit).map(|unit| format!(" write \"{number}{unit}\";")).unwrap_or_default();
            let unit = unit.trim();
            return Err(format!("`{unit}` is not a unit of time:{write} there are `ms`, `s`, `m`, `h`, `d`, `w`"));
        };
        let number: u64 = number.parse().map_err(|_| too_long())?;
        let part = number.checked_mul(*factor).ok_or_else(too_long)?;
        millis = millis.checked_add(part).filter(|millis| *millis <= LONGEST_MILLIS).ok_or_else(too_long)?;
        rest = tail;
    }
    if millis == 0 {
        return Err(format!("`{text}` is no time at all: write at least \"1ms\""));
    }
    Ok(Duration::from_millis(millis))
}

/// The unit that a word stands for.
fn meant(word: &str) -> Option<&'static str> {
    Some(match word.trim().to_lowercase().as_str() {
        "ms" | "msec" | "milli" | "millis" | "millisecond" | "milliseconds" => "ms",
        "s" | "sec" | "secs" | "second" | "seconds" => "s",
        "m" | "min" | "mins" | "minute" | "minutes" => "m",
        "h" | "hr" | "hrs" | "hour" | "hours" => "h",
        "d" | "day" | "days" => "d",
        "w" | "week" | "weeks" => "w",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::parse;

    #[test]
    fn units_are_added_up() {
        assert_eq!(parse("15m"), Ok(Duration::from_secs(900)));
        assert_eq!(parse("1h30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(parse("1h 30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(parse("200ms"), Ok(Duration::from_millis(200)));
        assert_eq!(parse("2w"), Ok(Duration::from_secs(1_209_600)));
    }

    #[test]
    fn durations_are_written_as_they_are_read() {
        for text in ["15m", "1h30m", "200ms", "2w", "1d12h"] {
            assert_eq!(parse(text).map(super::duration_text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn a_unit_that_is_written_out_is_told_in_short() {
        for (text, write) in [("15min", "15m"), ("90 days", "90d"), ("1h 30 Minutes", "30m"), ("1 s", "1s")] {
            let told = parse(text).unwrap_err();
            assert!(told.contains(&format!("write \"{write}\"")), "{text}: {told}");
        }
        assert!(!parse("3months").unwrap_err().contains("write"));
    }

    #[test]
    fn slips_are_refused() {
        for text in
            ["", "m", "15", "15min", "0s", "0h0m", "1.5h", "-1s", "99999999999999999999s", "101w1000000d", "１s"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
