//! The Commonwatt node: networking, consensus, RPC and the chain's database.
//!
//! Only [`metrics`] knows the energy market, in order to show it to Prometheus; everything else about it is in the
//! runtime. The node runs a chain in one of three ways:
//!
//! - by validators, with Aura and GRANDPA ([`consensus::aura`]);
//! - by miners, if the genesis says so, with proof of work ([`consensus::pow`]);
//! - as a development chain (`--dev`): a single node seals blocks on demand, and a caller may move the chain's clock
//!   forward ([`sealing`]).

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
