//! Nothing is in scope but what the user names.
#![no_implicit_prelude]

use ::workflow_runtime::{Cx, Next, Result, Stay, Wait, event, goto, state, workflow};

#[state]
struct Pending {
    number: u32,
}

#[state]
struct Paid;

#[state(end)]
struct Done(u32);

#[event]
struct Payment;

struct Order;

#[workflow(start = Pending)]
impl Order {
    #[on]
    fn paid(&self, _: Pending, _: Payment) -> Next<(Paid, Wait)> {
        if ::std::mem::size_of::<Pending>() > 100 { goto(Wait) } else { goto(Paid) }
    }

    #[after("1h")]
    fn late(&self, pending: Pending) -> Next<(Done, Stay<Pending>)> {
        if pending.number > 3 { goto(Done(pending.number)) } else { goto(Stay(Pending { number: pending.number + 1 })) }
    }

    #[state]
    async fn ship(&self, cx: &Cx, _: Paid) -> Result<Done> {
        let number = self.number(cx, 3).await?;
        ::std::result::Result::Ok(Done(number))
    }

    #[catch]
    fn failed(&self, _: Paid, _: ::workflow_runtime::Error) -> Done {
        Done(0)
    }

    #[step(retry(max = 2))]
    async fn number(&self, _: &Cx, number: u32) -> Result<u32> {
        ::std::result::Result::Ok(number)
    }
}

#[::std::prelude::v1::test]
fn it_runs() {
    let order = ::std::sync::Arc::new(Order);
    let call = ::workflow_tests::turns::call("paid", "null", "ship", ::std::option::Option::None);
    let (state, data) = ::workflow_tests::turns::decide(&order, call);
    ::std::assert_eq!((&*state, &*data), ("done", "3"));
}
