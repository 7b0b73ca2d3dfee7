//! The answers to one event have to agree, as whoever asks does not know which edge takes it.

use crate::errors::Errors;
use crate::expand::type_text;
use crate::model::{Handler, Machine, Trigger};

// #[on] fn a(&self, s: S, e: E) -> Reply<u32, A>       #[on] fn b(&self, t: T, e: E) -> B
// #[on] fn a(&self, s: S, e: E) -> Reply<u32, A>       #[on] fn b(&self, t: T, e: E) -> Reply<String, B>
pub(crate) fn check_replies(machine: &mut Machine, errors: &mut Errors) {
    let mut refused = Vec::new();
    for (index, handler) in machine.handlers.iter().enumerate().filter(|(_, handler)| !handler.broken) {
        let Trigger::On { event } = &handler.trigger else { continue };
        let others = machine.handlers.iter().filter(|other| !other.broken);
        let others = others.filter(|other| matches!(&other.trigger, Trigger::On { event: of } if of == event));
        let mut others = others.filter(|other| other.ident != handler.ident);
        let found = match &handler.output.reply {
            None => others.find(|other| other.output.reply.is_some()).map(|other| {
                let message = format!(
                    "`{}` answers the event `{}`, so this handler does, too: return `Reply<{}, …>`",
                    other.name(),
                    event.name,
                    other.output.reply.as_ref().map(|reply| type_text(&reply.reply)).unwrap_or_default(),
                );
                (handler.ident.span(), message)
            }),
            Some(reply) => {
                let before = machine.handlers.iter().take(index);
                let mut before = before.filter(|other| !other.broken && is_for(other, handler));
                before.find_map(|other| {
                    let first = other.output.reply.as_ref()?;
                    let differs = |what: &str, one: String, this: String| {
                        format!(
                            "the event `{}` is {what} with `{one}` by `{}` and with `{this}` here: it is the same for every edge that takes it",
                            event.name,
                            other.name(),
                        )
                    };
                    let (one, this) = (type_text(&first.reply), type_text(&reply.reply));
                    if one != this {
                        return Some((reply.span, differs("answered", one, this)));
                    }
                    let (one, this) = (type_text(first.refusal.as_ref()?), type_text(reply.refusal.as_ref()?));
                    (one != this).then(|| (reply.span, differs("refused", one, this)))
                })
            }
        };
        if let Some((span, message)) = found {
            errors.span(span, message);
            refused.push(index);
        }
    }
    for index in refused {
        if let Some(handler) = machine.handlers.get_mut(index) {
            handler.broken = true;
        }
    }
}

fn is_for(other: &Handler, handler: &Handler) -> bool {
    match (&other.trigger, &handler.trigger) {
        (Trigger::On { event: one }, Trigger::On { event }) => one == event,
        _ => false,
    }
}
