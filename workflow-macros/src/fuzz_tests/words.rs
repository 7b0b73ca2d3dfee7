//! Token streams of chance, made of words that our attributes know.

use fastrand::Rng;
use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};

const WORDS: &[&str] = &[
    "Self",
    "adaptive",
    "after",
    "all",
    "allow",
    "any",
    "as",
    "async",
    "at",
    "at_least",
    "await",
    "backoff",
    "base",
    "blocking",
    "bound",
    "break",
    "breaker",
    "cancel",
    "cap",
    "catch",
    "const",
    "crate",
    "cx",
    "Cx",
    "defer",
    "dep",
    "derive",
    "doc",
    "drop",
    "dyn",
    "each",
    "end",
    "endless_wait",
    "enum",
    "equal",
    "Error",
    "event",
    "every",
    "failures",
    "flatten",
    "fn",
    "for",
    "fragile_step",
    "from",
    "full",
    "goto",
    "group",
    "heartbeat",
    "id",
    "if",
    "impl",
    "include",
    "index",
    "into",
    "item",
    "jitter",
    "join",
    "keep",
    "key",
    "let",
    "limit",
    "match",
    "max",
    "migrate",
    "min",
    "mod",
    "move",
    "mut",
    "name",
    "never",
    "Next",
    "none",
    "on",
    "on_failure",
    "only",
    "open",
    "Option",
    "Order",
    "paid",
    "parallel",
    "park",
    "part",
    "path",
    "Payment",
    "Pending",
    "pivot",
    "pub",
    "quorum",
    "race",
    "rate",
    "recv",
    "ref",
    "refuse",
    "reject",
    "release",
    "rename",
    "Reply",
    "Result",
    "retry",
    "return",
    "s",
    "self",
    "serde",
    "settle",
    "skip",
    "start",
    "state",
    "State",
    "static",
    "Stay",
    "step",
    "str",
    "String",
    "struct",
    "super",
    "timeout",
    "transparent",
    "type",
    "u32",
    "undo",
    "unsafe",
    "Unwind",
    "unwind",
    "use",
    "Vec",
    "version",
    "vis",
    "Wait",
    "was",
    "where",
    "while",
    "with",
    "within",
    "workflow",
];

const TEXTS: [&str; 22] = [
    "",
    "0",
    "15m",
    "1h30m",
    "200ms..30s",
    "30s..200ms",
    "..",
    "2d",
    "99999999999999999999d",
    "1.5h",
    "-1s",
    "95%",
    "100/1s",
    "0/0",
    "::other::machines",
    "a::",
    "ä",
    "1ä",
    "{{}}",
    "snake_case",
    "\0\n",
    "18446744073709551615",
];

const PUNCTS: [char; 21] =
    ['#', '!', ':', ',', ';', '=', '<', '>', '&', '.', '?', '-', '+', '*', '|', '@', '$', '%', '/', '^', '~'];

/// A few tokens, in groups of at most this depth.
pub(super) fn stream(chance: &mut Rng, depth: u32) -> TokenStream {
    (0..chance.usize(0..8)).flat_map(|_| token(chance, depth)).collect()
}

/// One token, or two that belong together.
pub(super) fn token(chance: &mut Rng, depth: u32) -> Vec<TokenTree> {
    let word = *chance.choice(WORDS).unwrap_or(&"state");
    let ident = || TokenTree::from(Ident::new(word, Span::call_site()));
    let punct = |sign, spacing| TokenTree::from(Punct::new(sign, spacing));
    match chance.u8(0..20) {
        0..=8 => vec![ident()],
        9..=11 => {
            let spacing = if chance.bool() { Spacing::Joint } else { Spacing::Alone };
            vec![punct(*chance.choice(&PUNCTS).unwrap_or(&','), spacing)]
        }
        12 => vec![punct(':', Spacing::Joint), punct(':', Spacing::Alone)],
        13 => vec![punct('\'', Spacing::Joint), ident()],
        14 => vec![TokenTree::from(Ident::new("_", Span::call_site()))],
        15 => vec![TokenTree::from(Ident::new_raw("type", Span::call_site()))],
        16 | 17 => vec![literal(chance)],
        _ if depth == 0 => vec![punct(',', Spacing::Alone)],
        _ => vec![Group::new(delimiter(chance), stream(chance, depth - 1)).into()],
    }
}

pub(super) fn delimiter(chance: &mut Rng) -> Delimiter {
    match chance.u8(0..4) {
        0 => Delimiter::Brace,
        1 => Delimiter::Bracket,
        // As what a macro by example hands on.
        2 => Delimiter::None,
        _ => Delimiter::Parenthesis,
    }
}

fn literal(chance: &mut Rng) -> TokenTree {
    let text = *chance.choice(&TEXTS).unwrap_or(&"");
    match chance.u8(0..10) {
        0 => Literal::u64_unsuffixed(chance.u64(..)),
        1 => Literal::u32_suffixed(chance.u32(0..3)),
        2 => Literal::f64_unsuffixed(0.95),
        3 => Literal::character('\''),
        4 => Literal::byte_string(text.as_bytes()),
        5 => Literal::u128_unsuffixed(u128::MAX),
        _ => Literal::string(text),
    }
    .into()
}
