//! `crate = "path"`: where the runtime is found, if not at `::workflow_runtime`.

use syn::parse::ParseStream;
use syn::{Ident, parse_quote};

use super::keys::text_value;
use crate::model::Runtime;

/// `::workflow_runtime`.
pub(crate) fn default_runtime() -> Runtime {
    Runtime(parse_quote!(::workflow_runtime))
}

/// The value of the key `crate`.
pub(crate) fn parse_runtime(key: &Ident, input: ParseStream<'_>) -> syn::Result<Runtime> {
    let text = text_value(key, "::workflow_runtime", input)?;
    let path = text.parse_with(syn::Path::parse_mod_style).map_err(|_| {
        let message = format!(
            "`{}` is not a path: write the path of the runtime crate, as in \"::workflow_runtime\"",
            text.value()
        );
        syn::Error::new(text.span(), message)
    })?;
    Ok(Runtime(path))
}
