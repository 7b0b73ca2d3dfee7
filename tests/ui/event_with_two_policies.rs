use workflow_runtime::prelude::*;

#[state]
struct Open {
    seats: u32,
}
#[state]
struct Closed;
#[state(end)]
struct Gone;
#[event(reject, drop)]
struct Book;

struct Desk;

#[workflow(start = Open)]
impl Desk {
    #[after("1d")]
    fn close(&self, _: Open) -> Closed {
        Closed
    }

    #[after("1d")]
    fn leave(&self, _: Closed) -> Gone {
        Gone
    }

    #[on]
    fn book(&self, open: Open, _: Book) -> Stay<Open> {
        Stay(open)
    }
}

fn main() {}
