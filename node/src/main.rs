//! The Commonwatt node: networking, consensus, RPC and the chain's database.
//!
//! The node knows nothing of the energy market, which is the runtime's. It runs a chain in one of two ways, by the
//! type in the chain's specification:
//!
//! - any chain but a development one: blocks by Aura, finality by GRANDPA, peers over the network ([`consensus`]);
//! - a development chain (`--dev`): one node alone seals blocks when they are wanted, and a caller may move the
//!   chain's clock forward ([`sealing`]).

mod chain_spec;
mod cli;
mod command;
mod consensus;
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
