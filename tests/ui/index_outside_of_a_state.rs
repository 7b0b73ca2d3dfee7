//! Only the fields of a state are searched by.

pub struct Customer {
    #[index]
    name: String,
}

fn main() {}
