//! The chains that the node knows by name. The runtime's presets define their genesis.

use commonwatt_runtime::{genesis_config_presets::POW_RUNTIME_PRESET, Runtime, WASM_BINARY};
use sc_chain_spec::json_merge;
use sc_service::{ChainSpec as _, ChainType, Properties};
use sp_core::storage::{well_known_keys::CODE, Storage};
use sp_genesis_builder::{runtime_decl_for_genesis_builder::GenesisBuilder, PresetId};
use sp_state_machine::BasicExternalities;

/// A chain specification: name, properties and genesis.
pub type ChainSpec = sc_service::GenericChainSpec;

/// A chain that the node knows by name: how it is called, and the runtime's preset of its genesis.
struct Named {
	name: &'static str,
	id: &'static str,
	chain_type: ChainType,
	preset: &'static str,
}

/// `dev`: a development chain, which one node seals on demand. Everybody has the keys of its accounts.
const DEVELOPMENT: Named = Named {
	name: "Commonwatt Development",
	id: "commonwatt_dev",
	chain_type: ChainType::Development,
	preset: sp_genesis_builder::DEV_RUNTIME_PRESET,
};

/// `local`: two validators on Aura and GRANDPA, for a test network on one machine.
const LOCAL: Named = Named {
	name: "Commonwatt Local",
	id: "commonwatt_local",
	chain_type: ChainType::Local,
	preset: sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET,
};

/// `pow`: miners instead of validators, for proof of work on one machine.
const MINED: Named = Named {
	name: "Commonwatt Mined",
	id: "commonwatt_pow",
	chain_type: ChainType::Local,
	preset: POW_RUNTIME_PRESET,
};

impl Named {
	/// The chain that `--chain` calls by this name.
	fn find(chain: &str) -> Option<&'static Self> {
		match chain {
			"dev" | "development" => Some(&DEVELOPMENT),
			"local" => Some(&LOCAL),
			"pow" => Some(&MINED),
			_ => None,
		}
	}

	/// The specification with the preset, as people read it.
	fn readable(&self) -> Result<ChainSpec, String> {
		Ok(ChainSpec::builder(wasm()?, None)
			.with_name(self.name)
			.with_id(self.id)
			.with_protocol_id("commonwatt")
			.with_chain_type(self.chain_type.clone())
			.with_genesis_config_preset_name(self.preset)
			.with_properties(properties())
			.build())
	}
}

/// The specification of a chain by its name (`dev`, `local`, `pow`), for people to read: its genesis is the runtime's
/// preset. `None` for other names.
///
/// Error: the node was built without its runtime.
pub fn readable(chain: &str) -> Result<Option<ChainSpec>, String> {
	Named::find(chain).map(Named::readable).transpose()
}

/// The specification of a chain by its name (`dev`, `local`, `pow`), for a node to run: its genesis is the whole storage.
/// `None` for other names.
///
/// Error: the node was built without its runtime.
pub fn runnable(chain: &str) -> Result<Option<ChainSpec>, String> {
	let Some(named) = Named::find(chain) else {
		return Ok(None);
	};
	let mut spec = named.readable()?;
	spec.set_storage(genesis(named.preset)?);
	Ok(Some(spec))
}

/// The storage of a preset, as the framework builds it from a specification. The framework asks the runtime's wasm, which
/// it compiles twice for that, at every start; the node asks its own copy of the runtime, which takes no time.
fn genesis(preset: &str) -> Result<Storage, String> {
	let config = |preset: Option<PresetId>| -> Result<serde_json::Value, String> {
		let json = Runtime::get_preset(&preset).ok_or(format!("the runtime has no preset {preset:?}"))?;
		serde_json::from_slice(&json).map_err(|error| error.to_string())
	};
	let mut whole = config(None)?;
	json_merge(&mut whole, config(Some(preset.into()))?);
	let mut externalities = BasicExternalities::new_empty();
	externalities.execute_with(|| Runtime::build_state(whole.to_string().into_bytes()))?;
	let mut storage = externalities.into_storages();
	storage.top.insert(CODE.to_vec(), wasm()?.to_vec());
	Ok(storage)
}

fn wasm() -> Result<&'static [u8], String> {
	let missing = "this node was built without its runtime: build it again without SKIP_WASM_BUILD";
	WASM_BINARY.ok_or(missing.into())
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

	fn check(chain: &str) {
		let named = Named::find(chain).unwrap();
		let readable = readable(chain).unwrap().unwrap();
		let runnable = runnable(chain).unwrap().unwrap();
		for spec in [&readable, &runnable] {
			assert_eq!(spec.name(), named.name);
			assert_eq!(spec.id(), named.id);
			assert_eq!(spec.chain_type(), named.chain_type);
			assert_eq!(spec.properties(), properties());
		}
		let read = readable.as_json(false).unwrap();
		assert!(
			read.contains("runtimeGenesis"),
			"people read the preset: {read:.200}"
		);
		// The runtime's wasm builds the same genesis as the node's own copy of the runtime.
		let raw = readable
			.as_json(true)
			.expect("the runtime builds the genesis of the preset");
		assert_eq!(raw, runnable.as_json(true).unwrap());
		assert!(
			raw.contains("0x3a636f6465"),
			"the key of the runtime, :code, is missing"
		);
		let read_back =
			ChainSpec::from_json_bytes(raw.into_bytes()).expect("an exported specification loads");
		assert_eq!(read_back.id(), named.id);
		assert_eq!(read_back.chain_type(), named.chain_type);
	}

	#[test]
	fn development_chain_builds() {
		check("dev");
	}

	#[test]
	fn local_chain_builds() {
		check("local");
	}

	#[test]
	fn mined_chain_builds() {
		check("pow");
	}

	#[test]
	fn other_names_are_unknown() {
		assert!(readable("somewhere").unwrap().is_none());
		assert!(runnable("somewhere").unwrap().is_none());
	}
}
