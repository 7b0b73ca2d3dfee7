use std::time::Duration;

use crate::machine::{Graph, HandlerInfo, StateInfo, Trigger};

const fn state(name: &'static str, doc: &'static str, end: bool) -> StateInfo {
    StateInfo::declare(name, &[], name, doc, end)
}

const fn handler(
    name: &'static str,
    trigger: Trigger,
    from: &'static str,
    to: &'static [&'static str],
    doc: &'static str,
) -> HandlerInfo {
    HandlerInfo::declare(name, trigger, from, to, doc, "src/order.rs", 1)
}

const PAYMENT_TIME: Duration = Duration::from_secs(15 * 60);

static ORDER: Graph = Graph::declare(
    "Fulfilment",
    "Fulfils one order.",
    "PendingPayment",
    &[
        state("PendingPayment", "Waits for the money.", false),
        state("Fulfilling", "", false).pivot(true),
        state("Shipped", "", true),
        state("Cancelled", "", true),
    ],
    &[],
    &[
        handler("paid", Trigger::On { event: "Payment" }, "PendingPayment", &["Fulfilling"], "The customer paid."),
        handler("unpaid", Trigger::After { delay: PAYMENT_TIME }, "PendingPayment", &["Cancelled"], "").waits(),
        handler("fulfilling", Trigger::Entry, "Fulfilling", &["Shipped", "Cancelled"], ""),
        handler("gave_up", Trigger::Catch { error: "ShipError" }, "Fulfilling", &["Cancelled"], "")
            .unwinds(&["Cancelled"]),
    ],
    &[],
);

#[test]
fn mermaid_shows_states_handlers_and_ends() {
    let expected = "\
stateDiagram-v2
    PendingPayment
    state \"Fulfilling (pivot)\" as Fulfilling
    Shipped
    Cancelled
    [*] --> PendingPayment
    PendingPayment --> Fulfilling : paid · Payment
    PendingPayment --> Cancelled : unpaid · after 15m
    PendingPayment --> PendingPayment : unpaid · after 15m (stays)
    Fulfilling --> Shipped : fulfilling
    Fulfilling --> Cancelled : fulfilling
    Fulfilling --> Cancelled : gave_up · catch ShipError (unwinds)
    Shipped --> [*]
    Cancelled --> [*]
";
    assert_eq!(ORDER.to_mermaid(), expected);
}

#[test]
fn dot_shows_states_handlers_and_ends() {
    let expected = r#"digraph "Fulfilment" {
    graph [fontname="sans-serif", tooltip="Fulfils one order."];
    node [fontname="sans-serif", shape=box, style=rounded];
    edge [fontname="sans-serif", fontsize=10];
    "[*]" [shape=point];
    "PendingPayment" [label="PendingPayment", tooltip="Waits for the money."];
    "Fulfilling" [label="Fulfilling (pivot)"];
    "Shipped" [label="Shipped", peripheries=2];
    "Cancelled" [label="Cancelled", peripheries=2];
    "[*]" -> "PendingPayment";
    "PendingPayment" -> "Fulfilling" [label="paid · Payment", tooltip="The customer paid."];
    "PendingPayment" -> "Cancelled" [label="unpaid · after 15m"];
    "PendingPayment" -> "PendingPayment" [label="unpaid · after 15m (stays)", style=dashed];
    "Fulfilling" -> "Shipped" [label="fulfilling"];
    "Fulfilling" -> "Cancelled" [label="fulfilling"];
    "Fulfilling" -> "Cancelled" [label="gave_up · catch ShipError (unwinds)"];
}
"#;
    assert_eq!(ORDER.to_dot(), expected);
}

/// Names that were set by hand, a name that is a word of Mermaid, and texts full of what the notations mean by it.
static HOSTILE: Graph = Graph::declare(
    "Hostile",
    "Says \"<b>\" & C:\\new\nand ends.\n\n",
    "Note",
    &[state("Note", "", false), state("a-b", "", false), state("a_b", "", false), state("a.b", "", true)],
    &[],
    &[handler("broke", Trigger::Catch { error: "Box<dyn std::error::Error>" }, "Note", &["a-b", "a_b", "a.b"], "#1;")],
    &[],
);

#[test]
fn mermaid_takes_no_name_or_label_for_syntax() {
    let label = "broke · catch Box#60;dyn std#58;#58;error#58;#58;Error#62;";
    let expected = format!(
        "\
stateDiagram-v2
    state \"Note\" as Note_
    state \"a-b\" as a_b_
    a_b
    state \"a.b\" as a_b__
    [*] --> Note_
    Note_ --> a_b_ : {label}
    Note_ --> a_b : {label}
    Note_ --> a_b__ : {label}
    a_b__ --> [*]
"
    );
    assert_eq!(HOSTILE.to_mermaid(), expected);
}

#[test]
fn dot_takes_no_name_or_text_for_syntax() {
    let dot = HOSTILE.to_dot();
    assert!(dot.contains(r#"tooltip="Says \"<b>\" &amp; C:\\new\nand ends.""#), "{dot}");
    assert!(
        dot.contains(r##""Note" -> "a-b" [label="broke · catch Box<dyn std::error::Error>", tooltip="#1;"];"##),
        "{dot}"
    );
}

#[test]
fn a_graph_without_edges_is_drawn() {
    static LONELY: Graph = Graph::declare("Lonely", "", "Only", &[state("Only", "", true)], &[], &[], &[]);
    assert_eq!(LONELY.to_mermaid(), "stateDiagram-v2\n    Only\n    [*] --> Only\n    Only --> [*]\n");
    assert_eq!(LONELY.to_dot().lines().count(), 8);
}
