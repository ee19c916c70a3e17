//! Builds the runtime a second time, as WebAssembly, next to the native build.

fn main() {
	// The hash of the metadata goes into the runtime, so that a hardware wallet, which shows a transaction by the
	// metadata that it is given, can prove with its signature that this was the chain's. The symbol and the decimals
	// are part of the hash. They are those of the chain specifications (`node/src/chain_spec.rs`).
	#[cfg(feature = "std")]
	substrate_wasm_builder::WasmBuilder::init_with_defaults()
		.enable_metadata_hash("CWT", 12)
		.build();
}
