//! The Commonwatt node: networking, consensus, RPC and the chain's database.
//!
//! The node knows nothing of the energy market, which is the runtime's, but how to show it to Prometheus ([`metrics`]).
//! It runs a chain in one of three ways:
//!
//! - by validators, with Aura and GRANDPA ([`consensus::aura`]);
//! - by miners, if the genesis says so, with proof of work ([`consensus::pow`]);
//! - a chain of the type development (`--dev`): one node alone seals blocks when they are wanted, and a caller may move
//!   the chain's clock forward ([`sealing`]).

mod chain_spec;
mod cli;
mod command;
mod consensus;
mod metrics;
mod rpc;
mod sealing;
mod service;

use std::process::ExitCode;

fn main() -> ExitCode {
	match command::run() {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => {
			eprintln!("Error: {error}");
			ExitCode::FAILURE
		}
	}
}
