//! Pure transitions: of a generated machine by itself, beside other ways to write one, and through the engine.

use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::time::{Duration, Instant};

use allocation_counter::measure;
use cpu_time::ProcessTime;
use workflow_runtime::prelude::{Error, Next, Result, event, goto, state, workflow};
use workflow_runtime::{Engine, Workflow as _};

use super::Setting;
use crate::figures::{Figure, Report};
use crate::measure::{median, micros};

mod by_statig;

use self::by_statig::drive_statig;

const PRICE: u64 = 3;
const ROUNDS: usize = 5;

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

/// Which event comes next: coins of 1, 2 and 3, then a push, over and over. By chance, what is measured would be how often
/// the processor guesses wrong, which hangs on how the compiler lays out the same jumps.
struct Events(u64);

impl Events {
    fn next<T>(&mut self, coin: impl FnOnce(u64) -> T, push: impl FnOnce() -> T) -> T {
        self.0 += 1;
        match black_box(self.0 % 4) {
            0 => push(),
            coins => coin(coins),
        }
    }
}

pub(super) async fn run(setting: &Setting, report: &mut Report) -> Result<(), Error> {
    let transitions = setting.size.pick(20_000_000, 2_000_000, 10_000);
    let mut nanos: [Vec<f64>; 5] = Default::default();
    let mut allocations = [0; 4];
    for _ in 0..ROUNDS {
        let [by_hand, generated, typed, statig, boxed] = &mut nanos;
        let time = |into: &mut Vec<f64>, count: &mut u64, work: &mut dyn FnMut() -> u64| {
            let begin = Instant::now();
            let info = measure(|| {
                black_box(work());
            });
            into.push(begin.elapsed().as_secs_f64() * 1e9 / transitions as f64);
            *count = info.count_total;
        };
        let [none, of_generated, of_statig, of_boxed] = &mut allocations;
        time(by_hand, none, &mut || drive_by_hand(transitions));
        time(generated, of_generated, &mut || drive_generated(transitions));
        time(typed, of_generated, &mut || drive_typed(transitions));
        time(statig, of_statig, &mut || block_on(drive_statig(transitions)));
        time(boxed, of_boxed, &mut || block_on(drive_boxed(transitions)));
    }
    let [by_hand, generated, typed, statig, boxed] = nanos.map(median);
    let each = |count: u64| count as f64 / transitions as f64;
    report.add(Figure::new("a match by hand", "a transition", by_hand, "ns"));
    let ratio = generated / by_hand;
    report.add(
        Figure::new("generated", "a transition", generated, "ns").beside("a match by hand", ratio).ratio_at_most(1.1),
    );
    report.add(Figure::new("generated", "allocations", each(allocations[1]), "a transition").at_most(0.0));
    report.add(Figure::new("generated, one event at a time", "a transition", typed, "ns"));
    report.add(Figure::new("statig, async", "a transition", statig, "ns").beside("a match by hand", statig / by_hand));
    report.add(Figure::new("statig, async", "allocations", each(allocations[2]), "a transition"));
    report.add(Figure::new("a boxed future", "a transition", boxed, "ns").beside("a match by hand", boxed / by_hand));
    report.add(Figure::new("a boxed future", "allocations", each(allocations[3]), "a transition"));
    let transitions = setting.size.pick(1_000_000, 200_000, 1_000);
    let (mut wall, mut cpu) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let before = ProcessTime::now();
        wall.push(micros(through_the_engine(transitions).await?));
        cpu.push(micros(before.elapsed()) / transitions as f64);
    }
    let engine = "through the engine, memory store";
    // One execution is one task, so this is what it takes where nobody else wants the core.
    report.add(Figure::new(engine, "CPU a transition", median(cpu), "µs").at_most(1.0));
    report.add(Figure::new(engine, "a transition", median(wall), "µs"));
    let counted = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut result = Ok(Duration::ZERO);
        let info = measure(|| result = runtime.block_on(through_the_engine(transitions)));
        result.map(|_| info.count_total)
    });
    let count = counted.join().map_err(|_| Error::msg("the thread that counts allocations has panicked"))??;
    let count = count as f64 / transitions as f64;
    report.add(Figure::new(engine, "allocations", count, "a transition"));
    Ok(())
}

fn drive_by_hand(transitions: u64) -> u64 {
    let price = black_box(PRICE);
    let (mut state, mut events) = (ByHand::Locked { coins: 0 }, Events(0));
    for _ in 0..transitions {
        let event = events.next(|coins| Happened::Coin { coins }, || Happened::Push);
        state = state.take(price, event).unwrap_or_else(|state| state);
    }
    let coins = state.coins();
    black_box(state.take(price, Happened::Removal).is_ok());
    coins
}

fn drive_generated(transitions: u64) -> u64 {
    let turnstile = Turnstile { price: black_box(PRICE) };
    let (mut state, mut events) = (TurnstileState::Locked(Locked { coins: 0 }), Events(0));
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

fn drive_typed(transitions: u64) -> u64 {
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

async fn drive_boxed(transitions: u64) -> u64 {
    let price = black_box(PRICE);
    let (mut state, mut events) = (ByHand::Locked { coins: 0 }, Events(0));
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
async fn through_the_engine(transitions: u64) -> Result<Duration, Error> {
    let engine = Engine::in_memory().workflow(Countdown).start().await?;
    let begin = Instant::now();
    let execution = engine.start::<Countdown>("one", Even { left: transitions.saturating_sub(1) }).await?;
    execution.outcome().await?;
    let wall = begin.elapsed();
    engine.shutdown().await?;
    Ok(wall.div_f64(transitions as f64))
}
