//! `cargo run --release -p returns [-- ORDERS] [--data FOLDER]`

use std::path::Path;
use std::process::ExitCode;

use example_support::{Program, read_json, with_engine};
use returns::report::{Orders, fulfil};
use returns::shop::Shop;
use returns::workflow::Fulfilment;
use workflow_runtime::Engine;

const PROGRAM: Program = Program {
    name: "returns",
    usage: "\
Fulfils orders and takes them back. Stop it at any moment and run it again: it goes on.

Usage: returns [ORDERS] [--data FOLDER]

  ORDERS          the file of orders (orders.json of this example)",
};

#[workflow_runtime::main]
async fn main() -> ExitCode {
    PROGRAM
        .run(async |args| {
            let given = args.words.first().map(Path::new);
            let listed = Path::new(env!("CARGO_MANIFEST_DIR")).join("orders.json");
            let orders: Orders = read_json(given.unwrap_or(&listed))?;
            let shop = Shop::open(&args.file("shop.db"))?;
            let fulfilment = Fulfilment { shop: shop.clone(), terms: orders.terms() };
            let engine = Engine::sqlite(args.file("executions.db")).workflow(fulfilment);
            with_engine(engine, async |engine| fulfil(engine, &shop, &orders).await).await
        })
        .await
}
