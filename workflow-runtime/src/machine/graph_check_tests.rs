use fastrand::Rng;

use super::Verdict::{Empty, EndWithHandler, Fine, NoHandler, Stuck, Unreachable};
use super::*;

fn state(name: &'static str) -> Place {
    Place { present: true, type_name: name, name, is_state: true, handled: true, ..Place::ABSENT }
}

fn end(name: &'static str) -> Place {
    Place { end: true, handled: false, ..state(name) }
}

fn group(name: &'static str, members: &'static [&'static str]) -> Place {
    Place { present: true, type_name: name, name, is_group: true, handled: true, members, ..Place::ABSENT }
}

/// Judges a workflow that starts in its first place and waits for nothing.
fn verdicts<const N: usize>(places: [Place; N], edges: &[(usize, usize)]) -> [Verdict; N] {
    let states = places.iter().filter(|place| !place.is_group).count();
    judge::<N>(&places, &Ways { edges, start: 0, states, waits: &[], ending: &[] }).verdicts
}

#[test]
fn nothing_is_said_of_a_sound_graph() {
    assert_eq!(verdicts([state("a"), state("b"), end("c")], &[(0, 1), (1, 0), (1, 2)]), [Fine; 3]);
}

#[test]
fn an_end_has_no_handler_and_all_else_has_one() {
    let end_with_handler = Place { handled: true, ..end("c") };
    let without_handler = Place { handled: false, ..state("b") };
    let places = [state("a"), without_handler, end_with_handler, end("d")];
    assert_eq!(verdicts(places, &[(0, 1), (0, 2), (0, 3)]), [Fine, NoHandler, EndWithHandler, Fine]);
}

#[test]
fn of_what_nothing_leads_to_the_first_is_told() {
    let places = [state("a"), state("b"), state("c"), end("d")];
    assert_eq!(verdicts(places, &[(0, 3), (1, 3), (2, 1)]), [Fine, Fine, Unreachable, Fine], "c leads to b");
    assert_eq!(verdicts(places, &[(0, 3), (1, 2), (2, 1), (2, 3)]), [Fine, Unreachable, Fine, Fine], "a circle");
    assert_eq!(verdicts(places, &[(0, 1), (1, 1), (1, 3), (2, 2), (2, 3)]), [Fine, Fine, Unreachable, Fine], "itself");
}

#[test]
fn of_what_cannot_end_the_first_is_told() {
    let places = [state("a"), state("b"), state("c"), end("d")];
    assert_eq!(verdicts(places, &[(0, 1), (0, 3), (1, 2), (2, 1)]), [Fine, Stuck, Fine, Fine]);
    let two = [state("a"), state("b"), state("c"), end("d")];
    assert_eq!(verdicts(two, &[(0, 1), (0, 2), (0, 3), (1, 1), (2, 2)]), [Fine, Stuck, Stuck, Fine], "for two reasons");
}

#[test]
fn a_fault_that_was_told_explains_what_follows_from_it() {
    let no_state = Place { is_state: false, ..state("b") };
    assert_eq!(verdicts([state("a"), no_state], &[(0, 1)]), [Fine; 2], "a is not stuck as well");
    let without_handler = Place { handled: false, ..state("a") };
    assert_eq!(verdicts([without_handler, state("b"), end("c")], &[(1, 2)]), [NoHandler, Fine, Fine]);
    assert_eq!(verdicts([state("a"), end("b"), Place::ABSENT], &[(0, 1)]), [Fine; 3], "it was removed");
}

#[test]
fn what_holds_for_a_group_holds_for_its_states() {
    let places = [state("a"), state("b"), end("c"), group("g", &["a", "b"])];
    assert_eq!(verdicts(places, &[(0, 1), (3, 2)]), [Fine; 4]);
    assert_eq!(verdicts(places, &[(3, 1), (3, 2)]), [Fine; 4]);
    let any = Place { any: true, ..group("live", &[]) };
    assert_eq!(verdicts([state("a"), state("b"), end("c"), any], &[(0, 1), (3, 2)]), [Fine; 4]);
    let of_another = group("g", &["a", "x"]);
    assert_eq!(verdicts([state("a"), state("b"), end("c"), of_another], &[(0, 1), (3, 2)]), [Fine, Stuck, Fine, Fine]);
}

#[test]
fn a_group_of_no_state_is_told() {
    let places = [state("a"), end("b"), group("g", &["x"]), group("ends", &["b"])];
    assert_eq!(verdicts(places, &[(0, 1), (2, 1), (3, 1)]), [Fine, Fine, Empty, Empty]);
}

#[test]
fn a_wait_is_ended_by_a_group_that_has_the_state() {
    let facts = |members| GroupFacts { is_group: true, name: "g", members, any: false };
    let any = GroupFacts { any: true, ..facts(&[]) };
    let waits = |ending: &[(usize, GroupFacts)]| {
        let places = [state("a"), end("b"), group("g", &["a"])];
        let ways = Ways { edges: &[(0, 1)], start: 0, states: 2, waits: &[0], ending };
        let judged = judge::<3>(&places, &ways);
        assert_eq!(judged.verdicts, [Fine; 3], "a wait that never ends is told where it is");
        judged.waits
    };
    assert_eq!(waits(&[]), [true, false, false]);
    assert_eq!(waits(&[(2, facts(&["x"]))]), [true, false, false]);
    assert_eq!(waits(&[(0, any)]), [true, false, false], "its own handler is not of a group");
    assert_eq!(waits(&[(2, facts(&["a"]))]), [false; 3]);
    assert_eq!(waits(&[(2, facts(&["x"])), (2, any)]), [false; 3]);
}

#[test]
fn names_clash_with_those_before_them() {
    let was = |name, was| Place { was, ..state(name) };
    let clashes_of = |places: [Place; 3]| clashes::<3>(&places);
    assert_eq!(clashes_of([state("a"), state("b"), end("c")]), [false; 3]);
    assert_eq!(clashes_of([state("a"), state("b"), end("a")]), [false, false, true]);
    assert_eq!(clashes_of([state("a"), state("a"), state("a")]), [false, true, true]);
    assert_eq!(clashes_of([was("a", &["old"]), state("b"), state("old")]), [false, false, true]);
    assert_eq!(clashes_of([state("old"), state("b"), was("c", &["x", "old"])]), [false, false, true]);
    assert_eq!(clashes_of([was("a", &["x", "old"]), was("b", &["old", "y"]), was("c", &["z"])]), [false, true, false]);
    let no_state = Place { is_state: false, ..state("a") };
    assert_eq!(clashes_of([state("a"), no_state, state("b")]), [false; 3], "it was told that it is none");
    assert_eq!(clashes_of([no_state, state("a"), state("b")]), [false; 3]);
}

/// The same questions, answered by a closure over all pairs.
fn reach<const N: usize>(edges: &[(usize, usize)]) -> [[bool; N]; N] {
    let mut reach = [[false; N]; N];
    for (from, to) in edges {
        reach[*from][*to] = true;
    }
    for (place, reached) in reach.iter_mut().enumerate() {
        reached[place] = true;
    }
    for middle in 0..N {
        for from in 0..N {
            for to in 0..N {
                reach[from][to] |= reach[from][middle] && reach[middle][to];
            }
        }
    }
    reach
}

#[test]
fn what_is_told_of_random_graphs_is_true_and_enough() {
    const N: usize = 7;
    const NAMES: [&str; N] = ["a", "b", "c", "d", "e", "f", "g"];
    let mut random = Rng::with_seed(7);
    let (mut unreachable, mut stuck) = (0, 0);
    for _ in 0..2_000 {
        let ends = random.usize(1..3);
        let states = N - ends;
        let places: [Place; N] =
            std::array::from_fn(|place| if place < states { state(NAMES[place]) } else { end(NAMES[place]) });
        let edges: Vec<_> = (0..random.usize(4..12)).map(|_| (random.usize(..states), random.usize(..N))).collect();
        let verdicts = verdicts(places, &edges);
        let reach = reach::<N>(&edges);
        let is_stuck = |place: usize| !(states..N).any(|end| reach[place][end]);
        let told = |verdict| (0..N).filter(|place| verdicts[*place] == verdict).collect::<Vec<_>>();
        assert!(told(Unreachable).iter().all(|place| !reach[0][*place]), "{edges:?}: {verdicts:?}");
        assert!(told(Stuck).iter().all(|place| reach[0][*place] && is_stuck(*place)), "{edges:?}: {verdicts:?}");
        for (place, is_reached) in reach[0].iter().enumerate() {
            let explained = match is_reached {
                true => !is_stuck(place) || !told(Stuck).is_empty(),
                // It is told itself, or that nothing leads to what leads to it.
                false => told(Unreachable).iter().any(|root| reach[*root][place]),
            };
            assert!(explained, "{place} of {edges:?}: {verdicts:?}");
        }
        unreachable += told(Unreachable).len();
        stuck += told(Stuck).len();
    }
    assert!(unreachable > 100 && stuck > 100, "there was something to tell: {unreachable}, {stuck}");
}
