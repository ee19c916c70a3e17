//! The chains that the node knows by name. What is in their genesis is up to the runtime's presets.

use commonwatt_runtime::{genesis_config_presets::POW_RUNTIME_PRESET, WASM_BINARY};
use sc_service::{ChainType, Properties};

/// The specification of a chain: its name, its properties and its genesis.
pub type ChainSpec = sc_service::GenericChainSpec;

/// `dev`: one node, sealed on demand, with accounts that everybody has the keys of.
pub fn development() -> Result<ChainSpec, String> {
	build(
		"Commonwatt Development",
		"commonwatt_dev",
		ChainType::Development,
		sp_genesis_builder::DEV_RUNTIME_PRESET,
	)
}

/// `local`: two validators on Aura and GRANDPA, to try a network on one machine.
pub fn local() -> Result<ChainSpec, String> {
	build(
		"Commonwatt Local",
		"commonwatt_local",
		ChainType::Local,
		sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET,
	)
}

/// `pow`: no validators but miners, to try proof of work on one machine.
pub fn pow() -> Result<ChainSpec, String> {
	build(
		"Commonwatt Mined",
		"commonwatt_pow",
		ChainType::Local,
		POW_RUNTIME_PRESET,
	)
}

fn build(name: &str, id: &str, chain_type: ChainType, preset: &str) -> Result<ChainSpec, String> {
	let wasm = WASM_BINARY.ok_or("this node was built without its runtime (SKIP_WASM_BUILD was set)")?;
	Ok(ChainSpec::builder(wasm, None)
		.with_name(name)
		.with_id(id)
		.with_protocol_id("commonwatt")
		.with_chain_type(chain_type)
		.with_genesis_config_preset_name(preset)
		.with_properties(properties())
		.build())
}

/// How wallets show the chain's money and addresses.
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
			.expect("the runtime builds the genesis of its preset");
		// ":code", the runtime itself
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
