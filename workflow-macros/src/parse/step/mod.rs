//! A step: its keys and its signature.

mod limits;
mod retry;
mod signature;

use proc_macro2::TokenStream;
use syn::{Attribute, Ident, Signature};

pub(crate) use self::retry::error_type;
use self::signature::check_step_signature;
use super::attributes::{Inert, doc_text, line_of};
use super::data::parse_was;
use super::keys::{flag, list_value, name_list, parse_keys, text_value};
use super::undo::parse_undo;
use crate::duration::{duration_text, parse_duration};
use crate::errors::Errors;
use crate::lint::{Lint, named};
use crate::model::{Cfg, Policy, Runtime, Step, unraw};

/// The keys of a step among the methods of a workflow.
const METHOD_KEYS: &[&str] =
    &["retry", "timeout", "heartbeat", "limit", "rate", "breaker", "blocking", "undo", "cancel", "was", "allow"];
/// The keys of a step that is a function of its own.
pub(crate) const FREE_KEYS: &[&str] =
    &["retry", "timeout", "heartbeat", "limit", "rate", "breaker", "blocking", "undo", "cancel", "was", "crate"];

/// What `#[step(…)]` says.
#[derive(Debug, Default)]
pub(crate) struct StepArgs {
    pub(crate) policy: Policy,
    pub(crate) allow: Vec<Lint>,
    /// The method that undoes it.
    pub(crate) undo: Option<Ident>,
    /// Only a free function says it; a method has its workflow's.
    pub(crate) runtime: Option<Runtime>,
}

/// Reads the step that a method is. `None` if it cannot be expanded.
pub(crate) fn parse_method_step(
    attributes: &[Attribute],
    signature: &Signature,
    inert: &Inert,
    errors: &mut Errors,
) -> Option<Step> {
    let mut mistakes = Errors::default();
    if inert.is_assignment {
        mistakes.at(&inert.ident, "write `#[step]`, or `#[step(…)]`");
    }
    let args = parse_step_args(inert.tokens.clone(), METHOD_KEYS, &mut mistakes);
    check_step(signature, &args, true, &mut mistakes);
    let broken = !mistakes.is_empty();
    errors.take(mistakes);
    (!broken).then(|| make_step(attributes, signature, args))
}

pub(crate) fn make_step(attributes: &[Attribute], signature: &Signature, args: StepArgs) -> Step {
    Step {
        ident: signature.ident.clone(),
        policy: args.policy,
        undo: args.undo,
        output: signature::nameable_output(signature).cloned(),
        doc: doc_text(attributes),
        cfg: Cfg::of(attributes),
        allow: args.allow,
        line: line_of(signature.ident.span()),
    }
}

pub(crate) fn parse_step_args(tokens: TokenStream, known: &[&str], errors: &mut Errors) -> StepArgs {
    let mut args = StepArgs::default();
    let mut heartbeat = None;
    parse_keys("step", known, tokens, errors, |key, input, errors| {
        match unraw(key).as_str() {
            "retry" => {
                let tokens = list_value(key, "max = 5, backoff = \"200ms..30s\"", input)?;
                args.policy.retry = retry::parse_retry(key, tokens, errors);
            }
            "timeout" => args.policy.timeout = Some(parse_duration(&text_value(key, "10s", input)?)?),
            "heartbeat" => {
                let text = text_value(key, "30s", input)?;
                args.policy.heartbeat = Some(parse_duration(&text)?);
                heartbeat = Some(text);
            }
            "limit" => args.policy.limit = limits::parse_limit(key, input, errors)?,
            "rate" => args.policy.rate = Some(limits::parse_rate(key, input)?),
            "breaker" => {
                let tokens = list_value(key, "failures = 5, within = \"1m\", open = \"30s\"", input)?;
                args.policy.breaker = limits::parse_breaker(key, tokens, errors);
            }
            "blocking" => {
                // Also if there is more than the word, so that this is the one mistake that is told.
                args.policy.blocking = true;
                flag(key, input)?;
            }
            "cancel" => {
                flag(key, input)?;
                args.policy.cancel = true;
            }
            "was" => args.policy.was = parse_was(key, "reserve", input)?,
            "undo" => args.undo = Some(parse_undo(key, input)?),
            "crate" => args.runtime = Some(crate::parse::runtime::parse_runtime(key, input)?),
            _ => args.allow = named(name_list(key, "fragile_step", input)?, errors),
        }
        Ok(())
    });
    if let (Some(text), Some(timeout)) = (heartbeat, args.policy.timeout)
        && args.policy.heartbeat.is_some_and(|heartbeat| heartbeat >= timeout)
    {
        let timeout = duration_text(timeout);
        errors.at(&text, format!("the `timeout` of {timeout} comes first, always: write a shorter `heartbeat`"));
    }
    args
}

/// Checks what the expansion of a step relies on.
pub(crate) fn check_step(signature: &Signature, args: &StepArgs, method: bool, errors: &mut Errors) {
    check_step_signature(signature, method, args.policy.blocking, errors);
    let name = unraw(&signature.ident);
    if args.policy.was.contains(&name) {
        errors.at(&signature.ident, format!("`{name}` is the name of now, so it is no old one: leave it out of `was`"));
    }
    retry::check_variants(args.policy.retry.as_ref(), signature, errors);
}
