//! Every order in which a few things can happen to an execution, one after the other.
//!
//! The kernel is pure, so its whole behaviour up to a depth is a tree: at each point an event may arrive, time may pass,
//! the worker may be lost, a person may ask for something, or the handler that runs may do whatever it can. The tree is
//! walked to its leaves. After each act the [invariants](world) are checked against a plain record of what was done, and at
//! each leaf the execution is left to itself and has to come to rest with nothing undone that it could do.
//!
//! `MODEL_DEPTH` walks so many acts deeper: each makes it four to eight times as long.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "figures and failed cases are for people")]

mod disk;
mod facts;
mod plans;
mod world;

use std::env;

use plans::Model;
use world::{Act, World};

/// How far a walk goes.
struct Bounds {
    /// Acts in all.
    depth: usize,
    /// Acts from outside: events and requests.
    outside: usize,
    /// How often the worker is lost.
    crashes: usize,
    /// How often time passes.
    clock: usize,
}

/// Walks every order of acts from `world` on, and counts them.
fn walk(world: &World<'_>, bounds: &Bounds, path: &mut Vec<Act>) -> u64 {
    if path.len() == bounds.depth {
        world.clone().come_to_rest(path);
        return 1;
    }
    let count = |of: fn(&Act) -> bool| path.iter().filter(|act| of(act)).count();
    let outside = count(Act::is_from_outside) < bounds.outside;
    let crashes = count(|act| matches!(act, Act::Crash)) < bounds.crashes;
    let clock = count(|act| matches!(act, Act::Clock)) < bounds.clock;
    let mut orders = 0;
    for act in world.acts() {
        let is_allowed = match &act {
            Act::Crash => crashes,
            Act::Clock => clock,
            act if act.is_from_outside() => outside,
            _ => true,
        };
        if !is_allowed {
            continue;
        }
        path.push(act);
        let mut next = world.clone();
        next.take(act, path);
        orders += walk(&next, bounds, path);
        path.pop();
    }
    if orders == 0 {
        world.clone().come_to_rest(path);
        orders = 1;
    }
    orders
}

fn check(model: &Model, bounds: &Bounds, at_least: u64) {
    let deeper = env::var("MODEL_DEPTH").ok().map_or(0, |text| text.parse().unwrap());
    let bounds = Bounds { depth: bounds.depth + deeper, ..*bounds };
    let orders = walk(&World::new(model), &bounds, &mut Vec::new());
    println!("{}: {orders} orders of {} acts", model.name, bounds.depth);
    assert!(orders >= at_least, "{orders} orders were walked, where at least {at_least} are expected");
}

#[test]
fn every_order_of_events_timers_and_crashes() {
    check(&plans::order(), &Bounds { depth: 6, outside: 3, crashes: 1, clock: 2 }, 2_000);
}

#[test]
fn every_order_in_which_steps_are_done_and_undone() {
    check(&plans::saga(), &Bounds { depth: 6, outside: 2, crashes: 1, clock: 1 }, 2_000);
}

#[test]
fn every_order_of_requests_by_hand() {
    check(&plans::by_hand(), &Bounds { depth: 4, outside: 3, crashes: 1, clock: 1 }, 2_000);
}

#[test]
fn every_order_in_which_handlers_receive_and_decide_at_once() {
    check(&plans::mail(), &Bounds { depth: 5, outside: 3, crashes: 1, clock: 2 }, 2_000);
}
