use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state(end)]
struct Done;

#[state(end)]
struct Cancelled;

struct Order;

#[workflow(start = Pending, allow(small_machine, no_undo))]
impl Order {
    #[state]
    fn pending(&self, _: Pending) -> Next<(Done, Unwind<Cancelled>)> {
        if std::mem::size_of::<Self>() == 0 { goto(Done) } else { goto(Cancelled) }
    }
}

fn main() {}
