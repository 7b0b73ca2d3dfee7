//! A machine without an engine: transitions as plain function calls.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use workflow_runtime::prelude::*;
use workflow_runtime::{Engine, Execution, NotTaken, Stepper};

#[state]
#[derive(Debug, PartialEq)]
pub struct Locked {
    cents: u32,
}

#[state]
#[derive(Debug, PartialEq)]
pub struct Unlocked {
    passed: u32,
}

#[state]
#[derive(Debug)]
pub struct Inspected;

#[state(end)]
#[derive(Debug, PartialEq)]
pub struct Retired {
    passed: u32,
}

#[event]
pub struct Coin {
    cents: u32,
}

#[event]
pub struct Push;

#[event]
pub struct Inspect;

#[event]
#[cfg(not(any()))]
pub struct Kick;

pub struct Turnstile<P> {
    price: P,
}

pub trait Price: Send + Sync + 'static {
    fn cents(&self) -> u32;
}

impl Price for u32 {
    fn cents(&self) -> u32 {
        *self
    }
}

#[workflow(start = Locked)]
impl<P: Price> Turnstile<P> {
    #[on(allow(endless_wait))]
    fn coin(&self, locked: Locked, coin: Coin) -> Next<(Stay<Locked>, Unlocked)> {
        let cents = locked.cents + coin.cents;
        match cents >= self.price.cents() {
            true => goto(Unlocked { passed: 0 }),
            false => goto(Stay(Locked { cents })),
        }
    }

    #[on]
    fn push(&self, unlocked: Unlocked, _: Push) -> Next<(Locked, Retired)> {
        match unlocked.passed {
            7.. => goto(Retired { passed: unlocked.passed }),
            passed => goto(Locked { cents: passed }),
        }
    }

    #[cfg(not(any()))]
    #[on]
    fn kicked(&self, _: Locked, _: Kick) -> Unlocked {
        Unlocked { passed: 6 }
    }

    #[cfg(any())]
    #[on]
    fn bribed(&self, _: Unlocked, _: Bribe) -> Locked {
        Locked { cents: 0 }
    }

    #[on]
    async fn inspected(&self, _: &Cx, _: Unlocked, _: Inspect) -> Inspected {
        Inspected
    }

    #[after("1h")]
    fn closed(&self, unlocked: Unlocked) -> Locked {
        Locked { cents: unlocked.passed }
    }

    #[after("1h")]
    async fn inspection_over(&self, _: &Cx, _: Inspected) -> Locked {
        Locked { cents: 0 }
    }
}

fn turnstile() -> Turnstile<u32> {
    Turnstile { price: 50 }
}

#[test]
fn an_event_takes_its_edge() -> Result<()> {
    let turnstile = turnstile();
    let state = turnstile.enter(Locked { cents: 0 })?;
    let state = turnstile.take(state, Coin { cents: 20 })?;
    assert!(matches!(state, TurnstileState::Locked(Locked { cents: 20 })), "{state:?}");
    let state = turnstile.take_any(state, Coin { cents: 40 }.into())?;
    assert!(matches!(state, TurnstileState::Unlocked(_)), "{state:?}");
    let state = turnstile.take(state, Push)?;
    let state = turnstile.take(state, Kick)?;
    let state = turnstile.fire(state, TurnstileTransition::ClosedToLocked)?;
    assert!(matches!(state, TurnstileState::Locked(Locked { cents: 6 })), "{state:?}");
    Ok(())
}

#[test]
fn what_has_no_edge_gives_the_state_back() {
    let turnstile = turnstile();
    let error = turnstile.take(Locked { cents: 3 }.into(), Push).unwrap_err();
    assert_eq!(error.to_string(), "the state `locked` has no edge for `push`");
    assert!(matches!(error.into_state(), Some(TurnstileState::Locked(Locked { cents: 3 }))));
    let end = turnstile.take_any(Retired { passed: 7 }.into(), Push.into()).unwrap_err();
    assert!(matches!(end, NotTaken::NoEdge { state: TurnstileState::Retired(_), asked: "push" }), "{end:?}");
    let timer = turnstile.fire(Locked { cents: 0 }.into(), TurnstileTransition::ClosedToLocked).unwrap_err();
    assert!(matches!(timer, NotTaken::NoEdge { asked: "closed", .. }), "{timer:?}");
}

#[test]
fn what_has_effects_is_for_an_engine() {
    let turnstile = turnstile();
    let event = turnstile.take(Unlocked { passed: 1 }.into(), Inspect).unwrap_err();
    let text = "the handler `inspected` of `unlocked` has effects: an engine or a `Stepper` runs it";
    assert_eq!(event.to_string(), text);
    assert!(matches!(event.into_state(), Some(TurnstileState::Unlocked(Unlocked { passed: 1 }))));
    let any = turnstile.take_any(Unlocked { passed: 1 }.into(), Inspect.into()).unwrap_err();
    assert!(matches!(any, NotTaken::Effects { handler: "inspected", .. }), "{any:?}");
    let timer = turnstile.fire(Inspected.into(), TurnstileTransition::InspectionOverToLocked).unwrap_err();
    assert!(matches!(timer, NotTaken::Effects { handler: "inspection_over", .. }), "{timer:?}");
}

/// Something is asked of a vending machine.
#[state]
#[derive(Debug, Clone, PartialEq)]
pub struct Idle {
    left: u32,
    log: Vec<String>,
}

#[state]
#[derive(Debug, Clone)]
pub struct Counting {
    left: u32,
    log: Vec<String>,
}

/// It is not `Clone`, on purpose.
#[state]
#[derive(Debug)]
pub struct Jammed {
    left: u32,
}

#[state(end)]
#[derive(Debug)]
pub struct Empty {
    log: Vec<String>,
}

#[event]
pub struct Take {
    count: u32,
}

#[event]
pub struct Refill {
    count: u32,
}

#[event]
pub struct Knock;

#[event]
pub struct Check {
    text: String,
}

#[event]
pub struct Sell;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct TooMany {
    left: u32,
}

#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
#[error("it is jammed")]
pub struct Jam;

#[state(group)]
#[derive(Clone)]
pub enum Working {
    Idle(Idle),
    Counting(Counting),
}

pub struct Vending;

#[workflow(start = Idle, allow(endless_wait))]
impl Vending {
    #[on]
    fn taken(&self, idle: Idle, take: Take) -> Reply<u32, Next<(Counting, Stay<Idle>)>, TooMany> {
        match idle.left.checked_sub(take.count) {
            None => refuse(TooMany { left: idle.left }),
            Some(left) if take.count == 0 => reply(left, goto(Stay(Idle { left, log: idle.log }))),
            Some(left) => reply(left, goto(Counting { left, log: idle.log })),
        }
    }

    /// Passed through, unless nothing is left.
    #[state]
    fn counting(&self, counting: Counting) -> Next<(Idle, Wait)> {
        match counting.left {
            0 => goto(Wait),
            left => goto(Idle { left, log: counting.log }),
        }
    }

    #[on]
    fn refilled(&self, working: Working, refill: Refill) -> Next<(Stay<Working>, Wait)> {
        if refill.count == 0 {
            return goto(Wait);
        }
        goto(Stay(match working {
            Working::Idle(idle) => Idle { left: idle.left + refill.count, ..idle }.into(),
            Working::Counting(counting) => Counting { left: counting.left + refill.count, ..counting }.into(),
        }))
    }

    /// Goes before what holds for the group.
    #[on]
    fn knocked_while_counting(&self, counting: Counting, _: Knock) -> Next<(Stay<Counting>, Idle)> {
        match counting.left {
            left @ 100.. => goto(Idle { left, log: counting.log }),
            left => goto(Stay(Counting { left: left + 100, ..counting })),
        }
    }

    #[on]
    fn knocked(&self, working: Working, _: Knock) -> Jammed {
        Jammed { left: Self::left(&working) }
    }

    #[on]
    fn knocked_anywhere(&self, live: VendingLive, _: Knock) -> Unwind<Empty> {
        let log = match live {
            VendingLive::Jammed(jammed) => vec![format!("jammed with {}", jammed.left)],
            VendingLive::Idle(_) | VendingLive::Counting(_) => vec!["never".to_owned()],
        };
        Unwind(Empty { log })
    }

    #[on]
    fn checked(&self, idle: Idle, check: Check) -> Result<Stay<Idle>> {
        match check.text.as_str() {
            "jam" => Err(Jam.into()),
            "odd" => Err(Error::msg("odd")),
            _ => Ok(Stay(Idle { log: idle.log.into_iter().chain([check.text]).collect(), ..idle })),
        }
    }

    #[catch]
    fn jammed(&self, idle: Idle, _: Jam) -> Jammed {
        Jammed { left: idle.left }
    }

    #[catch]
    fn noted(&self, idle: Idle, error: Error) -> Result<Stay<Idle>> {
        if idle.left == 13 {
            return Err(error.context("nobody notes anything"));
        }
        Ok(Stay(Idle { log: idle.log.into_iter().chain([error.to_string()]).collect(), ..idle }))
    }

    #[on]
    fn sold(&self, jammed: Jammed, _: Sell) -> Next<(Idle, Wait)> {
        if jammed.left == 0 { goto(Wait) } else { goto(Idle { left: jammed.left, log: Vec::new() }) }
    }

    #[on]
    fn checked_while_jammed(&self, jammed: Jammed, check: Check) -> Result<Idle, Jam> {
        if check.text == "jam" { Err(Jam) } else { Ok(Idle { left: jammed.left, log: vec![check.text] }) }
    }

    #[every("1h")]
    fn ticked(&self, idle: Idle) -> Stay<Idle> {
        Stay(Idle { left: idle.left + 1, ..idle })
    }

    #[after(Self::patience)]
    fn given_up(&self, live: VendingLive) -> Empty {
        let log = match live {
            VendingLive::Idle(idle) => idle.log,
            VendingLive::Counting(counting) => counting.log,
            VendingLive::Jammed(_) => Vec::new(),
        };
        Empty { log }
    }
}

impl Vending {
    fn left(working: &Working) -> u32 {
        match working {
            Working::Idle(idle) => idle.left,
            Working::Counting(counting) => counting.left,
        }
    }

    fn patience(_: &VendingLive) -> Duration {
        Duration::from_secs(3_600 * 24)
    }
}

fn idle(left: u32) -> VendingState {
    Idle { left, log: Vec::new() }.into()
}

fn counting(left: u32) -> VendingState {
    Counting { left, log: Vec::new() }.into()
}

#[test]
fn an_edge_answers_or_refuses() -> Result<()> {
    let (state, answer) = Vending.ask(idle(5), Take { count: 3 })?;
    assert_eq!(answer, Ok(2));
    let (state, refusal) = Vending.ask(state, Take { count: 3 })?;
    assert_eq!(refusal, Err(TooMany { left: 2 }));
    assert_eq!(state.encode()?, idle(2).encode()?);
    let state = Vending.take(state, Take { count: 7 })?;
    assert_eq!(state.encode()?, idle(2).encode()?);
    assert!(matches!(Vending.ask(counting(1), Take { count: 1 }), Err(NotTaken::NoEdge { asked: "take", .. })));
    Ok(())
}

#[test]
fn pure_entry_handlers_are_passed_through() -> Result<()> {
    assert!(matches!(Vending.enter(counting(3))?, VendingState::Idle(_)));
    let waiting = Vending.take(idle(5), Take { count: 5 })?;
    assert!(matches!(waiting, VendingState::Counting(_)), "{waiting:?}");
    // An edge that keeps the visit does not enter the state again.
    let kept = Vending.take(waiting, Knock)?;
    assert!(matches!(kept, VendingState::Counting(Counting { left: 100, .. })), "{kept:?}");
    Ok(())
}

#[test]
fn the_edge_of_a_state_goes_before_that_of_a_group() -> Result<()> {
    assert!(matches!(Vending.take(idle(4), Knock)?, VendingState::Jammed(Jammed { left: 4 })));
    let empty = Vending.take(Jammed { left: 4 }.into(), Knock)?;
    assert!(matches!(&empty, VendingState::Empty(Empty { log }) if log == &["jammed with 4"]), "{empty:?}");
    assert!(matches!(Vending.take(empty, Knock), Err(NotTaken::NoEdge { .. })));
    Ok(())
}

#[test]
fn the_edge_of_a_group_may_stay_or_wait() -> Result<()> {
    let stays = Vending.take(counting(1), Refill { count: 4 })?;
    assert!(matches!(stays, VendingState::Counting(Counting { left: 5, .. })), "{stays:?}");
    let waits = Vending.take_any(idle(1), Refill { count: 0 }.into())?;
    assert!(matches!(waits, VendingState::Idle(Idle { left: 1, .. })), "{waits:?}");
    assert!(matches!(Vending.take(Jammed { left: 1 }.into(), Refill { count: 0 }), Err(NotTaken::NoEdge { .. })));
    Ok(())
}

#[test]
fn timers_are_fired_by_hand() -> Result<()> {
    let empty = Vending.fire(counting(0), VendingTransition::GivenUpToEmpty)?;
    assert!(empty.is_end());
    assert!(matches!(Vending.fire(empty, VendingTransition::GivenUpToEmpty), Err(NotTaken::NoEdge { .. })));
    Ok(())
}

#[test]
fn errors_are_caught_by_edges_without_effects() -> Result<()> {
    let jammed = Vending.take(idle(2), Check { text: "jam".to_owned() })?;
    assert!(matches!(jammed, VendingState::Jammed(Jammed { left: 2 })), "{jammed:?}");
    let noted = Vending.take(idle(2), Check { text: "odd".to_owned() })?;
    assert!(matches!(&noted, VendingState::Idle(Idle { log, .. }) if log == &["odd"]), "{noted:?}");
    let failed = Vending.take(idle(13), Check { text: "odd".to_owned() }).unwrap_err();
    let NotTaken::Failed { handler: "noted", error, .. } = failed else { panic!("{failed:?}") };
    assert_eq!(format!("{error:#}"), "nobody notes anything: odd");
    Ok(())
}

#[test]
fn an_error_that_nothing_catches_comes_back() {
    let failed = Vending.take(Jammed { left: 0 }.into(), Check { text: "jam".to_owned() }).unwrap_err();
    assert_eq!(failed.to_string(), "the handler `checked_while_jammed` failed");
    let NotTaken::Failed { error, state: None, .. } = failed else { panic!("{failed:?}") };
    assert!(error.is::<Jam>());
}

#[test]
fn a_state_that_may_stay_as_it_was_has_to_be_clone() {
    let refused = Vending.take(Jammed { left: 7 }.into(), Sell).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the handler `sold` may leave the state `jammed` as it was, which is not `Clone`: derive that, or return `Stay`"
    );
    assert!(matches!(refused.into_state(), Some(VendingState::Jammed(Jammed { left: 7 }))));
}

/// The next of a sequence of numbers that looks random.
fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

fn any_event(seed: &mut u64) -> VendingEvent {
    let count = u32::try_from(next(seed) % 4).unwrap();
    match next(seed) % 12 {
        0..5 => Take { count }.into(),
        5..7 => Refill { count }.into(),
        7..9 => Knock.into(),
        9 => Check { text: "odd".to_owned() }.into(),
        10 => Check { text: "jam".to_owned() }.into(),
        _ => Check { text: "fine".to_owned() }.into(),
    }
}

async fn step(stepper: &mut Stepper<Vending>, event: VendingEvent) -> Result<()> {
    match event {
        VendingEvent::Take(event) => stepper.send(event).await?,
        VendingEvent::Refill(event) => stepper.send(event).await?,
        VendingEvent::Knock(event) => stepper.send(event).await?,
        VendingEvent::Check(event) => stepper.send(event).await?,
        VendingEvent::Sell(event) => stepper.send(event).await?,
    };
    Ok(())
}

async fn send(execution: &Execution<Vending>, event: VendingEvent) -> Result<()> {
    match event {
        VendingEvent::Take(event) => execution.send(event).await?,
        VendingEvent::Refill(event) => execution.send(event).await?,
        VendingEvent::Knock(event) => execution.send(event).await?,
        VendingEvent::Check(event) => execution.send(event).await?,
        VendingEvent::Sell(event) => execution.send(event).await?,
    }
    Ok(())
}

/// The same event once more: events need not be `Clone`.
fn again(event: &VendingEvent) -> Result<VendingEvent> {
    Ok(serde_json::from_value(serde_json::to_value(event)?)?)
}

#[test]
fn a_stepper_and_an_engine_come_to_the_same_states() -> Result<()> {
    workflow_runtime::block_on(async {
        let engine = Engine::in_memory().workflow(Vending).start().await?;
        let (mut seed, mut taken) = (7, 0);
        for run in 0..100 {
            let mut state = Vending.enter(idle(run % 5))?;
            let mut stepper = Stepper::enter(Vending, &idle(run % 5))?;
            let execution = engine.start::<Vending>(format!("{run}"), Idle { left: run % 5, log: Vec::new() }).await?;
            while !state.is_end() {
                let event = any_event(&mut seed);
                // It would fail, and they would be parked.
                if matches!((&state, &event), (VendingState::Jammed(_), VendingEvent::Check(_))) {
                    continue;
                }
                let (to_stepper, to_engine) = (again(&event)?, again(&event)?);
                state = match Vending.take_any(state, event) {
                    Ok(state) => state,
                    // They would keep the event until it is taken.
                    Err(NotTaken::NoEdge { state: kept, .. }) => {
                        state = kept;
                        continue;
                    }
                    Err(error) => return Err(Error::msg(error.to_string())),
                };
                taken += 1;
                step(&mut stepper, to_stepper).await?;
                assert_eq!(stepper.state()?.encode()?, state.encode()?);
                send(&execution, to_engine).await?;
            }
            let outcome = VendingState::from(match execution.outcome().await? {
                VendingOutcome::Empty(empty) => empty,
            });
            assert_eq!(outcome.encode()?, state.encode()?);
        }
        assert!(taken > 300, "{taken}");
        engine.shutdown().await?;
        Ok(())
    })
}
