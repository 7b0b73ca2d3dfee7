//! How far a misspelt name is from those that exist.

/// How many letters have to be added, dropped or replaced.
pub(crate) fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for (line, left) in left.chars().enumerate() {
        let mut row = vec![line + 1];
        for ((corner, up), other) in above.iter().zip(above.iter().skip(1)).zip(&right) {
            let before = row.last().copied().unwrap_or(0);
            row.push((corner + usize::from(left != *other)).min(up + 1).min(before + 1));
        }
        above = row;
    }
    above.last().copied().unwrap_or(0)
}
