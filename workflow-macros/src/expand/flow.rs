//! The graph of a parallel function: an async block for each statement, and a slot for each binding between them.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, ExprAsync, ExprClosure, Item, Local, Pat, PatIdent, Stmt, parse_quote};

use super::parallel::{Argument, Outer, arguments, judge};
use crate::flow::{Binding, Flow, Node, NodeKind, Uses};
use crate::model::unraw;
use crate::parse::parallel::is_result;

// #[parallel]
// async fn checks(&self, cx: &Cx, order: &Order) -> Result<Checks> {
//     let reserved = self.reserve(cx, order).await?;
//     let fraud = self.score(cx, order).await?;
//     Ok(Checks { reserved, fraud })
// }
//
// fn checks(&self, cx: &Cx, order: &Order) -> impl Future<Output = Result<Checks>> + Send {
//     const POLICY: ParallelPolicy = ParallelPolicy::new("checks").branches(&["reserved", "fraud"]);
//     let mut digest = Digest::new();
//     (&ArgProbe(&order)).add_to(&mut digest);
//     let call = ParallelCall::new(cx, POLICY, &digest);
//     async move {
//         let cx = call.cx();
//         let early = Early::<Result<Checks>>::new();
//         let cx_0 = call.branch("reserved");
//         let slot_reserved = Moved::new();
//         …
//         let mut flow = Flow::new(&call, &early, Judge { … });
//         flow.branch("reserved", &[], async {
//             let cx = &cx_0;
//             let reserved = self.reserve(cx, order).await?;
//             slot_reserved.set(reserved);
//             Ok(())
//         });
//         …
//         match flow.run().await { … }
//         let reserved = slot_reserved.take();
//         …
//         Ok(Checks { reserved, fraud })
//     }
// }
pub(crate) fn expand_flow(outer: &Outer<'_>, flow: &Flow) -> TokenStream {
    let arguments = arguments(outer.signature);
    let inputs = outer.signature.inputs.iter().enumerate().map(|(place, input)| {
        match arguments.iter().find(|argument| argument.place == place) {
            Some(Argument { name, ty, .. }) => quote!(#name: #ty,),
            None => quote!(#input,),
        }
    });
    let digested: Vec<Ident> =
        arguments.iter().filter(|argument| !argument.is_context).map(|argument| argument.name.clone()).collect();
    let returned = outer.returned();
    let result = is_result(outer.signature);
    let error = match result {
        true => quote!(<#returned as __private::StepResult>::Error),
        false => quote!(::core::convert::Infallible),
    };
    let context = arguments.iter().find(|argument| argument.is_context).map(|argument| argument.name.clone());
    let context = context.unwrap_or_else(|| Ident::new("__cx", Span::call_site()));
    let run = Run { flow, context, returned: &returned, error: &error, result }.expand(&arguments);
    outer.expand(&inputs.collect(), &returned, &digested, &TokenStream::new(), &run)
}

/// How a binding gets from its maker to its users.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// To its one user, or from one to the next.
    Moved,
    /// To several at once.
    Lent,
}

struct Run<'a> {
    flow: &'a Flow,
    /// The name of the context.
    context: Ident,
    returned: &'a TokenStream,
    error: &'a TokenStream,
    /// Whether it returns a `Result`.
    result: bool,
}

impl Run<'_> {
    fn expand(&self, arguments: &[Argument<'_>]) -> TokenStream {
        let Self { flow, context, returned, error, .. } = self;
        let items = &flow.items;
        let patterns = arguments.iter().filter(|argument| !argument.is_context).filter_map(
            |Argument { name, pattern, .. }| {
                let is_plain =
                    matches!(pattern, Pat::Ident(PatIdent { by_ref: None, mutability: None, subpat: None, .. }));
                let is_handed_on =
                    flow.bindings.iter().any(|binding| binding.made_by.is_none() && binding.ident == *name);
                (!is_plain && !is_handed_on).then(|| quote!(let #pattern = #name;))
            },
        );
        let contexts = flow.nodes.iter().enumerate().filter_map(|(index, node)| match &node.kind {
            NodeKind::Branch(name) => Some((context_of(index), name.clone())),
            // What it records is found by its name too, whichever of them runs first.
            NodeKind::Let => Some((context_of(index), let_name(node))),
            NodeKind::Statement | NodeKind::Barrier => None,
        });
        let contexts = contexts.map(|(ident, name)| quote!(let #ident = __call.branch(#name);));
        let slots = flow.bindings.iter().map(|binding| {
            let slot = slot(binding);
            match way(flow, binding) {
                Way::Moved => quote!(let #slot = __private::Moved::new();),
                Way::Lent => quote!(let #slot = __private::Lent::new();),
            }
        });
        let given = flow.bindings.iter().filter(|binding| binding.made_by.is_none()).map(|binding| {
            let (slot, ident) = (slot(binding), &binding.ident);
            quote!(#slot.set(#ident);)
        });
        let judge = judge(None, error);
        let nodes = flow.nodes.iter().enumerate().map(|(index, node)| self.node(index, node));
        let failed = match self.result {
            true => quote!(return ::core::result::Result::Err(__error)),
            false => quote!(match __error {}),
        };
        let kept = flow.bindings.iter().filter(|binding| binding.in_tail).map(|binding| self.in_tail(binding));
        let mut tail = flow.tail.clone();
        let plain = self.borrowed_in(&flow.tail_uses, None);
        tail.iter_mut().for_each(|statement| Unborrow(&plain).visit_stmt_mut(statement));
        quote! {
            #(#items)*
            #[allow(unused_variables, reason = "the branches have their own")]
            let #context = __call.cx();
            #(#patterns)*
            let __early = __private::Early::<#returned>::new();
            #(#contexts)*
            #(#slots)*
            #(#given)*
            let mut __flow = __private::Flow::<#returned, #error>::new(&__call, &__early, #judge);
            #(#nodes)*
            match __flow.run().await {
                __private::Flowed::Done => {}
                __private::Flowed::Early(__result) => return __result,
                __private::Flowed::Failed(__error) => #failed,
            }
            #(#kept)*
            #(#tail)*
        }
    }

    fn node(&self, index: usize, node: &Node) -> TokenStream {
        let (context, error) = (&self.context, self.error);
        let after = node.after.iter();
        let own_context = match node.kind {
            NodeKind::Branch(_) | NodeKind::Let => {
                let ident = context_of(index);
                quote!(#[allow(unused_variables, reason = "not every one needs it")] let #context = &#ident;)
            }
            NodeKind::Statement | NodeKind::Barrier => TokenStream::new(),
        };
        let used = self.flow.bindings.iter().filter(|binding| binding.users.contains(&index));
        let taken = used.clone().map(|binding| self.taken(binding, node));
        let back = used.filter(|binding| goes_on(binding, index)).map(|binding| {
            let (slot, ident) = (slot(binding), &binding.ident);
            quote!(#slot.set(#ident);)
        });
        let mut statement = node.statement.clone();
        Unborrow(&self.borrowed_in(&node.uses, Some(index))).visit_stmt_mut(&mut statement);
        Leave.visit_stmt_mut(&mut statement);
        let made = self.flow.bindings.iter().filter(|binding| binding.made_by == Some(index)).map(|binding| {
            let (slot, ident) = (slot(binding), &binding.ident);
            quote!(#slot.set(#ident);)
        });
        if let Stmt::Local(local) = &mut statement {
            // Whoever changes it has a `mut` of his own.
            NoMut.visit_pat_mut(&mut local.pat);
        }
        // Without `?`, a failure is a value, and still one that people want to hear of.
        let failed = match (&node.kind, &node.statement) {
            (NodeKind::Branch(name), Stmt::Local(Local { pat: Pat::Ident(PatIdent { ident, .. }), .. })) => {
                quote!(__call.failed(#name, (&__private::FailureProbe(&#ident)).failure());)
            }
            _ => TokenStream::new(),
        };
        let body = quote! {
            async {
                #own_context
                #(#taken)*
                #statement
                #failed
                #(#made)*
                #(#back)*
                ::core::result::Result::<(), #error>::Ok(())
            }
        };
        match &node.kind {
            NodeKind::Branch(name) => quote!(__flow.branch(#name, &[#(#after),*], #body);),
            _ => quote!(__flow.statement(&[#(#after),*], #body);),
        }
    }

    /// How a node comes to a binding that it uses.
    fn taken(&self, binding: &Binding, node: &Node) -> TokenStream {
        let (slot, ident) = (slot(binding), &binding.ident);
        let value = match way(self.flow, binding) {
            Way::Moved => quote!(#slot.take()),
            Way::Lent if is_borrowed(&node.uses, binding) => quote!(#slot.get()),
            Way::Lent => quote!((&__private::ShareProbe(#slot.get())).share()),
        };
        let mutable = binding.exclusive.then(|| quote!(mut));
        quote! {
            #[allow(unused_variables, unused_mut, reason = "it may be the word alone that occurs")]
            let #mutable #ident = #value;
        }
    }

    fn in_tail(&self, binding: &Binding) -> TokenStream {
        let (slot, ident) = (slot(binding), &binding.ident);
        let is_lent = way(self.flow, binding) == Way::Lent;
        let value = match is_lent && is_borrowed(&self.flow.tail_uses, binding) {
            true => quote!(#slot.get()),
            false => quote!(#slot.take()),
        };
        let mutable = binding.exclusive.then(|| quote!(mut));
        quote! {
            #[allow(unused_variables, unused_mut, reason = "it may be the word alone that occurs")]
            let #mutable #ident = #value;
        }
    }

    /// The names that a node, or the tail, has as borrows where the user has written `&name`.
    fn borrowed_in(&self, uses: &Uses, node: Option<usize>) -> Vec<String> {
        let used = self.flow.bindings.iter().filter(|binding| match node {
            Some(node) => binding.users.contains(&node),
            None => binding.in_tail,
        });
        used.filter(|binding| way(self.flow, binding) == Way::Lent && is_borrowed(uses, binding))
            .map(Binding::name)
            .collect()
    }
}

fn slot(binding: &Binding) -> Ident {
    format_ident!("__slot_{}", binding.name(), span = Span::call_site())
}

fn context_of(node: usize) -> Ident {
    format_ident!("__cx_{}", node, span = Span::call_site())
}

/// What a `let` that is no branch is found by.
fn let_name(node: &Node) -> String {
    match &node.statement {
        Stmt::Local(local) => crate::flow::bound_by(local).first().map_or_else(|| "_".to_owned(), unraw),
        _ => "_".to_owned(),
    }
}

fn way(flow: &Flow, binding: &Binding) -> Way {
    if binding.exclusive {
        return Way::Moved;
    }
    let only_user = match binding.users.as_slice() {
        [] => return Way::Moved,
        [user] if !binding.in_tail => user,
        _ => return Way::Lent,
    };
    // What it makes of a borrow may hold on to it.
    let borrows = flow.nodes.get(*only_user).is_some_and(|node| is_borrowed(&node.uses, binding));
    if borrows { Way::Lent } else { Way::Moved }
}

/// Whether it is only borrowed there.
fn is_borrowed(uses: &Uses, binding: &Binding) -> bool {
    let name = binding.name();
    uses.is_plain(&name) && uses.names.get(&name).is_some_and(|used| used.only_borrowed)
}

/// Whether somebody has an exclusive binding after this node.
fn goes_on(binding: &Binding, node: usize) -> bool {
    binding.exclusive && (binding.in_tail || binding.users.last() != Some(&node))
}

/// Writes `name` for `&name` where it is a borrow already.
struct Unborrow<'a>(&'a [String]);

impl VisitMut for Unborrow<'_> {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        if let Expr::Reference(reference) = expr
            && reference.mutability.is_none()
            && let Expr::Path(path) = &*reference.expr
            && let Some(ident) = path.path.get_ident()
            && self.0.contains(&unraw(ident))
        {
            *expr = Expr::Path(path.clone());
            return;
        }
        visit_mut::visit_expr_mut(self, expr);
    }

    fn visit_item_mut(&mut self, _: &mut Item) {}
}

/// Makes a `return` end the whole, and not its branch alone.
struct Leave;

impl VisitMut for Leave {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        visit_mut::visit_expr_mut(self, expr);
        if let Expr::Return(returned) = expr {
            let value = returned.expr.as_ref().map_or_else(|| quote!(()), quote::ToTokens::to_token_stream);
            *expr = parse_quote!(match __early.leave(#value).await {});
        }
    }

    fn visit_expr_closure_mut(&mut self, _: &mut ExprClosure) {}

    fn visit_expr_async_mut(&mut self, _: &mut ExprAsync) {}

    fn visit_item_mut(&mut self, _: &mut Item) {}
}

struct NoMut;

impl VisitMut for NoMut {
    fn visit_pat_ident_mut(&mut self, pattern: &mut PatIdent) {
        if pattern.by_ref.is_none() {
            pattern.mutability = None;
        }
        visit_mut::visit_pat_ident_mut(self, pattern);
    }
}
