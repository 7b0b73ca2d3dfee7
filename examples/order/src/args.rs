//! The command line.

use std::path::{Path, PathBuf};

use lexopt::{Arg, Parser, ValueExt as _};

/// What `--help` prints.
pub const USAGE: &str = "\
Takes orders from payment to parcel. Stop it at any moment and run it again: it goes on.

Usage: order [ORDERS] [--store FILE] [--services FILE]

  ORDERS           the file of orders (orders.json of this example)
  --store FILE     where executions are kept (order.db)
  --services FILE  what the bank, the stock and the carrier remember (order-services.db)
  --help           print this";

/// What the command line asks for.
#[derive(Debug)]
pub enum Request {
    /// To fulfil orders.
    Fulfil(Args),
    /// To say how it is used.
    Help,
}

/// Where everything is.
#[derive(Debug)]
pub struct Args {
    /// The file of orders.
    pub orders: PathBuf,
    /// Where executions are kept.
    pub store: PathBuf,
    /// What the services remember.
    pub services: PathBuf,
}

/// Reads the command line.
///
/// # Errors
/// If it makes no sense.
pub fn parse(mut parser: Parser) -> Result<Request, lexopt::Error> {
    let mut orders = None;
    let mut store = PathBuf::from("order.db");
    let mut services = PathBuf::from("order-services.db");
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("store") => store = parser.value()?.into(),
            Arg::Long("services") => services = parser.value()?.into(),
            Arg::Long("help") | Arg::Short('h') => return Ok(Request::Help),
            Arg::Value(path) if orders.is_none() => orders = Some(path.parse()?),
            other => return Err(other.unexpected()),
        }
    }
    let listed = || Path::new(env!("CARGO_MANIFEST_DIR")).join("orders.json");
    Ok(Request::Fulfil(Args { orders: orders.unwrap_or_else(listed), store, services }))
}
