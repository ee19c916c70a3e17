//! `commonwatt`: the command line for Commonwatt chains.

mod audit;
mod bills;
mod books;
mod checks;
mod cli;
mod compare;
mod council;
mod dashboard;
mod data;
mod files;
mod lambda;
mod lines;
mod manager;
mod meter;
mod replay;
mod report;
mod summary;
#[cfg(test)]
mod test_terms;
mod text;
mod values;

use clap::Parser;
// As if they were modules of this crate: `crate::chain`, `crate::fault` and so on.
use commonwatt_client::{chain, fault, keys, ledger};
use std::process::ExitCode;

fn main() -> ExitCode {
	let arguments = cli::Cli::parse();
	let runtime = match tokio::runtime::Runtime::new() {
		Ok(runtime) => runtime,
		Err(error) => {
			eprintln!("commonwatt: {error}");
			return ExitCode::from(2);
		}
	};
	let outcome = runtime.block_on(run(arguments.command));
	// A blocking read of standard input cannot be cancelled, so don't wait for its thread.
	runtime.shutdown_background();
	match outcome {
		Ok(()) => ExitCode::SUCCESS,
		Err(fault) => {
			eprintln!("commonwatt: {fault}");
			ExitCode::from(fault.code())
		}
	}
}

async fn run(command: cli::Command) -> Result<(), fault::Fault> {
	match command {
		cli::Command::Replay(args) => replay::run(*args).await,
		cli::Command::Audit(args) => audit::run(args).await,
		cli::Command::Report(args) => report::run(*args).await,
		cli::Command::Bills(args) => bills::run(args).await,
		cli::Command::Books(args) => books::run(args).await,
		cli::Command::Meter(command) => meter::run(command).await,
		cli::Command::Lambda(args) => lambda::run(&args),
		cli::Command::Dashboard(args) => dashboard::run(args).await,
		cli::Command::Council(command) => council::run(command).await,
	}
}
