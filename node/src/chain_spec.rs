//! The chains that the node knows by name. The runtime's presets define their genesis.

use commonwatt_runtime::{genesis_config_presets::POW_RUNTIME_PRESET, WASM_BINARY};
use sc_service::{ChainType, Properties};

/// A chain specification: name, properties and genesis.
pub type ChainSpec = sc_service::GenericChainSpec;

/// `dev`: a development chain, which one node seals on demand. Everybody has the keys of its accounts.
///
/// Error: the node was built without its runtime.
pub fn development() -> Result<ChainSpec, String> {
	build(
		"Commonwatt Development",
		"commonwatt_dev",
		ChainType::Development,
		sp_genesis_builder::DEV_RUNTIME_PRESET,
	)
}

/// `local`: two validators on Aura and GRANDPA, for a test network on one machine.
///
/// Error: the node was built without its runtime.
pub fn local() -> Result<ChainSpec, String> {
	build(
		"Commonwatt Local",
		"commonwatt_local",
		ChainType::Local,
		sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET,
	)
}

/// `pow`: miners instead of validators, for proof of work on one machine.
///
/// Error: the node was built without its runtime.
pub fn pow() -> Result<ChainSpec, String> {
	build(
		"Commonwatt Mined",
		"commonwatt_pow",
		ChainType::Local,
		POW_RUNTIME_PRESET,
	)
}

fn build(name: &str, id: &str, chain_type: ChainType, preset: &str) -> Result<ChainSpec, String> {
	let wasm = WASM_BINARY
		.ok_or("this node was built without its runtime: build it again without SKIP_WASM_BUILD")?;
	Ok(ChainSpec::builder(wasm, None)
		.with_name(name)
		.with_id(id)
		.with_protocol_id("commonwatt")
		.with_chain_type(chain_type)
		.with_genesis_config_preset_name(preset)
		.with_properties(properties())
		.build())
}

/// How wallets show amounts and addresses.
fn properties() -> Properties {
	Properties::from_iter([
		("tokenSymbol".to_owned(), "CWT".into()),
		("tokenDecimals".to_owned(), 12.into()),
		("ss58Format".to_owned(), 42.into()),
	])
}

#[cfg(test)]
mod tests {
	use super::*;
	use sc_service::ChainSpec as _;

	fn check(spec: ChainSpec, name: &str, id: &str, chain_type: ChainType) {
		assert_eq!(spec.name(), name);
		assert_eq!(spec.id(), id);
		assert_eq!(spec.chain_type(), chain_type);
		assert_eq!(spec.properties(), properties());
		let raw = spec
			.as_json(true)
			.expect("the runtime builds the genesis of the preset");
		// ":code", the key of the runtime itself
		assert!(raw.contains("0x3a636f6465"));
		let read_back =
			ChainSpec::from_json_bytes(raw.into_bytes()).expect("an exported specification loads");
		assert_eq!(read_back.id(), id);
		assert_eq!(read_back.chain_type(), chain_type);
	}

	#[test]
	fn development_chain_builds() {
		check(
			development().unwrap(),
			"Commonwatt Development",
			"commonwatt_dev",
			ChainType::Development,
		);
	}

	#[test]
	fn local_chain_builds() {
		check(
			local().unwrap(),
			"Commonwatt Local",
			"commonwatt_local",
			ChainType::Local,
		);
	}

	#[test]
	fn mined_chain_builds() {
		check(
			pow().unwrap(),
			"Commonwatt Mined",
			"commonwatt_pow",
			ChainType::Local,
		);
	}
}
