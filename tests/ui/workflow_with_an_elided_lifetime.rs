use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state(end)]
struct Done;

struct Order<'a> {
    name: &'a str,
}

#[workflow(start = Pending)]
impl Order<'_> {
    #[after("1h")]
    fn late(&self, _: Pending) -> Done {
        let _ = self.name;
        Done
    }
}

fn main() {}
