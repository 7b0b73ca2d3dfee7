//! Raw identifiers.

use std::sync::Arc;

use workflow_runtime::prelude::*;
use workflow_tests::turns::{call, decide};

#[state]
struct Pending {
    r#type: u32,
}

#[state]
#[allow(non_camel_case_types, reason = "keywords are lower case")]
struct r#loop;

#[state(end)]
#[allow(non_camel_case_types, reason = "keywords are lower case")]
struct r#final(u32);

#[event]
#[allow(non_camel_case_types, reason = "keywords are lower case")]
struct r#yield;

#[allow(non_camel_case_types, reason = "keywords are lower case")]
struct r#static;

#[workflow(start = Pending, allow(endless_wait))]
impl r#static {
    #[on]
    fn r#move(&self, _: Pending, _: r#yield) -> r#loop {
        r#loop
    }

    #[state]
    async fn r#while(&self, cx: &Cx, _: r#loop) -> Result<r#final> {
        Ok(r#final(self.r#try(cx, 4).await?))
    }

    #[catch]
    fn r#break(&self, _: r#loop, _: Error) -> r#final {
        r#final(0)
    }

    #[step(retry(max = 2))]
    async fn r#try(&self, _: &Cx, r#in: u32) -> Result<u32> {
        Ok(r#in)
    }
}

#[test]
fn names_are_persisted_without_the_mark() {
    let graph = staticState::GRAPH;
    assert_eq!(graph.workflow, "static");
    assert_eq!(graph.states.iter().map(|state| state.name).collect::<Vec<_>>(), ["pending", "loop", "final"]);
    assert_eq!(graph.handlers.iter().map(|handler| handler.name).collect::<Vec<_>>(), ["move", "while", "break"]);
    assert_eq!(staticTransition::MoveToloop.handler(), "move");
    assert!(matches!(staticState::from(r#loop), staticState::r#loop(_)));
    let (state, data) = decide(&Arc::new(r#static), call("loop", "null", "while", None));
    assert_eq!((state.as_str(), data.as_str()), ("final", "4"));
    assert_eq!(Pending { r#type: 1 }.r#type, 1);
}
