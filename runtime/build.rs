//! Builds the runtime a second time, as WebAssembly, next to the native build.

fn main() {
	#[cfg(feature = "std")]
	substrate_wasm_builder::WasmBuilder::build_using_defaults();
}
