//! A workflow inside a function, and one that a macro writes.

use workflow_runtime::prelude::*;

#[test]
fn a_function_may_hold_a_workflow() {
    #[state]
    struct Pending;
    #[state(end)]
    struct Done;
    struct Order;

    #[workflow(start = Pending)]
    impl Order {
        #[state]
        fn pending(&self, _: Pending) -> Done {
            Done
        }
    }

    assert_eq!(Order::GRAPH.workflow, "Order");
}

macro_rules! order {
    ($workflow:ident, $start:ident, $end:ident, $handler:ident, $delay:literal) => {
        #[state]
        struct $start;
        #[state(end)]
        struct $end;
        struct $workflow;

        #[workflow(start = $start)]
        impl $workflow {
            #[after($delay)]
            async fn $handler(&self, cx: &Cx, state: $start) -> Result<Next<($end, Stay<$start>)>> {
                let due = cx.now() > workflow_runtime::Timestamp::EPOCH;
                Ok(if due { goto($end) } else { goto(Stay(state)) })
            }

            #[on]
            fn stop(&self, _: $start, _: Stop) -> $end {
                $end
            }
        }
    };
}

#[event]
struct Stop;

order!(FromMacro, Waiting, Ended, over, "1h");

#[test]
fn a_macro_may_write_a_workflow() {
    assert_eq!(FromMacro::GRAPH.handlers[0].name, "over");
}
