//! The schema lock, of real workflows: what is in it, what a change of the code comes to, and the one line that is its test.

use std::fs;
use std::path::PathBuf;

use workflow_runtime::testing::lock::{Code, LockError, Mode, Verified};

/// The workflow as it was, and as it is after one change each. The modules are the only difference in the names.
macro_rules! sale {
    (
        $module:ident {
            $(state: { $($state:tt)* })?
            $(more: { $($more:tt)* })?
            $(result: { $($result:tt)* })?
            $(event: { $($event:tt)* })?
            $(handlers: { $($handler:tt)* })?
        }
    ) => {
        mod $module {
            #![allow(dead_code, reason = "nothing of it is run")]
            use serde::{Deserialize, Serialize};
            use workflow_runtime::prelude::*;

            sale!(@or [$($($state)*)?] [
                #[state]
                pub struct Pending {
                    order: Order,
                }
            ]);
            #[state]
            pub struct Paid {
                order: Order,
                payment: Payment,
            }
            #[state(end)]
            pub struct Sent;
            #[state(end)]
            pub struct Refused;
            sale!(@or [$($($event)*)?] [
                #[event]
                pub struct Payment {
                    reference: String,
                }
            ]);
            #[event]
            pub struct Ask;
            #[derive(Debug, Clone, Serialize, Deserialize)]
            pub struct Order {
                items: Vec<Item>,
            }
            #[derive(Debug, Clone, Serialize, Deserialize)]
            pub enum Item {
                Book { isbn: String },
                Voucher(u32),
            }
            sale!(@or [$($($result)*)?] [
                #[derive(Debug, Clone, Serialize, Deserialize)]
                pub struct Reservation {
                    shelf: u32,
                }
            ]);
            $($($more)*)?

            #[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error)]
            #[error("out of stock: {item}")]
            pub struct OutOfStock {
                item: String,
            }

            pub struct Sale;

            #[workflow(start = Pending, allow(endless_wait, fragile_step, never_taken, no_undo))]
            impl Sale {
                #[on]
                fn paid(&self, s: Pending, payment: Payment) -> Paid {
                    Paid { order: s.order, payment }
                }

                #[on]
                fn asked(&self, s: Pending, _: Ask) -> Reply<u64, Stay<Pending>> {
                    reply(7, Stay(s))
                }

                #[state]
                async fn send(&self, cx: &Cx, s: Paid) -> Result<Next<(Sent, Unwind<Refused>)>> {
                    let reserved = self.reserve(cx, &s.order, 3).await?;
                    self.tell(cx, reserved).await?;
                    Ok(goto(Sent))
                }

                $($($handler)*)?

                #[step(undo = release)]
                async fn reserve(&self, _: &Cx, order: &Order, count: u8) -> Result<Reservation, OutOfStock> {
                    Err(OutOfStock { item: format!("{order:?} {count}") })
                }

                async fn release(&self, _: &Cx, _: Reservation) -> Result<()> {
                    Ok(())
                }

                #[step]
                async fn tell(&self, _: &Cx, _: Reservation) -> Result<()> {
                    Ok(())
                }
            }
        }
    };
    (@or [] [$($default:item)*]) => { $($default)* };
    (@or [$($given:item)+] [$($default:item)*]) => { $($given)+ };
}

sale!(old {});
sale!(with_field {
    state: {
        #[state]
        pub struct Pending {
            order: Order,
            note: Option<String>,
        }
    }
});
sale!(with_state {
    more: {
        #[state]
        pub struct Waiting {
            since: u64,
        }
        #[event]
        pub struct Wait;
        #[event]
        pub struct GoOn;
    }
    handlers: {
        #[on]
        fn wait(&self, _: Pending, _: Wait) -> Waiting {
            Waiting { since: 0 }
        }

        #[on]
        fn go_on(&self, _: Waiting, _: GoOn) -> Sent {
            Sent
        }
    }
});
sale!(with_required_field {
    state: {
        #[state]
        pub struct Pending {
            order: Order,
            note: String,
        }
    }
});
sale!(with_other_result {
    result: {
        #[derive(Debug, Clone, Serialize, Deserialize)]
        pub struct Reservation {
            shelf: String,
        }
    }
});
sale!(with_other_event {
    event: {
        #[event]
        pub struct Payment {
            id: String,
        }
    }
});
sale!(with_other_name {
    state: {
        #[state(name = "unpaid")]
        pub struct Pending {
            order: Order,
        }
    }
});
sale!(with_old_name {
    state: {
        #[state(name = "unpaid", was = "pending")]
        pub struct Pending {
            order: Order,
        }
    }
});

/// A lock of the old code, in a folder of its own.
fn recorded() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("workflows/Sale.lock");
    assert_eq!(Code::of::<old::Sale>().verify(&path, Mode::Record).unwrap(), Verified::Made);
    (folder, path)
}

/// The facts of a lock, without the digits that show a change.
fn facts(lock: &str) -> Vec<&str> {
    let facts = lock.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).skip(2);
    facts.map(|line| line.split_once(' ').unwrap().1).collect()
}

#[test]
fn all_that_is_saved_is_in_the_lock() {
    let lock = Code::of::<old::Sale>().lock().to_string();
    let expected = [
        "1 state paid: Paid",
        "1 state pending: Pending",
        "1 state refused: null",
        "1 state sent: null",
        "1 event ask: null",
        "1 event payment: Payment",
        "1 reply ask: u64",
        "1 step reserve: Reservation",
        "1 step tell: null",
        "1 error reserve: OutOfStock",
        "1 undo reserve: (Order, u8)",
        "1 edge paid -> refused: send",
        "1 edge paid -> sent: send",
        "1 edge pending -> paid: paid",
        "1 type Item: enum",
        "1 type Item::Book: struct",
        "1 type Item::Book.isbn: string",
        "1 type Item::Voucher: is u32",
        "1 type Order: struct",
        "1 type Order.items: [Item]",
        "1 type OutOfStock: struct",
        "1 type OutOfStock.item: string",
        "1 type Paid: struct",
        "1 type Paid.order: Order",
        "1 type Paid.payment: Payment",
        "1 type Payment: struct",
        "1 type Payment.reference: string",
        "1 type Pending: struct",
        "1 type Pending.order: Order",
        "1 type Reservation: struct",
        "1 type Reservation.shelf: u32",
    ];
    assert_eq!(facts(&lock), expected, "{lock}");
    assert_eq!(lock, Code::of::<old::Sale>().lock().to_string());
}

#[test]
fn what_fits_is_recorded() {
    let (_folder, path) = recorded();
    let Verified::Recorded(changes) = Code::of::<with_field::Sale>().verify(&path, Mode::Record).unwrap() else {
        panic!()
    };
    assert_eq!(changes, "  + version 1: state `pending`: `note`: `string?` is new, and may be missing\n");
    let (_folder, path) = recorded();
    let Verified::Recorded(changes) = Code::of::<with_state::Sale>().verify(&path, Mode::Record).unwrap() else {
        panic!()
    };
    let expected = [
        "state `waiting` is new",
        "event `go_on` is new",
        "event `wait` is new",
        "edge `wait` from `pending` to `waiting` is new",
        "edge `go_on` from `waiting` to `sent` is new",
    ];
    let expected: String = expected.iter().map(|change| format!("  + version 1: {change}\n")).collect();
    assert_eq!(changes, expected);
    // Back again, it is a change that does not fit.
    assert!(matches!(Code::of::<old::Sale>().verify(&path, Mode::Record), Err(LockError::Broken { .. })));
    let (_folder, path) = recorded();
    assert!(Code::of::<with_old_name::Sale>().verify(&path, Mode::Record).is_ok());
    assert!(fs::read_to_string(&path).unwrap().contains("1 state unpaid was pending\n"));
}

/// What is said of a change that does not fit. The lock stays as it was.
fn refused<W: workflow_runtime::Workflow>() -> String {
    let (_folder, path) = recorded();
    let before = fs::read(&path).unwrap();
    let error = Code::of::<W>().verify(&path, Mode::Record).unwrap_err();
    assert!(matches!(error, LockError::Broken { .. }), "{error}");
    assert_eq!(fs::read(&path).unwrap(), before);
    error.to_string()
}

#[test]
fn what_does_not_fit_is_refused_with_what_is_wrong() {
    let error = refused::<with_required_field::Sale>();
    assert!(error.contains("state `pending`: `note`: `string` is new, and what was saved before does not have it"));
    let error = refused::<with_other_result::Sale>();
    assert!(error.contains("the result of step `reserve`: `shelf` was `u32` and is `string`"), "{error}");
    assert!(error.contains("Events and steps have no migrations"), "{error}");
    let error = refused::<with_other_event::Sale>();
    assert!(error.contains("event `payment`: `reference` is gone"), "{error}");
    let error = refused::<with_other_name::Sale>();
    assert!(error.contains("state `pending` is gone"), "{error}");
    assert!(error.contains("put `was = \"pending\"` on that"), "{error}");
}

mod alone {
    use workflow_runtime::prelude::*;

    /// Its steps are functions of their own.
    #[workflow]
    pub async fn archive(cx: &Cx, folder: String, #[dep] _store: &String) -> Result<u64> {
        let files = list(cx, &folder).await?;
        pack(cx, &folder, files).await
    }

    #[step(retry(max = 3))]
    pub async fn list(_: &Cx, folder: &str) -> Result<Vec<String>> {
        Ok(vec![folder.to_owned()])
    }

    #[step(retry(max = 3))]
    pub async fn pack(_: &Cx, _: &str, files: Vec<String>) -> Result<u64> {
        Ok(files.len() as u64)
    }
}

#[test]
fn steps_that_are_functions_are_named() {
    let lock = Code::of::<alone::Archive>().step(alone::list).step(alone::pack).lock().to_string();
    let steps: Vec<_> = facts(&lock).into_iter().filter(|fact| fact.contains(" step ")).collect();
    assert_eq!(steps, ["1 step list: [string]", "1 step pack: u64"], "{lock}");
}

/// The one line. Its locks are in `tests/workflows`.
mod the_line {
    use super::alone::{Archive, list, pack};

    workflow_runtime::lock!(super::old::Sale, Archive: [list, pack]);
}

mod parted {
    use workflow_runtime::prelude::*;

    #[state]
    pub struct Begun;
    #[state(end)]
    pub struct Done;

    pub struct Parted<T> {
        _with: T,
    }

    #[workflow(start = Begun, include(state run(Begun) -> Done), allow(small_machine))]
    impl<T: Send + Sync + 'static> Parted<T> {}

    mod part {
        use super::*;

        #[workflow(part)]
        impl<T: Send + Sync + 'static> Parted<T> {
            #[state]
            async fn run(&self, cx: &Cx, _: Begun) -> Result<Done> {
                self.count(cx, 1).await?;
                Ok(Done)
            }

            #[step(undo = forget, allow(fragile_step))]
            async fn count(&self, _: &Cx, _: u8) -> Result<u64> {
                Ok(7)
            }

            async fn forget(&self, _: &Cx, _: u64) -> Result<()> {
                Ok(())
            }
        }
    }
}

#[test]
fn the_steps_of_a_part_are_in_the_lock() {
    let lock = Code::of::<parted::Parted<u8>>().lock().to_string();
    let steps: Vec<_> = facts(&lock).into_iter().filter(|fact| fact.contains(" count: ")).collect();
    assert_eq!(steps, ["1 step count: u64", "1 undo count: (u8)"], "{lock}");
}

/// The second version of the sale, which takes the executions of the first one over.
mod second {
    use super::old;
    use workflow_runtime::prelude::*;

    #[state(group)]
    pub enum States {
        Pending(old::Pending),
        Paid(old::Paid),
        Sent(old::Sent),
        Refused(old::Refused),
    }

    #[state]
    pub struct Pending {
        pub cents: u64,
    }
    #[state(end)]
    pub struct Over;

    pub struct Sale;

    #[workflow(start = Pending, version = 2, from(1 = States), allow(small_machine))]
    impl Sale {
        #[migrate(from = 1)]
        fn pending(_: old::Pending) -> Pending {
            Pending { cents: 0 }
        }

        #[migrate(from = 1)]
        fn paid(_: old::Paid) -> Pending {
            Pending { cents: 0 }
        }

        #[migrate(from = 1)]
        fn sent(_: old::Sent) -> Over {
            Over
        }

        #[migrate(from = 1)]
        fn refused(_: old::Refused) -> Over {
            Over
        }

        #[after("1d")]
        fn late(&self, _: Pending) -> Over {
            Over
        }

        #[step(was = "reserve", retry(max = 2))]
        #[allow(dead_code, reason = "nothing of it is run")]
        async fn book(&self, _: &Cx) -> Result<u8> {
            Ok(0)
        }
    }
}

#[test]
fn a_new_version_with_migrations_is_recorded_beside_the_old_one() {
    let (_folder, path) = recorded();
    // A step has no migration, and this one returns something else under its new name.
    let error = Code::of::<second::Sale>().verify(&path, Mode::Record).unwrap_err();
    assert!(error.to_string().contains("the result of step `reserve` was `Reservation` and is `u8`"), "{error}");
    assert!(matches!(Code::of::<second::Sale>().verify(&path, Mode::Accept).unwrap(), Verified::Recorded(_)));
    let lock = fs::read_to_string(&path).unwrap();
    let facts = facts(&lock);
    for fact in
        ["1 type Pending.order: Order", "1 step tell: null", "2 type Pending.cents: u64", "2 step book was reserve"]
    {
        assert!(facts.contains(&fact), "{fact}\n{lock}");
    }
    assert_eq!(Code::of::<second::Sale>().verify(&path, Mode::Check).unwrap(), Verified::Same);
    // The code of the first version does not know of the second.
    let error = Code::of::<old::Sale>().verify(&path, Mode::Record).unwrap_err();
    assert!(error.to_string().contains("a version never goes back"), "{error}");
}

#[test]
fn the_types_of_an_old_version_are_held_to_what_was_saved() {
    let (_folder, path) = recorded();
    Code::of::<with_required_field::Sale>().verify(&path, Mode::Accept).unwrap();
    let error = Code::of::<second::Sale>().verify(&path, Mode::Record).unwrap_err();
    assert!(error.to_string().contains("version 1: state `pending`: `note` is gone"), "{error}");
}

/// A state that has another name, and is in the enum of its old version as it is.
mod renamed {
    use workflow_runtime::prelude::*;

    use super::old;

    #[state(name = "unpaid", was = "pending")]
    pub struct Pending {
        #[allow(dead_code, reason = "nothing of it is run")]
        order: old::Order,
    }

    #[state(group)]
    #[allow(dead_code, reason = "nothing of it is run")]
    pub enum States {
        Pending(Pending),
        Paid(old::Paid),
        Sent(old::Sent),
        Refused(old::Refused),
    }

    #[state(end)]
    pub struct Over;

    pub struct Sale;

    #[workflow(start = Pending, version = 2, from(1 = States), allow(small_machine))]
    impl Sale {
        #[migrate(from = 1)]
        fn paid(old: old::Paid) -> Over {
            drop(old);
            Over
        }

        #[migrate(from = 1)]
        fn sent(_: old::Sent) -> Over {
            Over
        }

        #[migrate(from = 1)]
        fn refused(_: old::Refused) -> Over {
            Over
        }

        #[after("1d")]
        fn late(&self, _: Pending) -> Over {
            Over
        }
    }
}

#[test]
fn a_state_of_an_old_version_is_known_by_its_old_name() {
    let (_folder, path) = recorded();
    let Verified::Recorded(changes) = Code::of::<renamed::Sale>().verify(&path, Mode::Record).unwrap() else {
        panic!()
    };
    assert_eq!(changes, "  + version 2: version 2 is new\n");
    let lock = fs::read_to_string(&path).unwrap();
    assert!(facts(&lock).contains(&"1 state pending: Pending"), "{lock}");
    assert!(facts(&lock).contains(&"2 state unpaid was pending"), "{lock}");
}
