//! The user's names are those of the standard library.
#![allow(dead_code, reason = "the names are only there to be in the way")]

use workflow_runtime::{Cx, Next, event, goto, state, workflow};

mod core {}
mod std {}
mod serde {}
mod workflow_runtime_private {}

struct String;
struct Vec;
struct Box;
struct Send;
struct Sync;
struct Some;
struct None;
struct Ok;
struct Err;
struct Clone;
struct Default;
struct From;
struct Into;
struct Future;
struct Option;
struct Graph;
struct Handle;
struct Workflow;
struct State;
struct Event;
struct Transition;
struct Json;
struct Trigger;
trait Debug {}
#[allow(non_camel_case_types, reason = "in the way")]
struct str;
#[allow(non_camel_case_types, reason = "in the way")]
struct bool;
#[allow(non_camel_case_types, reason = "in the way")]
struct u64;
#[allow(non_camel_case_types, reason = "in the way")]
struct usize;

#[state]
struct Pending;

#[state(end)]
struct Done;

#[state(end)]
struct Dropped;

#[event]
struct Payment;

struct Order;

type Result<T> = ::std::result::Result<T, ::workflow_runtime::Error>;

#[workflow(start = Pending)]
impl Order {
    #[on]
    async fn paid(&self, cx: &Cx, _: Pending, _: Payment) -> Result<Next<(Done, Dropped)>> {
        self.ship(cx).await?;
        Result::Ok(if ::std::env::args().len() > 100 { goto(Dropped) } else { goto(Done) })
    }

    #[after("1h")]
    fn late(&self, _: Pending) -> Done {
        Done
    }

    #[catch]
    fn failed(&self, _: Pending, _: ::workflow_runtime::StepTimedOut) -> Done {
        Done
    }

    #[step(timeout = "1s")]
    async fn ship(&self, _: &Cx) -> Result<()> {
        Result::Ok(())
    }
}

#[test]
fn the_graph_is_there() {
    assert_eq!(OrderState::GRAPH.handlers.len(), 3);
}
