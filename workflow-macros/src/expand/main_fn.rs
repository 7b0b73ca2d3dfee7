//! `#[main]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ItemFn;

use crate::model::Runtime;

// #[main] async fn main() -> Result<()> { … }
//
// fn main() -> Result<()> { workflow_runtime::block_on(async move { … }) }
pub(crate) fn expand_main(runtime: &Runtime, item: &ItemFn) -> TokenStream {
    let (attributes, vis, block) = (&item.attrs, &item.vis, &item.block);
    let mut signature = item.sig.clone();
    signature.asyncness = None;
    let inner = {
        let mut inner = item.sig.clone();
        inner.ident = syn::Ident::new("__main", proc_macro2::Span::call_site());
        quote!(#inner #block)
    };
    quote! {
        #(#attributes)*
        #vis #signature {
            #inner
            #runtime::block_on(__main())
        }
    }
}
