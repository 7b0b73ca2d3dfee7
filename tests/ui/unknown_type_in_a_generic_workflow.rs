use workflow_runtime::prelude::*;

#[state]
struct Pending;

#[state(end)]
struct Done;

struct Order<B>(B);

#[workflow(start = Pending)]
impl<B: Send + Sync + 'static> Order<B> {
    #[state]
    fn pending(&self, _: Pending) -> Next<(Done, Shiped)> {
        let _ = &self.0;
        todo!()
    }
}

fn main() {
    let _ = Order(1).pending(Pending);
}
