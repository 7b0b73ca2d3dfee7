//! States and events with the names of what the expansion is made of, and of what everybody imports.
#![allow(clippy::enum_variant_names, reason = "the names are the point")]

use workflow_runtime::{Cx, Next, Stay, event, goto, state, workflow};

#[state]
struct Result {
    serializer: u8,
    deserializer: ::std::option::Option<u8>,
    formatter: ::std::vec::Vec<::std::string::String>,
}

#[state]
struct Option(u8);

#[state]
struct Json;

#[state]
enum From {
    Ok,
    Err(u8),
}

#[state(end)]
struct Ok;

#[state(end)]
struct Shared;

#[state(end)]
struct Wrote {
    took: u8,
}

#[event]
struct Send {
    sync: bool,
}

#[event]
struct Future(u8);

#[event]
enum Trigger {
    Some,
    None,
}

#[event]
struct Clone;

struct Decision;

#[workflow(start = Result)]
impl Decision {
    #[on]
    fn some(&self, result: Result, Send { sync }: Send) -> Next<(Option, Json, Ok)> {
        match (sync, result.serializer) {
            (true, number) => goto(Option(number)),
            (false, 0) => goto(Json),
            (false, _) => goto(Ok),
        }
    }

    #[after("1h")]
    fn none(&self, _: Result) -> Ok {
        Ok
    }

    #[state]
    async fn into(&self, cx: &Cx, Option(took): Option) -> ::workflow_runtime::Result<Wrote> {
        ::std::result::Result::Ok(Wrote { took: self.clone(cx, took).await? })
    }

    #[catch]
    fn err(&self, _: Option, _: ::workflow_runtime::Error) -> Shared {
        Shared
    }

    #[on(allow(endless_wait))]
    fn default(&self, _: Json, _: Trigger) -> Next<(Shared, From)> {
        if ::std::env::args().len() > 100 { goto(Shared) } else { goto(From::Err(1)) }
    }

    #[on(allow(endless_wait))]
    fn drop(&self, _: From, _: Future) -> Next<(Ok, Stay<From>)> {
        if ::std::env::args().len() > 100 { goto(Stay(From::Ok)) } else { goto(Ok) }
    }

    #[on(allow(endless_wait))]
    fn eq(&self, _: DecisionLive, _: Clone) -> Shared {
        Shared
    }

    #[step(retry(max = 2))]
    async fn clone(&self, _: &Cx, took: u8) -> ::workflow_runtime::Result<u8> {
        ::std::result::Result::Ok(took)
    }
}

#[test]
fn the_graph_and_the_data_are_there() {
    let names: ::std::vec::Vec<_> = DecisionState::GRAPH.states.iter().map(|state| state.name).collect();
    assert_eq!(names, ["result", "option", "json", "ok", "wrote", "shared", "from"]);
    let result =
        Result { serializer: 1, deserializer: ::std::option::Option::None, formatter: ::std::vec!["a".into()] };
    let saved = ::serde_json::to_string(&DecisionState::from(result)).unwrap();
    let read: DecisionState = ::serde_json::from_str(&saved).unwrap();
    assert!(matches!(read, DecisionState::Result(result) if result.formatter == ["a"]));
}
