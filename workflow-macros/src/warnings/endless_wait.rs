//! `endless_wait`: a state that waits for events and has no `#[after]`.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::Block;

use super::{Warning, is_allowed};
use crate::lint::Lint;
use crate::model::{Handler, Machine, Trigger, TypeRef};

pub(super) fn find(machine: &Machine, warnings: &mut Vec<Warning>) {
    // Which states a group has is not known here.
    let is_timer = |handler: &Handler| matches!(handler.trigger, Trigger::After { .. });
    if machine.group_handlers().any(is_timer) {
        return;
    }
    for state in machine.states.iter().filter(|state| state.live) {
        let handlers: Vec<_> = machine.handlers.iter().filter(|handler| handler.state == state.ty).collect();
        // A part is checked where it is written.
        if handlers.iter().any(|handler| handler.is_included() || is_allowed(machine, handler, Lint::EndlessWait)) {
            continue;
        }
        let entry = handlers.iter().find(|handler| matches!(handler.trigger, Trigger::Entry));
        let waits = entry.is_none_or(|entry| entry.output.waits().is_some());
        // One that fires again and again and always stays ends nothing.
        let timed = handlers.iter().any(|handler| match &handler.trigger {
            Trigger::After { due } => due.kind() != "every" || handler.output.states().next().is_some(),
            Trigger::Entry | Trigger::On { .. } | Trigger::Catch { .. } => false,
        });
        let receive = entry.and_then(|entry| {
            let mut receives = machine.receives.iter().filter(|receive| receive.function == entry.ident);
            receives.find(|receive| {
                !receive.timed
                    && !entry.body.as_ref().is_some_and(|body| body.text().contains("sleep") && has_sleep(body.block()))
            })
        });
        if let (Some(receive), false) = (receive, timed) {
            warnings.push(Warning {
                lint: Lint::EndlessWait,
                span: receive.event.span(),
                message: endless_receive(machine, &receive.event, &state.ty),
            });
            continue;
        }
        let Some(first) = handlers.iter().find(|handler| matches!(handler.trigger, Trigger::On { .. })) else {
            continue;
        };
        if waits && !timed {
            warnings.push(Warning {
                lint: Lint::EndlessWait,
                span: first.state.span(),
                message: format!(
                    "`{}` waits for events and has no `#[after]` handler: if the event never comes, executions stay in it for ever",
                    state.ty.name
                ),
            });
        }
    }
}

fn endless_receive(machine: &Machine, event: &TypeRef, state: &TypeRef) -> String {
    let (event, state) = (&event.name, &state.name);
    if machine.is_function {
        return format!("if `{event}` never comes, executions wait for ever: use `recv_timeout`");
    }
    format!(
        "`{event}` is waited for, and `{state}` has no `#[after]` handler: if the event never comes, executions stay in it for ever; write one, or use `recv_timeout`"
    )
}

/// Whether a durable pause stands anywhere in a body: then the event is probably not waited for alone.
fn has_sleep(body: &Block) -> bool {
    fn stands_in(tokens: TokenStream) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Group(group) => stands_in(group.stream()),
            TokenTree::Ident(ident) => ident == "sleep",
            TokenTree::Punct(_) | TokenTree::Literal(_) => false,
        })
    }
    stands_in(body.to_token_stream())
}
