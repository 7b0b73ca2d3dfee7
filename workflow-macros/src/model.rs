//! What a `#[workflow]` impl says, as plain data.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Attribute, Generics, Ident, Type, Visibility};

use crate::body::Body;
use crate::lint::Lint;
use crate::versions::Versions;

/// The path of the runtime crate.
#[derive(Debug, Clone)]
pub(crate) struct Runtime(pub(crate) syn::Path);

impl ToTokens for Runtime {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.0.to_tokens(tokens);
    }
}

/// A whole workflow, or one part of it.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) runtime: Runtime,
    /// The visibility of what is generated.
    pub(crate) vis: Visibility,
    /// The identifier of the workflow's type.
    pub(crate) ident: Ident,
    pub(crate) self_ty: Type,
    /// Of the impl, with `Self` written out.
    pub(crate) generics: Generics,
    pub(crate) doc: String,
    /// Missing only where that has been reported.
    pub(crate) start: Option<TypeRef>,
    pub(crate) states: Vec<StateModel>,
    /// What handlers are for and is no state: groups. In a part, nobody knows.
    pub(crate) groups: Vec<StateModel>,
    pub(crate) events: Vec<EventModel>,
    pub(crate) handlers: Vec<Handler>,
    pub(crate) steps: Vec<Step>,
    pub(crate) parallels: Vec<Parallel>,
    /// The events that bodies wait for, as far as they can be seen.
    pub(crate) receives: Vec<Receive>,
    pub(crate) allow: Vec<Lint>,
    /// Whether a failure that nothing catches has everything undone.
    pub(crate) unwinds_on_failure: bool,
    /// The steps that can be undone, and how.
    pub(crate) undos: Vec<Undo>,
    pub(crate) versions: Versions,
    /// Whether it is made of one function, and not of an impl.
    pub(crate) is_function: bool,
    /// Whether every handler could be read, rightly or wrongly written.
    pub(crate) complete: bool,
    /// Whether a line of `include(…)` could not be read.
    pub(crate) include_broken: bool,
}

impl Machine {
    /// What the type is called.
    pub(crate) fn name(&self) -> String {
        unraw(&self.ident)
    }

    /// The persisted name.
    pub(crate) fn persisted_name(&self) -> String {
        self.versions.name.clone().unwrap_or_else(|| self.name())
    }

    /// Whether all states and edges are known, so that the graph can be judged.
    pub(crate) fn is_known(&self) -> bool {
        self.complete && !self.include_broken && self.handlers.iter().all(|handler| !handler.unclear)
    }

    /// States and groups, by the place that they have in the checks of the graph.
    pub(crate) fn places(&self) -> impl Iterator<Item = &StateModel> {
        self.states.iter().chain(&self.groups)
    }

    pub(crate) fn is_group(&self, state: &TypeRef) -> bool {
        self.groups.iter().any(|group| group.ty == *state)
    }

    /// The handlers of groups, but the broken ones.
    pub(crate) fn group_handlers(&self) -> impl Iterator<Item = &Handler> {
        self.handlers.iter().filter(|handler| !handler.broken && self.is_group(&handler.state))
    }

    /// The handlers of a state, but the broken ones.
    pub(crate) fn handlers_of<'a>(&'a self, state: &'a TypeRef) -> impl Iterator<Item = &'a Handler> {
        self.handlers.iter().filter(move |handler| !handler.broken && handler.state == *state)
    }
}

/// A state of the workflow.
#[derive(Debug)]
pub(crate) struct StateModel {
    /// The type, where it is named first.
    pub(crate) ty: TypeRef,
    pub(crate) cfg: Cfg,
    /// Whether it has a handler.
    pub(crate) live: bool,
    /// Whether it is known to be meant as a state: not if it was found in a signature with mistakes.
    pub(crate) certain: bool,
}

/// An event that some state takes.
#[derive(Debug)]
pub(crate) struct EventModel {
    pub(crate) ty: TypeRef,
    pub(crate) cfg: Cfg,
    /// The state that the first handler with this event belongs to.
    pub(crate) first_state: TypeRef,
    pub(crate) certain: bool,
}

/// A type that is known by the last segment of its path.
#[derive(Debug, Clone)]
pub(crate) struct TypeRef {
    pub(crate) name: Ident,
    pub(crate) ty: Box<Type>,
    /// The text of the name: two identifiers of the compiler's are compared by asking it for both.
    key: String,
    /// Its digest, as most comparisons are of names that differ.
    digest: u64,
}

impl PartialEq for TypeRef {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest && self.key == other.key
    }
}

impl TypeRef {
    pub(crate) fn new(name: Ident, ty: Box<Type>) -> Self {
        let key = name.to_string();
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        Self { name, ty, key, digest: hasher.finish() }
    }

    /// The name that it is known by.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// Where it stands.
    pub(crate) fn span(&self) -> Span {
        self.name.span()
    }
}

impl ToTokens for TypeRef {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.ty.to_tokens(tokens);
    }
}

/// A handler.
#[derive(Debug)]
pub(crate) struct Handler {
    pub(crate) trigger: Trigger,
    pub(crate) ident: Ident,
    pub(crate) state: TypeRef,
    /// Whether it is async and takes `&Cx`.
    pub(crate) effects: bool,
    /// Whether it names lifetimes, which may tie its arguments together.
    pub(crate) lifetimes: bool,
    pub(crate) output: Output,
    pub(crate) doc: String,
    pub(crate) cfg: Cfg,
    pub(crate) allow: Vec<Lint>,
    pub(crate) line: u32,
    /// The body; an included handler has none here.
    pub(crate) body: Option<Body>,
    /// Whether its state or its targets are not what is written, but a guess.
    pub(crate) unclear: bool,
    /// Whether it was reported: it counts for the names that it mentions, and nothing is generated from it.
    pub(crate) broken: bool,
}

impl Handler {
    /// The persisted name.
    pub(crate) fn name(&self) -> String {
        unraw(&self.ident)
    }

    pub(crate) fn is_included(&self) -> bool {
        self.body.is_none()
    }
}

/// What makes a handler run.
#[derive(Debug)]
pub(crate) enum Trigger {
    Entry,
    On {
        event: TypeRef,
    },
    After {
        due: Due,
    },
    Catch {
        error: Box<Type>,
        /// `#[catch(source)]`: the error is somewhere in a chain of sources.
        source: bool,
    },
}

/// When the edge of a timer is due.
#[derive(Debug)]
pub(crate) enum Due {
    /// `#[after("15m")]`
    After(Duration),
    /// `#[after(Self::delay)]`: the function, with `Self` written out, and as it stands there.
    Function { path: Box<Type>, text: String, span: Span },
    /// `#[at(deadline)]`
    At(Vec<syn::Member>),
    /// `#[every("2d")]`
    Every(Duration),
    /// It stands in the part. The kind of the attribute.
    Elsewhere(&'static str),
}

impl Due {
    /// The name of the attribute.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::After(_) | Self::Function { .. } => "after",
            Self::At(_) => "at",
            Self::Every(_) => "every",
            Self::Elsewhere(kind) => kind,
        }
    }
}

/// What a handler returns.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    pub(crate) targets: Vec<Target>,
    /// Whether the targets stand in a `Next<(…)>`.
    pub(crate) next: bool,
    pub(crate) fails: Fails,
    /// The answer that they stand beside, in a `Reply<…>`.
    pub(crate) reply: Option<Box<ReplyModel>>,
    /// Whether it has been reported: `targets` are then those that can be made out.
    pub(crate) broken: bool,
    /// The `Next<…>` that is emitted in place of one with mistakes.
    pub(crate) repaired: Option<Box<Type>>,
}

/// What an event is answered with.
#[derive(Debug, Clone)]
pub(crate) struct ReplyModel {
    pub(crate) span: Span,
    /// Both with `Self` written out.
    pub(crate) reply: Type,
    pub(crate) refusal: Option<Type>,
}

impl Output {
    /// The states that it may go to.
    pub(crate) fn states(&self) -> impl Iterator<Item = &TypeRef> {
        self.targets.iter().filter_map(|target| match target {
            Target::State(state) | Target::Unwind(state) => Some(state),
            Target::Stay(_) | Target::Wait(_) => None,
        })
    }

    /// Those of them that it goes to by way of undos.
    pub(crate) fn unwound(&self) -> impl Iterator<Item = &TypeRef> {
        self.targets.iter().filter_map(|target| match target {
            Target::Unwind(state) => Some(state),
            Target::State(_) | Target::Stay(_) | Target::Wait(_) => None,
        })
    }

    /// Where it says that the visit may go on, if it does.
    pub(crate) fn waits(&self) -> Option<Span> {
        self.targets.iter().find_map(|target| match target {
            Target::State(_) | Target::Unwind(_) => None,
            Target::Stay(span) | Target::Wait(span) => Some(*span),
        })
    }
}

/// One of the things that a handler may return.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    State(TypeRef),
    /// The state that is entered when all is undone.
    Unwind(TypeRef),
    Stay(Span),
    Wait(Span),
}

/// How a handler may fail.
#[derive(Debug, Clone)]
pub(crate) enum Fails {
    Never,
    /// `Result<…>`, whose error the alias decides. The place of the word.
    Boxed(Span),
    With(Box<Type>),
}

/// A call of `recv::<E>` or `recv_timeout::<E>`.
#[derive(Debug)]
pub(crate) struct Receive {
    pub(crate) event: TypeRef,
    /// The method that it stands in.
    pub(crate) function: Ident,
    pub(crate) cfg: Cfg,
    /// Whether it waits only so long.
    pub(crate) timed: bool,
}

/// A step among the methods.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) ident: Ident,
    pub(crate) policy: Policy,
    /// The method that undoes it.
    pub(crate) undo: Option<Ident>,
    /// The `Result` that it returns, where that can be named outside of it.
    pub(crate) output: Option<Type>,
    pub(crate) doc: String,
    pub(crate) cfg: Cfg,
    pub(crate) allow: Vec<Lint>,
    pub(crate) line: u32,
}

/// How one step is undone.
#[derive(Debug)]
pub(crate) struct Undo {
    pub(crate) step: Ident,
    pub(crate) cfg: Cfg,
    /// What the step takes after the context.
    pub(crate) arguments: Vec<UndoArgument>,
    /// The `Result` that the step returns.
    pub(crate) output: Type,
    /// The method, as it is named at the step.
    pub(crate) method: Ident,
    /// What that takes after the context, and whether by reference.
    pub(crate) takes: Type,
    pub(crate) by_reference: bool,
    /// The `Result` that it returns.
    pub(crate) returns: Type,
    /// Whether it is a step itself, with a policy of its own.
    pub(crate) is_step: bool,
}

/// An argument of a step that can be undone.
#[derive(Debug)]
pub(crate) struct UndoArgument {
    /// Its type when it is saved: owned.
    pub(crate) ty: Type,
    pub(crate) by_reference: bool,
}

/// What `#[step(…)]` says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Policy {
    pub(crate) retry: Option<Retry>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) heartbeat: Option<Duration>,
    pub(crate) limit: Option<AtOnce>,
    pub(crate) rate: Option<(u32, Duration)>,
    pub(crate) breaker: Option<Breaker>,
    pub(crate) blocking: bool,
    pub(crate) cancel: bool,
    /// Names that it had before.
    pub(crate) was: Vec<String>,
}

/// What `retry(…)` says.
#[derive(Debug, Clone)]
pub(crate) struct Retry {
    pub(crate) max: u32,
    pub(crate) base: Duration,
    pub(crate) cap: Duration,
    pub(crate) jitter: Jitter,
    pub(crate) variants: Option<Variants>,
}

/// What `jitter = …` says.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Jitter {
    #[default]
    Full,
    Equal,
    None,
}

/// What `limit = …` says.
#[derive(Debug, Clone, Copy)]
pub(crate) enum AtOnce {
    Fixed(u32),
    Adaptive { min: u32, max: u32 },
}

/// What `breaker(…)` says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Breaker {
    pub(crate) failures: u32,
    pub(crate) within: Duration,
    pub(crate) open: Duration,
    pub(crate) probes: u32,
}

/// What `only(…)` or `never(…)` says: variants of the step's error.
#[derive(Debug, Clone)]
pub(crate) struct Variants {
    /// `only` or `never`.
    pub(crate) key: Ident,
    pub(crate) names: Vec<Ident>,
}

impl Variants {
    /// Whether the step is tried again after these, and not after all others.
    pub(crate) fn is_only(&self) -> bool {
        self.key == "only"
    }
}

/// The condition under which something exists.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cfg {
    predicate: Option<TokenStream>,
}

impl Cfg {
    /// All `#[cfg]` among the attributes of an item.
    pub(crate) fn of(attributes: &[Attribute]) -> Self {
        let predicates: Vec<_> = attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident("cfg"))
            .filter_map(|attribute| attribute.meta.require_list().ok().map(|list| &list.tokens))
            .collect();
        let predicate = (!predicates.is_empty()).then(|| quote!(all(#(#predicates),*)));
        Self { predicate }
    }

    pub(crate) fn is_always(&self) -> bool {
        self.predicate.is_none()
    }

    /// The opposite, unless this always holds.
    pub(crate) fn negated(&self) -> Option<TokenStream> {
        self.predicate.as_ref().map(|predicate| quote!(#[cfg(not(#predicate))]))
    }

    /// Where one of the two holds.
    pub(crate) fn or(&mut self, other: &Self) {
        self.predicate = match (self.predicate.take(), &other.predicate) {
            (Some(one), Some(other)) if one.to_string() == other.to_string() => Some(one),
            (Some(one), Some(other)) => Some(quote!(any(#one, #other))),
            _ => None,
        };
    }
}

impl ToTokens for Cfg {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        if let Some(predicate) = &self.predicate {
            tokens.extend(quote!(#[cfg(#predicate)]));
        }
    }
}

/// An identifier as text, without `r#`.
pub(crate) fn unraw(ident: &Ident) -> String {
    let text = ident.to_string();
    text.strip_prefix("r#").map(str::to_owned).unwrap_or(text)
}

/// A parallel function among the methods.
#[derive(Debug)]
pub(crate) struct Parallel {
    pub(crate) ident: Ident,
    /// The place of the argument with `#[each]` among all of them, if there is one.
    pub(crate) each: Option<usize>,
    /// The places of all that are marked so, which are one too many if it has mistakes.
    pub(crate) lists: Vec<usize>,
    pub(crate) limit: u32,
    pub(crate) join: Join,
    pub(crate) timeout: Option<Duration>,
    /// The names of its branches, if they are its bindings.
    pub(crate) branches: Vec<String>,
    pub(crate) doc: String,
    pub(crate) cfg: Cfg,
    pub(crate) line: u32,
}

/// What is asked for of the branches of an `#[each]` function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Join {
    All,
    Settle,
    Any,
    Quorum(u64),
    /// In hundredths of a percent.
    AtLeast(u32),
}

impl Join {
    /// Whether it says something only of what can fail.
    pub(crate) fn needs_result(self) -> bool {
        matches!(self, Self::Any | Self::Quorum(_) | Self::AtLeast(_))
    }
}
