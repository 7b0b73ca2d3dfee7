//! The attributes of `workflow-runtime`, which re-exports them: depend on that crate instead.

mod case;
mod check;
mod data_impl;
mod duration;
mod errors;
mod expand;
mod fn_impl;
mod lint;
mod lints;
mod machine_impl;
mod model;
mod nearest;
mod parse;
mod picture;
mod warnings;

extern crate proc_macro;

use proc_macro::TokenStream;

use crate::parse::data::DataKind;

/// Declares a state.
#[proc_macro_attribute]
pub fn state(arguments: TokenStream, item: TokenStream) -> TokenStream {
    data_impl::expand_data_attribute(DataKind::State, arguments.into(), &item.into()).into()
}

/// Declares an event.
#[proc_macro_attribute]
pub fn event(arguments: TokenStream, item: TokenStream) -> TokenStream {
    data_impl::expand_data_attribute(DataKind::Event, arguments.into(), &item.into()).into()
}

/// Makes an `impl` the machine.
#[proc_macro_attribute]
pub fn workflow(arguments: TokenStream, item: TokenStream) -> TokenStream {
    machine_impl::expand_workflow_attribute(arguments.into(), item.into()).into()
}

/// A handler of an event.
#[proc_macro_attribute]
pub fn on(_: TokenStream, item: TokenStream) -> TokenStream {
    fn_impl::expand_stray("on", &item.into()).into()
}

/// A handler of a deadline.
#[proc_macro_attribute]
pub fn after(_: TokenStream, item: TokenStream) -> TokenStream {
    fn_impl::expand_stray("after", &item.into()).into()
}

/// A handler of a failure.
#[proc_macro_attribute]
pub fn catch(_: TokenStream, item: TokenStream) -> TokenStream {
    fn_impl::expand_stray("catch", &item.into()).into()
}

/// A step.
#[proc_macro_attribute]
pub fn step(arguments: TokenStream, item: TokenStream) -> TokenStream {
    fn_impl::expand_step_attribute(arguments.into(), &item.into()).into()
}

/// Runs an async `main`.
#[proc_macro_attribute]
pub fn main(arguments: TokenStream, item: TokenStream) -> TokenStream {
    fn_impl::expand_main_attribute(arguments.into(), &item.into()).into()
}
