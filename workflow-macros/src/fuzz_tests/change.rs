//! One change at a random place of a token stream, however deep.

use fastrand::Rng;
use proc_macro2::{Group, TokenStream, TokenTree};

use super::words::{delimiter, stream, token};

/// Changes `tokens` once; `other` is what may be put into it.
pub(super) fn change(tokens: TokenStream, other: &TokenStream, chance: &mut Rng) -> TokenStream {
    let mut trees: Vec<TokenTree> = tokens.into_iter().collect();
    let groups: Vec<usize> = trees
        .iter()
        .enumerate()
        .filter(|(_, tree)| matches!(tree, TokenTree::Group(_)))
        .map(|(place, _)| place)
        .collect();
    if let Some(place) = chance.choice(&groups)
        && chance.u8(0..10) < 8
        && let Some(TokenTree::Group(group)) = trees.get(*place)
    {
        let inner = change(group.stream(), other, chance);
        trees[*place] = Group::new(group.delimiter(), inner).into();
        return trees.into_iter().collect();
    }
    let place = chance.usize(0..=trees.len());
    if trees.get(place).is_none() {
        trees.extend(token(chance, 2));
        return trees.into_iter().collect();
    }
    let next = (place + 1).min(trees.len());
    match chance.u8(0..10) {
        0 | 1 => drop(trees.remove(place)),
        2 => trees.insert(place, trees[place].clone()),
        3 => trees.swap(place, chance.usize(0..next)),
        4 | 5 => drop(trees.splice(place..next, token(chance, 2))),
        6 => drop(trees.splice(place..place, token(chance, 2))),
        7 => trees.truncate(place),
        8 => drop(trees.splice(place..place, piece_of(other.clone(), chance))),
        _ => match trees[place].clone() {
            TokenTree::Group(group) if chance.bool() => drop(trees.splice(place..next, group.stream())),
            TokenTree::Group(group) => trees[place] = Group::new(delimiter(chance), group.stream()).into(),
            _ => trees[place] = Group::new(delimiter(chance), stream(chance, 2)).into(),
        },
    }
    trees.into_iter().collect()
}

/// Some tokens that follow each other somewhere in `tokens`.
fn piece_of(tokens: TokenStream, chance: &mut Rng) -> Vec<TokenTree> {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    if let Some(TokenTree::Group(group)) = chance.choice(&trees)
        && chance.u8(0..4) > 0
    {
        return piece_of(group.stream(), chance);
    }
    let start = chance.usize(0..=trees.len());
    trees.into_iter().skip(start).take(chance.usize(1..12)).collect()
}
