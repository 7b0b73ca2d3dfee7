//! The impl block as a whole.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Span, TokenStream};
use syn::{
    Attribute, FnArg, GenericParam, Generics, ImplItem, ImplItemFn, ItemImpl, Lifetime, Signature, Type, parse_quote,
    visit::Visit,
};

use super::attributes::{Inert, InertKind, doc_text, strip_inert, take_inert};
use super::half_typed::{OpenBody, close_method, is_open};
use super::handler::parse_handler;
use super::receives::find_receives;
use super::repair::{awaited_methods, is_beyond_repair, repair_output, repair_step};
use super::step::parse_method_step;
use super::types::{WriteSelfOut, last_segment};
use super::undo::{Method, resolve_undos};
use super::versions::{check_migrations, parse_migration};
use super::workflow_args::WorkflowArgs;
use crate::errors::Errors;
use crate::expand::step::expand_method_step;
use crate::model::{Cfg, EventModel, Handler, Machine, Parallel, Receive, StateModel, Step, Trigger, TypeRef};
use crate::parallel_impl::{check_lists, expand_method_parallel, list_calls};

/// The model, and the user's impl as it is emitted again.
pub(crate) struct Parsed {
    pub(crate) machine: Machine,
    pub(crate) item: ItemImpl,
}

/// Reads the impl. `None` if it is not for a type that can be a workflow; then `item` is still clean of our attributes.
/// `source` is what the user has written.
pub(crate) fn parse_impl(
    mut item: ItemImpl,
    source: &TokenStream,
    bodies: &[OpenBody],
    args: WorkflowArgs,
    errors: &mut Errors,
) -> Result<Parsed, Box<ItemImpl>> {
    inherit_place(&mut item.generics);
    let mut handlers: Vec<Handler> = Vec::new();
    let mut steps = Vec::new();
    let mut parallels: Vec<Parallel> = Vec::new();
    let mut lists = Vec::new();
    let mut receives = args.receives;
    let mut versions = args.versions;
    let mut complete = true;
    let mut unreadable = Vec::new();
    let mut methods = Vec::new();
    let mut items = Vec::with_capacity(item.items.len());
    let self_ty = (*item.self_ty).clone();
    let allowed = allow_signature();
    let plain = item.generics.params.is_empty().then_some(&self_ty);
    // Bodies are gone through for what stands in few of them: the compiler has the text of all much sooner.
    let text = source.to_string();
    let (receives_named, counts_lists) = (text.contains("recv"), text.contains("quorum"));
    for (index, member) in std::mem::take(&mut item.items).into_iter().enumerate() {
        let mut method = match member {
            ImplItem::Fn(method) => method,
            // What cannot be read, which rustc reports.
            ImplItem::Verbatim(tokens) => {
                let stripped = strip_inert(tokens.clone());
                complete &= stripped.to_string() == tokens.to_string();
                // rustc reads no further than there.
                unreadable.push(ImplItem::Verbatim(stripped));
                continue;
            }
            member => {
                items.push(member);
                continue;
            }
        };
        if counts_lists {
            lists.extend(list_calls(&method.block));
        }
        if receives_named {
            receives.extend(find_receives(&method.attrs, &method.sig, &method.block, Some(&self_ty)));
        }
        check_no_dependency(&mut method.sig, errors);
        let inert = take_inert(&mut method.attrs);
        methods.push(Method::new(&method, &inert));
        check_one_attribute(&inert, errors);
        let is_both = inert.len() > 1;
        // If it is a handler too, then what it returns is of more use than its result's place in the journal.
        let kind =
            inert.iter().find(|inert| !matches!(inert.kind, InertKind::Step | InertKind::Parallel)).or(inert.first());
        match kind {
            Some(inert) if matches!(inert.kind, InertKind::Step | InertKind::Parallel) && is_both => {}
            // rustc tells of two methods with one name.
            Some(inert) if inert.kind == InertKind::Step && is_known(&steps, &method) => {}
            Some(inert) if inert.kind == InertKind::Step => {
                match parse_method_step(&method.attrs, &method.sig, inert, errors) {
                    Some(step) if is_open(index, bodies) => {
                        items.push(close_method(method, index, bodies));
                        steps.push(step);
                    }
                    Some(step) => {
                        items.extend(expand_method_step(&args.runtime, plain, &method, &step));
                        steps.push(step);
                    }
                    None => {
                        let awaited = awaited_methods(source.clone()).contains(&method.sig.ident);
                        repair_step(&mut method.sig, awaited);
                        items.push(close_method(method, index, bodies));
                    }
                }
                continue;
            }
            Some(inert) if inert.kind == InertKind::Migrate => {
                let mut mistakes = Errors::default();
                let migration = parse_migration(&method, inert, &self_ty, &mut mistakes).filter(|_| !is_both);
                match is_both {
                    true => mistakes.forget(),
                    false => errors.take(mistakes),
                }
                versions.broken |= migration.is_none();
                versions.migrations.extend(migration);
                method.attrs.push(allow_signature());
                items.push(close_method(method, index, bodies));
                continue;
            }
            Some(inert) if inert.kind == InertKind::Parallel => {
                let is_open = is_open(index, bodies);
                let (parallel, expanded) = expand_method_parallel(&args.runtime, &mut method, inert, is_open, errors);
                match is_open {
                    true => items.push(close_method(method, index, bodies)),
                    false => items.extend(expanded),
                }
                parallels.push(parallel);
                continue;
            }
            Some(inert) => {
                let mut mistakes = Errors::default();
                let mut handler = parse_handler(&method, inert, &self_ty, args.start.as_ref(), &mut mistakes);
                match &mut handler {
                    // Its arguments are those of one of the two.
                    Some(handler) if is_both => {
                        handler.broken = true;
                        mistakes.forget();
                    }
                    _ => errors.take(mistakes),
                }
                if handler.as_ref().is_none_or(|handler| handler.output.broken) {
                    if is_beyond_repair(&method.sig.output) {
                        method.block = parse_quote!({ ::core::unimplemented!() });
                        method
                            .attrs
                            .push(parse_quote!(#[allow(unused, clippy::unimplemented, reason = "it is not its own")]));
                    }
                    let state = handler.as_ref().map(|handler| &handler.state);
                    let repaired = repair_output(&mut method.sig.output, state, &args.runtime);
                    if let Some(handler) = &mut handler {
                        handler.output.repaired = repaired;
                    }
                }
                handlers.extend(handler);
                method.attrs.push(allowed.clone());
            }
            None => {}
        }
        items.push(close_method(method, index, bodies));
    }
    check_lists(&lists, &parallels, errors);
    items.extend(unreadable);
    item.items = items;
    if !check_impl(&item, errors) {
        return Err(Box::new(item));
    }
    let Some(ident) = last_segment(&self_ty).map(|segment| segment.ident.clone()) else { return Err(Box::new(item)) };
    handlers.extend(args.include.into_iter().map(super::include::Included::into_handler));
    let Names { states, groups, mut events } = collect(args.start.as_ref(), &handlers);
    if let Some(state) = args.start.as_ref().or_else(|| states.first().map(|state| &state.ty)) {
        collect_received(state, args.events, &receives, &mut events);
    }
    check_migrations(&mut versions, args.part, errors);
    let start = args.start.or_else(|| states.first().map(|state| state.ty.clone()));
    let undos =
        resolve_undos(&steps, &methods, &self_ty, args.part && handlers.iter().all(Handler::is_included), errors);
    let machine = Machine {
        runtime: args.runtime,
        vis: args.vis,
        ident,
        generics: WriteSelfOut(&self_ty).in_generics(&item.generics),
        self_ty,
        doc: doc_text(&item.attrs),
        start,
        states,
        groups,
        events,
        handlers,
        steps,
        parallels,
        receives,
        allow: args.allow,
        unwinds_on_failure: args.unwinds_on_failure,
        undos,
        versions,
        is_function: false,
        complete,
        include_broken: args.include_broken,
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
    parse_quote!(#[cfg_attr(
        clippy,
        allow(
            clippy::needless_pass_by_value,
            clippy::unused_async,
            clippy::unused_self,
            reason = "a handler is written so"
        )
    )])
}

// #[state]
// #[on]
// async fn paid(&self, …)
fn check_one_attribute(inert: &[Inert], errors: &mut Errors) {
    let [first, second, ..] = inert else { return };
    let (name, second_name) = (first.kind.name(), second.kind.name());
    let message = if first.kind == second.kind {
        format!("`#[{name}]` is here twice: write a method for each, and let them call a third")
    } else {
        format!(
            "a method is `#[{name}]` or `#[{second_name}]`, not both: write a method for each, and let them call a third"
        )
    };
    errors.at(&second.ident, message);
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

/// Gives the parameters' names the hygiene of an expansion. Where a type is not found, rustc would suggest to add it to the
/// parameters, but not in those generated items that have none: one mistake would be told in two ways.
fn inherit_place(generics: &mut Generics) {
    let Generics { params, where_clause, .. } = generics;
    for parameter in params.iter_mut() {
        let GenericParam::Type(parameter) = parameter else { continue };
        let bounds = std::mem::take(&mut parameter.bounds);
        let name = parameter.ident.clone();
        parameter.ident.set_span(name.span().resolved_at(Span::call_site()));
        parameter.colon_token = None;
        if !bounds.is_empty() {
            let predicate = parse_quote!(#name: #bounds);
            where_clause.get_or_insert_with(|| parse_quote!(where)).predicates.push(predicate);
        }
    }
}

fn is_known(steps: &[Step], method: &ImplItemFn) -> bool {
    steps.iter().any(|step| step.ident == method.sig.ident && step.cfg.is_always())
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

/// What the handlers name, in the order in which it appears.
pub(crate) struct Names {
    pub(crate) states: Vec<StateModel>,
    pub(crate) groups: Vec<StateModel>,
    pub(crate) events: Vec<EventModel>,
}

pub(crate) fn collect(start: Option<&TypeRef>, handlers: &[Handler]) -> Names {
    let mut states: Vec<StateModel> = Vec::new();
    let mut events: Vec<EventModel> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    if let Some(start) = start {
        places.insert(start.key(), 0);
        states.push(StateModel { ty: start.clone(), cfg: Cfg::default(), live: false, certain: true });
    }
    for handler in handlers {
        let certain = !handler.broken;
        let sources = std::iter::once((&handler.state, true));
        for (ty, live) in sources.chain(handler.output.states().map(|ty| (ty, false))) {
            let place = *places.entry(ty.key()).or_insert(states.len());
            match states.get_mut(place) {
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
    // Where there are mistakes, it is not known what handlers go to.
    let known = start.is_some() && handlers.iter().all(|handler| !handler.broken && !handler.unclear);
    let entered = entered(start, handlers);
    let (groups, states) = states.into_iter().partition(|state| known && !entered.contains(state.ty.key()));
    Names { states, groups, events }
}

/// The states that something goes to, or that are entered. What else handlers are for is a group; if it is a state all the
/// same, it cannot be reached, which is reported.
fn entered<'a>(start: Option<&'a TypeRef>, handlers: &'a [Handler]) -> BTreeSet<&'a str> {
    let targets = handlers.iter().flat_map(|handler| handler.output.states());
    let run = handlers.iter().filter(|handler| matches!(handler.trigger, Trigger::Entry)).map(|handler| &handler.state);
    start.into_iter().chain(targets).chain(run).map(TypeRef::key).collect()
}

/// Adds the events that no edge takes: those that the attribute names, and those that bodies wait for.
fn collect_received(start: &TypeRef, named: Vec<TypeRef>, receives: &[Receive], events: &mut Vec<EventModel>) {
    let named = named.into_iter().map(|ty| (ty, Cfg::default(), true));
    // Where it is called, rustc says whether it is an event.
    let received = receives.iter().map(|receive| (receive.event.clone(), receive.cfg.clone(), false));
    for (ty, cfg, certain) in named.chain(received) {
        match events.iter_mut().find(|known| known.ty == ty) {
            Some(known) => known.cfg.or(&cfg),
            None => events.push(EventModel { ty, cfg, first_state: start.clone(), certain }),
        }
    }
}
