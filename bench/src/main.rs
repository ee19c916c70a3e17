//! FRAME's `benchmark pallet` command by itself, to measure the weights of the runtime's pallets on its wasm.
//!
//! It is a binary of its own because the command brings hundreds of crates that a node has no use for.
//! `scripts/bench.sh weights` builds and calls it.

use clap::Parser;
use frame_benchmarking_cli::PalletCmd;
use sp_runtime::traits::BlakeTwo256;

fn main() -> sc_cli::Result<()> {
	// The runtime comes as a wasm file and makes its own genesis, so there is no chain specification to hand over.
	PalletCmd::parse().run_with_spec::<BlakeTwo256, ()>(None)
}
