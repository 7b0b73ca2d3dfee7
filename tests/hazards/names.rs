//! Types with the names of what the expansion uses, and states behind paths.

use workflow_runtime::prelude::*;

mod other {
    use workflow_runtime::prelude::*;

    #[state]
    pub(super) struct State;

    #[state(end)]
    pub(super) struct Outcome;

    #[event]
    pub(super) struct Event;
}

struct Turn;

#[workflow(start = other::State)]
impl Turn {
    #[on]
    fn event(&self, state: other::State, _: other::Event) -> Next<(other::Outcome, Stay<other::State>)> {
        if std::env::args().len() > 100 { goto(Stay(state)) } else { goto(other::Outcome) }
    }

    #[after("1s")]
    fn after(&self, _: other::State) -> other::Outcome {
        other::Outcome
    }
}

#[test]
fn paths_are_known_by_their_last_name() {
    let next: Next<(other::Outcome, Stay<other::State>)> = goto(other::Outcome);
    assert!(matches!(TurnStateNext::from(next), TurnStateNext::Outcome(_)));
}
