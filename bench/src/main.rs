//! FRAME's `benchmark pallet` command, to measure the weights of the runtime's pallets on its wasm build.
//!
//! It is a separate binary because the command needs hundreds of crates that a node does not. `scripts/bench.sh
//! weights` builds and runs it.

use clap::Parser;
use frame_benchmarking_cli::PalletCmd;
use sp_runtime::traits::BlakeTwo256;

fn main() -> sc_cli::Result<()> {
	// The runtime is a wasm file and builds its own genesis, so no chain specification is needed.
	PalletCmd::parse().run_with_spec::<BlakeTwo256, ()>(None)
}
