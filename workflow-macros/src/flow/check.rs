//! What is wrong with a body that is to run as a graph, one rule a function.

use proc_macro2::Ident;
use syn::{Signature, Stmt};

use super::analyse::bound_by;
use super::{Flow, NodeKind};
use crate::errors::Errors;
use crate::model::unraw;
use crate::parse::parallel::typed_inputs;

pub(crate) fn check_flow(flow: &Flow, signature: &Signature, errors: &mut Errors) {
    let mut mistakes = Errors::default();
    check_shadowing(flow, &mut mistakes);
    if mistakes.is_empty() {
        check_order(flow, signature, &mut mistakes);
    }
    if mistakes.is_empty() {
        check_mutable_borrows(flow, &mut mistakes);
    }
    check_statements(flow, &mut mistakes);
    if mistakes.is_empty() {
        check_parallel(flow, signature, &mut mistakes);
    }
    errors.take(mistakes);
}

fn bound(flow: &Flow) -> impl Iterator<Item = (usize, Ident)> {
    flow.nodes.iter().enumerate().flat_map(|(index, node)| {
        let idents = match &node.statement {
            Stmt::Local(local) => bound_by(local),
            _ => Vec::new(),
        };
        idents.into_iter().map(move |ident| (index, ident))
    })
}

// let price = self.ask(cx).await?;
// let price = self.convert(cx, price).await?;
fn check_shadowing(flow: &Flow, errors: &mut Errors) {
    let mut seen: Vec<String> = Vec::new();
    for (_, ident) in bound(flow) {
        let name = unraw(&ident);
        if seen.contains(&name) {
            errors.at(&ident, format!("`{name}` is bound twice: branches are told apart by their bindings, so give this one a name of its own"));
        } else {
            seen.push(name);
        }
    }
}

// let a = self.first(cx, &b).await?;
// let b = self.second(cx, &a).await?;
fn check_order(flow: &Flow, signature: &Signature, errors: &mut Errors) {
    let is_argument = |name: &str| {
        let mut arguments = typed_inputs(signature);
        arguments.any(|input| matches!(&*input.pat, syn::Pat::Ident(pattern) if unraw(&pattern.ident) == name))
    };
    let makers: Vec<(usize, String)> = bound(flow).map(|(node, ident)| (node, unraw(&ident))).collect();
    for (index, node) in flow.nodes.iter().enumerate() {
        for (name, used) in node.uses.names.iter().filter(|(_, used)| used.certain) {
            let later = makers.iter().find(|(maker, other)| other == name && *maker >= index);
            let Some((maker, _)) = later.filter(|_| node.uses.is_plain(name) && !is_argument(name)) else { continue };
            let waits_for_us = |of: usize| reaches(flow, &makers, of, index);
            let message = if *maker == index {
                format!("`{name}` is used to make itself: a binding waits for those above it")
            } else if waits_for_us(*maker) {
                let ours = makers.iter().find(|(node, _)| *node == index).map(|(_, name)| name.as_str());
                let ours = ours.unwrap_or("this statement");
                format!(
                    "`{ours}` waits for `{name}`, and `{name}` for `{ours}`: neither could begin; let one of them go without the other"
                )
            } else {
                format!("`{name}` is bound further down: move its `let` above this one")
            };
            errors.span(used.span, message);
            return;
        }
    }
}

/// Whether a node uses, directly or not, what another one makes.
fn reaches(flow: &Flow, makers: &[(usize, String)], from: usize, to: usize) -> bool {
    let (mut left, mut seen) = (vec![from], vec![from]);
    while let Some(index) = left.pop() {
        let Some(node) = flow.nodes.get(index) else { continue };
        for (maker, _) in makers.iter().filter(|(_, name)| node.uses.names.contains_key(name)) {
            if *maker == to {
                return true;
            }
            if !seen.contains(maker) {
                seen.push(*maker);
                left.push(*maker);
            }
        }
    }
    false
}

// let first = self.read(cx, &mut buffer).await?;
// let second = self.read(cx, &mut buffer).await?;
fn check_mutable_borrows(flow: &Flow, errors: &mut Errors) {
    for binding in flow.bindings.iter().filter(|binding| binding.exclusive) {
        let name = binding.name();
        let branches: Vec<_> = binding
            .users
            .iter()
            .filter_map(|node| flow.nodes.get(*node))
            .filter(|node| matches!(node.kind, NodeKind::Branch(_)))
            .filter_map(|node| node.uses.names.get(&name))
            .collect();
        let is_borrowed_mutably = binding.borrows_mutably || branches.iter().any(|used| used.mutable.is_some());
        if let (true, [first, second, ..]) = (is_borrowed_mutably, branches.as_slice()) {
            let span = second.mutable.or(first.mutable).unwrap_or(second.span);
            errors.span(span, format!("two branches would change `{name}` at once: give each a value of its own, and put them together when both are done"));
        }
    }
}

// let price;
// #[cfg(feature = "fraud")] let fraud = self.score(cx).await?;
fn check_statements(flow: &Flow, errors: &mut Errors) {
    for node in &flow.nodes {
        let Stmt::Local(local) = &node.statement else { continue };
        if local.init.is_none() {
            errors.at(&local.pat, "a branch is a `let` with a value: write `let … = …;`");
        }
        if let Some(cfg) = local.attrs.iter().find(|attribute| attribute.path().is_ident("cfg")) {
            errors.at(cfg.path(), "a branch that is there or not cannot be waited for: put `#[cfg(…)]` on the function, or use `cfg!(…)` inside");
        }
    }
}

// #[parallel] async fn checks(&self, cx: &Cx) -> Result<u32> { let a = self.first(cx).await?; Ok(a) }
fn check_parallel(flow: &Flow, signature: &Signature, errors: &mut Errors) {
    let ancestors = flow.ancestors();
    let is_branch = |node: &usize| flow.nodes.get(*node).is_some_and(|node| matches!(node.kind, NodeKind::Branch(_)));
    let branches: Vec<usize> = (0..flow.nodes.len()).filter(is_branch).collect();
    let independent = branches.iter().any(|branch| {
        let before = ancestors.get(branch);
        branches
            .iter()
            .take_while(|other| *other != branch)
            .any(|other| before.is_none_or(|before| !before.contains(other)))
    });
    if independent {
        return;
    }
    let why = match branches.as_slice() {
        [] => "it has no branch, which is a top-level `let … = ….await…;`",
        [_] => "it has one branch",
        _ => "each of its branches waits for the one before",
    };
    errors.at(
        &signature.ident,
        format!("nothing in `{}` runs at once: {why}; leave `#[parallel]` out, or write two branches that do not need each other", unraw(&signature.ident)),
    );
}
