//! Pure transitions: a turnstile as a generated machine and as others would write it, and a countdown through the engine.
//!
//! The program that takes the time and the one that counts allocations each have it as a module.

use std::hint::black_box;
use std::pin::Pin;
use std::time::{Duration, Instant};

use workflow_runtime::prelude::{Error, Next, Result, event, goto, state, workflow};
use workflow_runtime::{Engine, Workflow as _};

mod by_statig;

/// The ways.
pub(crate) const BY_HAND: &str = "a match by hand";
pub(crate) const GENERATED: &str = "generated";
pub(crate) const BY_HAND_BY_CHANCE: &str = "a match by hand, events by chance";
pub(crate) const GENERATED_BY_CHANCE: &str = "generated, events by chance";
pub(crate) const TYPED: &str = "generated, one event at a time";
pub(crate) const STATIG: &str = "statig, async";
pub(crate) const BOXED: &str = "a boxed future";
pub(crate) const ENGINE: &str = "through the engine, memory store";

const PRICE: u64 = 3;

/// Of what comes by chance, the same in every run.
const SEED: u64 = 0x0138_4e1d_5f2b_9c77;

/// It wants money.
#[state]
#[derive(Debug, PartialEq)]
struct Locked {
    coins: u64,
}

/// One may pass.
#[state]
struct Unlocked {
    coins: u64,
}

/// It was taken away.
#[state(end)]
struct Gone;

#[event]
struct Coin {
    coins: u64,
}

#[event]
struct Push;

#[event]
struct Removal;

struct Turnstile {
    price: u64,
}

#[workflow(start = Locked, allow(endless_wait))]
impl Turnstile {
    #[on]
    fn paid(&self, locked: Locked, coin: Coin) -> Next<(Locked, Unlocked)> {
        let coins = locked.coins + coin.coins;
        if coins < self.price { goto(Locked { coins }) } else { goto(Unlocked { coins: coins - self.price }) }
    }

    #[on]
    fn tipped(&self, unlocked: Unlocked, coin: Coin) -> Unlocked {
        Unlocked { coins: unlocked.coins + coin.coins }
    }

    #[on]
    fn passed(&self, unlocked: Unlocked, _: Push) -> Locked {
        Locked { coins: unlocked.coins }
    }

    #[on]
    fn removed(&self, _: TurnstileLive, _: Removal) -> Gone {
        Gone
    }
}

/// The same by hand.
enum ByHand {
    Locked { coins: u64 },
    Unlocked { coins: u64 },
    Gone,
}

enum Happened {
    Coin { coins: u64 },
    Push,
    Removal,
}

impl ByHand {
    #[inline]
    fn take(self, price: u64, event: Happened) -> Result<Self, Self> {
        match (self, event) {
            (Self::Locked { coins }, Happened::Coin { coins: more }) => {
                let coins = coins + more;
                Ok(if coins < price { Self::Locked { coins } } else { Self::Unlocked { coins: coins - price } })
            }
            (Self::Unlocked { coins }, Happened::Coin { coins: more }) => Ok(Self::Unlocked { coins: coins + more }),
            (Self::Unlocked { coins }, Happened::Push) => Ok(Self::Locked { coins }),
            (Self::Locked { .. } | Self::Unlocked { .. }, Happened::Removal) => Ok(Self::Gone),
            (other, _) => Err(other),
        }
    }

    /// The same as a future in a box, which is what an engine that knows no types is given.
    fn take_boxed(self, price: u64, event: Happened) -> Pin<Box<dyn Future<Output = Result<Self, Self>>>> {
        Box::pin(async move { self.take(price, event) })
    }

    fn coins(&self) -> u64 {
        match self {
            Self::Locked { coins } | Self::Unlocked { coins } => *coins,
            Self::Gone => 0,
        }
    }
}

/// Even, so far.
#[state]
struct Even {
    left: u64,
}

/// Odd, so far.
#[state]
struct Odd {
    left: u64,
}

/// Nothing is left.
#[state(end)]
struct Zero;

/// Counts down, a transition for each number.
struct Countdown;

#[workflow(start = Even)]
impl Countdown {
    #[state]
    fn even(&self, state: Even) -> Next<(Odd, Zero)> {
        state.left.checked_sub(1).map_or_else(|| goto(Zero), |left| goto(Odd { left }))
    }

    #[state]
    fn odd(&self, state: Odd) -> Next<(Even, Zero)> {
        state.left.checked_sub(1).map_or_else(|| goto(Zero), |left| goto(Even { left }))
    }
}

/// Which event comes next: a coin of 1, 2 or 3, or a push.
trait Events: Sized {
    /// 0 for a push, or a coin.
    fn draw(&mut self) -> u64;

    fn next<T>(&mut self, coin: impl FnOnce(u64) -> T, push: impl FnOnce() -> T) -> T {
        match black_box(self.draw()) {
            0 => push(),
            coins => coin(coins),
        }
    }
}

/// Over and over, so that the processor soon guesses every jump.
struct InTurn(u64);

impl Events for InTurn {
    fn draw(&mut self) -> u64 {
        self.0 += 1;
        self.0 % 4
    }
}

/// By chance, so that it guesses as many wrong as the code has jumps that hang on an event.
struct ByChance(u64);

impl Events for ByChance {
    fn draw(&mut self) -> u64 {
        // xorshift, by George Marsaglia.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 62
    }
}

pub(crate) fn drive_by_hand(transitions: u64) -> u64 {
    by_hand(transitions, InTurn(0))
}

pub(crate) fn drive_generated(transitions: u64) -> u64 {
    generated(transitions, InTurn(0))
}

pub(crate) fn drive_by_hand_by_chance(transitions: u64) -> u64 {
    by_hand(transitions, ByChance(SEED))
}

pub(crate) fn drive_generated_by_chance(transitions: u64) -> u64 {
    generated(transitions, ByChance(SEED))
}

// Each by itself, so that neither hangs on what is around it.
#[inline(never)]
fn by_hand(transitions: u64, mut events: impl Events) -> u64 {
    let price = black_box(PRICE);
    let mut state = ByHand::Locked { coins: 0 };
    for _ in 0..transitions {
        let event = events.next(|coins| Happened::Coin { coins }, || Happened::Push);
        state = state.take(price, event).unwrap_or_else(|state| state);
    }
    let coins = state.coins();
    black_box(state.take(price, Happened::Removal).is_ok());
    coins
}

#[inline(never)]
fn generated(transitions: u64, mut events: impl Events) -> u64 {
    let turnstile = Turnstile { price: black_box(PRICE) };
    let mut state = TurnstileState::Locked(Locked { coins: 0 });
    for _ in 0..transitions {
        let event = events.next(|coins| TurnstileEvent::Coin(Coin { coins }), || TurnstileEvent::Push(Push));
        state = match turnstile.take_any(state, event) {
            Ok(state) => state,
            Err(error) => match error.into_state() {
                Some(state) => state,
                None => return 0,
            },
        };
    }
    coins(&state)
}

pub(crate) fn drive_typed(transitions: u64) -> u64 {
    let turnstile = Turnstile { price: black_box(PRICE) };
    let mut state = TurnstileState::Locked(Locked { coins: 0 });
    for _ in 0..transitions {
        state = match turnstile.take(state, Coin { coins: black_box(1) }) {
            Ok(state) => state,
            Err(_) => return 0,
        };
    }
    coins(&state)
}

fn coins(state: &TurnstileState) -> u64 {
    match state {
        TurnstileState::Locked(Locked { coins }) | TurnstileState::Unlocked(Unlocked { coins }) => *coins,
        TurnstileState::Gone(Gone) => 0,
    }
}

pub(crate) fn drive_statig(transitions: u64) -> u64 {
    block_on(by_statig::drive_statig(transitions))
}

pub(crate) fn drive_boxed(transitions: u64) -> u64 {
    block_on(boxed(transitions))
}

async fn boxed(transitions: u64) -> u64 {
    let price = black_box(PRICE);
    let (mut state, mut events) = (ByHand::Locked { coins: 0 }, InTurn(0));
    for _ in 0..transitions {
        let event = events.next(|coins| Happened::Coin { coins }, || Happened::Push);
        state = state.take_boxed(price, event).await.unwrap_or_else(|state| state);
    }
    state.coins()
}

/// Polls what never waits.
fn block_on<T: Default>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    match future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => T::default(),
    }
}

/// How long one transition of a cyclic machine takes through the engine.
pub(crate) async fn through_the_engine(transitions: u64) -> Result<Duration, Error> {
    let engine = Engine::in_memory().workflow(Countdown).start().await?;
    let begin = Instant::now();
    let execution = engine.start::<Countdown>("one", Even { left: transitions.saturating_sub(1) }).await?;
    execution.outcome().await?;
    let wall = begin.elapsed();
    engine.shutdown().await?;
    Ok(wall.div_f64(transitions as f64))
}
