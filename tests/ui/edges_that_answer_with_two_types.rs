use workflow_runtime::prelude::*;

#[state]
struct Open {
    seats: u32,
}
#[state]
struct Closed;
#[state(end)]
struct Gone;
#[event]
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
    fn book(&self, open: Open, _: Book) -> Reply<u32, Stay<Open>> {
        reply(open.seats, Stay(open))
    }

    #[on]
    fn book_late(&self, _: Closed, _: Book) -> Reply<String, Wait> {
        reply(String::new(), Wait)
    }
}

fn main() {}
