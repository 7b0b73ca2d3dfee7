//! Calls that go past the context: time and tasks that do not survive a crash.

use proc_macro2::Span;
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Block, Expr, ExprCall, ExprMethodCall, Item, Macro, Path, Token};

/// A call that has a durable counterpart.
#[derive(Debug, Clone)]
pub(crate) struct Ambient {
    /// Where it is called.
    pub(crate) span: Span,
    /// Which of the two lints it belongs to.
    pub(crate) kind: AmbientKind,
    /// The function, as it was written: `tokio::time::sleep`.
    pub(crate) path: String,
    /// What to write in a handler instead: `cx.sleep(…)`.
    pub(crate) instead: &'static str,
}

/// What a call takes from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AmbientKind {
    /// The clock, or a pause.
    Time,
    /// A task or thread of its own.
    Task,
}

const PAUSE: &str = "`cx.sleep(…)`, or an `#[after]` edge";
const DEADLINE: &str = "an `#[after]` edge, or a step with a `timeout`";
const CLOCK: &str = "`cx.now()`";
const STEP: &str = "a step";

/// What to look for: the ends of paths. A bare `sleep` or `spawn` may be anybody's, so a path has at least two segments.
const AMBIENT: &[([&str; 2], AmbientKind, &str)] = &[
    (["time", "sleep"], AmbientKind::Time, PAUSE),
    (["time", "sleep_until"], AmbientKind::Time, PAUSE),
    (["thread", "sleep"], AmbientKind::Time, PAUSE),
    (["time", "interval"], AmbientKind::Time, PAUSE),
    (["time", "interval_at"], AmbientKind::Time, PAUSE),
    (["time", "timeout"], AmbientKind::Time, DEADLINE),
    (["time", "timeout_at"], AmbientKind::Time, DEADLINE),
    (["Instant", "now"], AmbientKind::Time, CLOCK),
    (["SystemTime", "now"], AmbientKind::Time, CLOCK),
    (["Utc", "now"], AmbientKind::Time, CLOCK),
    (["Local", "now"], AmbientKind::Time, CLOCK),
    (["Timestamp", "now"], AmbientKind::Time, CLOCK),
    (["Zoned", "now"], AmbientKind::Time, CLOCK),
    (["tokio", "spawn"], AmbientKind::Task, STEP),
    (["task", "spawn"], AmbientKind::Task, STEP),
    (["task", "spawn_blocking"], AmbientKind::Task, STEP),
    (["task", "spawn_local"], AmbientKind::Task, STEP),
    (["thread", "spawn"], AmbientKind::Task, STEP),
];

/// What each of these functions has in its name: most bodies have none of them.
const ROOTS: [&str; 5] = ["sleep", "interval", "timeout", "now", "spawn"];

/// Every such call in a handler's body, in the order of the source; also in its closures, its `async` blocks and, where
/// they read as expressions, in the arguments of macros. Functions that are defined in the body are not looked into.
pub(crate) fn ambient(body: &Block) -> Vec<Ambient> {
    let mut finder = Finder { found: Vec::new() };
    finder.visit_block(body);
    finder.found
}

/// Whether there may be one in a body with this text, which has no spaces.
pub(crate) fn may_be_ambient(text: &str) -> bool {
    ROOTS.iter().any(|root| text.contains(root))
}

struct Finder {
    found: Vec<Ambient>,
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        if let Expr::Path(function) = unwrap_parens(&call.func)
            && let Some((kind, instead)) = look_up(&function.path)
        {
            let (span, path) = (function.path.span(), text_of(&function.path));
            self.found.push(Ambient { span, kind, path, instead });
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        let is_step = call.args.len() == 2 && (call.method == "step" || call.method == "step_with");
        self.visit_expr(&call.receiver);
        // What is inside of a step is recorded as a whole.
        let looked_into = if is_step { 1 } else { call.args.len() };
        call.args.iter().take(looked_into).for_each(|argument| self.visit_expr(argument));
    }

    fn visit_macro(&mut self, called: &'ast Macro) {
        for expr in called.parse_body_with(expressions).unwrap_or_default() {
            self.visit_expr(&expr);
        }
    }

    fn visit_item(&mut self, _: &'ast Item) {}
}

/// Expressions between commas, semicolons as in `vec![0; n]`, or the arrows of `select! { … }`, where a comma after a block
/// may be missing.
fn expressions(input: ParseStream) -> syn::Result<Vec<Expr>> {
    let mut expressions = Vec::new();
    while !input.is_empty() {
        let expr: Expr = input.parse()?;
        if input.peek(Token![;]) {
            input.parse::<Token![;]>()?;
        } else if input.peek(Token![=>]) {
            input.parse::<Token![=>]>()?;
        } else if input.peek(Token![,]) || !(input.is_empty() || matches!(expr, Expr::Block(_))) {
            input.parse::<Token![,]>()?;
        }
        expressions.push(expr);
    }
    Ok(expressions)
}

fn unwrap_parens(expr: &Expr) -> &Expr {
    match expr {
        Expr::Paren(expr) => unwrap_parens(&expr.expr),
        Expr::Group(expr) => unwrap_parens(&expr.expr),
        expr => expr,
    }
}

fn look_up(path: &Path) -> Option<(AmbientKind, &'static str)> {
    let mut segments = path.segments.iter().rev().map(|segment| segment.ident.unraw());
    let (function, owner) = (segments.next()?, segments.next()?);
    let entry = AMBIENT.iter().find(|([a, b], ..)| owner == a && function == b)?;
    let (_, kind, instead) = entry;
    Some((*kind, instead))
}

fn text_of(path: &Path) -> String {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect::<Vec<_>>().join("::")
}

#[cfg(test)]
mod tests;
