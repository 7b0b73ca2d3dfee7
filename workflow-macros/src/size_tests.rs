//! How much is generated. What a machine costs to compile grows with the tokens of its expansion, which can be counted.

use std::fmt::Write as _;

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;

use crate::data_impl::expand_data_attribute;
use crate::machine_impl::expand_workflow_attribute;
use crate::parse::data::DataKind;

/// For each state of a machine, with 1.9 handlers each. To raise it is to say that every user waits longer for every check.
const MACHINE_AT_MOST: usize = 1_725;

/// For a state with three fields.
const STATE_AT_MOST: usize = 396;

fn count(tokens: TokenStream) -> usize {
    let one = |token| match token {
        TokenTree::Group(group) => 2 + count(group.stream()),
        TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => 1,
    };
    tokens.into_iter().map(one).sum()
}

/// A chain of so many states with branches, in rows of ten, which are groups.
fn machine(states: usize) -> TokenStream {
    let mut text = String::from("impl Machine {");
    for state in 0..states {
        let (next, row) = (state + 1, state / 10);
        let _ = match state % 4 {
            0 => write!(
                text,
                "#[state] async fn enter{state}(&self, cx: &Cx, s: S{state}) -> Result<Next<(S{next}, Failed)>> {{ self.go{state}(cx).await }}
                 #[step(retry(max = 5), timeout = \"10s\")] async fn call{state}(&self, cx: &Cx, n: u32) -> Result<u32> {{ Ok(n) }}
                 #[catch] fn gave_up{state}(&self, s: S{state}, _: Error) -> Failed {{ Failed }}"
            ),
            1 => write!(
                text,
                "#[on] fn take{state}(&self, s: S{state}, _: E{row}) -> Next<(S{next}, Dropped, Stay<S{state}>)> {{ self.go{state}() }}
                 #[on] fn note{state}(&self, s: S{state}, _: Note) -> Stay<S{state}> {{ Stay(s) }}"
            ),
            2 => write!(text, "#[state] fn choose{state}(&self, s: S{state}) -> Next<(S{next}, Failed)> {{ self.go{state}() }}"),
            _ => write!(
                text,
                "#[on] fn take{state}(&self, s: S{state}, _: E{row}) -> S{next} {{ S{next} }}
                 #[after(\"2d\")] fn late{state}(&self, s: S{state}) -> Result<Next<(Dropped, Wait)>> {{ self.late() }}"
            ),
        };
    }
    for row in 0..states / 10 {
        let _ = write!(text, "#[on] fn dropped{row}(&self, _: Row{row}, _: Stop) -> Dropped {{ Dropped }}");
    }
    let _ = write!(text, "#[after(\"90d\")] fn overdue(&self, _: MachineLive) -> Dropped {{ Dropped }} }}");
    text.parse().unwrap()
}

fn workflow(states: usize) -> usize {
    count(expand_workflow_attribute(quote!(start = S0), machine(states)))
}

/// With the tokens that the user has written, of which there are some seventy a state here.
#[test]
fn a_state_of_a_machine_and_its_handlers_are_so_many_tokens() {
    let (small, large) = (workflow(50), workflow(200));
    assert!(small <= 50 * MACHINE_AT_MOST, "{} for each state", small / 50);
    // What grows with the square shows here.
    assert!(large * 10 <= small * 4 * 11, "{} for each of 50 states, {} for each of 200", small / 50, large / 200);
}

#[test]
fn a_plain_state_is_so_many_tokens() {
    let plain = quote!(
        struct Paid {
            order: String,
            count: u32,
            notes: Vec<String>,
        }
    );
    let tokens = count(expand_data_attribute(DataKind::State, quote!(), &plain));
    assert!(tokens <= STATE_AT_MOST, "{tokens}");
}

/// To draw it would take longer than all the rest.
#[test]
fn the_picture_is_drawn_where_docs_are_made_alone() {
    let expanded = expand_workflow_attribute(quote!(start = S0), machine(50)).to_string();
    assert!(!expanded.contains("<svg"), "{expanded}");
    assert!(expanded.contains("cfg_attr (doc , doc = :: workflow_runtime :: __private :: picture !"), "{expanded}");
}
