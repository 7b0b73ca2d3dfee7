use workflow_runtime::prelude::*;

#[state]
struct Draft;
#[state]
struct Review;
#[state(end)]
struct Done;
#[event]
struct Go;
#[event]
struct Stop;

#[state(group)]
enum Open {}

struct Article;

impl Article {
    fn ready(&self) -> bool {
        true
    }
}

#[workflow(start = Draft)]
impl Article {
    #[state]
    fn draft(&self, _: Draft) -> Next<(Review, Wait)> {
        if self.ready() { goto(Review) } else { goto(Wait) }
    }

    #[after("1d")]
    fn finish(&self, _: Review) -> Done {
        Done
    }

    #[on]
    fn stop(&self, _: Open, _: Stop) -> Done {
        Done
    }
}

fn main() {}
