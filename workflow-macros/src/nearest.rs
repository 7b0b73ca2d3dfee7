//! The known name that was probably meant.

/// The nearest of `known` to `name`, if it is near enough to be a slip.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let allowed = (name.chars().count() / 3).max(1) + 1;
    let near = known.iter().map(|known| (distance(name, known), *known)).min_by_key(|(distance, _)| *distance);
    near.filter(|(distance, known)| *distance <= allowed || known.starts_with(name) || name.starts_with(known))
        .map(|(_, known)| known)
}

/// “; did you mean …?”, or what is known at all.
pub(crate) fn hint(name: &str, known: &[&str]) -> String {
    match nearest(name, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => listed(known),
    }
}

/// What is known at all.
pub(crate) fn listed(known: &[&str]) -> String {
    let quoted: Vec<_> = known.iter().map(|known| format!("`{known}`")).collect();
    match quoted.as_slice() {
        [] => "it takes none".to_owned(),
        [only] => format!("there is only {only}"),
        all => format!("there are {}", all.join(", ")),
    }
}

/// How many letters have to be added, dropped, replaced or swapped with their neighbour.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut two_rows_up: Vec<usize> = Vec::new();
    let mut row_above: Vec<usize> = (0..=right.len()).collect();
    let mut before = None;
    for (line, left) in left.chars().enumerate() {
        let mut row = vec![line + 1];
        for (column, other) in right.iter().enumerate() {
            let cell = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX - 1);
            let replaced = cell(&row_above, column) + usize::from(left != *other);
            let dropped = cell(&row_above, column + 1) + 1;
            let added = cell(&row, column) + 1;
            let mut least = replaced.min(dropped).min(added);
            let swapped = column.checked_sub(1).and_then(|column| right.get(column)) == Some(&left);
            if swapped && before == Some(*other) {
                least = least.min(cell(&two_rows_up, column - 1) + 1);
            }
            row.push(least);
        }
        two_rows_up = std::mem::replace(&mut row_above, row);
        before = Some(left);
    }
    row_above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{hint, nearest};

    #[test]
    fn slips_are_recognised_and_strangers_are_not() {
        let known = ["retry", "timeout", "cancel"];
        assert_eq!(nearest("retries", &known), Some("retry"));
        assert_eq!(nearest("tiemout", &known), Some("timeout"));
        assert_eq!(nearest("undo", &known), None);
        assert_eq!(hint("undo", &known), "there are `retry`, `timeout`, `cancel`");
    }
}
