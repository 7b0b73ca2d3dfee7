//! A parallel function: a plain function that takes its place in the journal when it is called. What it does then is in
//! `flow.rs` where its bindings are the branches, and in `each.rs` where there is one for each item.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::{Attribute, FnArg, Pat, PatIdent, ReturnType, Signature, Visibility};

use super::step::duration;
use super::{imports, with_parameters};
use crate::model::{Join, Parallel, Runtime, unraw};
use crate::parse::types::is_context;

/// The function that callers see.
pub(crate) struct Outer<'a> {
    pub(crate) runtime: &'a Runtime,
    pub(crate) attributes: &'a [Attribute],
    pub(crate) vis: &'a Visibility,
    pub(crate) signature: &'a Signature,
    pub(crate) parallel: &'a Parallel,
}

/// An argument, with a name of its own.
pub(super) struct Argument<'a> {
    pub(super) name: Ident,
    pub(super) pattern: &'a Pat,
    pub(super) ty: &'a syn::Type,
    /// Its place among all arguments.
    pub(super) place: usize,
    pub(super) is_context: bool,
}

pub(super) fn arguments(signature: &Signature) -> Vec<Argument<'_>> {
    let typed = signature.inputs.iter().enumerate().filter_map(|(place, input)| match input {
        FnArg::Typed(argument) => Some((place, argument)),
        FnArg::Receiver(_) => None,
    });
    let arguments = typed.map(|(place, argument)| {
        let name = match &*argument.pat {
            Pat::Ident(PatIdent { ident, subpat: None, by_ref: None, .. }) => ident.clone(),
            _ => format_ident!("__arg{}", place, span = Span::call_site()),
        };
        let is_context = is_context(&argument.ty);
        Argument { name, pattern: &argument.pat, ty: &argument.ty, place, is_context }
    });
    arguments.collect()
}

impl Outer<'_> {
    /// What it returns when it is awaited, as the user has written it.
    pub(super) fn returned(&self) -> TokenStream {
        match &self.signature.output {
            ReturnType::Type(_, ty) => quote!(#ty),
            ReturnType::Default => quote!(()),
        }
    }

    /// The whole function. `inputs` and `output` may differ from what the user has written; `before` is done when it is
    /// called, `run` when it is awaited.
    pub(super) fn expand(
        &self,
        inputs: &TokenStream,
        output: &TokenStream,
        digested: &[Ident],
        before: &TokenStream,
        run: &TokenStream,
    ) -> TokenStream {
        let Self { runtime, attributes, vis, signature, .. } = self;
        let (ident, generics) = (&signature.ident, &signature.generics);
        let where_clause = &generics.where_clause;
        // As with a step: the place is the user's, the hygiene is that of this crate, so that `impl Future` captures.
        let place = ident.span().resolved_at(Span::call_site());
        let future = quote_spanned!(place=> ::core::future::Future);
        let send = quote_spanned!(place=> ::core::marker::Send);
        let implements = quote_spanned!(place=> impl);
        let imports = imports(runtime);
        let policy = parallel_policy(self.parallel);
        let context =
            arguments(signature).into_iter().find(|argument| argument.is_context).map(|argument| argument.name);
        let fn_token = &signature.fn_token;
        let named = with_parameters(quote!(#fn_token #ident #generics));
        quote! {
            #(#attributes)*
            #[allow(clippy::needless_borrow, reason = "what the user has written may be a borrow already")]
            #vis #named (#inputs) -> #implements #future<Output = #output> + #send #where_clause {
                #imports
                const __POLICY: __private::ParallelPolicy = #policy;
                let mut __digest = __private::Digest::new();
                #((&__private::ArgProbe(&#digested)).add_to(&mut __digest);)*
                let __call = __private::ParallelCall::new(#context, __POLICY, &__digest);
                #before
                async move { #run }
            }
        }
    }
}

/// The `ParallelPolicy` of a function.
pub(crate) fn parallel_policy(parallel: &Parallel) -> TokenStream {
    let Parallel { ident, each, limit, join, timeout, branches, .. } = parallel;
    let name = unraw(ident);
    let timeout = timeout.map(|timeout| {
        let timeout = duration(timeout);
        quote!(.timeout(#timeout))
    });
    let kind = match each {
        Some(_) => {
            let (limit, join) = (*limit as usize, join_rule(*join));
            quote!(.each(#limit, #join))
        }
        None => quote!(.branches(&[#(#branches),*])),
    };
    quote!(__private::ParallelPolicy::new(#name) #kind #timeout)
}

pub(crate) fn join_rule(join: Join) -> TokenStream {
    match join {
        Join::All => quote!(__private::JoinRule::All),
        Join::Settle => quote!(__private::JoinRule::Settle),
        Join::Any => quote!(__private::JoinRule::Any),
        Join::Quorum(wanted) => quote!(__private::JoinRule::Quorum(#wanted)),
        Join::AtLeast(share) => quote!(__private::JoinRule::AtLeast(#share)),
    }
}

/// The `Judge` of branches with these values and errors.
pub(super) fn judge(value: Option<&TokenStream>, error: &TokenStream) -> TokenStream {
    let codec = match value {
        Some(value) => quote! {
            encode: __private::BranchValueProbe::<#value>::encode,
            decode: __private::BranchValueProbe::<#value>::decode,
        },
        None => quote!(encode: |_| ::core::option::Option::None, decode: |_| ::core::option::Option::None,),
    };
    quote! {
        __private::Judge {
            describe: __private::BranchErrorProbe::<#error>::describe,
            cut: __private::BranchErrorProbe::<#error>::cut,
            #codec
        }
    }
}

/// What is emitted of a function with mistakes: its signature, for those who call it.
pub(crate) fn expand_stub(
    runtime: &Runtime,
    attributes: &[Attribute],
    vis: &Visibility,
    signature: &Signature,
    parallel: &Parallel,
) -> TokenStream {
    let mut signature = signature.clone();
    let each = parallel.each;
    let returned = match &signature.output {
        ReturnType::Type(_, ty) => quote!(#ty),
        ReturnType::Default => quote!(()),
    };
    if each.is_some() {
        let output = super::each::output(runtime, &signature, parallel, &returned);
        signature.output = syn::parse_quote!(-> #output);
        for (place, input) in signature.inputs.iter_mut().enumerate() {
            if let (FnArg::Typed(argument), true) = (input, parallel.lists.contains(&place)) {
                // Of any items: the mistake may be their type.
                *argument.ty = syn::parse_quote!(impl ::core::iter::IntoIterator);
            }
        }
    }
    signature.asyncness.get_or_insert_with(|| syn::parse_quote!(async));
    for input in &mut signature.inputs {
        if let FnArg::Typed(argument) = input {
            *argument.pat = syn::parse_quote!(_);
        }
    }
    let (imports, signature) = (imports(runtime), with_parameters(signature.to_token_stream()));
    quote! {
        #(#attributes)*
        #[allow(clippy::unused_async, clippy::unused_self, clippy::needless_pass_by_value, reason = "it has mistakes")]
        #vis #signature {
            #imports
            ::core::unreachable!()
        }
    }
}
