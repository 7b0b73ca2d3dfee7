//! Code that is kept beside a newer version, which brings the executions from all before.

use workflow_runtime::Workflow as _;

mod v1 {
    use workflow_runtime::prelude::*;

    #[state]
    pub(super) struct Pending {
        pub(super) euros: u64,
    }

    #[state(end)]
    pub(super) struct Paid;

    #[state(group)]
    pub(super) enum States {
        Pending(Pending),
        Paid(Paid),
    }
}

mod v2 {
    use workflow_runtime::prelude::*;

    use super::v1::Paid;

    #[state]
    pub(super) struct Pending {
        pub(super) cents: u64,
    }

    pub(super) struct Invoice;

    /// What became of the first version is said in the third.
    #[workflow(start = Pending, version = 2, keep)]
    impl Invoice {
        #[after("14d")]
        fn overdue(&self, _: Pending) -> Paid {
            Paid
        }
    }
}

mod v3 {
    use workflow_runtime::prelude::*;

    use super::v1::Paid;
    use super::{v1, v2};

    #[state]
    pub(super) struct Pending {
        cents: u64,
        currency: String,
    }

    pub(super) struct Invoice;

    #[workflow(start = Pending, version = 3, from(1 = v1::States, 2 = v2::InvoiceState))]
    impl Invoice {
        #[migrate(from = 1)]
        fn in_cents(old: v1::Pending) -> v2::Pending {
            v2::Pending { cents: old.euros * 100 }
        }

        #[migrate(from = 2)]
        fn in_euros(old: v2::Pending) -> Pending {
            Pending { cents: old.cents, currency: "EUR".to_owned() }
        }

        #[after("14d")]
        fn overdue(&self, _: Pending) -> Paid {
            Paid
        }
    }
}

#[test]
fn the_newer_one_has_all_versions() {
    assert_eq!((v2::Invoice::VERSION, v3::Invoice::VERSION), (2, 3));
    assert_eq!(v3::Invoice::MIGRATIONS.iter().map(|leap| leap.from).collect::<Vec<_>>(), [1, 2]);
}
