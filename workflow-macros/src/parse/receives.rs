//! The events that bodies wait for: `cx.recv::<Payment>()`.
//!
//! Tokens are looked at, not expressions, as such a call often stands in the arguments of a macro, such as `select!`.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{Attribute, Block, GenericParam, Signature, Type};

use super::types::{WriteSelfOut, parse_type_ref};
use crate::model::{Cfg, Receive};

/// The calls of `recv::<E>` and `recv_timeout::<E>` in a body, in the order of the source.
pub(crate) fn find_receives(
    attributes: &[Attribute],
    signature: &Signature,
    body: &Block,
    self_ty: Option<&Type>,
) -> Vec<Receive> {
    let mut found = Vec::new();
    find(&body.to_token_stream(), &mut found);
    let parameters = signature.generics.params.iter().filter_map(|parameter| match parameter {
        GenericParam::Type(parameter) => Some(parameter.ident.clone()),
        GenericParam::Lifetime(_) | GenericParam::Const(_) => None,
    });
    let parameters: Vec<_> = parameters.collect();
    let receive = |(timed, tokens): (bool, TokenStream)| {
        let ty: Type = syn::parse2(tokens).ok()?;
        let ty = self_ty.map_or_else(|| ty.clone(), |self_ty| WriteSelfOut(self_ty).in_type(&ty));
        let event = parse_type_ref(&ty, "an event").ok()?;
        // Which event a parameter stands for, its caller says.
        let is_known = !parameters.contains(&event.name);
        let (cfg, function) = (Cfg::of(attributes), signature.ident.clone());
        is_known.then_some(Receive { event, function, cfg, timed })
    };
    found.into_iter().filter_map(receive).collect()
}

/// `. recv :: < E >`, wherever it stands.
fn find(tokens: &TokenStream, found: &mut Vec<(bool, TokenStream)>) {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let mut rest = tokens.as_slice();
    while let [first, after @ ..] = rest {
        if let TokenTree::Group(group) = first {
            find(&group.stream(), found);
        }
        if let [
            TokenTree::Punct(dot),
            TokenTree::Ident(name),
            TokenTree::Punct(a),
            TokenTree::Punct(b),
            TokenTree::Punct(open),
            ty @ ..,
        ] = rest
            && (dot.as_char(), a.as_char(), b.as_char(), open.as_char()) == ('.', ':', ':', '<')
            && (name == "recv" || name == "recv_timeout")
        {
            found.extend(until_closed(ty).map(|ty| (name == "recv_timeout", ty)));
        }
        rest = after;
    }
}

/// What stands before the `>` that closes the list.
fn until_closed(tokens: &[TokenTree]) -> Option<TokenStream> {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '<' => depth += 1,
            TokenTree::Punct(punct) if punct.as_char() == '>' && depth == 0 => {
                return Some(tokens.iter().take(index).cloned().collect());
            }
            TokenTree::Punct(punct) if punct.as_char() == '>' => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn calls_are_found_wherever_they_stand_and_only_where_the_type_is_named() {
        let method: syn::ImplItemFn = parse_quote! {
            async fn wait<T: Event>(&self, cx: &Cx) {
                let unknown: Payment = cx.recv().await;
                let payment = cx.recv::<Payment>().await;
                tokio::select! {
                    answer = cx.recv::<events::Answer<u8>>() => {}
                    _ = async { if let Some(own) = cx.clone().recv_timeout::<Self>(HOUR).await { use_it(own) } } => {}
                }
                cx.recv::<T>().await;
                channel.send::<Letter>(letter);
            }
        };
        let found = find_receives(&method.attrs, &method.sig, &method.block, Some(&parse_quote!(Order)));
        let names: Vec<_> = found.iter().map(|receive| (receive.event.name.to_string(), receive.timed)).collect();
        let expected = [("Payment", false), ("Answer", false), ("Order", true)];
        assert_eq!(names, expected.map(|(name, timed)| (name.to_owned(), timed)));
    }
}
