use workflow_runtime::prelude::*;

mod v1 {
    use workflow_runtime::prelude::*;

    #[state]
    pub struct Pending {
        pub euros: u32,
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

#[workflow(start = Pending, include(on paid(Pending, Payment) -> Paid))]
impl Sale {}

#[workflow(part, allow(endless_wait))]
impl Sale {
    #[migrate(from = 1)]
    fn pending(old: v1::Pending) -> Pending {
        Pending { cents: old.euros * 100 }
    }

    #[on]
    fn paid(&self, _: Pending, _: Payment) -> Paid {
        Paid
    }
}

fn main() {}
