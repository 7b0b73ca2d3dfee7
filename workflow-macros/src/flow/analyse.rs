//! From the statements of a body to the graph of its nodes.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::Ident;
use syn::visit::{self, Visit};
use syn::{Block, Expr, Local, PatIdent, Signature, Stmt};

use super::Uses;
use crate::model::unraw;
use crate::parse::parallel::typed_inputs;
use crate::parse::types::{bare, is_nearly_context};

/// The graph of a body.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) nodes: Vec<Node>,
    /// Items, which are seen from everywhere.
    pub(crate) items: Vec<Stmt>,
    /// What runs when all is done.
    pub(crate) tail: Vec<Stmt>,
    pub(crate) tail_uses: Uses,
    /// What the nodes make, and the arguments that several of them use.
    pub(crate) bindings: Vec<Binding>,
}

/// A statement.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) kind: NodeKind,
    pub(crate) statement: Stmt,
    pub(crate) uses: Uses,
    /// The nodes that have to be done before it begins.
    pub(crate) after: BTreeSet<usize>,
}

/// What a statement is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NodeKind {
    /// `let … = ….await…;`, with its name.
    Branch(String),
    /// Another `let`.
    Let,
    /// Anything else that does not await.
    Statement,
    /// Anything else that does.
    Barrier,
}

/// A name that stands for a value.
#[derive(Debug)]
pub(crate) struct Binding {
    pub(crate) ident: Ident,
    /// The node that makes it; an argument has none.
    pub(crate) made_by: Option<usize>,
    /// Whether it is `mut`, or a mutable borrow: its users have it one after the other.
    pub(crate) exclusive: bool,
    /// Whether it is an argument that is a mutable borrow.
    pub(crate) borrows_mutably: bool,
    /// The nodes that use it, in order.
    pub(crate) users: Vec<usize>,
    pub(crate) in_tail: bool,
}

impl Binding {
    pub(crate) fn name(&self) -> String {
        unraw(&self.ident)
    }
}

pub(crate) fn analyse(signature: &Signature, body: &Block) -> Flow {
    let (mut items, mut tail, mut nodes) = (Vec::new(), Vec::new(), Vec::new());
    let last = body.stmts.len().saturating_sub(1);
    for (place, statement) in body.stmts.iter().enumerate() {
        match statement {
            Stmt::Item(_) => items.push(statement.clone()),
            statement if place == last && is_tail(statement) => tail.push(statement.clone()),
            statement => nodes.push(node(statement, &nodes)),
        }
    }
    let tail_uses = tail.first().map(Uses::of_stmt).unwrap_or_default();
    let mut flow = Flow { nodes, items, tail, tail_uses, bindings: Vec::new() };
    flow.bindings = bindings(&flow, signature);
    let order = order(&flow);
    for (node, after) in flow.nodes.iter_mut().zip(order) {
        node.after = after;
    }
    flow
}

fn is_tail(statement: &Stmt) -> bool {
    match statement {
        Stmt::Expr(Expr::Return(_), _) | Stmt::Expr(_, None) => true,
        Stmt::Macro(item) => item.semi_token.is_none(),
        _ => false,
    }
}

fn node(statement: &Stmt, before: &[Node]) -> Node {
    let uses = match statement {
        // Its own pattern is no use.
        Stmt::Local(local) => uses_of_local(local),
        statement => Uses::of_stmt(statement),
    };
    let kind = match (statement, uses.awaits) {
        (Stmt::Local(local), true) => NodeKind::Branch(branch_name(local, before)),
        (Stmt::Local(_), false) => NodeKind::Let,
        (_, true) => NodeKind::Barrier,
        (_, false) => NodeKind::Statement,
    };
    Node { kind, statement: statement.clone(), uses, after: BTreeSet::new() }
}

fn uses_of_local(local: &Local) -> Uses {
    let Some(init) = &local.init else { return Uses::default() };
    let mut uses = super::uses_of_expr(&init.expr);
    if let Some((_, diverge)) = &init.diverge {
        let other = super::uses_of_expr(diverge);
        uses.awaits |= other.awaits;
        uses.leaves |= other.leaves;
        uses.bound.extend(other.bound);
        for (name, used) in other.names {
            uses.names.entry(name).and_modify(|known| known.only_borrowed &= used.only_borrowed).or_insert(used);
        }
    }
    uses
}

/// The name of a branch: that of its first binding, with a number if it is taken.
fn branch_name(local: &Local, before: &[Node]) -> String {
    let name = bound_by(local).first().map_or_else(|| "_".to_owned(), unraw);
    let is_taken =
        |name: &str| before.iter().any(|node| matches!(&node.kind, NodeKind::Branch(other) if other == name));
    let numbered = (2..=before.len() + 1).map(|number| format!("{name}_{number}"));
    std::iter::once(name.clone()).chain(numbered).find(|name| !is_taken(name)).unwrap_or(name)
}

/// The names that a `let` binds.
pub(crate) fn bound_by(local: &Local) -> Vec<Ident> {
    patterns_in(local).into_iter().map(|pattern| pattern.ident).collect()
}

pub(crate) fn patterns_in(local: &Local) -> Vec<PatIdent> {
    struct Patterns(Vec<PatIdent>);
    impl<'ast> Visit<'ast> for Patterns {
        fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
            // A name like `None` is a variant.
            let is_constant = unraw(&pattern.ident).starts_with(char::is_uppercase);
            if !is_constant || pattern.mutability.is_some() || pattern.subpat.is_some() {
                self.0.push(pattern.clone());
            }
            visit::visit_pat_ident(self, pattern);
        }
    }
    let mut patterns = Patterns(Vec::new());
    patterns.visit_pat(&local.pat);
    patterns.0
}

fn bindings(flow: &Flow, signature: &Signature) -> Vec<Binding> {
    let mut bindings = Vec::new();
    for (index, node) in flow.nodes.iter().enumerate() {
        let Stmt::Local(local) = &node.statement else { continue };
        for pattern in patterns_in(local) {
            let exclusive = pattern.mutability.is_some();
            bindings.push(used(flow, pattern.ident, Some(index), (exclusive, false)));
        }
    }
    let made: BTreeSet<String> = bindings.iter().map(Binding::name).collect();
    let arguments = typed_inputs(signature).filter(|input| !is_nearly_context(&input.ty)).filter_map(|input| {
        let syn::Pat::Ident(pattern) = &*input.pat else { return None };
        let (is_reference, is_mutable) = match bare(&input.ty) {
            syn::Type::Reference(reference) => (true, reference.mutability.is_some()),
            _ => (false, pattern.mutability.is_some()),
        };
        // A shared borrow is copied by whoever uses it.
        let is_shared = is_reference && !is_mutable;
        (!is_shared && !made.contains(&unraw(&pattern.ident)))
            .then(|| used(flow, pattern.ident.clone(), None, (is_mutable, is_reference)))
    });
    // An argument with one user is simply his.
    bindings.extend(
        arguments
            .filter(|argument| argument.users.len() + usize::from(argument.in_tail) > 1 && !argument.users.is_empty()),
    );
    bindings
}

fn used(flow: &Flow, ident: Ident, made_by: Option<usize>, (exclusive, borrows_mutably): (bool, bool)) -> Binding {
    let name = unraw(&ident);
    let first = made_by.map_or(0, |node| node + 1);
    let users = (first..flow.nodes.len())
        .filter(|node| flow.nodes.get(*node).is_some_and(|node| node.uses.names.contains_key(&name)))
        .collect();
    let in_tail = flow.tail_uses.names.contains_key(&name);
    Binding { ident, made_by, exclusive, borrows_mutably, users, in_tail }
}

fn order(flow: &Flow) -> Vec<BTreeSet<usize>> {
    let mut order: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); flow.nodes.len()];
    let mut add = |node: usize, before: usize| {
        if let Some(after) = order.get_mut(node) {
            after.insert(before);
        }
    };
    for binding in &flow.bindings {
        for node in &binding.users {
            binding.made_by.into_iter().for_each(|maker| add(*node, maker));
        }
        if binding.exclusive {
            for (before, node) in binding.users.iter().zip(binding.users.iter().skip(1)) {
                add(*node, *before);
            }
        }
    }
    // What is behind a barrier, or behind a statement that may leave, waits for it.
    let mut barrier = None;
    let mut statement = None;
    for (index, node) in flow.nodes.iter().enumerate() {
        barrier.into_iter().for_each(|before| add(index, before));
        match node.kind {
            NodeKind::Barrier => {
                (0..index).for_each(|before| add(index, before));
                barrier = Some(index);
            }
            NodeKind::Statement => {
                statement.into_iter().for_each(|before| add(index, before));
                statement = Some(index);
                if node.uses.leaves {
                    barrier = Some(index);
                }
            }
            NodeKind::Branch(_) | NodeKind::Let => {}
        }
    }
    order
}

impl Flow {
    /// For each node, all that run before it in any order of things.
    pub(crate) fn ancestors(&self) -> BTreeMap<usize, BTreeSet<usize>> {
        let mut ancestors: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for (index, node) in self.nodes.iter().enumerate() {
            let mut all = node.after.clone();
            for before in &node.after {
                all.extend(ancestors.get(before).into_iter().flatten().copied());
            }
            ancestors.insert(index, all);
        }
        ancestors
    }

    /// The names of the branches.
    pub(crate) fn branches(&self) -> Vec<String> {
        let names = self.nodes.iter().filter_map(|node| match &node.kind {
            NodeKind::Branch(name) => Some(name.clone()),
            _ => None,
        });
        names.collect()
    }
}
