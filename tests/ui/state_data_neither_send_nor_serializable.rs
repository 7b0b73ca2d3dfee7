use workflow_runtime::prelude::*;

#[state]
struct Pending {
    shared: std::rc::Rc<u8>,
}

fn main() {
    let _ = Pending { shared: std::rc::Rc::new(1) }.shared;
}
