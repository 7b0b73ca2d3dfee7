//! The types of a workflow that is one function, and the handler that calls it.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::spanned::Spanned as _;
use syn::{DeriveInput, Ident, ItemImpl, Visibility, parse_quote};

use super::{allow, at, doc, with_parameters};
use crate::model::{Runtime, unraw};
use crate::parse::attributes::doc_text;
use crate::parse::sequential::{Argument, Role, Sequential};

/// The types of the two states.
pub(crate) fn state_idents(ident: &Ident) -> (Ident, Ident) {
    (format_ident!("{ident}Input"), format_ident!("{ident}Done"))
}

// #[workflow] async fn backup(cx: &Cx, #[dep] store: &Store, db: Db) -> Result<Archive> { … }
//
// async fn backup(cx: &Cx, store: &Store, db: Db) -> Result<Archive> { … }
// pub struct Backup { pub store: Store }
pub(crate) fn expand_function(sequential: &Sequential, vis: &Visibility) -> TokenStream {
    let (emitted, ident, allow) = (with_parameters(sequential.open.close()), &sequential.ident, allow());
    let function = sequential.function();
    let attributes = function.attrs.iter().filter(|attribute| attribute.path().is_ident("doc"));
    let text = format!("The workflow `{}`: its fields are what that takes as `#[dep]`.", unraw(&function.sig.ident));
    let text = match doc_text(&function.attrs).is_empty() {
        true => vec![doc(&text)],
        false => vec![doc(""), doc(&text)],
    };
    let body = body(sequential.dependencies());
    let named = with_parameters(quote!(struct #ident));
    quote! {
        #[allow(clippy::needless_pass_by_value, clippy::unused_async, reason = "a workflow is written so")]
        #emitted
        #(#attributes)*
        #(#text)*
        #allow
        #vis #named #body
    }
}

// pub struct BackupInput { pub db: Db }
pub(crate) fn input_item(sequential: &Sequential, vis: &Visibility) -> DeriveInput {
    let (ident, allow) = (state_idents(&sequential.ident).0, allow());
    let text = doc(&format!("The input of [`{}`]: what an execution is started with.", sequential.ident));
    let body = body(sequential.inputs());
    parse_quote!(#text #allow #vis struct #ident #body)
}

// pub struct BackupDone { pub output: Archive }
pub(crate) fn done_item(sequential: &Sequential, vis: &Visibility) -> DeriveInput {
    let (ident, output, allow) = (state_idents(&sequential.ident).1, &sequential.output, allow());
    let text = doc(&format!("The end of [`{}`].", sequential.ident));
    parse_quote! {
        #text
        #allow
        #vis struct #ident {
            /// What the function returned.
            pub output: #output,
        }
    }
}

/// The fields of a struct, which has none at all where there are none.
fn body<'a>(arguments: impl Iterator<Item = &'a Argument>) -> TokenStream {
    let fields: Vec<_> = arguments
        .map(|argument| {
            let (attributes, name, ty) = (&argument.attributes, &argument.name, &argument.ty);
            quote!(#(#attributes)* pub #name: #ty)
        })
        .collect();
    if fields.is_empty() { quote!(;) } else { quote!({ #(#fields,)* }) }
}

// impl Backup {
//     #[state]
//     async fn backup(&self, cx: &Cx, input: BackupInput) -> Result<BackupDone> {
//         match backup(cx, &self.store, input.db).await {
//             Ok(output) => Ok(BackupDone { output }),
//             Err(error) => Err(error),
//         }
//     }
// }
pub(crate) fn handler_impl(sequential: &Sequential, runtime: &Runtime) -> ItemImpl {
    let (ident, result, allow) = (&sequential.ident, &sequential.result, allow());
    let (input, done) = state_idents(ident);
    let function = &sequential.function().sig.ident;
    let body = if sequential.broken {
        quote!(::core::todo!())
    } else {
        let arguments = sequential.arguments.iter().map(|argument| {
            let (name, span) = (&argument.name, argument.ty.span());
            match argument.role {
                Role::Input => quote!(__input.#name),
                Role::Dependency => {
                    let ty = &argument.ty;
                    let (function, field) =
                        (at(span, quote!(#runtime::__private::dependency)), at(span, quote!(&self.#name)));
                    quote!(#function::<#ty>(#field))
                }
                Role::BorrowedDependency => quote!(&self.#name),
            }
        });
        let call = at(function.span().resolved_at(Span::call_site()), quote!(#function));
        quote! {
            match #call(__cx, #(#arguments),*).await {
                ::core::result::Result::Ok(output) => ::core::result::Result::Ok(#done { output }),
                ::core::result::Result::Err(__error) => ::core::result::Result::Err(__error),
            }
        }
    };
    let docs = sequential.function().attrs.iter().filter(|attribute| attribute.path().is_ident("doc"));
    let docs: Vec<_> = docs.collect();
    parse_quote! {
        #(#docs)*
        #allow
        impl #ident {
            #(#docs)*
            #[doc(hidden)]
            #[state]
            async fn #function(&self, __cx: &#runtime::Cx, __input: #input) -> #result { #body }
        }
    }
}
