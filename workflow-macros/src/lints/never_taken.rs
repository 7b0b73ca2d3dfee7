//! Declared targets that a handler provably never takes.
//!
//! The handler's exits are its tail, every `return`, and every `break` with a value, since that may become the tail.
//! Each is followed through `if`, `match` and blocks down to a `goto(…)`. An error takes no edge: `?`, `Err(…)` and a
//! panic do not count. One exit that is anything else, or a macro that might hold one, and nothing is reported.

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::visit::{self, Visit};
use syn::{Block, Expr, ExprAsync, ExprBreak, ExprCall, ExprClosure, ExprConst, ExprReturn, Item, Macro, Path, Stmt};

/// The indices of the `declared` targets that no exit of `body` takes, in their order.
///
/// A target is the last segment of its type's path; `Stay` and `Wait` are targets too, if they are declared. A body
/// with no target at all is one that is still to be written, and one with `todo!` as well: nothing is reported.
pub(crate) fn never_taken(body: &Block, declared: &[impl AsRef<str>]) -> Vec<usize> {
    let declared: Vec<&str> = declared.iter().map(AsRef::as_ref).collect();
    let mut exits = Exits { taken: declared.iter().map(|_| false).collect(), declared, is_unclear: false };
    exits.block(body);
    exits.visit_block(body);
    if exits.is_unclear || !exits.taken.contains(&true) {
        return Vec::new();
    }
    exits.taken.iter().enumerate().filter(|(_, taken)| !**taken).map(|(index, _)| index).collect()
}

struct Exits<'a> {
    declared: Vec<&'a str>,
    /// For each of the declared targets.
    taken: Vec<bool>,
    is_unclear: bool,
}

impl Exits<'_> {
    /// A block without a tail ends in something that does not come back, or it would not have the handler's type.
    fn block(&mut self, block: &Block) {
        match block.stmts.last() {
            Some(Stmt::Expr(tail, None)) => self.value(tail),
            Some(Stmt::Macro(tail)) if tail.semi_token.is_none() => self.value_of_macro(&tail.mac),
            _ => {}
        }
    }

    /// An expression whose value leaves the handler.
    fn value(&mut self, expr: &Expr) {
        match expr {
            Expr::Paren(expr) => self.value(&expr.expr),
            Expr::Group(expr) => self.value(&expr.expr),
            Expr::Block(expr) => self.block(&expr.block),
            Expr::Unsafe(expr) => self.block(&expr.block),
            Expr::If(expr) => {
                self.block(&expr.then_branch);
                match &expr.else_branch {
                    Some((_, otherwise)) => self.value(otherwise),
                    None => self.is_unclear = true,
                }
            }
            Expr::Match(expr) => expr.arms.iter().for_each(|arm| self.value(&arm.body)),
            Expr::Call(call) => self.value_of_call(call),
            Expr::Macro(expr) => self.value_of_macro(&expr.mac),
            // `Err(…)?` does not come back.
            Expr::Try(expr) if is_call_of(&expr.expr, "Err") => {}
            // What these carry is found by the visitor; they have no value themselves.
            Expr::Return(_) | Expr::Break(_) | Expr::Continue(_) | Expr::Loop(_) => {}
            _ => self.is_unclear = true,
        }
    }

    fn value_of_call(&mut self, call: &ExprCall) {
        let name = called_path(call).and_then(|path| path.segments.last()).map(|segment| segment.ident.unraw());
        match (name, call.args.first()) {
            (Some(name), Some(argument)) if name == "Ok" => self.value(argument),
            (Some(name), Some(argument)) if name == "goto" || name == "unwind" => self.target(argument),
            (Some(name), _) if name == "Err" => {}
            _ => self.is_unclear = true,
        }
    }

    fn value_of_macro(&mut self, called: &Macro) {
        if !is_one_of(&called.path, &["panic", "unreachable"]) {
            self.is_unclear = true;
        }
    }

    /// What is given to `goto`: `A { … }`, `A(…)`, `A`, `A::new(…)`, a variant of `A`, or `Stay(…)` or `Wait`.
    fn target(&mut self, expr: &Expr) {
        match expr {
            Expr::Paren(expr) => self.target(&expr.expr),
            Expr::Group(expr) => self.target(&expr.expr),
            Expr::Struct(expr) if expr.qself.is_none() => self.take(&expr.path, is_type_name),
            Expr::Path(expr) if expr.qself.is_none() => self.take(&expr.path, is_type_name),
            Expr::Call(call) => match called_path(call) {
                Some(path) => self.take(path, |name| is_type_name(name) || is_constructor(name)),
                None => self.is_unclear = true,
            },
            _ => self.is_unclear = true,
        }
    }

    /// A path names a target by its last segment, or by the one before it if the last is something that makes one.
    fn take(&mut self, path: &Path, makes_one: impl Fn(&str) -> bool) {
        let mut segments = path.segments.iter().rev().map(|segment| segment.ident.unraw().to_string());
        let last = segments.next().unwrap_or_default();
        let owner = segments.next().filter(|_| makes_one(&last));
        let mut is_known = false;
        for (name, taken) in self.declared.iter().zip(&mut self.taken) {
            if *name == last || owner.as_deref() == Some(*name) {
                *taken = true;
                is_known = true;
            }
        }
        self.is_unclear |= !is_known;
    }
}

impl<'ast> Visit<'ast> for Exits<'_> {
    fn visit_expr_return(&mut self, expr: &'ast ExprReturn) {
        match &expr.expr {
            Some(value) => self.value(value),
            None => self.is_unclear = true,
        }
        visit::visit_expr_return(self, expr);
    }

    fn visit_expr_break(&mut self, expr: &'ast ExprBreak) {
        if let Some(value) = &expr.expr {
            self.value(value);
        }
        visit::visit_expr_break(self, expr);
    }

    fn visit_macro(&mut self, called: &'ast Macro) {
        self.is_unclear |= !is_one_of(&called.path, WITHOUT_EXITS) || has_jump(&called.tokens);
    }

    fn visit_expr(&mut self, expr: &'ast Expr) {
        self.is_unclear |= matches!(expr, Expr::Verbatim(_));
        visit::visit_expr(self, expr);
    }

    // A `return` in these does not leave the handler.
    fn visit_expr_closure(&mut self, _: &'ast ExprClosure) {}
    fn visit_expr_async(&mut self, _: &'ast ExprAsync) {}
    fn visit_expr_const(&mut self, _: &'ast ExprConst) {}
    fn visit_item(&mut self, _: &'ast Item) {}
}

/// Macros that are known to expand to nothing that leaves the handler with a value. `todo!` is not one of them: what is
/// to come there may take any target.
const WITHOUT_EXITS: &[&str] = &[
    "assert",
    "assert_eq",
    "assert_ne",
    "cfg",
    "concat",
    "dbg",
    "debug",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "env",
    "eprint",
    "eprintln",
    "error",
    "event",
    "format",
    "format_args",
    "include_bytes",
    "include_str",
    "info",
    "json",
    "matches",
    "panic",
    "print",
    "println",
    "span",
    "stringify",
    "trace",
    "unreachable",
    "vec",
    "warn",
    "write",
    "writeln",
];

fn is_one_of(path: &Path, names: &[&str]) -> bool {
    path.segments.last().is_some_and(|segment| names.iter().any(|name| segment.ident == name))
}

/// Whether `return` or `break` stands anywhere in these tokens.
fn has_jump(tokens: &TokenStream) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Group(group) => has_jump(&group.stream()),
        TokenTree::Ident(ident) => ident == "return" || ident == "break",
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

fn called_path(call: &ExprCall) -> Option<&Path> {
    match &*call.func {
        Expr::Path(function) if function.qself.is_none() => Some(&function.path),
        _ => None,
    }
}

fn is_call_of(expr: &Expr, name: &str) -> bool {
    match expr {
        Expr::Call(call) => called_path(call).is_some_and(|path| is_one_of(path, &[name])),
        _ => false,
    }
}

/// `Fresh`, but neither `fresh` nor `FRESH`: behind a type's name it is a variant of it.
fn is_type_name(name: &str) -> bool {
    name.starts_with(char::is_uppercase) && (name.len() == 1 || name.contains(char::is_lowercase))
}

/// By convention these return the type that they are called on. Another function may return whatever it likes.
fn is_constructor(name: &str) -> bool {
    ["new", "from", "default"].contains(&name) || name.starts_with("from_") || name.starts_with("with_")
}

#[cfg(test)]
mod tests;
