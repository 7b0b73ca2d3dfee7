//! What a handler returns: where to go.

use std::fmt;

/// One of the targets `T`, a tuple of states: what a handler with a choice returns, made by [`goto`].
///
/// ```
/// use workflow_runtime::prelude::*;
/// #[state(end)] struct Shipped;
/// #[state(end)] struct Cancelled;
///
/// fn decide(paid: bool) -> Next<(Shipped, Cancelled)> {
///     if paid { goto(Shipped) } else { goto(Cancelled) }
/// }
/// ```
#[must_use = "a handler returns it; by itself it goes nowhere"]
pub struct Next<T: Targets> {
    target: T::Union,
}

impl<T: Targets> Next<T> {
    /// The target as the union of the tuple's members. For generated code.
    #[doc(hidden)]
    pub fn into_union(self) -> T::Union {
        self.target
    }
}

impl<T: Targets> fmt::Debug for Next<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Next").finish_non_exhaustive()
    }
}

/// Goes to `target`, one of those that the handler's return type declares. A handler that declares one alone, and no
/// [`Next`], returns that as it is.
///
/// `goto(Stay(state))` and `goto(Wait)` keep the visit, where `Stay<S>` or `Wait` is among them.
pub fn goto<T: Targets, A, I>(target: A) -> Next<T>
where
    A: TargetIn<T, I>,
{
    Next { target: target.inject() }
}

/// Has everything undone that the execution has done, then goes to `target`, one of those that the handler's return type
/// declares as [`Unwind<A>`](Unwind). A handler that declares `Unwind<A>` alone, and no [`Next`], returns `Unwind(target)`.
pub fn unwind<T: Targets, A, I>(target: A) -> Next<T>
where
    Unwind<A>: TargetIn<T, I>,
{
    Next { target: Unwind(target).inject() }
}

/// Has everything undone, then goes to `S`. It is returned bare, or made by [`unwind`] where it is one of several targets.
///
/// What is undone are the steps with an `undo`, of this visit and of those before it back to the last pivot, the newest
/// first. `S` is entered when the last of them is undone.
///
/// ```
/// use workflow_runtime::prelude::*;
/// #[state(end)] struct Shipped;
/// #[state(end)] struct Cancelled;
///
/// fn decide(fraud: bool) -> Next<(Shipped, Unwind<Cancelled>)> {
///     if fraud { unwind(Cancelled) } else { goto(Shipped) }
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a handler returns it; by itself it undoes nothing"]
pub struct Unwind<S>(
    /// The state's data.
    pub S,
);

/// Stays in the state and replaces its data. The visit goes on: its timers and its journal are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a handler returns it; by itself it changes nothing"]
pub struct Stay<S>(
    /// The new data.
    pub S,
);

/// Stays in the state as it is, until an event or a timer ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a handler returns it; by itself it changes nothing"]
pub struct Wait;

/// A tuple of targets, as in [`Next<(A, B)>`](Next): of up to 16.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list of targets",
    label = "not a tuple of up to 16 targets",
    note = "write the targets as a tuple: `Next<(Shipped, Cancelled)>`; with one target, return it bare: `-> Shipped`"
)]
pub trait Targets {
    /// An enum with one variant per member.
    #[doc(hidden)]
    type Union;
}

/// Says that `Self` is a member of the targets `T`, at the place `I`, which is inferred.
#[diagnostic::on_unimplemented(
    message = "the transition to `{Self}` is not declared",
    label = "`{Self}` is not among the declared targets `{T}`",
    note = "if it is meant, add `{Self}` to the `Next<(…)>` that the handler returns; `goto(state)` goes to a declared `S`, and `unwind(state)` to a declared `Unwind<S>`"
)]
pub trait TargetIn<T: Targets, I> {
    #[doc(hidden)]
    fn inject(self) -> T::Union;
}

/// What stands for the targets where the macros have reported them: any state is among them.
#[doc(hidden)]
#[derive(Debug)]
pub struct AnyTargets;

impl Targets for AnyTargets {
    type Union = Self;
}

#[diagnostic::do_not_recommend]
impl<T> TargetIn<AnyTargets, Place<0>> for T {
    fn inject(self) -> AnyTargets {
        AnyTargets
    }
}

/// The place of a target in its tuple.
#[doc(hidden)]
#[derive(Debug)]
pub struct Place<const N: usize>;

/// The unions behind [`Targets`], for generated code: `__Union3::V1` is the second of three.
#[doc(hidden)]
#[allow(non_camel_case_types, reason = "imported where the user's names are")]
pub(super) mod unions {
    use super::{Place, TargetIn, Targets};

    macro_rules! union {
        ($union:ident: $($member:ident $variant:ident $place:literal),+) => {
            #[allow(missing_docs, missing_debug_implementations, reason = "seen by generated code alone")]
            pub enum $union<$($member),+> { $($variant($member)),+ }
            impl<$($member),+> Targets for ($($member,)+) { type Union = $union<$($member),+>; }
            union!(@each $union ($($member),+) $($member $variant $place),+);
        };
        (@each $union:ident ($($all:ident),+) $($member:ident $variant:ident $place:literal),+) => {
            union!(@list $union [$($all),+] $($member $variant $place),+);
        };
        (@list $union:ident $all:tt $member:ident $variant:ident $place:literal $(, $rest_member:ident $rest_variant:ident $rest_place:literal)*) => {
            union!(@one $union $all $member $variant $place);
            $(union!(@one $union $all $rest_member $rest_variant $rest_place);)*
        };
        (@one $union:ident [$($all:ident),+] $member:ident $variant:ident $place:literal) => {
            impl<$($all),+> TargetIn<($($all,)+), Place<$place>> for $member {
                fn inject(self) -> $union<$($all),+> { $union::$variant(self) }
            }
        };
    }

    union!(__Union1: A V0 0);
    union!(__Union2: A V0 0, B V1 1);
    union!(__Union3: A V0 0, B V1 1, C V2 2);
    union!(__Union4: A V0 0, B V1 1, C V2 2, D V3 3);
    union!(__Union5: A V0 0, B V1 1, C V2 2, D V3 3, E V4 4);
    union!(__Union6: A V0 0, B V1 1, C V2 2, D V3 3, E V4 4, F V5 5);
    union!(__Union7: A V0 0, B V1 1, C V2 2, D V3 3, E V4 4, F V5 5, G V6 6);
    union!(__Union8: A V0 0, B V1 1, C V2 2, D V3 3, E V4 4, F V5 5, G V6 6, H V7 7);
    union!(__Union9: A V0 0, B V1 1, C V2 2, D V3 3, E V4 4, F V5 5, G V6 6, H V7 7, J V8 8);
    union!(__Union10: A V0 0, B V1 1, C V2 2, D V3 3, E V4 4, F V5 5, G V6 6, H V7 7, J V8 8, K V9 9);
    union!(__Union11: A V0 0, B V1 1, C V2 2, D V3 3, E V4 4, F V5 5, G V6 6, H V7 7, J V8 8, K V9 9, L V10 10);
    union!(__Union12: A V0 0, B V1 1, C V2 2, D V3 3, E V4 4, F V5 5, G V6 6, H V7 7, J V8 8, K V9 9, L V10 10, M V11 11);
    union!(__Union13: A V0 0, B V1 1, C V2 2, D V3 3, E V4 4, F V5 5, G V6 6, H V7 7, J V8 8, K V9 9, L V10 10, M V11 11, N V12 12);
    union!(__Union14: A V0 0, B V1 1, C V2 2, D V3 3, E V4 4, F V5 5, G V6 6, H V7 7, J V8 8, K V9 9, L V10 10, M V11 11, N V12 12, O V13 13);
    union!(__Union15: A V0 0, B V1 1, C V2 2, D V3 3, E V4 4, F V5 5, G V6 6, H V7 7, J V8 8, K V9 9, L V10 10, M V11 11, N V12 12, O V13 13, P V14 14);
    union!(__Union16: A V0 0, B V1 1, C V2 2, D V3 3, E V4 4, F V5 5, G V6 6, H V7 7, J V8 8, K V9 9, L V10 10, M V11 11, N V12 12, O V13 13, P V14 14, Q V15 15);
}
