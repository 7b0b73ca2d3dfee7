//! What can be said of an expansion without compiling it.

use proc_macro2::TokenStream;
use quote::quote;

use crate::data_impl::expand_data_attribute;
use crate::fn_impl::{expand_main_attribute, expand_step_attribute};
use crate::machine_impl::expand_workflow_attribute;
use crate::parse::data::DataKind;

fn order() -> TokenStream {
    quote! {
        impl<B: Bank> Order<B> {
            #[on]
            fn paid(&self, s: Pending, payment: Payment) -> Next<(Paid, Dropped, Stay<Pending>, Wait)> {
                goto(Paid)
            }
            #[after("1h30m")]
            fn late(&self, s: Pending) -> Dropped {
                Dropped
            }
            #[state]
            async fn ship(&self, cx: &Cx, s: Paid) -> Result<Done, ShipError> {
                self.step(cx, 1).await
            }
            #[catch]
            fn failed(&self, s: Paid, error: ShipError) -> Dropped {
                Dropped
            }
            #[step(retry(max = 5), timeout = "10s", cancel)]
            async fn step(&self, cx: &Cx, number: u32) -> Result<Done, ShipError> {
                Ok(Done)
            }
        }
    }
}

fn backup() -> TokenStream {
    quote! {
        async fn backup(cx: &Cx, #[dep] store: &Store, #[dep] pool: Pool, db: Db) -> Result<Archive> {
            store.copy(cx, pool, db).await
        }
    }
}

fn expand(arguments: TokenStream, item: TokenStream) -> String {
    expand_workflow_attribute(arguments, item).to_string()
}

#[test]
fn two_expansions_of_one_source_are_identical() {
    let arguments = || quote!(start = Pending, include(on returned(Sent, Return) -> (Paid, Wait)));
    assert_eq!(expand(arguments(), order()), expand(arguments(), order()));
    assert_eq!(expand(quote!(), backup()), expand(quote!(), backup()));
}

#[test]
fn another_path_of_the_runtime_is_used_everywhere() {
    let path = || quote!(crate = "::other::machines");
    let (runtime, other) = ("workflow_runtime", "other :: machines");
    let workflow = expand(quote!(start = Pending, crate = "::other::machines"), order());
    let state = expand_data_attribute(
        DataKind::State,
        path(),
        &quote!(
            struct Pending {
                number: u32,
            }
        ),
    )
    .to_string();
    let event = expand_data_attribute(
        DataKind::Event,
        path(),
        &quote!(
            struct Payment {
                number: u32,
            }
        ),
    )
    .to_string();
    let free = quote!(
        async fn ship<W: Provides<u32>>(w: &W, cx: &Cx, s: Paid) -> Result<Done> {
            Ok(Done)
        }
    );
    let free = expand_data_attribute(DataKind::State, path(), &free).to_string();
    let step = quote!(
        async fn ship(cx: &Cx) -> Result<u32> {
            Ok(1)
        }
    );
    let step = expand_step_attribute(path(), &step).to_string();
    let main = expand_main_attribute(
        path(),
        &quote!(
            async fn main() {}
        ),
    )
    .to_string();
    let sequential = expand(path(), backup()).replace("# [workflow", "");
    for expansion in [workflow, state, event, free, step, main, sequential] {
        assert!(!expansion.contains(runtime), "{expansion}");
        assert!(expansion.contains(other), "{expansion}");
    }
}

/// While it is typed, code is wrong most of the time; completion needs the items all the same.
#[test]
fn the_users_items_are_emitted_whatever_is_wrong() {
    let halves = [
        quote!(impl Order { #[on] fn paid(&self) {} fn helper(&self) -> u32 { 1 } }),
        quote!(impl Order { #[on] fn paid(&self, s: Pending, p: Payment); fn helper(&self) -> u32 { 1 } }),
        quote!(impl Order { #[after("15")] async fn paid(&self, cx: &Cx) -> Next<> { todo!() } fn helper(&self) -> u32 { 1 } }),
        quote!(impl Order { #[step] async fn paid(&self, cx: ) {} fn helper(&self) -> u32 { 1 } }),
        quote!(impl Clone for Order { #[step] fn paid(&self) {} fn helper(&self) -> u32 { 1 } }),
        quote!(
            impl<'a> Order<'a> {
                #[catch]
                fn paid(&self) {}
                fn helper(&self) -> u32 {
                    1
                }
            }
        ),
    ];
    for half in halves {
        for arguments in [quote!(), quote!(start), quote!(start = Pending), quote!(part), quote!(include(on))] {
            let expansion = expand(arguments, half.clone());
            assert!(expansion.contains("fn paid") && expansion.contains("fn helper"), "{expansion}");
            for attribute in ["# [on", "# [after", "# [step", "# [catch"] {
                assert!(!expansion.contains(attribute), "{attribute} would report itself");
            }
        }
    }
}

#[test]
fn a_function_is_emitted_whatever_is_wrong_with_it() {
    let functions = [
        quote!(
            fn backup(db: &str) {}
        ),
        quote!(
            async fn backup(&self, #[dep] cx: Cx) {}
        ),
        quote!(
            async fn backup<T>(
                cx: &Cx,
                #[dep]
                #[dep]
                t: T,
            ) -> Result<T> {
                Ok(t)
            }
        ),
        quote!(
            async fn backup(cx: &Cx, (a, b): (u8, u8), _: u8, a: u8) -> Result<()> {
                Ok(())
            }
        ),
        quote!(
            async fn backup(
                cx: &Cx,
                #[dep(x)]
                #[serde(skip)]
                a: &dyn Any,
            ) -> Result<impl Any> {
                Ok(())
            }
        ),
        quote!(
            async fn __(cx: &Cx) -> Result<()> {
                fn backup() {}
                Ok(())
            }
        ),
        quote!(
            async fn _1(cx: &Cx) -> Result<()> {
                fn backup() {}
                Ok(())
            }
        ),
    ];
    for function in functions {
        for arguments in [quote!(), quote!(start = Pending), quote!(part, include(on)), quote!(vis = pub, allow(x))] {
            let expansion = expand(arguments, function.clone());
            assert!(expansion.contains("fn backup"), "{expansion}");
            assert!(!expansion.contains("# [dep"), "rustc would report it too: {expansion}");
        }
    }
}

#[test]
fn a_mistake_does_not_take_the_generated_names_away() {
    let item = quote!(impl Order { #[on] async fn paid(&self, s: Pending, p: Payment) -> Result<Done> { Ok(Done) } });
    let expansion = expand(quote!(start = Pending), item);
    assert!(expansion.contains("compile_error"));
    for name in ["enum OrderState", "enum OrderOutcome", "enum OrderEvent", "Workflow for Order", "Done (Done)"] {
        assert!(expansion.contains(name), "{name} is missing: {expansion}");
    }
}
