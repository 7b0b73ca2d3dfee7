//! The rustdoc of a workflow: its table of transitions and its picture.
//!
//! Pure functions over a [`Diagram`]: the same diagram gives the same text, byte for byte. The picture is a layered
//! drawing, made in the usual steps, a file each: [`graph`] merges the handlers into arrows, [`rank`] breaks cycles and
//! puts every state on a level, [`layers`] gives each arrow a slot on every level that it passes, one of them as wide as
//! its label, [`order`] sorts the levels so that few arrows cross, [`ports`] and [`place`] find coordinates, [`straight`] takes bends
//! out of them, [`draw`] writes SVG. What is drawn comes as a text, [`coded`], to a macro of its own, which runs where docs are made.
//! As arrows and labels have slots of their own, no text ever lies over a box, an arrow or another text.

mod arena;
mod coded;
mod draw;
mod graph;
mod layers;
mod order;
mod place;
mod ports;
mod rank;
mod straight;
mod table;
mod text;

pub(crate) use coded::coded;
pub(crate) use table::table;

use proc_macro2::TokenStream;
use quote::ToTokens as _;
use syn::LitStr;

/// Expands `picture!("…")`, which generated code has where docs are made.
pub(crate) fn expand_picture(tokens: TokenStream) -> TokenStream {
    match syn::parse2::<LitStr>(tokens) {
        // A blank line ends raw HTML, so that what follows is Markdown again.
        Ok(diagram) => format!("{}\n\n", draw::svg(&coded::decoded(&diagram.value()))).to_token_stream(),
        Err(error) => error.into_compile_error(),
    }
}

/// A workflow, as it is drawn.
#[derive(Debug, Clone, Default)]
pub(crate) struct Diagram {
    /// The workflow's name.
    pub(crate) name: String,
    /// The name of the state that executions start in.
    pub(crate) start: String,
    /// Every state, in declaration order. The name is what tells them apart.
    pub(crate) states: Vec<DiagramState>,
    /// Every handler, in declaration order. What a handler says of a state that is not in `states` is not drawn.
    pub(crate) handlers: Vec<DiagramHandler>,
}

/// A state in a [`Diagram`].
#[derive(Debug, Clone)]
pub(crate) struct DiagramState {
    /// Its name.
    pub(crate) name: String,
    /// Its doc comment, empty if it has none.
    pub(crate) doc: String,
    /// Whether the workflow ends there.
    pub(crate) end: bool,
}

/// A handler in a [`Diagram`], with all of its edges.
#[derive(Debug, Clone)]
pub(crate) struct DiagramHandler {
    /// The function's name.
    pub(crate) name: String,
    /// What makes it run.
    pub(crate) trigger: DiagramTrigger,
    /// The state that it belongs to.
    pub(crate) from: String,
    /// The states that it may go to.
    pub(crate) to: Vec<String>,
    /// Those of them that it enters when all is undone.
    pub(crate) unwinds: Vec<String>,
    /// Whether it may keep the visit: it declares `Wait` or `Stay`.
    pub(crate) stays: bool,
    /// Its doc comment, empty if it has none.
    pub(crate) doc: String,
}

/// What makes a handler in a [`Diagram`] run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DiagramTrigger {
    /// The state is entered.
    Entry,
    /// This event arrives.
    On(String),
    /// The state has lasted this long, as it was written.
    Time(&'static str, String),
    /// A handler of the state failed with this error.
    Catch(String),
}

#[cfg(test)]
mod tests;
