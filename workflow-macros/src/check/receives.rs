//! Events that are waited for in a handler.

use crate::errors::Errors;
use crate::model::{Machine, Trigger};

// #[on] fn paid(&self, s: Pending, payment: Payment) -> …
// #[state] async fn wait(&self, cx: &Cx, s: Pending) -> … { cx.recv::<Payment>().await; … }
pub(crate) fn check_receives(machine: &Machine, errors: &mut Errors) {
    for receive in &machine.receives {
        let handler = machine.handlers.iter().find(|handler| handler.ident == receive.function && !handler.broken);
        let Some(handler) = handler else { continue };
        let edge = machine
            .handlers_of(&handler.state)
            .find(|edge| matches!(&edge.trigger, Trigger::On { event } if *event == receive.event));
        if let Some(edge) = edge {
            let (event, edge, state) = (&receive.event.name, edge.name(), &handler.state.name);
            errors.at(
                &receive.event,
                format!(
                    "`{event}` never comes here: the edge `{edge}` of `{state}` takes it, and interrupts this handler; leave one of the two out"
                ),
            );
        }
    }
}
