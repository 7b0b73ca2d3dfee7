//! Diagrams for the tests, written as short texts, and what all pictures have in common.

use super::coded::{coded, decoded};
use super::draw::svg;
use super::graph::Graph;
use super::layers::{Content, Layers};
use super::place::{Places, place};
use super::rank::rank;
use super::*;

/// Reads `"Pending Fulfilling Shipped*"`: the states, the start first, a star at each end.
/// Then a handler per line: `paid on Payment: Pending -> Fulfilling Cancelled! stays # Its doc.`, with a mark at what is
/// entered by way of undos.
pub(super) fn diagram(states: &str, handlers: &[&str]) -> Diagram {
    let states: Vec<_> = states
        .split_whitespace()
        .map(|state| DiagramState {
            name: state.trim_end_matches('*').to_owned(),
            doc: String::new(),
            end: state.ends_with('*'),
        })
        .collect();
    let start = states.first().map(|state| state.name.clone()).unwrap_or_default();
    let handlers = handlers.iter().map(|line| handler(line)).collect();
    Diagram { name: "Order".to_owned(), start, states, handlers }
}

fn handler(line: &str) -> DiagramHandler {
    let (line, doc) = line.split_once(" # ").unwrap_or((line, ""));
    let (what, way) = line.split_once(": ").unwrap_or((line, ""));
    let (from, targets) = way.split_once(" -> ").unwrap_or((way, ""));
    let (name, trigger) = what.split_once(' ').unwrap_or((what, "entry"));
    let trigger = match trigger.split_once(' ') {
        Some(("on", event)) => DiagramTrigger::On(event.to_owned()),
        Some(("after", delay)) => DiagramTrigger::Time("after", delay.to_owned()),
        Some(("catch", error)) => DiagramTrigger::Catch(error.to_owned()),
        _ => DiagramTrigger::Entry,
    };
    let (stays, to) = targets.split_whitespace().map(str::to_owned).partition::<Vec<_>, _>(|target| target == "stays");
    let (unwound, plain): (Vec<_>, Vec<_>) = to.into_iter().partition(|target| target.ends_with('!'));
    let unwinds: Vec<_> = unwound.iter().map(|target| target.trim_end_matches('!').to_owned()).collect();
    let to = plain.into_iter().chain(unwinds.clone()).collect();
    DiagramHandler {
        name: name.to_owned(),
        trigger,
        from: from.to_owned(),
        to,
        unwinds,
        stays: !stays.is_empty(),
        doc: doc.to_owned(),
    }
}

pub(super) fn order() -> Diagram {
    diagram(
        "PendingPayment Fulfilling Shipped* Cancelled*",
        &[
            "paid on Payment: PendingPayment -> Fulfilling # The customer paid.",
            "unpaid after 15m: PendingPayment -> Cancelled # Nobody paid in time.",
            "fulfilling: Fulfilling -> Shipped Cancelled # Reserves stock and ships.",
            "gave_up catch ShipError: Fulfilling -> Cancelled # Any failure of the carrier.",
        ],
    )
}

pub(super) fn loan() -> Diagram {
    diagram(
        "Draft Submitted Scoring ManualReview DocumentsMissing Offer Negotiating Signing Payout Active* Rejected* Withdrawn*",
        &[
            "submit on Submit: Draft -> Submitted",
            "expired after 30d: Draft -> Withdrawn",
            "accept: Submitted -> Scoring DocumentsMissing",
            "uploaded on Document: DocumentsMissing -> Submitted stays",
            "forgotten after 14d: DocumentsMissing -> Withdrawn",
            "score: Scoring -> Offer ManualReview Rejected",
            "score_failed catch ScoreError: Scoring -> ManualReview",
            "approve on Approve: ManualReview -> Offer",
            "more on MoreDocuments: ManualReview -> DocumentsMissing",
            "deny on Deny: ManualReview -> Rejected",
            "counter on CounterOffer: Offer -> Negotiating",
            "take on Accept: Offer -> Signing",
            "lapsed after 21d: Offer -> Withdrawn",
            "renegotiated: Negotiating -> Offer Rejected",
            "signed on Signature: Signing -> Payout",
            "remind after 3d: Signing -> Signing",
            "pay: Payout -> Active",
            "retry_pay catch PayError: Payout -> Payout Signing",
        ],
    )
}

/// Numbers that only look random, the same at every run.
fn scattered(states: u64, handlers: u64, seed: u64) -> Diagram {
    let mut number = seed;
    let mut next = || {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (number >> 33) % states
    };
    let names: Vec<_> = (0..states).map(|state| format!("State{state}")).collect();
    let lines: Vec<_> = (0..handlers)
        .map(|count| {
            let kind = if count % 5 == 0 { "catch SomeError" } else { "on Event" };
            let stays = if count % 7 == 0 { " stays" } else { "" };
            format!("handler{count} {kind}: State{} -> State{} State{}{stays}", next(), next(), next())
        })
        .collect();
    diagram(&names.join(" "), &lines.iter().map(String::as_str).collect::<Vec<_>>())
}

fn samples() -> Vec<Diagram> {
    let mut samples = vec![Diagram::default(), diagram("Only*", &[]), order(), loan()];
    samples.extend((1..30).map(|seed| scattered(seed, seed * 3 / 2, seed)));
    samples.push(scattered(200, 110, 1));
    samples
}

fn layout(diagram: &Diagram) -> (Graph, Layers, Places) {
    let graph = Graph::new(diagram);
    let ranks = rank(&graph);
    let mut layers = Layers::new(&graph, &ranks);
    order::order(&mut layers);
    let places = place(&layers);
    (graph, layers, places)
}

fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

#[test]
fn nothing_overlaps() {
    for diagram in samples() {
        let (_, layers, Places { x, band, width, height, .. }) = layout(&diagram);
        for row in &layers.rows {
            let mut end = -1.0;
            for slot in row {
                let content = &layers.slots[*slot];
                assert!(x[*slot] - content.left >= end - 1.0, "overlap in {diagram:?}");
                end = x[*slot] + content.right;
                assert!(end <= width, "beyond the right border in {diagram:?}");
                assert!(band[*slot].bottom - band[*slot].top >= content.height, "too high for its row in {diagram:?}");
                assert!(band[*slot].bottom <= height, "beyond the lower border in {diagram:?}");
            }
        }
        for pair in layers.rows.windows(2) {
            let [upper, lower] = pair else { unreachable!() };
            if let (Some(upper), Some(lower)) = (upper.first(), lower.first()) {
                assert!(band[*upper].bottom < band[*lower].top);
            }
        }
    }
}

#[test]
fn every_state_and_label_is_shown_once() {
    for diagram in samples() {
        let (graph, layers, _) = layout(&diagram);
        let svg = svg(&diagram);
        for state in &diagram.states {
            assert_eq!(count(&svg, &format!(">{}</text>", state.name)), 1, "{}", state.name);
        }
        let labels = graph.arrows.iter().map(|arrow| arrow.labels.len()).sum::<usize>();
        let loops = graph.nodes.iter().map(|node| node.loops.len()).sum::<usize>();
        assert_eq!(count(&svg, "<text "), diagram.states.len() + labels + loops);
        let declared = diagram.handlers.iter().map(|handler| handler.to.len() + usize::from(handler.stays));
        assert_eq!(labels + loops, declared.sum::<usize>());
        for (chain, arrow) in layers.chains.values().zip(graph.arrows.iter()) {
            assert!(chain.len() >= 3, "no room for the label of {}", arrow.labels.len());
        }
    }
}

#[test]
fn it_can_stand_in_a_doc_comment() {
    for diagram in samples() {
        let svg = svg(&diagram);
        assert!(svg.starts_with("<div"), "{svg}");
        assert!(svg.lines().all(|line| !line.trim().is_empty()), "a blank line ends raw HTML: {svg}");
        assert!(svg.ends_with("</div>"), "{svg}");
        assert!(!svg.contains("NaN") && !svg.contains("inf\""), "{svg}");
        assert_eq!(svg, draw::svg(&diagram), "it differs from call to call");
    }
}

#[test]
fn it_is_drawn_from_its_text_as_from_the_diagram() {
    for diagram in samples() {
        assert_eq!(svg(&decoded(&coded(&diagram))), svg(&diagram));
    }
}

#[test]
fn text_is_escaped() {
    let mut diagram = diagram("Odd", &["handler catch Box<dyn&\"Error>: Odd -> Odd"]);
    diagram.states.iter_mut().for_each(|state| state.doc = "\n <b>bold</b>\n & more.\n\nThe rest.\n".to_owned());
    diagram.name = "\"><script>".to_owned();
    let svg = svg(&diagram);
    assert!(svg.contains("aria-label=\"The states of &quot;&gt;&lt;script&gt;\""), "{svg}");
    assert!(svg.contains("· catch Box&lt;dyn&amp;&quot;Error&gt;"), "{svg}");
    assert!(svg.contains("<title>&lt;b&gt;bold&lt;/b&gt; &amp; more.</title>"), "{svg}");
}

#[test]
fn the_start_is_on_top_even_if_ways_lead_to_it() {
    let diagram = diagram("Start Next Stray", &["a: Start -> Next", "b: Next -> Start", "c: Stray -> Start"]);
    let graph = Graph::new(&diagram);
    let ranks = rank(&graph);
    let levels: Vec<_> = graph.nodes.ids().map(|node| ranks.level[node]).collect();
    assert_eq!(levels, [0, 1, 1]);
    let upward: Vec<_> = graph.arrows.ids().map(|arrow| ranks.upward[arrow]).collect();
    assert_eq!(upward, [false, true, true]);
}

#[test]
fn a_state_lies_below_all_that_lead_to_it() {
    let diagram = diagram("A B C D*", &["a: A -> D B", "b: B -> C", "c: C -> D A"]);
    let ranks = rank(&Graph::new(&diagram));
    assert_eq!(ranks.levels, 4);
}

#[test]
fn unconnected_states_stand_in_rows_below() {
    let diagram = diagram("A B C D E F G H", &["a: A -> B"]);
    let graph = Graph::new(&diagram);
    let ranks = rank(&graph);
    let levels: Vec<_> = graph.nodes.ids().map(|node| ranks.level[node]).collect();
    assert_eq!(levels, [0, 1, 2, 2, 2, 2, 2, 3]);
}

#[test]
fn a_main_way_is_a_straight_line() {
    let diagram = diagram("A B C D* X*", &["a: A -> B", "b: B -> C X", "c: C -> D", "late after 1h: A -> X"]);
    let (graph, layers, places) = layout(&diagram);
    let axis = |name: &str| {
        let is_it = |content| matches!(content, Content::State(node) if graph.nodes[node].name == name);
        layers.slots.ids().find(|slot| is_it(layers.slots[*slot].content)).map(|slot| places.x[slot])
    };
    assert_eq!(axis("A"), axis("B"));
    assert_eq!(axis("B"), axis("C"));
    assert_eq!(axis("C"), axis("D"));
}

#[test]
fn handlers_that_go_the_same_way_share_an_arrow_unless_one_is_a_failure() {
    let (graph, ..) = layout(&diagram(
        "A B*",
        &["a on X: A -> B", "b on Y: A -> B", "c catch Error: A -> B", "d on Z: A -> A stays", "e: A -> Unknown"],
    ));
    let labels: Vec<_> = graph.arrows.iter().map(|arrow| arrow.labels.len()).collect();
    assert_eq!(labels, [2, 1]);
    let loops: Vec<_> = graph.nodes.iter().flat_map(|node| &node.loops).map(|label| label.detail.as_str()).collect();
    assert_eq!(loops, ["· Z", "· Z (stays)"]);
}

#[test]
fn what_is_too_large_is_said_and_not_drawn() {
    let states = (0..200).map(|state| format!("S{state}")).collect::<Vec<_>>().join(" ");
    let lines: Vec<_> = (0..200).map(|state| format!("h: S{state} -> {states}")).collect();
    let svg = svg(&diagram(&states, &lines.iter().map(String::as_str).collect::<Vec<_>>()));
    assert!(svg.starts_with("<p>"), "{svg}");
}
