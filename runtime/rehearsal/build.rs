//! Builds the runtime, as its next release would be, to WebAssembly.

fn main() {
	#[cfg(feature = "std")]
	build();
}

#[cfg(feature = "std")]
fn build() {
	use std::{env, path::Path};

	// The runtime's own wasm build has just compiled the same dependencies with the same flags. Sharing its build
	// directory avoids compiling them again. OUT_DIR is `PROFILE/build/PACKAGE/out`.
	let out_dir = env::var("OUT_DIR").expect("cargo sets OUT_DIR for build scripts");
	if let Some(profile) = Path::new(&out_dir).ancestors().nth(3) {
		env::set_var(
			"CARGO_BUILD_BUILD_DIR",
			profile.join("wbuild/commonwatt-runtime/target"),
		);
	}
	substrate_wasm_builder::WasmBuilder::init_with_defaults()
		.enable_feature("upgrade-rehearsal")
		.build();
}
