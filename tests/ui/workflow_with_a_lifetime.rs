use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state(end)]
struct Done;

struct Order<'a> {
    name: &'a str,
}

#[workflow(start = Pending)]
impl<'a> Order<'a> {
    #[after("1h")]
    fn late(&self, _: Pending) -> Done {
        let _ = self.name;
        Done
    }
}

fn main() {}
