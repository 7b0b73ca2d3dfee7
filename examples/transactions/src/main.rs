//! `cargo run --release -p transactions [-- BANK] [--data FOLDER]`

use std::path::Path;
use std::process::ExitCode;

use example_support::{Program, read_json, with_engine};
use transactions::ledger::Ledger;
use transactions::report::{Bank, settle};
use transactions::workflow::Booking;
use workflow_runtime::Engine;

const PROGRAM: Program = Program {
    name: "transactions",
    usage: "\
Books transfers between accounts. Stop it at any moment and run it again: it goes on.

Usage: transactions [BANK] [--data FOLDER]

  BANK            the file of accounts and transfers (bank.json of this example)",
};

#[workflow_runtime::main]
async fn main() -> ExitCode {
    PROGRAM
        .run(async |args| {
            let given = args.words.first().map(Path::new);
            let listed = Path::new(env!("CARGO_MANIFEST_DIR")).join("bank.json");
            let bank: Bank = read_json(given.unwrap_or(&listed))?;
            let ledger = Ledger::open(&args.file("ledger.db"), &bank.accounts).await?;
            let booking = Booking { ledger: ledger.clone() };
            let engine = Engine::sqlite(args.file("executions.db")).workflow(booking);
            with_engine(engine, async |engine| settle(engine, &ledger, &bank).await).await
        })
        .await
}
