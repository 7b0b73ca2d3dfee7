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

#[state]
struct Foreign;
#[state(group)]
enum Open {
    Foreign(Foreign),
}

struct Article;

#[workflow(start = Draft)]
impl Article {
    #[state]
    fn draft(&self, _: Draft) -> Review {
        Review
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
