use workflow_runtime::prelude::*;

#[state]
struct Pending {
    reference: &'static str,
}

fn main() {
    let _ = Pending { reference: "" }.reference;
}
