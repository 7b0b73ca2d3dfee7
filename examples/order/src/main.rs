//! `cargo run --release -p order [-- ORDERS] [--store FILE] [--services FILE]`

use std::process::ExitCode;

use order::args::{self, Request};
use order::run::run;

#[workflow_runtime::main]
#[allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to its user")]
async fn main() -> ExitCode {
    let request = match args::parse(lexopt::Parser::from_env()) {
        Ok(request) => request,
        Err(error) => {
            eprintln!("{error}\n\n{}", args::USAGE);
            return ExitCode::from(2);
        }
    };
    let args = match request {
        Request::Fulfil(args) => args,
        Request::Help => {
            println!("{}", args::USAGE);
            return ExitCode::SUCCESS;
        }
    };
    match run(&args).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error:?}");
            ExitCode::FAILURE
        }
    }
}
