//! Why a scenario does not end: who waits for what.

use super::told::{after, waits};
use super::watchdog::Stuck;
use super::world::World;
use crate::base::{Clock as _, HumanDuration};

/// No more executions than these are told of.
const MOST: usize = 20;

/// Ready when the scenario is to be given up, with the reason.
pub(super) async fn noticed(world: &World) -> String {
    let stuck = world.watchdog.barks().await;
    let why = match stuck {
        Stuck::Time(patience) => format!(
            "the scenario does not end: it has waited for {} of virtual time (see `Sim::patience`)",
            HumanDuration(patience)
        ),
        Stuck::Writes(writes) => format!(
            "the scenario does not end: something goes round and round, {writes} commits while the scenario waited for one thing (see `Sim::patience`)"
        ),
    };
    let mut lines = vec![why];
    let awaited = world.awaited();
    match awaited.is_empty() {
        true => lines.push("  it waits for something of its own, which the simulation does not know".to_owned()),
        false => lines.extend(awaited.into_iter().map(|what| format!("  it waits {what}"))),
    }
    lines.extend(executions(world).await);
    let start = world.clock.start();
    for (since, call) in world.tape.in_flight().into_iter().take(MOST) {
        lines.push(format!(
            "  step {call} runs since {}, and it is {} now",
            after(since.since(start)),
            after(world.clock.now().since(start))
        ));
    }
    if let Some(failure) = world.up_now().and_then(|up| up.engine.failure()) {
        lines.push(format!("  the engine has stopped: {failure}"));
    }
    lines.join("\n")
}

async fn executions(world: &World) -> Vec<String> {
    let mut lines = Vec::new();
    let Ok(everything) = world.everything().await else { return lines };
    let live: Vec<_> = everything.into_iter().filter(|kept| !kept.stored.record.status().is_over()).collect();
    for kept in live.iter().take(MOST) {
        let record = &kept.stored.record;
        let events =
            world.up_now().map(|up| up.engine.events_of(&kept.key.workflow, &record.state)).unwrap_or_default();
        let waits = waits(record, &events, world.clock.start());
        lines.push(format!("  {} in `{}` (visit {}): {waits}", kept.key, record.state, record.visit));
    }
    if live.len() > MOST {
        lines.push(format!("  and {} more executions", live.len() - MOST));
    }
    lines
}
