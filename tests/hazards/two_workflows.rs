//! Two workflows over the same states, in one module.

use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state(end)]
struct Done;

#[event]
struct Payment;

struct First;

struct Second;

#[workflow(start = Pending)]
impl First {
    #[on(allow(endless_wait))]
    fn paid(&self, _: Pending, _: Payment) -> Done {
        Done
    }
}

#[workflow(start = Pending)]
impl Second {
    #[on]
    fn paid(&self, _: Pending, _: Payment) -> Done {
        Done
    }

    #[after("1h")]
    fn late(&self, _: Pending) -> Done {
        Done
    }
}

#[test]
fn each_has_its_own_graph() {
    assert_eq!((FirstState::GRAPH.handlers.len(), SecondState::GRAPH.handlers.len()), (1, 2));
}
