//! The undo stack, of which only the top is in memory, beside a list of all of it.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::config;
use crate::kernel::Advance;
use crate::kernel::stack::UndoStack;
use crate::record::{Json, UndoOutput, UndoPlace, UndoRecord, check_undo};

#[derive(Debug, Clone)]
enum Act {
    /// So many steps of the visit are to be undone.
    Pushes(usize),
    /// A step takes its place and comes later.
    Begins,
    /// It comes, below those that came meanwhile.
    Comes,
    /// The next visit begins.
    NextVisit,
    /// So many are undone.
    Pops(usize),
    /// None is to be undone any more.
    Clears,
    /// What has changed is written.
    Writes,
    /// The worker is lost.
    IsLost,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        3 => (1..5_usize).prop_map(Act::Pushes),
        1 => (60..140_usize).prop_map(Act::Pushes),
        1 => Just(Act::Begins),
        1 => Just(Act::Comes),
        2 => Just(Act::NextVisit),
        3 => (1..90_usize).prop_map(Act::Pops),
        1 => prop_oneof![9 => Just(Act::Writes), 1 => Just(Act::Clears)],
        3 => Just(Act::Writes),
        1 => Just(Act::IsLost),
    ];
    prop::collection::vec(act, 0..50)
}

/// All that is to be undone, the newest last, and what is needed to go on with it.
#[derive(Debug, Clone, Default)]
struct Model {
    all: Vec<UndoRecord>,
    visit: u64,
    order: u64,
    /// The places of steps that have begun in the visit.
    begun: Vec<u64>,
}

impl Model {
    /// The next one, at the end of the visit or where a step has begun.
    fn next(&mut self, order: Option<u64>) -> UndoRecord {
        let order = order.unwrap_or_else(|| {
            self.order += 1;
            self.order
        });
        let older = self.all.iter().filter(|undo| undo.visit < self.visit).count() as u64;
        let undo = UndoRecord {
            step: "book".to_owned(),
            key: format!("book:{}:{order}", self.visit),
            visit: self.visit,
            edge_number: 0,
            order,
            older,
            output: UndoOutput::Known(Json::null()),
        };
        let place = self.all.partition_point(|other| other.place() < undo.place());
        self.all.insert(place, undo.clone());
        undo
    }
}

#[derive(Default)]
struct Stored {
    rows: BTreeMap<UndoPlace, UndoRecord>,
    model: Model,
}

impl Stored {
    fn write(&mut self, stack: &mut UndoStack, model: &Model) {
        let mut changes = Advance::default();
        stack.take_changes(&mut changes);
        if changes.drop_undo {
            self.rows.clear();
        }
        for place in changes.forget_undo {
            assert!(self.rows.remove(&place).is_some(), "what is forgotten was there");
        }
        for undo in changes.undo {
            assert!(self.rows.insert(undo.place(), undo).is_none(), "no two have one place");
        }
        self.model = model.clone();
        let rows: Vec<_> = self.rows.values().cloned().collect();
        assert_eq!(rows, model.all);
        assert_eq!(check_undo(&rows, rows.len() as u64, usize::MAX), Ok(()));
    }

    fn read(&self) -> UndoStack {
        let top = self.rows.values().rev().take(64).cloned().collect::<Vec<_>>();
        let top: Vec<_> = top.into_iter().rev().collect();
        assert_eq!(check_undo(&top, self.rows.len() as u64, 64), Ok(()));
        UndoStack::new(self.rows.len() as u64, top)
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_stack_is_what_was_done_and_not_undone(acts in acts()) {
        let (mut stack, mut model, mut stored) = (UndoStack::default(), Model::default(), Stored::default());
        for act in acts {
            match act {
                Act::Pushes(count) => (0..count).for_each(|_| stack.push(model.next(None))),
                Act::Begins => {
                    model.order += 1;
                    model.begun.push(model.order);
                }
                Act::Comes => {
                    if let Some(order) = model.begun.pop() {
                        stack.push(model.next(Some(order)));
                    }
                }
                Act::NextVisit => {
                    model.visit += 1;
                    model.begun.clear();
                }
                Act::Pops(count) => {
                    for _ in 0..count {
                        if stack.is_short() {
                            stored.write(&mut stack, &model);
                            stack = stored.read();
                        }
                        prop_assert_eq!(stack.pop(), model.all.pop());
                    }
                    // Undos run when the visit is over.
                    model.visit += 1;
                    model.begun.clear();
                }
                Act::Clears => {
                    stack.clear();
                    model.all.clear();
                }
                Act::Writes => stored.write(&mut stack, &model),
                Act::IsLost => {
                    stack = stored.read();
                    model = stored.model.clone();
                }
            }
            prop_assert_eq!(stack.len(), model.all.len() as u64);
            let is_known = stack.last().is_some() || stack.len() == 0 || stack.is_short();
            prop_assert!(is_known, "the newest is known, or asked for");
            if let Some(last) = stack.last() {
                prop_assert_eq!(Some(last), model.all.last());
            }
        }
    }
}
