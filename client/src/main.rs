//! `commonwatt`: the command line for Commonwatt chains.

mod books;
mod chain;
mod checks;
mod cli;
mod data;
mod fault;
mod json;
mod keys;
mod replay;
mod summary;

use clap::Parser;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
	let outcome = match cli::Cli::parse().command {
		cli::Command::Replay(args) => replay::run(*args).await,
		cli::Command::Books(args) => books::run(args).await,
	};
	match outcome {
		Ok(()) => ExitCode::SUCCESS,
		Err(fault) => {
			eprintln!("commonwatt: {fault}");
			ExitCode::from(fault.code())
		}
	}
}
