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
    fn book(&self, _: Open, _: Book) -> Reply<u32, Stay<Open>, bool> {
        refuse(true)
    }

    #[on]
    fn book_late(&self, _: Closed, _: Book) -> Reply<u32, Wait, String> {
        refuse(String::new())
    }
}

fn main() {}
