//! The names that a piece of code uses, and how.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{
    Expr, ExprAssign, ExprAsync, ExprAwait, ExprCall, ExprClosure, ExprPath, ExprReference, ExprReturn, ExprTry, Item,
    Macro, PatIdent, Stmt,
};

use crate::model::unraw;

/// What is known of the uses of one name.
#[derive(Debug, Clone)]
pub(crate) struct Use {
    /// The first place.
    pub(crate) span: Span,
    /// Whether it is only ever borrowed: `&name`, or named in a macro that formats.
    pub(crate) only_borrowed: bool,
    /// The first place where it is borrowed mutably or assigned to.
    pub(crate) mutable: Option<Span>,
    /// Whether it stands in an expression that certainly means a variable, and not a function or a word in a macro.
    pub(crate) certain: bool,
}

/// What a piece of code does.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    /// The names that it uses.
    pub(crate) names: BTreeMap<String, Use>,
    /// The names that it binds itself, somewhere inside.
    pub(crate) bound: BTreeSet<String>,
    /// Whether it awaits, outside of closures and async blocks.
    pub(crate) awaits: bool,
    /// Whether it may leave the function: by `return`, or by `?`.
    pub(crate) leaves: bool,
}

impl Uses {
    /// Those of a statement.
    pub(crate) fn of_stmt(statement: &Stmt) -> Self {
        let mut walk = Walk::default();
        walk.visit_stmt(statement);
        walk.uses
    }

    /// Whether the name means a binding from outside wherever it occurs, so that it may be written otherwise.
    pub(crate) fn is_plain(&self, name: &str) -> bool {
        !self.bound.contains(name)
    }

    fn add(&mut self, ident: &Ident, only_borrowed: bool, mutable: bool, certain: bool) {
        let span = ident.span();
        let used = self.names.entry(unraw(ident)).or_insert(Use { span, only_borrowed, mutable: None, certain });
        used.only_borrowed &= only_borrowed;
        used.certain |= certain;
        if mutable {
            used.mutable.get_or_insert(span);
        }
    }
}

/// Those of an expression.
pub(crate) fn uses_of_expr(expr: &Expr) -> Uses {
    let mut walk = Walk::default();
    walk.visit_expr(expr);
    walk.uses
}

#[derive(Default)]
struct Walk {
    uses: Uses,
    /// In how many closures and async blocks we are: what they await or return, they do for themselves.
    inside: usize,
}

/// The name, if the expression is nothing else.
fn plain_name(expr: &Expr) -> Option<&Ident> {
    match expr {
        Expr::Path(ExprPath { qself: None, path, .. }) => path.get_ident(),
        Expr::Paren(paren) => plain_name(&paren.expr),
        Expr::Group(group) => plain_name(&group.expr),
        _ => None,
    }
}

/// What is borrowed in the end: `a` of `a.b[0].c`.
fn root(expr: &Expr) -> Option<&Ident> {
    match expr {
        Expr::Field(field) => root(&field.base),
        Expr::Index(index) => root(&index.expr),
        Expr::Paren(paren) => root(&paren.expr),
        expr => plain_name(expr),
    }
}

impl Walk {
    fn within(&mut self, walk: impl FnOnce(&mut Self)) {
        self.inside += 1;
        walk(self);
        self.inside -= 1;
    }

    /// Every word may be a name, and every text a format string.
    fn tokens(&mut self, tokens: TokenStream, formats: bool) {
        let mut before = None;
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match &token {
                TokenTree::Group(group) => self.tokens(group.stream(), formats),
                TokenTree::Ident(ident) => {
                    let after_dot = before == Some('.');
                    if after_dot && ident == "await" && self.inside == 0 {
                        self.uses.awaits = true;
                    }
                    // In a macro that formats, what is no function, macro or named argument is a variable.
                    let is_more = match tokens.peek() {
                        Some(TokenTree::Group(_)) => true,
                        Some(TokenTree::Punct(punct)) => matches!(punct.as_char(), '!' | ':' | '='),
                        _ => false,
                    };
                    let certain = formats && !is_more && before != Some(':');
                    if !after_dot {
                        self.uses.add(ident, formats, false, certain);
                    }
                }
                TokenTree::Literal(literal) => {
                    let span = literal.span();
                    for name in names_in_format(&literal.to_string()) {
                        if let Ok(mut ident) = syn::parse_str::<Ident>(&name) {
                            ident.set_span(span);
                            self.uses.add(&ident, formats, false, formats);
                        }
                    }
                }
                TokenTree::Punct(punct) if punct.as_char() == '?' && self.inside == 0 && !formats => {
                    self.uses.leaves = true;
                }
                TokenTree::Punct(_) => {}
            }
            before = match &token {
                TokenTree::Punct(punct) => Some(punct.as_char()),
                _ => None,
            };
        }
    }
}

/// The names in `{name}`, `{name:?}`, `{0:width$}` of a text.
fn names_in_format(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for part in text.split('{').skip(1) {
        let inside = part.split('}').next().unwrap_or_default();
        let words = inside.split(|char: char| !char.is_alphanumeric() && char != '_');
        names.extend(
            words.filter(|word| word.starts_with(|char: char| char.is_alphabetic() || char == '_')).map(str::to_owned),
        );
    }
    names
}

/// Macros that only look at what they are given.
fn only_formats(path: &syn::Path) -> bool {
    const FORMATS: [&str; 22] = [
        "format",
        "print",
        "println",
        "eprint",
        "eprintln",
        "write",
        "writeln",
        "format_args",
        "panic",
        "assert",
        "assert_eq",
        "assert_ne",
        "debug_assert",
        "debug_assert_eq",
        "debug_assert_ne",
        "trace",
        "debug",
        "info",
        "warn",
        "error",
        "todo",
        "unimplemented",
    ];
    path.segments.last().is_some_and(|last| FORMATS.contains(&unraw(&last.ident).as_str()))
}

/// Macros that await what they are given.
fn awaits(path: &syn::Path) -> bool {
    const AWAITS: [&str; 4] = ["join", "try_join", "select", "select_biased"];
    path.segments.last().is_some_and(|last| AWAITS.contains(&unraw(&last.ident).as_str()))
}

impl<'ast> Visit<'ast> for Walk {
    fn visit_expr_path(&mut self, path: &'ast ExprPath) {
        if let (None, Some(ident)) = (&path.qself, path.path.get_ident()) {
            self.uses.add(ident, false, false, true);
        }
        visit::visit_expr_path(self, path);
    }

    fn visit_expr_reference(&mut self, reference: &'ast ExprReference) {
        match (plain_name(&reference.expr), reference.mutability.is_some()) {
            (Some(ident), false) => self.uses.add(ident, true, false, true),
            (_, true) => {
                if let Some(ident) = root(&reference.expr) {
                    self.uses.add(ident, false, true, true);
                }
                visit::visit_expr_reference(self, reference);
            }
            (None, false) => visit::visit_expr_reference(self, reference),
        }
    }

    fn visit_expr_assign(&mut self, assign: &'ast ExprAssign) {
        if let Some(ident) = root(&assign.left) {
            self.uses.add(ident, false, true, true);
        }
        visit::visit_expr_assign(self, assign);
    }

    fn visit_expr_binary(&mut self, binary: &'ast syn::ExprBinary) {
        use syn::BinOp;
        let assigns = matches!(
            binary.op,
            BinOp::AddAssign(_)
                | BinOp::SubAssign(_)
                | BinOp::MulAssign(_)
                | BinOp::DivAssign(_)
                | BinOp::RemAssign(_)
                | BinOp::BitXorAssign(_)
                | BinOp::BitAndAssign(_)
                | BinOp::BitOrAssign(_)
                | BinOp::ShlAssign(_)
                | BinOp::ShrAssign(_)
        );
        if let (true, Some(ident)) = (assigns, root(&binary.left)) {
            self.uses.add(ident, false, true, true);
        }
        visit::visit_expr_binary(self, binary);
    }

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        match plain_name(&call.func) {
            // A function, or a closure that is bound to the name.
            Some(ident) => self.uses.add(ident, false, false, false),
            None => self.visit_expr(&call.func),
        }
        call.args.iter().for_each(|argument| self.visit_expr(argument));
    }

    fn visit_expr_await(&mut self, expr: &'ast ExprAwait) {
        self.uses.awaits |= self.inside == 0;
        visit::visit_expr_await(self, expr);
    }

    fn visit_expr_try(&mut self, expr: &'ast ExprTry) {
        self.uses.leaves |= self.inside == 0;
        visit::visit_expr_try(self, expr);
    }

    fn visit_expr_return(&mut self, expr: &'ast ExprReturn) {
        self.uses.leaves |= self.inside == 0;
        visit::visit_expr_return(self, expr);
    }

    fn visit_expr_closure(&mut self, closure: &'ast ExprClosure) {
        self.within(|walk| visit::visit_expr_closure(walk, closure));
    }

    fn visit_expr_async(&mut self, block: &'ast ExprAsync) {
        self.within(|walk| visit::visit_expr_async(walk, block));
    }

    fn visit_item(&mut self, _: &'ast Item) {
        // It sees no variables.
    }

    fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
        self.uses.bound.insert(unraw(&pattern.ident));
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_macro(&mut self, item: &'ast Macro) {
        self.uses.awaits |= self.inside == 0 && awaits(&item.path);
        self.tokens(item.tokens.clone(), only_formats(&item.path));
    }
}
