//! The answers to one event have to agree, as whoever asks does not know which edge takes it.

use std::collections::BTreeMap;

use crate::errors::Errors;
use crate::expand::type_text;
use crate::model::{Handler, Machine, Trigger};

// #[on] fn a(&self, s: S, e: E) -> Reply<u32, A>       #[on] fn b(&self, t: T, e: E) -> B
// #[on] fn a(&self, s: S, e: E) -> Reply<u32, A>       #[on] fn b(&self, t: T, e: E) -> Reply<String, B>
pub(crate) fn check_replies(machine: &mut Machine, errors: &mut Errors) {
    let mut refused = Vec::new();
    let mut of_event: BTreeMap<&str, Vec<&Handler>> = BTreeMap::new();
    let sound = || machine.handlers.iter().enumerate().filter(|(_, handler)| !handler.broken);
    for (_, handler) in sound() {
        if let Trigger::On { event } = &handler.trigger {
            of_event.entry(event.key()).or_default().push(handler);
        }
    }
    for (index, handler) in sound() {
        let Trigger::On { event } = &handler.trigger else { continue };
        let same = || of_event.get(event.key()).into_iter().flatten().copied();
        let mut others = same().filter(|other| other.ident != handler.ident);
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
                let mut before = same().take_while(|other| !std::ptr::eq(*other, handler));
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
