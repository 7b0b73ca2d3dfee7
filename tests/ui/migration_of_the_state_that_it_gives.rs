use workflow_runtime::prelude::*;

mod v1 {
    use workflow_runtime::prelude::*;

    #[state]
    pub struct Pending {
        pub euros: u32,
    }
    #[state]
    pub struct Reviewing;
    #[state(group)]
    pub enum States {
        Pending(Pending),
        Reviewing(Reviewing),
    }
}

#[state]
struct Pending {
    cents: u32,
}
#[state(end)]
struct Paid;
#[event]
struct Payment;

struct Sale;

#[workflow(start = Pending, version = 2, from(1 = v1::States))]
impl Sale {
    #[migrate(from = 1)]
    fn pending(old: Pending) -> Pending {
        old
    }
    #[migrate(from = 1)]
    fn reviewing(_: v1::Reviewing) -> Paid {
        Paid
    }

    #[on(allow(endless_wait))]
    fn paid(&self, _: Pending, _: Payment) -> Paid {
        Paid
    }
}

fn main() {}
