//! The runtime as its next release would be: the same code with a higher `spec_version`, and with a migration in the
//! place of the first one. The native build of this crate exports only the compiled code, [`WASM_BINARY`]; its wasm
//! build is that runtime.

#![cfg_attr(not(feature = "std"), no_std)]

#[cfg(not(feature = "std"))]
pub use commonwatt_runtime::*;

#[cfg(feature = "std")]
mod wasm {
	// The included file has further constants and no documentation.
	#![allow(dead_code, missing_docs)]
	include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));
}
#[cfg(feature = "std")]
pub use wasm::WASM_BINARY;
