//! The turnstile with statig.

use std::hint::black_box;

use statig::prelude::*;

use super::{Events as _, Happened, InTurn, PRICE};

/// The same with statig.
struct Statig {
    price: u64,
}

#[state_machine(initial = "State::locked(0)")]
impl Statig {
    #[state]
    async fn locked(&self, coins: &u64, event: &Happened) -> Outcome<State> {
        match event {
            Happened::Coin { coins: more } => {
                let coins = coins + more;
                if coins < self.price {
                    Transition(State::locked(coins))
                } else {
                    Transition(State::unlocked(coins - self.price))
                }
            }
            Happened::Removal => Transition(State::gone()),
            Happened::Push => Handled,
        }
    }

    #[state]
    async fn unlocked(coins: &u64, event: &Happened) -> Outcome<State> {
        match event {
            Happened::Coin { coins: more } => Transition(State::unlocked(coins + more)),
            Happened::Push => Transition(State::locked(*coins)),
            Happened::Removal => Transition(State::gone()),
        }
    }

    #[state]
    async fn gone(event: &Happened) -> Outcome<State> {
        let _ = event;
        Handled
    }
}

pub(super) async fn drive_statig(transitions: u64) -> u64 {
    let mut machine = Statig { price: black_box(PRICE) }.state_machine();
    let mut events = InTurn(0);
    for _ in 0..transitions {
        let event = events.next(|coins| Happened::Coin { coins }, || Happened::Push);
        machine.handle(&event).await;
    }
    match machine.state() {
        State::Locked { coins } | State::Unlocked { coins } => *coins,
        State::Gone {} => 0,
    }
}
