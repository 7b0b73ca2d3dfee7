//! The transitions in the rustdoc of the workflow: a table and a picture.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Ident;

use super::{allow, display, type_text};
use crate::duration::duration_text;
use crate::model::{Due, Handler, Machine, Trigger};
use crate::parse::timer::field_text;
use crate::picture::{Diagram, DiagramHandler, DiagramState, DiagramTrigger, coded, table};

/// An impl of its own with the graph in it: rustdoc leaves out an impl that has nothing public, as that of the user often
/// has.
pub(crate) fn expand_docs(machine: &Machine, state_enum: &Ident) -> TokenStream {
    if machine.start.is_none() {
        // Then there is no graph.
        return TokenStream::new();
    }
    let diagram = diagram(machine);
    // The docs of a function stand on the type already.
    let doc = if machine.is_function { "" } else { &machine.doc };
    let (heading, table) = (format!("{doc}\n\n# Transitions\n"), format!("\n{}\n", table(&diagram)));
    // Drawn where docs are made alone: to draw what has fifty states takes longer than all that is else expanded of it.
    let diagram = coded(&diagram);
    let (allow, runtime, vis, self_ty) = (allow(), &machine.runtime, &machine.vis, &machine.self_ty);
    let (impl_generics, _, where_clause) = machine.generics.split_for_impl();
    quote! {
        #allow
        #[automatically_derived]
        #[doc = #heading]
        #[cfg_attr(doc, doc = #runtime::__private::picture!(#diagram))]
        #[doc = #table]
        impl #impl_generics #self_ty #where_clause {
            /// The workflow as declared: states, handlers, edges and steps.
            #vis const GRAPH: &'static #runtime::Graph = #state_enum::GRAPH;
        }
    }
}

fn diagram(machine: &Machine) -> Diagram {
    let states = machine.places().map(|state| DiagramState {
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
        Trigger::After { due } => DiagramTrigger::Time(due.kind(), due_text(due)),
        Trigger::Catch { error, .. } => DiagramTrigger::Catch(type_text(error)),
    };
    DiagramHandler {
        name: handler.name(),
        trigger,
        from: display(&handler.state.name),
        to: handler.output.states().map(|state| display(&state.name)).collect(),
        unwinds: handler.output.unwound().map(|state| display(&state.name)).collect(),
        stays: handler.output.waits().is_some(),
        doc: handler.doc.clone(),
    }
}

fn due_text(due: &Due) -> String {
    match due {
        Due::After(length) | Due::Every(length) => duration_text(*length),
        Due::Function { text, .. } => text.clone(),
        Due::At(field) => field_text(field),
        // It stands in the part.
        Due::Elsewhere(_) => "…".to_owned(),
    }
}
