//! Time zones by their names.

use jiff::tz::{self, TimeZone};

use super::ScheduleError;
use crate::base::distance;

/// The zone of this name in the system's database, or the one that is built in.
pub(super) fn find(name: &str) -> Result<TimeZone, ScheduleError> {
    TimeZone::get(name).map_err(|_| ScheduleError::TimeZone { name: name.to_owned(), nearest: nearest(name) })
}

/// The known name that was probably meant: one that ends so, or the one that is fewest letters away.
fn nearest(name: &str) -> Option<String> {
    let wanted = name.trim().replace(' ', "_").to_lowercase();
    let allowed = wanted.len() / 3 + 1;
    let known = tz::db().available().map(|known| known.as_str().to_owned());
    let by_distance = known.filter_map(|known| {
        let lower = known.to_lowercase();
        let city = lower.rsplit('/').next().unwrap_or(&lower);
        let city_wanted = wanted.rsplit('/').next().unwrap_or(&wanted);
        let apart = if city == city_wanted { 0 } else { distance(&wanted, &lower).min(distance(&wanted, city)) };
        (apart <= allowed).then_some((apart, known))
    });
    by_distance.min().map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zone_that_was_meant_is_named() {
        for (name, meant) in
            [("Berlin", "Europe/Berlin"), ("Europe/Berln", "Europe/Berlin"), ("America/New York", "America/New_York")]
        {
            assert_eq!(nearest(name).as_deref(), Some(meant));
        }
        assert_eq!(nearest("the moon, dark side"), None);
        assert!(find("Europe/Berlin").is_ok() && find("europe/berlin").is_ok() && find("UTC").is_ok());
        let error = find("Berlin").unwrap_err().to_string();
        assert!(error.contains("did you mean `Europe/Berlin`?"), "{error}");
    }
}
