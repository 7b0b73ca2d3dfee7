//! A step: a plain function that takes its place in the journal when it is called, around the user's async one.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Attribute, FnArg, ImplItem, ImplItemFn, ItemFn, Pat, PathArguments, ReturnType, Signature, Type};

use super::{at, imports, with_parameters};
use crate::model::{AtOnce, Breaker, Jitter, Policy, Retry, Runtime, Step, unraw};
use crate::parse::step::error_type;
use crate::parse::types::{bare, last_segment, type_arguments};

// #[step(retry(max = 5, backoff = "200ms..30s"), timeout = "10s")]
// async fn ship(&self, cx: &Cx, order: &Order, reference: String) -> Result<u64, ShipError> { … }
//
// fn ship(&self, cx: &Cx, order: &Order, reference: String) -> impl Future<Output = Result<u64, ShipError>> + Send {
//     const POLICY: StepPolicy = StepPolicy::new("ship").retry(5, …, …).timeout(…);
//     let mut digest = Digest::new();
//     (&ArgProbe(&order)).add_to(&mut digest);
//     (&ArgProbe(&reference)).add_to(&mut digest);
//     let call = StepCall::new(cx, &POLICY, &digest);
//     StepProbe::<Result<u64, ShipError>>::retried(call, move |cx| {
//         let reference = again(&reference);
//         async move { self.__step_ship(&cx, order, reference).await }
//     })
// }
// async fn __step_ship(&self, cx: &Cx, order: &Order, reference: String) -> Result<u64, ShipError> { … }
pub(crate) fn expand_method_step(
    runtime: &Runtime,
    workflow: Option<&Type>,
    method: &ImplItemFn,
    step: &Step,
) -> Vec<ImplItem> {
    let inner_ident = format_ident!("__step_{}", step.ident);
    let vis = &method.vis;
    let outer = outer_fn(runtime, workflow, &method.sig, step, &quote!(self.#inner_ident), &TokenStream::new());
    let (outer_attributes, inner_attributes) = split_attributes(&method.attrs);
    let mut signature = method.sig.clone();
    signature.ident = inner_ident;
    let block = &method.block;
    let inner = quote! {
        #[doc(hidden)]
        #[cfg_attr(
            clippy,
            allow(
                clippy::unused_async,
                clippy::unused_self,
                clippy::needless_pass_by_value,
                reason = "a step is written so"
            )
        )]
        #(#inner_attributes)*
        #signature #block
    };
    vec![ImplItem::Verbatim(quote!(#(#outer_attributes)* #vis #outer)), ImplItem::Verbatim(inner)]
}

/// A step that is a function of its own: the user's one stands inside.
pub(crate) fn expand_free_step(runtime: &Runtime, item: &ItemFn, step: &Step) -> TokenStream {
    let inner_ident = format_ident!("__step_{}", step.ident);
    let (outer_attributes, inner_attributes) = split_attributes(&item.attrs);
    let (vis, block) = (&item.vis, &item.block);
    let mut signature = item.sig.clone();
    signature.ident = inner_ident.clone();
    let inner = with_parameters(signature.to_token_stream());
    let inner = quote! {
        #[allow(clippy::unused_async, clippy::needless_pass_by_value, reason = "a step is written so")]
        #(#inner_attributes)*
        #inner #block
    };
    let outer = outer_fn(runtime, None, &item.sig, step, &quote!(#inner_ident), &inner);
    quote!(#(#outer_attributes)* #vis #outer)
}

/// What concerns callers goes to the outer function, what concerns the body to the inner one.
pub(crate) fn split_attributes(attributes: &[Attribute]) -> (Vec<&Attribute>, Vec<&Attribute>) {
    let is = |attribute: &Attribute, names: &[&str]| names.iter().any(|name| attribute.path().is_ident(name));
    let outer = ["doc", "cfg", "deprecated", "must_use", "allow", "expect", "warn", "deny"];
    let not_inner = ["doc", "deprecated", "must_use", "expect"];
    (
        attributes.iter().filter(|attribute| is(attribute, &outer)).collect(),
        attributes.iter().filter(|attribute| !is(attribute, &not_inner)).collect(),
    )
}

fn outer_fn(
    runtime: &Runtime,
    workflow: Option<&Type>,
    signature: &Signature,
    step: &Step,
    inner: &TokenStream,
    item: &TokenStream,
) -> TokenStream {
    let ident = &signature.ident;
    let generics = &signature.generics;
    let where_clause = &generics.where_clause;
    let Arguments { inputs, context, names, types, cloned } = arguments(signature);
    let output = match &signature.output {
        ReturnType::Type(_, ty) => quote!(#ty),
        ReturnType::Default => quote!(()),
    };
    // The tokens of the return type get the user's place, but the hygiene of this crate: its edition decides that
    // `impl Future` captures the borrowed arguments.
    let place = ident.span().resolved_at(Span::call_site());
    let future = quote_spanned!(place=> ::core::future::Future);
    let send = quote_spanned!(place=> ::core::marker::Send);
    let implements = quote_spanned!(place=> impl);
    let policy = policy(ident, &step.policy);
    let assertions = assertions(signature);
    let imports = imports(runtime);
    let undoable = step.undo.as_ref().map(|_| {
        quote! {
            .undoable(
                ::core::iter::FromIterator::from_iter([#((&__private::ArgProbe(&#names)).save()),*])
            )
        }
    });
    let portable = types.iter().zip(&names).map(|(ty, name)| {
        let function = quote_spanned!(ty.span()=> __private::assert_portable_argument);
        let value = at(ty.span(), quote!(&#name));
        quote!(#function(#value);)
    });
    let portable: TokenStream = portable.collect();
    let run = run(signature, step, inner, &names, &cloned);
    let run = quote!(__private::StepProbe::<#output>::#run);
    // A workflow that cannot be shared has been reported; a generic one can, where it is a workflow at all.
    let shared = workflow.map(|workflow| quote!(&#workflow)).unwrap_or(quote!(()));
    let fn_token = &signature.fn_token;
    let named = with_parameters(quote!(#fn_token #ident #generics));
    quote! {
        #named (#inputs) -> #implements #future<Output = #output> + #send #where_clause {
            #imports
            #item
            const __POLICY: __private::StepPolicy = #policy;
            #assertions
            let mut __digest = __private::Digest::new();
            #((&__private::ArgProbe(&#names)).add_to(&mut __digest);)*
            let __call = __private::StepCall::new(#context, &__POLICY, &__digest) #undoable;
            let __probe = __private::send_probe::<#shared>() #(.and(&#names))*;
            #portable
            __probe.pass(#run)
        }
    }
}

/// What is done with the call: `once(…)`, `retried(…)` or `retried_if(…)`.
fn run(
    signature: &Signature,
    step: &Step,
    inner: &TokenStream,
    names: &[Ident],
    cloned: &[(Ident, &Type)],
) -> TokenStream {
    let attempt = attempt(signature, step, inner, names);
    let Some(retry) = &step.policy.retry else {
        return quote!(once(__call, move |__cx| #attempt));
    };
    let clones = cloned.iter().map(|(name, ty)| {
        let again = quote_spanned!(ty.span()=> __private::again);
        let value = at(ty.span(), quote!(&#name));
        quote!(let #name = #again(#value);)
    });
    let attempt = quote! {
        move |__cx| {
            #(#clones)*
            #attempt
        }
    };
    match again_after(signature, retry) {
        Some(again) => quote!(retried_if(__call, #attempt, #again)),
        None => quote!(retried(__call, #attempt)),
    }
}

/// The future of one attempt.
// async move { self.__step_ship(&cx, order).await }
// blocking(self, cx, move |this, cx| this.__step_digest(cx, path))
fn attempt(signature: &Signature, step: &Step, inner: &TokenStream, names: &[Ident]) -> TokenStream {
    if !step.policy.blocking {
        return quote!(async move { #inner(&__cx #(, #names)*).await });
    }
    let inner_ident = format_ident!("__step_{}", step.ident);
    match signature.receiver() {
        Some(_) => {
            quote!(__private::blocking(self, __cx, move |__self, __cx| __self.#inner_ident(__cx #(, #names)*)))
        }
        None => quote!(__private::blocking_free(__cx, move |__cx| #inner_ident(__cx #(, #names)*))),
    }
}

/// Whether a step is tried again after an error, where `only(…)` or `never(…)` says so. The variants stand at the user's
/// words, so that one that is not there is told at its name.
// |error: &ShipError| match error { ShipError::Timeout { .. } | ShipError::Busy { .. } => true, _ => false }
fn again_after(signature: &Signature, retry: &Retry) -> Option<TokenStream> {
    let variants = retry.variants.as_ref()?;
    let error = error_type(signature)?;
    let Type::Path(error_path) = bare(error) else { return None };
    let only = variants.is_only();
    let patterns = variants.names.iter().map(|name| {
        let mut path = error_path.path.clone();
        for segment in &mut path.segments {
            if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
                arguments.colon2_token.get_or_insert_default();
            }
        }
        path.segments.push(name.clone().into());
        quote!(#path { .. })
    });
    Some(quote! {
        |__error: &#error| {
            #[allow(unreachable_patterns, reason = "all variants may be named")]
            match __error {
                #(#patterns)|* => #only,
                _ => !#only,
            }
        }
    })
}

struct Arguments<'a> {
    /// As the outer function takes them: with a name each.
    inputs: TokenStream,
    /// The name of the context.
    context: Ident,
    /// The names of the others, and their types.
    names: Vec<Ident>,
    types: Vec<&'a Type>,
    /// Those that are handed over by value, and so are needed again for each attempt.
    cloned: Vec<(Ident, &'a Type)>,
}

fn arguments(signature: &Signature) -> Arguments<'_> {
    let mut arguments = Arguments {
        inputs: TokenStream::new(),
        context: Ident::new("__cx", Span::call_site()),
        names: Vec::new(),
        types: Vec::new(),
        cloned: Vec::new(),
    };
    let mut place = 0_usize;
    for input in &signature.inputs {
        let FnArg::Typed(argument) = input else {
            arguments.inputs.extend(quote!(#input,));
            continue;
        };
        let ty = &*argument.ty;
        let name = match &*argument.pat {
            Pat::Ident(pattern) if pattern.subpat.is_none() => pattern.ident.clone(),
            _ => format_ident!("__arg{}", place, span = Span::call_site()),
        };
        arguments.inputs.extend(quote!(#name: #ty,));
        if place == 0 {
            arguments.context = name;
        } else {
            if !matches!(bare(ty), Type::Reference(_)) {
                arguments.cloned.push((name.clone(), ty));
            }
            arguments.names.push(name);
            arguments.types.push(ty);
        }
        place += 1;
    }
    arguments
}

/// The result can be recorded, and so can the error.
fn assertions(signature: &Signature) -> TokenStream {
    match &signature.output {
        ReturnType::Type(_, ty) => assertions_of(ty),
        ReturnType::Default => TokenStream::new(),
    }
}

/// The same of the type itself.
pub(crate) fn assertions_of(ty: &Type) -> TokenStream {
    let Some(segment) = last_segment(ty) else { return TokenStream::new() };
    let arguments = type_arguments(segment);
    let mut assertions = TokenStream::new();
    if let Some(value) = arguments.first() {
        let function = quote_spanned!(value.span()=> __private::assert_step_value);
        assertions.extend(quote!(#function::<#value>();));
    }
    match arguments.get(1) {
        Some(error) => {
            let function = quote_spanned!(error.span()=> __private::assert_step_error);
            assertions.extend(quote!(#function::<#error>();));
        }
        None => {
            assertions.extend(quote_spanned! {segment.ident.span()=>
                __private::assert_step_error::<<#ty as __private::StepResult>::Error>();
            });
        }
    }
    assertions
}

/// The `StepPolicy` of a step.
pub(crate) fn policy(ident: &Ident, policy: &Policy) -> TokenStream {
    let name = unraw(ident);
    let retry = policy.retry.as_ref().map(|retry| {
        let (max, base, cap) = (retry.max, duration(retry.base), duration(retry.cap));
        let jitter = match retry.jitter {
            Jitter::Full => None,
            Jitter::Equal => Some(quote!(.jitter(__private::Jitter::Equal))),
            Jitter::None => Some(quote!(.jitter(__private::Jitter::None))),
        };
        let variants = retry.variants.as_ref().map(|variants| {
            let key = if variants.is_only() { quote!(only) } else { quote!(never) };
            let names = variants.names.iter().map(unraw);
            quote!(.#key(&[#(#names),*]))
        });
        quote!(.retry(#max, #base, #cap) #jitter #variants)
    });
    let timeout = policy.timeout.map(|timeout| {
        let timeout = duration(timeout);
        quote!(.timeout(#timeout))
    });
    let heartbeat = policy.heartbeat.map(|heartbeat| {
        let heartbeat = duration(heartbeat);
        quote!(.heartbeat(#heartbeat))
    });
    let limit = policy.limit.map(|limit| match limit {
        AtOnce::Fixed(limit) => quote!(.limit(#limit)),
        AtOnce::Adaptive { min, max } => quote!(.adaptive(#min, #max)),
    });
    let rate = policy.rate.map(|(count, per)| {
        let per = duration(per);
        quote!(.rate(#count, #per))
    });
    let breaker = policy.breaker.map(|Breaker { failures, within, open, probes }| {
        let (within, open) = (duration(within), duration(open));
        quote!(.breaker(#failures, #within, #open, #probes))
    });
    let blocking = policy.blocking.then(|| quote!(.blocking()));
    let cancel = policy.cancel.then(|| quote!(.cancel()));
    let was = (!policy.was.is_empty()).then(|| {
        let was = &policy.was;
        quote!(.was(&[#(#was),*]))
    });
    quote!(__private::StepPolicy::new(#name) #was #retry #timeout #heartbeat #limit #rate #breaker #blocking #cancel)
}

pub(crate) fn duration(duration: Duration) -> TokenStream {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    quote!(::core::time::Duration::from_millis(#millis))
}
