use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Difference, compare};
use crate::testing::lock::parse::tests::Random;
use crate::testing::lock::section::{Kind, Root, Section};
use crate::testing::lock::trace::{Named, Tracer};

/// A section with one thing in it.
fn section<T: DeserializeOwned>(kind: Kind, name: &str, was: &[&str]) -> Section {
    let (mut tracer, mut named) = (Tracer::default(), Named::default());
    let traced = tracer.trace::<T>();
    let shape = named.shape(&tracer, traced);
    let was = was.iter().map(|was| (*was).to_owned()).collect();
    let roots = [((kind, name.to_owned()), Root { shape, was })].into();
    Section { roots, types: named.types, ..Section::default() }
}

fn changed<Old: DeserializeOwned, New: DeserializeOwned>() -> Vec<Difference> {
    compare(&section::<Old>(Kind::State, "paid", &[]), &section::<New>(Kind::State, "paid", &[]))
}

/// What is said where the change breaks.
#[track_caller]
fn breaks<Old: DeserializeOwned, New: DeserializeOwned>(expected: &str) {
    let told: Vec<_> = changed::<Old, New>().into_iter().filter(|difference| difference.breaks).collect();
    assert!(told.iter().any(|difference| difference.text.contains(expected)), "{told:#?}");
}

/// How much is said where it fits.
#[track_caller]
fn fits<Old: DeserializeOwned, New: DeserializeOwned>(changes: usize) {
    let told = changed::<Old, New>();
    assert!(told.iter().all(|difference| !difference.breaks), "{told:#?}");
    assert_eq!(told.len(), changes, "{told:#?}");
}

/// Declares types that can be saved, each in a module, so that two may have one name.
macro_rules! types {
    ($($module:ident { $($item:item)* })*) => {
        $(mod $module {
            #![allow(dead_code, reason = "they are looked at, and never made")]
            use serde::{Deserialize, Serialize};
            $(#[derive(Serialize, Deserialize)] $item)*
        })*
    };
}

types! {
    old { pub(super) struct Paid { pub order: u32, pub note: Option<String> } }
    with_optional { pub(super) struct Paid { order: u32, note: Option<String>, more: Option<u8> } }
    with_default { pub(super) struct Paid { order: u32, note: Option<String>, #[serde(default)] more: u8 } }
    with_required { pub(super) struct Paid { order: u32, note: Option<String>, more: u8 } }
    without { pub(super) struct Paid { order: u32 } }
    widened { pub(super) struct Paid { order: u64, note: Option<String> } }
    narrowed { pub(super) struct Paid { order: u16, note: Option<String> } }
    text { pub(super) struct Paid { order: String, note: Option<String> } }
    now_required { pub(super) struct Paid { order: u32, note: String } }
    now_optional { pub(super) struct Paid { order: Option<u32>, note: Option<String> } }
    renamed { pub(super) struct Paid { id: u32, note: Option<String> } }
    aliased { pub(super) struct Paid { #[serde(alias = "order")] id: u32, note: Option<String> } }
    other_name { pub(super) struct Payed { order: u32, note: Option<String> } }
    wrapped { pub(super) struct Id(u32); pub(super) struct Paid { order: Id, note: Option<String> } }

    card { pub(super) enum Card { Credit { number: String }, Cash, Voucher(u32) } }
    card_more { pub(super) enum Card { Credit { number: String }, Cash, Voucher(u32), Other } }
    card_less { pub(super) enum Card { Credit { number: String }, Voucher(u32) } }
    card_changed { pub(super) enum Card { Credit { number: u8 }, Cash, Voucher(u32) } }
    card_held { pub(super) struct Credit { number: String } pub(super) enum Card { Credit(Credit), Cash, Voucher(u32) } }
    card_full { pub(super) enum Card { Credit { number: String }, Cash(u8), Voucher(u32) } }
}

#[test]
fn what_fits() {
    fits::<old::Paid, old::Paid>(0);
    fits::<old::Paid, with_optional::Paid>(1);
    fits::<old::Paid, with_default::Paid>(1);
    fits::<old::Paid, widened::Paid>(1);
    fits::<old::Paid, now_optional::Paid>(1);
    fits::<old::Paid, aliased::Paid>(0);
    fits::<old::Paid, other_name::Payed>(0);
    fits::<old::Paid, wrapped::Paid>(0);
    fits::<wrapped::Paid, old::Paid>(0);
    fits::<card::Card, card_more::Card>(1);
    fits::<card::Card, card_held::Card>(0);
    fits::<u32, i64>(1);
    fits::<u32, f64>(1);
    fits::<f32, f64>(1);
    fits::<char, String>(1);
    fits::<(u8, u8), Vec<u8>>(1);
    fits::<Vec<u8>, Vec<u16>>(1);
    fits::<Vec<old::Paid>, serde_json::Value>(1);
}

#[test]
fn what_breaks_and_what_is_said_of_it() {
    breaks::<old::Paid, with_required::Paid>("`more`: `u8` is new, and what was saved before does not have it");
    breaks::<old::Paid, without::Paid>("`note` is gone");
    breaks::<old::Paid, narrowed::Paid>("`order` was `u32` and is `u16`");
    breaks::<old::Paid, text::Paid>("`order` was `u32` and is `string`");
    breaks::<old::Paid, now_required::Paid>("`note` was `string?`, which may be `null`, and is `string`");
    breaks::<with_default::Paid, with_required::Paid>("`more` could be missing, and may not be missing any more");
    breaks::<old::Paid, renamed::Paid>("`order` is gone");
    breaks::<aliased::Paid, renamed::Paid>("`order` was another name of `id`");
    breaks::<card::Card, card_less::Card>("no variant `Cash` any more");
    breaks::<card::Card, card_changed::Card>("`::Credit.number` was `string` and is `u8`");
    breaks::<card::Card, card_full::Card>("`::Cash` held nothing, and holds `u8`");
    breaks::<u32, i32>("was `u32` and is `i32`");
    breaks::<u64, f64>("was `u64` and is `f64`");
    breaks::<f64, f32>("was `f64` and is `f32`");
    breaks::<Vec<Option<u8>>, Vec<u8>>("`[]` was `u8?`");
    breaks::<old::Paid, card::Card>("was the struct `Paid` and is the enum `Card`");
    breaks::<serde_json::Value, String>("was `any` and is `string`");
}

#[test]
fn a_name_that_is_gone_may_be_in_the_store() {
    let old = section::<u32>(Kind::State, "paid", &["billed"]);
    for (kind, text) in [(Kind::State, "state `paid` is gone"), (Kind::Event, "event `paid` is gone")] {
        let old = section::<u32>(kind, "paid", &[]);
        let told = compare(&old, &Section::default());
        assert!(told[0].breaks && told[0].text.starts_with(text), "{told:?}");
        let renamed = section::<u32>(kind, "settled", &["paid"]);
        assert_eq!(compare(&old, &renamed), []);
        assert!(!compare(&Section::default(), &old)[0].breaks);
    }
    let forgotten = section::<u32>(Kind::State, "paid", &[]);
    let told = compare(&old, &forgotten);
    assert!(told[0].breaks && told[0].text.contains("was called `billed`"), "{told:?}");
    // Of a step, that is told once.
    let mut old = section::<u32>(Kind::Step, "take", &["charge"]);
    old.roots.extend(section::<u32>(Kind::Undo, "take", &["charge"]).roots);
    let mut forgotten = section::<u32>(Kind::Step, "take", &[]);
    forgotten.roots.extend(section::<u32>(Kind::Undo, "take", &[]).roots);
    let told = compare(&old, &forgotten);
    assert!(told.len() == 1 && told[0].breaks, "{told:?}");
    assert!(told[0].text.starts_with("step `take` was called `charge` in former times"), "{told:?}");
}

#[test]
fn a_step_is_gone_or_renamed() {
    let old = section::<u32>(Kind::Step, "reserve", &[]);
    let told = compare(&old, &Section::default());
    assert!(told.len() == 1 && !told[0].breaks, "{told:?}");
    let told = compare(&old, &section::<u32>(Kind::Step, "book", &[]));
    assert!(told[0].breaks && told[0].text.contains("`book` is new, and they return the same"), "{told:?}");
    let told = compare(&old, &section::<String>(Kind::Step, "book", &[]));
    assert!(told.iter().all(|difference| !difference.breaks), "{told:?}");
    assert_eq!(compare(&old, &section::<u32>(Kind::Step, "book", &["reserve"])), []);
    let told = compare(&section::<(u8,)>(Kind::Undo, "reserve", &[]), &old);
    assert!(told[0].breaks && told[0].text.contains("no `undo` any more"), "{told:?}");
}

#[derive(Serialize, Deserialize)]
struct Tree {
    children: Vec<Tree>,
    up: Option<Box<Tree>>,
}

#[test]
fn types_that_hold_themselves_are_compared_once() {
    fits::<Tree, Tree>(0);
    breaks::<Tree, old::Paid>("`children` is gone");
}

#[test]
fn a_section_fits_itself() {
    for seed in 0..300 {
        let section = Random::new(seed).section();
        assert_eq!(compare(&section, &section), [], "seed {seed}");
    }
}

#[test]
fn what_is_added_fits_and_what_is_taken_away_again_breaks_or_is_told() {
    for seed in 0..300 {
        let mut random = Random::new(seed);
        let old = random.section();
        let mut new = old.clone();
        // Of the types, only those of the old section count for what is there.
        new.roots.extend(random.section().roots.into_iter().filter(|(key, _)| old.find(key.0, &key.1).is_none()));
        let added = compare(&old, &new);
        assert!(added.iter().all(|difference| !difference.breaks), "seed {seed}: {added:#?}");
        if new.roots.len() > old.roots.len() {
            assert!(!compare(&new, &old).is_empty(), "seed {seed}");
        }
    }
}
