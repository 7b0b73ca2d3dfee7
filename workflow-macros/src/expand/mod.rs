//! From the model to tokens. Nothing here can fail, and nothing here depends on anything but the model, so that two
//! builds of one source expand to the same text.
//!
//! What the user names is emitted as items of its own; the rest is in `const _: () = { … };`.

pub(crate) mod assertions;
pub(crate) mod data;
pub(crate) mod data_enum;
pub(crate) mod data_plain;
pub(crate) mod docs;
pub(crate) mod each;
pub(crate) mod enums;
pub(crate) mod flow;
pub(crate) mod free;
pub(crate) mod graph;
pub(crate) mod graph_checks;
pub(crate) mod group;
pub(crate) mod group_checks;
pub(crate) mod handlers;
pub(crate) mod included;
pub(crate) mod main_fn;
pub(crate) mod next_enums;
pub(crate) mod parallel;
pub(crate) mod pure;
pub(crate) mod saved;
pub(crate) mod sequential;
pub(crate) mod step;
pub(crate) mod transition_enum;
pub(crate) mod undo;
pub(crate) mod versions;
pub(crate) mod workflow_impl;

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::Ident;

use crate::model::{Machine, Runtime, TypeRef, unraw};

/// `#[allow(…)]` for generated items: the lints of the user's crate are for the user's code.
pub(crate) fn allow() -> TokenStream {
    let clippy = allow_clippy();
    quote! {
        #[allow(
            dead_code,
            deprecated,
            missing_docs,
            missing_debug_implementations,
            nonstandard_style,
            private_bounds,
            private_interfaces,
            unreachable_pub,
            unreachable_code,
            unreachable_patterns,
            unused_imports,
            unused_qualifications,
            unused_variables,
            non_local_definitions,
            reason = "generated"
        )]
        #clippy
    }
}

/// The same for an enum whose variants hold states, and which has documents and `Debug`. There is one for each state, and
/// rustc takes its time for every lint that is named.
pub(crate) fn allow_enum() -> TokenStream {
    let clippy = allow_clippy();
    quote! {
        #[allow(dead_code, deprecated, nonstandard_style, private_interfaces, unreachable_pub, reason = "generated")]
        #clippy
    }
}

/// The same for the impls of a state or an event. What is read from the store alone counts as made.
fn allow_impls() -> TokenStream {
    let clippy = allow_clippy();
    quote! {
        #[allow(
            dead_code,
            deprecated,
            non_local_definitions,
            unreachable_code,
            unused_qualifications,
            reason = "generated"
        )]
        #clippy
    }
}

/// Only where clippy looks: to rustc these are names that it does not know, and takes the longer for.
fn allow_clippy() -> TokenStream {
    quote!(#[cfg_attr(
        clippy,
        allow(clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction, reason = "generated")
    )])
}

/// Puts impls where they add no name to the user's scope.
pub(crate) fn in_const(runtime: &Runtime, body: &TokenStream) -> TokenStream {
    let allow = allow();
    let imports = imports(runtime);
    quote! {
        #allow
        const _: () = {
            #imports
            #body
        };
    }
}

/// The same for what belongs to a whole machine, with [short names](short_names).
pub(crate) fn in_machine_const(runtime: &Runtime, body: &TokenStream) -> TokenStream {
    let names = short_names(runtime);
    in_const(runtime, &quote!(#names #body))
}

/// The same for what needs no probe, as each import takes time.
pub(crate) fn in_const_simply(runtime: &Runtime, body: &TokenStream) -> TokenStream {
    let allow = allow_impls();
    quote! {
        #allow
        const _: () = {
            use #runtime::__private as __private;
            #body
        };
    }
}

/// The imports that the other expansions rely on, inside a block.
pub(crate) fn imports(runtime: &Runtime) -> TokenStream {
    quote! {
        use ::core::result::Result::{self as __Result, Err as __Err, Ok as __Ok};
        use #runtime::__private as __private;
        use #runtime::__private::fallbacks::*;
    }
}

/// Short names for what is used for each state or handler, inside a block: every word of generated code takes the
/// compiler's time. They are not exported by the runtime, as rustc would call these things so in its messages.
pub(crate) fn short_names(runtime: &Runtime) -> TokenStream {
    quote! {
        use ::core::{
            convert::From as __From,
            fmt::{Debug as __Debug, Formatter as __Formatter, Result as __FmtResult},
            future::Future as __Future,
            marker::Send as __Send,
        };
        use #runtime::{
            Cx as __Cx, Decision as __Decision, Handled as __Handled, HandlerInfo as __HandlerInfo, Next as __Next,
            Trigger as __Trigger,
        };
    }
}

/// The user's where clause, and that the workflow can be shared between threads.
///
/// That is a supertrait of `Workflow`. Where the workflow's type has parameters, it is a condition on them, and the user
/// need not write it. Where it has none, it holds, or the impl of `Workflow`, which goes without, is the one error:
/// `for<'__a>` keeps rustc from reporting it again at the other impls.
pub(crate) fn where_shared(machine: &Machine, is_workflow: bool) -> TokenStream {
    let (runtime, self_ty) = (&machine.runtime, &machine.self_ty);
    let predicates = machine.generics.where_clause.as_ref().map(|clause| {
        let predicates = clause.predicates.iter();
        quote!(#(#predicates,)*)
    });
    let has_parameters = !machine.generics.params.is_empty();
    let shared = match (has_parameters, is_workflow) {
        (true, _) => Some(quote!(#self_ty: ::core::marker::Send + ::core::marker::Sync + 'static,)),
        (false, false) => Some(quote!(for<'__a> #self_ty: #runtime::__private::Shared,)),
        (false, true) => None,
    };
    quote!(where #predicates #shared)
}

/// The same in a part: and that it is a workflow at all, which is asserted once.
///
/// Where the type has parameters, that would be asked again while the main impl is checked, which is what answers it: rustc
/// may take that for a cycle, and then a handler for one that is missing.
pub(crate) fn where_part(machine: &Machine) -> TokenStream {
    let (shared, runtime, self_ty) = (where_shared(machine, false), &machine.runtime, &machine.self_ty);
    let is_workflow = machine.generics.params.is_empty().then(|| quote!(for<'__a> #self_ty: #runtime::Workflow,));
    quote!(#shared #is_workflow)
}

/// The name of a generated type.
pub(crate) fn generated_ident(machine: &Machine, suffix: &str) -> Ident {
    Ident::new(&format!("{}{suffix}", machine.name()), machine.ident.span().resolved_at(Span::call_site()))
}

/// `EdgeKey<…>` of a handler.
pub(crate) fn edge_key(machine: &Machine, handler: &str) -> TokenStream {
    let (runtime, workflow, handler) = (&machine.runtime, name_digest(&machine.name()), name_digest(handler));
    quote!(#runtime::EdgeKey<#workflow, #handler>)
}

/// The number that stands for a name in a type: FNV-1a. As a number, it need not be reckoned wherever the type stands.
pub(crate) fn name_digest(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |digest, byte| (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// What is known of a state, whether it is one or not.
pub(crate) fn state_probe(state: &TypeRef) -> TokenStream {
    quote!(__State::<#state>)
}

/// What is known of a group, whether it is one or not.
pub(crate) fn group_probe(group: &TypeRef) -> TokenStream {
    quote!(__Group::<#group>)
}

/// The name of a state or a group, where nobody knows which of the two it is.
pub(crate) fn source_name(source: &TypeRef) -> TokenStream {
    let (group, state) = (group_probe(source), state_probe(source));
    quote!(__private::source(#state::FACTS, #group::FACTS))
}

/// How what a handler is for is read.
pub(crate) fn source_read(machine: &Machine, source: &TypeRef) -> TokenStream {
    let probe = if machine.is_group(source) { group_probe(source) } else { state_probe(source) };
    quote!(#probe::read)
}

/// Spans all tokens at one place of the user's.
pub(crate) fn at(span: Span, tokens: TokenStream) -> TokenStream {
    tokens
        .into_iter()
        .map(|mut token| {
            if let TokenTree::Group(group) = &token {
                let mut group = proc_macro2::Group::new(group.delimiter(), at(span, group.stream()));
                group.set_span(span);
                return TokenTree::Group(group);
            }
            token.set_span(span);
            token
        })
        .collect()
}

/// An item with a list of type parameters, even if that is empty. Where a type is not found between `<` and `>`, rustc would
/// suggest to add it to the parameters, but not in those generated items that have none: one mistake would be told in two
/// ways. To a list that is of an expansion, it suggests nothing.
pub(crate) fn with_parameters(item: TokenStream) -> TokenStream {
    let mut tokens = item.into_iter().peekable();
    let mut before = TokenStream::new();
    while let Some(token) = tokens.next() {
        let TokenTree::Ident(word) = &token else {
            before.extend([token]);
            continue;
        };
        let (is_impl, is_named) = (word == "impl", ["struct", "enum", "fn"].iter().any(|named| word == named));
        before.extend([token]);
        if !is_impl && !is_named {
            continue;
        }
        if is_named {
            before.extend(tokens.next());
        }
        let has_list = matches!(tokens.peek(), Some(TokenTree::Punct(punct)) if punct.as_char() == '<');
        let list = (!has_list).then(|| quote!(<>));
        return quote!(#before #list #(#tokens)*);
    }
    before
}

/// `#[doc = "…"]`.
pub(crate) fn doc(text: &str) -> TokenStream {
    let text = format!(" {text}");
    quote!(#[doc = #text])
}

/// The name of a type, for a message or a doc comment.
pub(crate) fn display(ident: &Ident) -> String {
    unraw(ident)
}

/// The text of a type as a person would write it.
pub(crate) fn type_text(ty: &impl ToTokens) -> String {
    let text = ty.to_token_stream().to_string();
    [(" :: ", "::"), (":: ", "::"), (" < ", "<"), (" >", ">"), ("< ", "<"), (" ,", ","), ("& ", "&")]
        .into_iter()
        .fold(text, |text, (from, to)| text.replace(from, to))
}
