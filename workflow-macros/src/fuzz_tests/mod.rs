//! No token stream makes an attribute panic, whatever it is: code that is being typed is mostly wrong.
//!
//! The seeds are the annotated items of `tests/ui`, of which each is a mistake or close to one. Each case is one of them,
//! changed a few times at random places with words that our attributes know, or a stream of such words alone. A failure
//! prints its case and its number; `FUZZ_SEED` and `FUZZ_CASES` choose others, and more.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "figures and failed cases are for people")]

mod change;
mod target;
mod words;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::{env, fs};

use fastrand::Rng;
use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::{Attribute, Item, Meta};

use change::change;
use target::{ATTRIBUTES, Annotated, attributes};
use words::stream;

const CASES: u64 = 3_000;

impl Annotated {
    /// As the bytes that it is read from.
    fn to_bytes(&self) -> Vec<u8> {
        let number = ATTRIBUTES.iter().position(|attribute| *attribute == self.attribute).unwrap();
        let mut bytes = vec![u8::try_from(number).unwrap()];
        bytes.extend(format!("{}\0{}", self.arguments, self.item).into_bytes());
        bytes
    }

    fn changed(&self, seeds: &[Self], chance: &mut Rng) -> Self {
        let mut case = self.clone();
        let other = chance.choice(seeds).map(|seed| seed.item.clone()).unwrap_or_default();
        for _ in 0..chance.usize(1..6) {
            match chance.u8(0..4) {
                0 => case.arguments = change(case.arguments, &other, chance),
                _ => case.item = change(case.item, &other, chance),
            }
        }
        if chance.u8(0..16) == 0 {
            case.attribute = chance.choice(ATTRIBUTES).unwrap_or("state");
        }
        case
    }
}

fn of_chance(chance: &mut Rng) -> Annotated {
    let attribute = chance.choice(ATTRIBUTES).unwrap_or("state");
    let (arguments, body) = (stream(chance, 3), stream(chance, 4));
    let item = match chance.u8(0..6) {
        0 => body,
        1 => quote!(struct Pending { #body }),
        2 => quote!(impl Order { #body }),
        3 => quote!(impl Order { #[step(#arguments)] async fn paid(&self, cx: &Cx, #body) -> Result<u8> { #body } }),
        4 => quote!(async fn paid(cx: &Cx, #body) -> Result<#body> { #body }),
        _ => quote!(enum Pending { #body }),
    };
    Annotated { attribute, arguments, item }
}

/// Every item of a file that one of our attributes is on.
fn annotated(items: Vec<Item>) -> Vec<Annotated> {
    let mut all = Vec::new();
    for mut item in items {
        if let Item::Mod(module) = &item {
            let inside = module.content.as_ref().map(|(_, items)| items.clone());
            all.extend(inside.into_iter().flat_map(annotated));
        }
        let Some(attributes) = attributes_of(&mut item) else { continue };
        let name = |attribute: &Attribute| {
            let last = attribute.path().segments.last().map(|segment| segment.ident.to_string());
            ATTRIBUTES.into_iter().find(|name| last.as_deref() == Some(name))
        };
        let Some(place) = attributes.iter().position(|attribute| name(attribute).is_some()) else { continue };
        let taken = attributes.remove(place);
        let arguments = match &taken.meta {
            Meta::List(list) => list.tokens.clone(),
            Meta::Path(_) | Meta::NameValue(_) => TokenStream::new(),
        };
        let attribute = name(&taken).unwrap_or("state");
        all.push(Annotated { attribute, arguments, item: item.into_token_stream() });
    }
    all
}

fn attributes_of(item: &mut Item) -> Option<&mut Vec<Attribute>> {
    match item {
        Item::Struct(item) => Some(&mut item.attrs),
        Item::Enum(item) => Some(&mut item.attrs),
        Item::Fn(item) => Some(&mut item.attrs),
        Item::Impl(item) => Some(&mut item.attrs),
        _ => None,
    }
}

fn seeds() -> Vec<Annotated> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/ui");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let files = files.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    // Some are no Rust, on purpose.
    let parsed = files.filter_map(|path| syn::parse_file(&fs::read_to_string(path).unwrap()).ok());
    parsed.flat_map(|file| annotated(file.items)).collect()
}

fn number(name: &str, default: u64) -> u64 {
    env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

/// Expands a case as tokens, and as the text of them.
fn check(case: &Annotated, number: u64) {
    let expanded = catch_unwind(AssertUnwindSafe(|| (case.expand().to_string(), attributes(&case.to_bytes()))));
    if let Err(panic) = expanded {
        eprintln!("case {number}: #[{}({})]\n{}", case.attribute, case.arguments, case.item);
        resume_unwind(panic);
    }
}

#[test]
fn no_token_stream_makes_an_attribute_panic() {
    let seeds = seeds();
    assert!(seeds.len() > 500, "there are {} seeds", seeds.len());
    seeds.iter().for_each(|seed| check(seed, 0));
    let first = number("FUZZ_SEED", 0);
    let mut refused = 0_u64;
    let cases = number("FUZZ_CASES", CASES);
    for number in first..first + cases {
        let mut chance = Rng::with_seed(number);
        let case = match chance.u8(0..5) {
            0 => of_chance(&mut chance),
            _ => chance.choice(&seeds).unwrap().clone().changed(&seeds, &mut chance),
        };
        check(&case, number);
        refused += u64::from(number.is_multiple_of(16) && case.expand().to_string().contains("compile_error"));
    }
    // Were nothing or everything refused, the changes would not be what they are to be.
    let looked_at = cases / 16;
    assert!(refused > looked_at / 10 && refused < looked_at, "{refused} of {looked_at} were refused");
    println!("{} seeds, {cases} cases", seeds.len());
}
