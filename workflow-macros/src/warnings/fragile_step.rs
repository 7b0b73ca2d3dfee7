//! `fragile_step`: a step without `retry`, called by a handler whose state has no `#[catch]`.

use std::collections::BTreeSet;

use syn::visit::{self, Visit};
use syn::{Expr, ExprMethodCall, Ident};

use super::{Warning, is_allowed};
use crate::body::Body;
use crate::lint::Lint;
use crate::model::{Machine, Trigger, unraw};

pub(super) fn find(machine: &Machine, warnings: &mut Vec<Warning>) {
    let fragile =
        machine.steps.iter().filter(|step| step.policy.retry.is_none() && !step.allow.contains(&Lint::FragileStep));
    let fragile: Vec<&Ident> = fragile.map(|step| &step.ident).collect();
    let fragile_names: Vec<String> = fragile.iter().map(|step| unraw(step)).collect();
    let catches =
        machine.handlers.iter().filter(|other| !other.broken && matches!(other.trigger, Trigger::Catch { .. }));
    let caught: BTreeSet<&str> = catches.map(|other| other.state.key()).collect();
    // Which states a group has is not known here.
    if fragile.is_empty() || machine.groups.iter().any(|group| caught.contains(group.ty.key())) {
        return;
    }
    for handler in &machine.handlers {
        let may_call = |body: &&Body| fragile_names.iter().any(|name| body.text().contains(name));
        let Some(body) = handler.body.as_ref().filter(may_call) else { continue };
        if caught.contains(handler.state.key()) || is_allowed(machine, handler, Lint::FragileStep) {
            continue;
        }
        let mut calls = Calls { fragile: &fragile, found: Vec::new() };
        calls.visit_block(body.block());
        for call in calls.found {
            warnings.push(Warning {
                lint: Lint::FragileStep,
                span: call.span(),
                message: format!(
                    "the step `{call}` is not retried, and `{}` has no `#[catch]` handler: its first failure parks the execution",
                    handler.state.name
                ),
            });
        }
    }
}

/// Calls of `self.step(…)`, the first of each.
struct Calls<'a> {
    fragile: &'a [&'a Ident],
    found: Vec<Ident>,
}

impl Visit<'_> for Calls<'_> {
    fn visit_expr_method_call(&mut self, call: &ExprMethodCall) {
        let on_self = matches!(&*call.receiver, Expr::Path(path) if path.path.is_ident("self"));
        if on_self && self.fragile.contains(&&call.method) && !self.found.contains(&call.method) {
            self.found.push(call.method.clone());
        }
        visit::visit_expr_method_call(self, call);
    }
}
