//! Names that a test says as text.

use std::collections::BTreeSet;

use crate::base::distance;
use crate::machine::Graph;

/// The end of what is said of a name that nothing has: the names that there are, and the one that was probably meant.
pub(super) fn instead<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let meant = nearest(name, &known).map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
    let known: Vec<_> = known.iter().map(|known| format!("`{known}`")).collect();
    match known.is_empty() {
        true => "none".to_owned(),
        false => format!("{}{meant}", known.join(", ")),
    }
}

/// The known name that is fewest letters away, if it is near.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let plain = |name: &str| name.to_lowercase().replace(['-', ' '], "_");
    let apart = |known: &&'a str| (distance(&plain(name), &plain(known)), *known);
    let allowed = name.chars().count() / 3 + 1;
    known.iter().map(apart).filter(|(apart, _)| *apart <= allowed).min().map(|(_, known)| known)
}

/// The names of the steps of these workflows, and of what undoes them.
pub(super) fn steps_of(graphs: &[&'static Graph]) -> BTreeSet<&'static str> {
    let steps = graphs.iter().flat_map(|graph| graph.steps);
    steps.flat_map(|step| [Some(step.name), step.undo]).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_that_was_meant_is_told_with_all_that_there_are() {
        let told = |name| instead(name, ["book_parcel", "pay"]);
        assert_eq!(told("bok_parcel"), "`book_parcel`, `pay`; did you mean `book_parcel`?");
        assert_eq!(told("BookParcel"), "`book_parcel`, `pay`; did you mean `book_parcel`?");
        assert_eq!(told("pya"), "`book_parcel`, `pay`; did you mean `pay`?");
        assert_eq!(told("write_to_customer"), "`book_parcel`, `pay`");
        assert_eq!(instead("pay", []), "none");
    }
}
