//! The impl block as a whole.

use syn::{Attribute, FnArg, GenericParam, ImplItem, ItemImpl, Lifetime, Signature, Type, parse_quote, visit::Visit};

use super::attributes::{InertKind, doc_text, strip_inert, take_inert};
use super::handler::parse_handler;
use super::output::repair_output;
use super::step::parse_method_step;
use super::types::{WriteSelfOut, last_segment};
use super::workflow_args::WorkflowArgs;
use crate::errors::Errors;
use crate::expand::step::expand_method_step;
use crate::model::{EventModel, Handler, Machine, StateModel, Trigger, TypeRef};

/// The model, and the user's impl as it is emitted again.
pub(crate) struct Parsed {
    pub(crate) machine: Machine,
    pub(crate) item: ItemImpl,
}

/// Reads the impl. `None` if it is not for a type that can be a workflow; then `item` is still clean of our attributes.
pub(crate) fn parse_impl(mut item: ItemImpl, args: WorkflowArgs, errors: &mut Errors) -> Result<Parsed, Box<ItemImpl>> {
    let mut handlers: Vec<Handler> = Vec::new();
    let mut steps = Vec::new();
    let mut complete = true;
    let mut items = Vec::with_capacity(item.items.len());
    let self_ty = (*item.self_ty).clone();
    for mut member in std::mem::take(&mut item.items) {
        let method = match &mut member {
            ImplItem::Fn(method) => method,
            // A function without a body, which rustc reports.
            ImplItem::Verbatim(tokens) => {
                let stripped = strip_inert(tokens.clone());
                complete &= stripped.to_string() == tokens.to_string();
                items.push(ImplItem::Verbatim(stripped));
                continue;
            }
            _ => {
                items.push(member);
                continue;
            }
        };
        check_no_dependency(&mut method.sig, errors);
        let inert = take_inert(&mut method.attrs);
        let mut inert = inert.iter();
        let first = inert.next();
        if let (Some(first), Some(second)) = (first, inert.next()) {
            let (first, second_name) = (first.kind.name(), second.kind.name());
            errors.at(&second.ident, format!("a method is `#[{first}]` or `#[{second_name}]`, not both: write a method for each, and let them call a third"));
        }
        match first {
            Some(inert) if inert.kind == InertKind::Step => {
                match parse_method_step(&method.attrs, &method.sig, inert, errors) {
                    Some(step) => {
                        items.extend(expand_method_step(&args.runtime, method, &step));
                        steps.push(step);
                    }
                    None => items.push(member),
                }
                continue;
            }
            Some(inert) => {
                let handler = parse_handler(method, inert, &self_ty, errors);
                if handler.as_ref().is_none_or(|handler| handler.broken) {
                    repair_output(&mut method.sig.output);
                }
                handlers.extend(handler);
                method.attrs.push(allow_signature());
            }
            None => {}
        }
        items.push(member);
    }
    item.items = items;
    if !check_impl(&item, errors) {
        return Err(Box::new(item));
    }
    let Some(ident) = last_segment(&self_ty).map(|segment| segment.ident.clone()) else { return Err(Box::new(item)) };
    handlers.extend(args.include.into_iter().map(super::include::Included::into_handler));
    let (states, events) = collect(args.start.as_ref(), &handlers);
    let start = args.start.or_else(|| states.first().map(|state| state.ty.clone()));
    let machine = Machine {
        runtime: args.runtime,
        vis: args.vis,
        ident,
        generics: WriteSelfOut(&self_ty).in_generics(&item.generics),
        self_ty,
        doc: doc_text(&item.attrs),
        start,
        states,
        events,
        handlers,
        steps,
        allow: args.allow,
        is_function: false,
        complete,
    };
    Ok(Parsed { machine, item })
}

// #[state] async fn dump(&self, cx: &Cx, #[dep] store: Store, s: Dumping) -> …
fn check_no_dependency(signature: &mut Signature, errors: &mut Errors) {
    for input in &mut signature.inputs {
        let FnArg::Typed(input) = input else { continue };
        input.attrs.retain(|attribute| {
            let is_mark = attribute.path().is_ident("dep");
            if is_mark {
                let message = "`#[dep]` is for a workflow as one function: here, a dependency is a field of the workflow, and is read as `self.name`";
                errors.at(attribute, message);
            }
            !is_mark
        });
    }
}

/// The signature of a handler is not the user's choice.
fn allow_signature() -> Attribute {
    parse_quote!(#[allow(
        clippy::needless_pass_by_value,
        clippy::unused_async,
        clippy::unused_self,
        reason = "a handler is written so"
    )])
}

// #[workflow(start = A)] impl Trait for Fulfilment { … }
// #[workflow(start = A)] impl<'a> Fulfilment<'a> { … }
// #[workflow(start = A)] impl (Bank, Stock) { … }
fn check_impl(item: &ItemImpl, errors: &mut Errors) -> bool {
    if let Some((path, _)) = &item.trait_ {
        errors.at(
            path,
            "`#[workflow]` goes on the inherent `impl` of a type, which holds the handlers: leave the trait out",
        );
        return false;
    }
    if last_segment(&item.self_ty).is_none() || matches!(&*item.self_ty, Type::Path(path) if path.qself.is_some()) {
        errors.at(&item.self_ty, "`#[workflow]` goes on the `impl` of a struct or enum with a name");
        return false;
    }
    let owned = "a workflow lives as long as the engine, so it owns its dependencies: use an owned type or an `Arc` instead of a lifetime";
    if let Some(lifetime) = item.generics.params.iter().find(|parameter| matches!(parameter, GenericParam::Lifetime(_)))
    {
        errors.at(lifetime, owned);
        return false;
    }
    let mut borrowed = FindLifetime(None);
    borrowed.visit_type(&item.self_ty);
    if let Some(lifetime) = borrowed.0 {
        errors.at(lifetime, owned);
        return false;
    }
    true
}

/// Finds a lifetime other than `'static`.
struct FindLifetime(Option<Lifetime>);

impl Visit<'_> for FindLifetime {
    fn visit_lifetime(&mut self, lifetime: &Lifetime) {
        if lifetime.ident != "static" && self.0.is_none() {
            self.0 = Some(lifetime.clone());
        }
    }
}

/// States and events in the order in which they appear.
fn collect(start: Option<&TypeRef>, handlers: &[Handler]) -> (Vec<StateModel>, Vec<EventModel>) {
    let mut states: Vec<StateModel> = Vec::new();
    let mut events: Vec<EventModel> = Vec::new();
    if let Some(start) = start {
        states.push(StateModel { ty: start.clone(), cfg: crate::model::Cfg::default(), live: false, certain: true });
    }
    for handler in handlers {
        let certain = !handler.broken;
        let sources = std::iter::once((&handler.state, true));
        for (ty, live) in sources.chain(handler.output.states().map(|ty| (ty, false))) {
            match states.iter_mut().find(|state| state.ty == *ty) {
                Some(state) => {
                    state.cfg.or(&handler.cfg);
                    state.live |= live;
                    state.certain |= certain;
                }
                None => states.push(StateModel { ty: ty.clone(), cfg: handler.cfg.clone(), live, certain }),
            }
        }
        if let Trigger::On { event } = &handler.trigger {
            match events.iter_mut().find(|known| known.ty == *event) {
                Some(known) => {
                    known.cfg.or(&handler.cfg);
                    known.certain |= certain;
                }
                None => events.push(EventModel {
                    ty: event.clone(),
                    cfg: handler.cfg.clone(),
                    first_state: handler.state.clone(),
                    certain,
                }),
            }
        }
    }
    (states, events)
}
