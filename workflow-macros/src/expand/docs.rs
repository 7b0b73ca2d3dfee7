//! The transitions in the rustdoc of the workflow: a table and a picture.

use syn::{ItemImpl, parse_quote};

use super::{display, type_text};
use crate::duration::duration_text;
use crate::model::{Handler, Machine, Trigger};
use crate::picture::{Diagram, DiagramHandler, DiagramState, DiagramTrigger, svg, table};

/// Adds them to the impl, after the user's own words.
pub(crate) fn add_docs(machine: &Machine, item: &mut ItemImpl) {
    let diagram = diagram(machine);
    let text = format!("\n# Transitions\n\n{}\n\n{}\n", svg(&diagram), table(&diagram));
    item.attrs.push(parse_quote!(#[doc = #text]));
}

fn diagram(machine: &Machine) -> Diagram {
    let states = machine.states.iter().map(|state| DiagramState {
        name: display(&state.ty.name),
        doc: String::new(),
        end: !state.live,
    });
    Diagram {
        name: machine.name(),
        start: machine.start.as_ref().map(|start| display(&start.name)).unwrap_or_default(),
        states: states.collect(),
        handlers: machine.handlers.iter().filter(|handler| !handler.broken).map(diagram_handler).collect(),
    }
}

fn diagram_handler(handler: &Handler) -> DiagramHandler {
    let trigger = match &handler.trigger {
        Trigger::Entry => DiagramTrigger::Entry,
        Trigger::On { event } => DiagramTrigger::On(display(&event.name)),
        Trigger::After { delay: Some(delay) } => DiagramTrigger::After(duration_text(*delay)),
        // It stands in the part.
        Trigger::After { delay: None } => DiagramTrigger::After("…".to_owned()),
        Trigger::Catch { error, .. } => DiagramTrigger::Catch(type_text(error)),
    };
    DiagramHandler {
        name: handler.name(),
        trigger,
        from: display(&handler.state.name),
        to: handler.output.states().map(|state| display(&state.name)).collect(),
        stays: handler.output.waits().is_some(),
        doc: handler.doc.clone(),
    }
}
