//! A parallel function with one branch for each item.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Block, GenericArgument, PathArguments, ReturnType, Signature, Type};

use super::parallel::{Argument, Outer, arguments, judge};
use super::{at, with_parameters};
use crate::model::{Join, Parallel, Runtime};
use crate::parse::parallel::is_result;
use crate::parse::types::{bare, last_segment, type_arguments};

// #[parallel(limit = 4)]
// async fn resize(&self, cx: &Cx, #[each] image: Image, size: u32) -> Result<Thumbnail> { … }
//
// fn resize(&self, cx: &Cx, image: impl IntoIterator<Item = Image, IntoIter: Send>, size: u32)
//     -> impl Future<Output = Result<Vec<Thumbnail>>> + Send
// {
//     const POLICY: ParallelPolicy = ParallelPolicy::new("resize").limit(4).join(JoinRule::All);
//     …
//     let items = IntoIterator::into_iter(image);
//     let shared = call.shared(self);
//     async move {
//         call.each(items, Judge { … }, |item| (digest of the item), |cx, item| {
//             let size = again(&size);
//             match &shared {
//                 Some(shared) => { let shared = Arc::clone(shared); Work::Own(Box::pin(async move { shared.__each_resize(&cx, item, size).await })) }
//                 None => Work::Borrowed(Box::pin(async move { self.__each_resize(&cx, item, size).await })),
//             }
//         }).await.all().await
//     }
// }
// async fn __each_resize(&self, cx: &Cx, image: Image, size: u32) -> Result<Thumbnail> { … }
pub(crate) fn expand_each(
    outer: &Outer<'_>,
    block: &Block,
    inner_attributes: &[&syn::Attribute],
) -> Option<(TokenStream, TokenStream)> {
    let (runtime, signature, parallel) = (outer.runtime, outer.signature, outer.parallel);
    let arguments = arguments(signature);
    let each = arguments.iter().find(|argument| Some(argument.place) == parallel.each)?;
    let inputs = signature.inputs.iter().enumerate().map(|(place, input)| {
        match arguments.iter().find(|argument| argument.place == place) {
            Some(Argument { name, ty, .. }) if place == each.place => {
                quote!(#name: impl ::core::iter::IntoIterator<Item = #ty, IntoIter: ::core::marker::Send>,)
            }
            Some(Argument { name, ty, .. }) => quote!(#name: #ty,),
            None => quote!(#input,),
        }
    });
    let others: Vec<&Argument<'_>> =
        arguments.iter().filter(|argument| argument.place != each.place && !argument.is_context).collect();
    let digested: Vec<_> = others.iter().map(|argument| argument.name.clone()).collect();
    let clones = others.iter().map(|Argument { name, ty, .. }| {
        let again = quote_spanned!(ty.span()=> __private::again_for_branch);
        let value = at(ty.span(), quote!(&#name));
        quote!(let #name = #again(#value);)
    });
    let handed = arguments.iter().map(|argument| match argument {
        argument if argument.is_context => quote!(&__cx),
        argument if argument.place == each.place => quote!(__item),
        Argument { name, .. } => quote!(#name),
    });
    let handed: Vec<_> = handed.collect();
    let inner_ident = format_ident!("__each_{}", signature.ident);
    let (is_method, result) = (signature.receiver().is_some(), is_result(signature));
    let wrapped = |call: TokenStream| match result {
        true => call,
        false => quote!(::core::result::Result::<_, ::core::convert::Infallible>::Ok(#call)),
    };
    let work = if is_method {
        let shared = wrapped(quote!(__shared.#inner_ident(#(#handed),*).await));
        let borrowed = wrapped(quote!(self.#inner_ident(#(#handed),*).await));
        quote! {
            match &__shared {
                ::core::option::Option::Some(__shared) => {
                    let __shared = ::std::sync::Arc::clone(__shared);
                    __private::Work::Own(::std::boxed::Box::pin(async move { #shared }))
                }
                ::core::option::Option::None => {
                    __private::Work::Borrowed(::std::boxed::Box::pin(async move { #borrowed }))
                }
            }
        }
    } else {
        let call = wrapped(quote!(#inner_ident(#(#handed),*).await));
        quote!(__private::Work::owned(async move { #call }))
    };
    let returned = outer.returned();
    let (value, error) = match result {
        true => {
            (quote!(<#returned as __private::StepResult>::Value), quote!(<#returned as __private::StepResult>::Error))
        }
        false => (returned.clone(), quote!(::core::convert::Infallible)),
    };
    let judge = judge(Some(&value), &error);
    let (name, item) = (&each.name, each.ty);
    let shared = is_method.then(|| quote!(let __shared = __call.shared(self);));
    let before = quote! {
        let __items = ::core::iter::IntoIterator::into_iter(#name);
        #shared
    };
    let given = given(parallel.join, result);
    let run = quote! {
        let __gathered = __call.each(
            __items,
            #judge,
            |__item: &#item| {
                let mut __digest = __private::Digest::new();
                (&__private::ArgProbe(__item)).add_to(&mut __digest);
                (__digest, (&__private::ArgProbe(__item)).label())
            },
            |__cx: #runtime::Cx, __item: #item| {
                #(#clones)*
                #work
            },
        );
        let __gathered = __gathered.await;
        #given
    };
    let output = output(runtime, signature, parallel, &returned);
    let mut inner_signature = signature.clone();
    inner_signature.ident = inner_ident;
    let inner_signature = with_parameters(inner_signature.to_token_stream());
    let inner = quote! {
        #[allow(clippy::unused_async, clippy::unused_self, reason = "a branch is written so")]
        #(#inner_attributes)*
        #inner_signature #block
    };
    // A free function has the user's one inside.
    let (before, beside) = match is_method {
        true => (before, quote!(#[doc(hidden)] #inner)),
        false => (quote!(#inner #before), TokenStream::new()),
    };
    Some((outer.expand(&inputs.collect(), &output, &digested, &before, &run), beside))
}

/// What is made of what the branches came to.
fn given(join: Join, result: bool) -> TokenStream {
    match (join, result) {
        (Join::All, true) => quote!(__gathered.all().await),
        (_, false) => quote! {
            match __gathered.all().await {
                ::core::result::Result::Ok(__values) => __values,
                ::core::result::Result::Err(__never) => match __never {},
            }
        },
        (Join::Settle, true) => quote!(__gathered.settle().await),
        (Join::Any, true) => quote!(__gathered.any().await),
        (Join::Quorum(_), true) => quote!(__gathered.successes().await),
        (Join::AtLeast(_), true) => quote!(__gathered.at_least().await),
    }
}

/// What is returned for all of them.
pub(super) fn output(
    runtime: &Runtime,
    signature: &Signature,
    parallel: &Parallel,
    returned: &TokenStream,
) -> TokenStream {
    if !is_result(signature) {
        return quote!(::std::vec::Vec<#returned>);
    }
    match parallel.join {
        Join::Any => returned.clone(),
        Join::Settle => quote!(::std::vec::Vec<#returned>),
        Join::AtLeast(_) => in_result(runtime, signature, |_| quote!(::std::vec::Vec<#returned>)),
        Join::All | Join::Quorum(_) => in_result(runtime, signature, |value| quote!(::std::vec::Vec<#value>)),
    }
}

/// The user's `Result<…>`, with another value in it.
fn in_result(runtime: &Runtime, signature: &Signature, value: impl Fn(&Type) -> TokenStream) -> TokenStream {
    let ReturnType::Type(_, ty) = &signature.output else { return TokenStream::new() };
    let value_type = last_segment(ty).and_then(|segment| type_arguments(segment).first().copied().cloned());
    let Some(value_type) = value_type else {
        let value = value(&syn::parse_quote!(<#ty as #runtime::__private::StepResult>::Value));
        return quote!(::core::result::Result<#value, <#ty as #runtime::__private::StepResult>::Error>);
    };
    let mut ty = bare(ty).clone();
    if let Type::Path(path) = &mut ty
        && let Some(segment) = path.path.segments.last_mut()
        && let PathArguments::AngleBracketed(arguments) = &mut segment.arguments
        && let Some(first) = arguments.args.iter_mut().find(|argument| matches!(argument, GenericArgument::Type(_)))
    {
        let value = value(&value_type);
        *first = syn::parse_quote!(#value);
    }
    quote!(#ty)
}
