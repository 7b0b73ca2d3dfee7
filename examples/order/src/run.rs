//! One run: place the orders, pass the payments on, wait, compare.

use std::process::ExitCode;
use std::time::Duration;

use workflow_runtime::{Engine, EngineError, Error, Result};

use crate::args::Args;
use crate::backoffice::Backoffice;
use crate::client::Shop;
use crate::orders::{self, Listed};
use crate::report;
use crate::workflow::Fulfilment;

/// How long a service takes to answer.
const LATENCY: Duration = Duration::from_millis(150);

/// Fulfils the orders, and says what became of them.
///
/// # Errors
/// If a file cannot be used.
pub async fn run(args: &Args) -> Result<ExitCode> {
    let orders = orders::read(&args.orders)?;
    let services = Backoffice::open(&args.services, orders::circumstances(&orders), LATENCY)?;
    let fulfilment = Fulfilment { bank: services.clone(), stock: services.clone(), carrier: services.clone() };
    let engine = Engine::sqlite(&args.store).workflow(fulfilment).shutdown_on_ctrl_c().start().await?;
    let shop = Shop::new(engine.clone());
    let ended = fulfil_all(&shop, &services, &orders).await;
    let stopped = engine.shutdown().await;
    match ended {
        Err(error) if matches!(error.downcast_ref(), Some(EngineError::ShuttingDown)) => {
            stopped?;
            say("stopped; nothing is lost: the same command goes on from here");
            Ok(ExitCode::from(130))
        }
        Ok(faults) if faults.is_empty() => {
            say("checked: each order is what it was to be, and every effect happened once");
            Ok(ExitCode::SUCCESS)
        }
        Ok(faults) => {
            say(&format!("THE CHECK FAILED, {} faults:", faults.len()));
            faults.iter().for_each(|fault| say(&format!("  {fault}")));
            Ok(ExitCode::FAILURE)
        }
        Err(error) => Err(error),
    }
}

async fn fulfil_all(shop: &Shop, services: &Backoffice, orders: &[Listed]) -> Result<Vec<String>, Error> {
    let new = shop.place(orders.iter().map(|listed| listed.order.clone())).await?;
    say(&format!("{} orders, {new} of them new", orders.len()));
    let mut receipts = Vec::new();
    for Listed { order, payment, .. } in orders {
        let receipt = match payment {
            // The bank tells of each payment twice, as banks do.
            Some(payment) => {
                let receipt = shop.pay(&order.id, payment.clone()).await?;
                shop.pay(&order.id, payment.clone()).await?;
                Some(receipt)
            }
            None => None,
        };
        receipts.push(receipt);
    }
    say(&report::heading());
    let mut faults = Vec::new();
    for (listed, receipt) in orders.iter().zip(receipts) {
        let line = report::line(shop, services, listed, receipt).await?;
        say(&line.text);
        faults.extend(line.faults);
    }
    Ok(faults)
}

#[allow(clippy::print_stdout, reason = "a program that talks to its user")]
fn say(line: &str) {
    println!("{line}");
}
