//! The schema lock, of real workflows: what is in it, what a change of the code comes to, and the one line that is its test.

use std::fs;
use std::path::PathBuf;

use workflow_runtime::testing::lock::{Lock, LockError, Mode, Verified};

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
    assert_eq!(Lock::verify::<old::Sale>(&path, Mode::Record).unwrap(), Verified::Made);
    (folder, path)
}

/// The facts of a lock, without the digits that show a change.
fn facts(lock: &str) -> Vec<&str> {
    let facts = lock.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).skip(2);
    facts.map(|line| line.split_once(' ').unwrap().1).collect()
}

#[test]
fn all_that_is_saved_is_in_the_lock() {
    let lock = Lock::of::<old::Sale>().to_string();
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
    assert_eq!(lock, Lock::of::<old::Sale>().to_string());
}

#[test]
fn what_fits_is_recorded() {
    let (_folder, path) = recorded();
    let Verified::Recorded(changes) = Lock::verify::<with_field::Sale>(&path, Mode::Record).unwrap() else { panic!() };
    assert_eq!(changes, "  + version 1: state `pending`: `note`: `string?` is new, and may be missing\n");
    let (_folder, path) = recorded();
    let Verified::Recorded(changes) = Lock::verify::<with_state::Sale>(&path, Mode::Record).unwrap() else { panic!() };
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
    assert!(matches!(Lock::verify::<old::Sale>(&path, Mode::Record), Err(LockError::Broken { .. })));
    let (_folder, path) = recorded();
    assert!(Lock::verify::<with_old_name::Sale>(&path, Mode::Record).is_ok());
    assert!(fs::read_to_string(&path).unwrap().contains("1 state unpaid was pending\n"));
}

/// What is said of a change that does not fit. The lock stays as it was.
fn refused<W: workflow_runtime::Workflow>() -> String {
    let (_folder, path) = recorded();
    let before = fs::read(&path).unwrap();
    let error = Lock::verify::<W>(&path, Mode::Record).unwrap_err();
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

/// The one line. Its lock is `tests/workflows/Sale.lock`.
mod the_line {
    workflow_runtime::lock!(super::old::Sale);
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
    let lock = Lock::of::<parted::Parted<u8>>().to_string();
    let steps: Vec<_> = facts(&lock).into_iter().filter(|fact| fact.contains(" count: ")).collect();
    assert_eq!(steps, ["1 step count: u64", "1 undo count: (u8)"], "{lock}");
}
