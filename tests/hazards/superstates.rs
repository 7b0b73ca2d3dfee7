//! Groups, computed times and answers of a workflow with parameters, where nothing is in scope but what the user names.
#![no_implicit_prelude]

use ::std::marker::{Send, Sync};
use ::std::time::Duration;
use ::workflow_runtime::{Cx, Reply, Result, Stay, Timestamp, Wait, event, refuse, reply, state, workflow};

trait Clerk {
    type Ticket: ::serde::Serialize + ::serde::de::DeserializeOwned + Send + 'static;
    fn print(&self, number: u32) -> Self::Ticket;
    fn hours(&self) -> u64;
}

#[state]
struct Waiting {
    r#type: u32,
    until: ::std::option::Option<Timestamp>,
}

#[state]
struct Called {
    r#type: u32,
    slot: (u32, Timestamp),
}

#[state(end)]
struct Gone;

#[state(group)]
enum Present {
    Waiting(Waiting),
    Called(Called),
}

#[event(reject)]
struct Ask;

#[event(drop, key = "0")]
struct Leave(u32);

#[event]
struct Call;

struct Counter<C, const MINUTES: u64> {
    clerk: C,
}

#[workflow(start = Waiting)]
impl<C: Clerk + Send + Sync + 'static, const MINUTES: u64> Counter<C, MINUTES> {
    #[on]
    async fn asked(&self, _: &Cx, present: Present, _: Ask) -> Result<Reply<C::Ticket, Stay<Present>, u32>> {
        let number = match &present {
            Present::Waiting(waiting) => waiting.r#type,
            Present::Called(called) => called.r#type,
        };
        if number == 0 {
            return ::std::result::Result::Ok(refuse(number));
        }
        ::std::result::Result::Ok(reply(self.clerk.print(number), Stay(present)))
    }

    #[on]
    fn left(&self, _: CounterLive, _: Leave) -> Gone {
        Gone
    }

    #[on]
    fn called(&self, waiting: Waiting, _: Call) -> Called {
        Called { r#type: waiting.r#type, slot: (1, Timestamp::from_millis(5)) }
    }

    #[after(Self::patience)]
    fn tired(&self, _: Waiting) -> Gone {
        Gone
    }

    #[after(Self::patience_of_all)]
    fn closed(&self, _: Present) -> Gone {
        Gone
    }

    #[at(until)]
    fn over(&self, _: Waiting) -> Gone {
        Gone
    }

    #[at(slot.1)]
    fn missed(&self, _: Called) -> Gone {
        Gone
    }

    #[every("1m")]
    fn remind(&self, _: Present) -> Wait {
        Wait
    }

    fn patience(waiting: &Waiting) -> Duration {
        Duration::from_secs(60 * MINUTES * ::std::convert::Into::<u64>::into(waiting.r#type))
    }

    fn patience_of_all(&self, _: &Present) -> Duration {
        Duration::from_hours(self.clerk.hours())
    }
}

struct Machine;

impl Clerk for Machine {
    type Ticket = ::std::string::String;
    fn print(&self, number: u32) -> Self::Ticket {
        ::std::format!("number {number}")
    }
    fn hours(&self) -> u64 {
        1
    }
}

#[::std::prelude::v1::test]
fn it_runs() {
    let start = || Waiting { r#type: 2, until: ::std::option::Option::None };
    let counter: Counter<Machine, 3> = Counter { clerk: Machine };
    let mut counter = ::workflow_runtime::Stepper::start(counter, start()).unwrap();
    let answer = ::workflow_tests::turns::now(counter.ask(Ask)).unwrap();
    ::std::assert_eq!(answer.unwrap(), "number 2");
    let rest = ::workflow_tests::turns::now(counter.advance(Duration::from_secs(359))).unwrap();
    ::std::assert!(::std::matches!(rest, ::workflow_runtime::Rest::Waiting { .. }));
    let rest = ::workflow_tests::turns::now(counter.advance(Duration::from_secs(1))).unwrap();
    ::std::assert_eq!(rest, ::workflow_runtime::Rest::Ended);
}
