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
enum Open<T> {
    Draft(T),
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


}

fn main() {}
