use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state(end)]
struct S0;
#[state(end)]
struct S1;
#[state(end)]
struct S2;
#[state(end)]
struct S3;
#[state(end)]
struct S4;
#[state(end)]
struct S5;
#[state(end)]
struct S6;
#[state(end)]
struct S7;
#[state(end)]
struct S8;
#[state(end)]
struct S9;
#[state(end)]
struct S10;
#[state(end)]
struct S11;
#[state(end)]
struct S12;
#[state(end)]
struct S13;
#[state(end)]
struct S14;
#[state(end)]
struct S15;
#[state(end)]
struct S16;

struct Order;

#[workflow(start = Pending)]
impl Order {
    #[state]
    fn pending(&self, _: Pending) -> Next<(S0, S1, S2, S3, S4, S5, S6, S7, S8, S9, S10, S11, S12, S13, S14, S15, S16)> {
        goto(S16)
    }
}

fn takes<W: workflow_runtime::Workflow>() {}

fn main() {
    takes::<Order>();
    let _: Option<(OrderState, OrderLive, OrderOutcome, OrderEvent, OrderTransition)> = None;
}
