//! What a test names a step by: its function.

use std::any::{type_name, type_name_of_val};
use std::future::Future;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::machine::private::StepCall;
use crate::machine::{Cx, StepError, Workflow};

/// A step as code names it, `Shop::reserve` or `reserve`: what it returns is known by its type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no step that can be mocked",
    label = "not a function with `#[step]`",
    note = "write the name of a step, without its arguments: `when(Shop::reserve)`; where the workflow is generic, `when(Shop::<FakeBank>::reserve)`"
)]
pub trait StepItem<Arguments> {
    /// What is in its `Ok`.
    type Value: Serialize + DeserializeOwned;
    /// What is in its `Err`.
    type Error: StepError + Send;

    /// What is known of it by its type.
    #[doc(hidden)]
    fn known() -> Known;
}

/// What is known of a function by its type.
#[doc(hidden)]
#[derive(Debug, Clone)]
pub struct Known {
    /// The workflow that it is a method of.
    pub(super) workflow: Option<&'static str>,
    /// The steps of that, and what undoes them.
    pub(super) steps: Vec<&'static str>,
    pub(super) undos: Vec<&'static str>,
    /// Whether it is what `#[step]` makes of a function.
    pub(super) is_step: bool,
}

impl Known {
    fn of_method<W: Workflow, R>() -> Self {
        let steps = W::GRAPH.steps;
        Self {
            workflow: Some(W::NAME),
            steps: steps.iter().map(|step| step.name).collect(),
            undos: steps.iter().filter_map(|step| step.undo).collect(),
            is_step: is_step::<R>(),
        }
    }

    fn of_function<R>() -> Self {
        Self { workflow: None, steps: Vec::new(), undos: Vec::new(), is_step: is_step::<R>() }
    }
}

/// Whether this is the future of a step: what `#[step]` makes of a function returns one of ours, any other one of its own.
fn is_step<R>() -> bool {
    let ours = type_name::<StepCall>().trim_end_matches("StepCall");
    type_name::<R>().starts_with(ours)
}

macro_rules! step_items {
    ($($($argument:ident)*;)*) => {
        $(
            impl<'a, 'b, F, W, R, T, E, $($argument),*> StepItem<fn(&'a W, &'b Cx, $($argument),*)> for F
            where
                F: Fn(&'a W, &'b Cx, $($argument),*) -> R,
                W: Workflow,
                R: Future<Output = Result<T, E>>,
                T: Serialize + DeserializeOwned,
                E: StepError + Send,
            {
                type Value = T;
                type Error = E;

                fn known() -> Known {
                    Known::of_method::<W, R>()
                }
            }

            impl<'b, F, R, T, E, $($argument),*> StepItem<(fn(&'b Cx, $($argument),*),)> for F
            where
                F: Fn(&'b Cx, $($argument),*) -> R,
                R: Future<Output = Result<T, E>>,
                T: Serialize + DeserializeOwned,
                E: StepError + Send,
            {
                type Value = T;
                type Error = E;

                fn known() -> Known {
                    Known::of_function::<R>()
                }
            }
        )*
    };
}

step_items! {
    ;
    A1;
    A1 A2;
    A1 A2 A3;
    A1 A2 A3 A4;
    A1 A2 A3 A4 A5;
    A1 A2 A3 A4 A5 A6;
    A1 A2 A3 A4 A5 A6 A7;
}

/// The name of a function, as it is in the journal; `None` for what has no name, such as a closure.
pub(in crate::testing) fn function_name<F>(function: &F) -> Option<&'static str> {
    last_name(type_name_of_val(function))
}

/// The last name in a path: `reserve` of `shop::Shop<shop::Bank>::reserve`, and of `shop::reserve<u8>`.
fn last_name(path: &'static str) -> Option<&'static str> {
    let path = match path.ends_with('>') {
        true => path.get(..opening(path)?)?.trim_end_matches("::"),
        false => path,
    };
    let name = path.rsplit("::").next()?;
    let name = name.strip_prefix("r#").unwrap_or(name);
    let is_name = !name.is_empty() && name.chars().all(|char| char == '_' || char.is_alphanumeric());
    is_name.then_some(name)
}

/// Where the bracket begins that ends the text.
fn opening(path: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let bytes = path.as_bytes();
    for (place, byte) in bytes.iter().enumerate().rev() {
        match byte {
            // The arrow of a function's type is no bracket.
            b'>' if place > 0 && bytes[place - 1] == b'-' => {}
            b'>' => depth += 1,
            b'<' => {
                depth -= 1;
                if depth == 0 {
                    return Some(place);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::last_name;

    #[test]
    fn a_function_has_its_last_name() {
        for (path, name) in [
            ("shop::reserve", Some("reserve")),
            ("shop::Shop::reserve", Some("reserve")),
            ("shop::Shop<shop::Bank>::reserve", Some("reserve")),
            ("shop::parts::<impl shop::Shop<shop::Bank<u8>>>::reserve", Some("reserve")),
            ("shop::reserve<alloc::vec::Vec<u8>>", Some("reserve")),
            ("shop::Shop<fn(u8) -> shop::Bank<u8>>::reserve::<fn() -> u8>", Some("reserve")),
            ("shop::r#try", Some("try")),
            ("shop::größe", Some("größe")),
            ("shop::main::{{closure}}", None),
            ("for<'a> fn(&'a workflow_runtime::Cx) -> u8", None),
            ("u8>", None),
        ] {
            assert_eq!(last_name(path), name, "{path}");
        }
    }
}
