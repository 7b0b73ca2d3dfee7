//! `unmarked_step`: a method that looks like a step and has no `#[step]`, so that nothing of it is recorded.

use std::collections::BTreeSet;

use proc_macro2::TokenTree;
use syn::visit::{self, Visit};
use syn::{Expr, ExprMethodCall, FnArg, Ident, ImplItem, ImplItemFn, ItemImpl, Macro, Pat, Type};

use super::Warning;
use crate::lint::Lint;
use crate::model::{Machine, unraw};

pub(super) fn find(machine: &Machine, item: &ItemImpl, warnings: &mut Vec<Warning>) {
    if machine.allow.contains(&Lint::UnmarkedStep) {
        return;
    }
    let handlers = machine.handlers.iter().map(|handler| &handler.ident);
    let undos = machine.undos.iter().map(|undo| &undo.method);
    let steps = machine.steps.iter().map(|step| &step.ident);
    // As text, since the compiler is asked for it by every comparison of identifiers.
    let ours: BTreeSet<String> = handlers.chain(undos).chain(steps.clone()).map(ToString::to_string).collect();
    let steps: BTreeSet<String> = steps.map(unraw).collect();
    let is_ours =
        |method: &ImplItemFn| ours.contains(&method.sig.ident.to_string()) || is_body(&method.sig.ident, &steps);
    for member in &item.items {
        let ImplItem::Fn(method) = member else { continue };
        if method.sig.asyncness.is_none() || is_ours(method) {
            continue;
        }
        let Some(context) = context(method) else { continue };
        let mut uses = Uses { context: context.as_ref(), count: 0, as_step: false };
        uses.visit_block(&method.block);
        if uses.as_step || uses.count == 0 {
            let name = unraw(&method.sig.ident);
            warnings.push(Warning {
                lint: Lint::UnmarkedStep,
                span: method.sig.ident.span(),
                message: format!(
                    "`{name}` takes `&Cx` and hands it to no step: without `#[step]`, its result is not recorded, and it runs again whenever the handler does; put `#[step]` on it, or leave `&Cx` out"
                ),
            });
        }
    }
}

/// Whether it is the function that holds the body of a step: it was written by us.
fn is_body(ident: &Ident, steps: &BTreeSet<String>) -> bool {
    let ident = unraw(ident);
    ident.starts_with("__") && steps.iter().any(|step| ident.ends_with(step))
}

/// The name of the `&Cx` among the parameters, if there is one: `None` inside where it has none.
fn context(method: &ImplItemFn) -> Option<Option<Ident>> {
    method.sig.inputs.iter().find_map(|input| {
        let FnArg::Typed(input) = input else { return None };
        let Type::Reference(reference) = &*input.ty else { return None };
        let Type::Path(path) = &*reference.elem else { return None };
        let is_context = path.path.segments.last().is_some_and(|segment| segment.ident == "Cx");
        is_context.then(|| match &*input.pat {
            Pat::Ident(pattern) => Some(pattern.ident.clone()),
            _ => None,
        })
    })
}

/// What becomes of the context in a body.
struct Uses<'a> {
    context: Option<&'a Ident>,
    count: usize,
    /// Whether it is asked what only a step asks.
    as_step: bool,
}

impl Uses<'_> {
    fn is_context(&self, ident: &Ident) -> bool {
        self.context.is_some_and(|context| context == ident)
    }
}

impl Visit<'_> for Uses<'_> {
    fn visit_expr_method_call(&mut self, call: &ExprMethodCall) {
        let on_context = matches!(&*call.receiver, Expr::Path(path)
            if path.path.get_ident().is_some_and(|ident| self.is_context(ident)));
        if on_context && (call.method == "idempotency_key" || call.method == "attempt") {
            self.as_step = true;
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_ident(&mut self, ident: &Ident) {
        if self.is_context(ident) {
            self.count += 1;
        }
    }

    fn visit_macro(&mut self, item: &Macro) {
        // What a macro does with it, it alone knows.
        let mut tokens: Vec<TokenTree> = item.tokens.clone().into_iter().collect();
        while let Some(token) = tokens.pop() {
            match token {
                TokenTree::Group(group) => tokens.extend(group.stream()),
                TokenTree::Ident(ident) => self.visit_ident(&ident),
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }
}
