//! `commonwatt`: the command line for Commonwatt chains.

mod audit;
mod bills;
mod books;
mod chain;
mod checks;
mod cli;
mod compare;
mod data;
mod fault;
mod json;
mod keys;
mod manager;
mod prices;
mod replay;
mod report;
mod summary;
mod text;

use clap::Parser;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
	let outcome = match cli::Cli::parse().command {
		cli::Command::Replay(args) => replay::run(*args).await,
		cli::Command::Audit(args) => audit::run(args).await,
		cli::Command::Report(args) => report::run(*args).await,
		cli::Command::Bills(args) => bills::run(args).await,
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
