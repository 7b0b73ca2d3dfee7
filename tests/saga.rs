//! What the macros make of `undo`, `Unwind`, `pivot` and `on_failure`: the graph, the enums, and calls of every shape.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use workflow_runtime::prelude::*;
use workflow_runtime::{Json, OnFailure, Rest, State, Stepper, Workflow, block_on};

#[state]
pub struct Open {
    pub number: u32,
}

/// From here on there is no way back.
#[state(pivot)]
pub struct Settled {
    pub number: u32,
}

#[state]
pub struct Abroad {
    pub number: u32,
}

#[state(end)]
#[derive(Debug, PartialEq)]
pub struct Closed {
    pub number: u32,
}

#[state(end)]
#[derive(Debug, PartialEq)]
pub struct Reverted;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    pub name: String,
}

pub trait Ledger: Send + Sync + 'static {
    fn note(&self, text: String);
}

/// What was done, and what was undone.
#[derive(Clone, Default)]
pub struct Notes(Arc<Mutex<Vec<String>>>);

impl Ledger for Notes {
    fn note(&self, text: String) {
        self.0.lock().unwrap().push(text);
    }
}

impl Notes {
    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

pub struct Account<L> {
    ledger: L,
}

#[workflow(
    start = Open,
    on_failure = unwind,
    include(state travel(Abroad) -> Unwind<Reverted>),
    allow(fragile_step, no_undo)
)]
impl<L: Ledger> Account<L> {
    #[state]
    async fn open(&self, cx: &Cx, open: Open) -> Result<Next<(Settled, Unwind<Reverted>, Abroad)>> {
        let item = Item { name: "a".to_owned() };
        let map = BTreeMap::from([("k".to_owned(), 1)]);
        let kept =
            self.r#move(cx, &item, "text", &[item.clone(), item.clone()], Some(open.number), (map, [1, 2])).await?;
        match open.number {
            0 => Ok(unwind(Reverted)),
            1 => Err(Error::msg("broken")),
            2 => Ok(goto(Abroad { number: kept })),
            _ => Ok(goto(Settled { number: kept })),
        }
    }

    #[state]
    fn settle(&self, settled: Settled) -> Closed {
        Closed { number: settled.number }
    }

    #[step(undo = r#return)]
    async fn r#move(
        &self,
        _: &Cx,
        Item { name }: &Item,
        text: &str,
        items: &[Item],
        number: Option<u32>,
        rest: (BTreeMap<String, u32>, [u32; 2]),
    ) -> Result<u32, Refused> {
        self.ledger.note(format!("move {name} {text} {} {number:?} {rest:?}", items.len()));
        Ok(number.unwrap_or(0) + 10)
    }

    /// By reference, and with another error.
    async fn r#return(&self, _: &Cx, kept: &u32) -> Result<(), Refused> {
        self.ledger.note(format!("return {kept}"));
        Ok(())
    }

    #[cfg(any())]
    #[step(undo = never)]
    async fn absent(&self, _: &Cx) -> Result<Nothing> {}

    #[cfg(any())]
    async fn never(&self, _: &Cx, nothing: Nothing) -> Result<()> {}
}

#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error)]
#[error("refused")]
pub struct Refused;

mod abroad {
    use super::*;

    #[workflow(part, allow(fragile_step))]
    impl<L: Ledger> Account<L> {
        #[state]
        async fn travel(&self, cx: &Cx, abroad: Abroad) -> Result<Unwind<Reverted>> {
            self.board(cx, abroad.number).await?;
            Ok(Unwind(Reverted))
        }

        #[step(undo = leave)]
        async fn board(&self, _: &Cx, number: u32) -> Result<u32> {
            self.ledger.note(format!("board {number}"));
            Ok(number)
        }

        #[step(blocking, retry(max = 2))]
        fn leave(&self, _: &Cx, seat: u32) -> Result<()> {
            self.ledger.note(format!("leave {seat}"));
            Ok(())
        }
    }
}

fn run(number: u32) -> (Rest, Vec<String>) {
    let notes = Notes::default();
    let mut account = Stepper::start(Account { ledger: notes.clone() }, Open { number }).unwrap();
    let rest = block_on(account.run_to_end()).unwrap();
    (rest, notes.all())
}

#[test]
fn arguments_of_every_shape_are_handed_on_and_undone() {
    let (rest, notes) = run(0);
    assert_eq!(rest, Rest::Ended);
    assert_eq!(notes, ["move a text 2 Some(0) ({\"k\": 1}, [1, 2])", "return 10"]);
}

#[test]
fn a_step_of_a_part_is_undone_by_the_method_that_stands_beside_it() {
    let (rest, notes) = run(2);
    assert_eq!(rest, Rest::Ended);
    assert_eq!(notes[1..], ["board 12", "leave 12", "return 12"]);
}

#[test]
fn a_failure_unwinds_where_the_workflow_says_so() {
    let (rest, notes) = run(1);
    assert!(matches!(&rest, Rest::Parked(error) if error.message == "broken"), "{rest:?}");
    assert_eq!(notes[1..], ["return 11"]);
}

#[test]
fn the_graph_says_what_unwinds_and_what_is_undone() {
    let graph = Account::<Notes>::GRAPH;
    assert_eq!(graph.on_failure, OnFailure::Unwind);
    let pivots: Vec<_> = graph.states.iter().filter(|state| state.pivot).map(|state| state.name).collect();
    assert_eq!(pivots, ["settled"]);
    const { assert!(Settled::PIVOT && !Open::PIVOT) };
    let edges = graph.edges().filter(|edge| edge.unwinds).map(|edge| (edge.from, edge.to, edge.handler.name));
    assert_eq!(edges.collect::<Vec<_>>(), [("open", "reverted", "open"), ("abroad", "reverted", "travel")]);
    let undos: Vec<_> = graph.steps.iter().map(|step| (step.name, step.undo)).collect();
    assert_eq!(undos, [("move", Some("return"))]);
    let mermaid = graph.to_mermaid();
    assert!(mermaid.contains("open --> reverted : open (unwinds)\n"), "{mermaid}");
    assert!(mermaid.contains("state \"settled (pivot)\" as settled\n"), "{mermaid}");
}

#[test]
fn the_enums_tell_an_unwound_target_from_a_plain_one() {
    let unwinding = AccountTransition::ALL.iter().filter(|transition| transition.unwinds());
    assert_eq!(
        unwinding.copied().collect::<Vec<_>>(),
        [AccountTransition::OpenToReverted, AccountTransition::TravelToReverted]
    );
    let next: Next<(Settled, Unwind<Reverted>, Abroad)> = unwind(Reverted);
    match AccountOpenNext::from(next) {
        AccountOpenNext::UnwindReverted(reverted) => assert_eq!(reverted, Reverted),
        AccountOpenNext::Settled(_) | AccountOpenNext::Abroad(_) => panic!("another target"),
    }
    let next: Next<(Settled, Unwind<Reverted>, Abroad)> = goto(Unwind(Reverted));
    assert!(matches!(AccountOpenNext::from(next), AccountOpenNext::UnwindReverted(_)));
}

#[test]
fn what_is_saved_of_a_step_with_an_undo_names_the_step_and_its_arguments() {
    let notes = Notes::default();
    let mut account = Stepper::start(Account { ledger: notes }, Open { number: 2 }).unwrap();
    block_on(account.run()).unwrap();
    let undone = account.history().iter().filter_map(|row| match &row.kind {
        workflow_runtime::HistoryKind::Undone { step, key, effect } => Some((step.as_str(), key.as_str(), *effect)),
        _ => None,
    });
    let undone: Vec<_> = undone.collect();
    assert!(
        matches!(undone[..], [("board", board, true), ("move", moved, true)]
            if board.starts_with("travel:board:") && moved.starts_with("open:move:")),
        "{undone:?}"
    );
}

#[test]
fn a_workflow_without_undos_runs_none() {
    let undo = workflow_runtime::UndoRecord {
        step: "open".to_owned(),
        key: "open:open:0".to_owned(),
        visit: 1,
        edge_number: 0,
        older: 0,
        order: 1,
        output: workflow_runtime::UndoOutput::Known(Json::encode(&1).unwrap()),
    };
    let id = workflow_runtime::ExecutionId::new("a").unwrap();
    let cx = Cx::detached("Account", id, workflow_runtime::SystemClock);
    assert!(Account { ledger: Notes::default() }.undo(&cx, &undo).is_none(), "`open` is a handler");
}
