//! `#[parallel]`: what reads as sequential code runs as a graph, and lists run a branch for each item.

mod bindings;
mod graph;
mod items;

mod support;
