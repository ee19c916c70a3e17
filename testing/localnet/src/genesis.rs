//! The genesis of a network: the preset `local` with the network's authorities, or the preset `pow`, and the era length
//! of the plan.

use crate::{keys::Authority, Binary, Consensus, Fault, Plan};
use serde_json::{json, Value};
use std::{
	fs,
	path::{Path, PathBuf},
};

/// The chain's identifier. Nodes use it as the name of the chain's folder.
pub const CHAIN_ID: &str = "commonwatt_network";

/// Expected number of hashes for the first block of a mined network: some milliseconds of work.
const FIRST_DIFFICULTY: u64 = 10_000;

/// The raw chain specification, with the whole genesis storage. Every node of the network starts with it.
pub fn raw_file(base: &Path) -> PathBuf {
	base.join("chain-raw.json")
}

/// Writes the specification for light clients, which names the nodes that take connections of browsers. Returns its file.
pub fn write_light(base: &Path, addresses: &[String]) -> Result<PathBuf, Fault> {
	let raw = raw_file(base);
	let text = fs::read(&raw).map_err(|error| Fault::file(&raw, error))?;
	let mut spec: Value = serde_json::from_slice(&text)
		.map_err(|error| Fault::Failed(format!("{}: {error}", raw.display())))?;
	spec["bootNodes"] = json!(addresses);
	let path = base.join("chain-light.json");
	fs::write(&path, spec.to_string()).map_err(|error| Fault::file(&path, error))?;
	Ok(path)
}

/// Writes the chain's specification, plain and raw.
pub fn write(binary: &Binary, plan: &Plan, authorities: &[Authority]) -> Result<(), Fault> {
	let base = &plan.base;
	let preset = match plan.consensus {
		Consensus::Authorities => "local",
		Consensus::Work { .. } => "pow",
	};
	let mut spec = preset_of(binary, preset)?;
	adapt(&mut spec, plan.consensus, authorities, plan.era_seconds)?;
	let plain = base.join("chain.json");
	fs::write(&plain, spec.to_string()).map_err(|error| Fault::file(&plain, error))?;
	let raw = binary.run([
		"export-chain-spec",
		"--raw",
		"--chain",
		&plain.display().to_string(),
	])?;
	// Written to another name first, so that the file is complete or missing: if it exists, the next start uses it.
	let (raw_file, unfinished) = (raw_file(base), base.join("chain-raw.json.new"));
	fs::write(&unfinished, raw).map_err(|error| Fault::file(&unfinished, error))?;
	fs::rename(&unfinished, &raw_file).map_err(|error| Fault::file(&raw_file, error))
}

/// The specification of one of the node's own chains, plain.
fn preset_of(binary: &Binary, name: &str) -> Result<Value, Fault> {
	let preset = binary.run(["export-chain-spec", "--chain", name])?;
	serde_json::from_slice(&preset)
		.map_err(|error| Fault::Failed(format!("the preset that the node exported is not JSON: {error}")))
}

/// Where the values of the genesis are in a plain specification.
fn patch(spec: &mut Value) -> Result<&mut Value, Fault> {
	spec.pointer_mut("/genesis/runtimeGenesis/patch")
		.ok_or_else(|| Fault::Failed("the preset that the node exported has no genesis patch".into()))
}

/// Writes the plain specification of a development chain with one community for each of `communities`, whose households
/// have these meters and are otherwise like the first household of the preset. `change` changes the genesis further.
pub fn development(
	binary: &Binary,
	path: &Path,
	communities: &[&[String]],
	change: impl FnOnce(&mut Value),
) -> Result<(), Fault> {
	let mut spec = preset_of(binary, "dev")?;
	let genesis = patch(&mut spec)?;
	let first = genesis["energyMarket"]["communities"][0].clone();
	let of_meters = communities.iter().enumerate().map(|(number, meters)| {
		let households = meters.iter().map(|meter| {
			let mut household = first["households"][0].clone();
			household["meter"] = json!(meter);
			household
		});
		let mut community = first.clone();
		community["name"] = json!(format!("large {number}"));
		community["households"] = households.collect();
		community
	});
	genesis["energyMarket"]["communities"] = of_meters.collect();
	change(genesis);
	fs::write(path, spec.to_string()).map_err(|error| Fault::file(path, error))
}

/// Writes the length of an era into a specification, and either the authorities or the settings of mining.
fn adapt(
	spec: &mut Value,
	consensus: Consensus,
	authorities: &[Authority],
	era_seconds: Option<u64>,
) -> Result<(), Fault> {
	spec["name"] = json!("Commonwatt Network");
	spec["id"] = json!(CHAIN_ID);
	let genesis = patch(spec)?;
	match consensus {
		Consensus::Authorities => {
			let (aura, grandpa): (Vec<_>, Vec<_>) = authorities
				.iter()
				.map(|authority| (&authority.aura, (&authority.grandpa, 1)))
				.unzip();
			genesis["aura"]["authorities"] = json!(aura);
			genesis["grandpa"]["authorities"] = json!(grandpa);
		}
		Consensus::Work { target_block_ms, .. } => {
			genesis["mining"]["targetBlockMs"] = json!(target_block_ms);
			// Low at first; the chain adjusts it to the hash rate.
			genesis["mining"]["initialDifficulty"] = json!(FIRST_DIFFICULTY);
		}
	}
	if let Some(seconds) = era_seconds {
		genesis["energyMarket"]["eraLengthMs"] = json!(seconds.saturating_mul(1_000));
	}
	Ok(())
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn adapt_sets_authorities_and_era_length_and_keeps_the_rest_of_the_preset() {
		let mut spec = json!({
			"id": "local",
			"chainType": "Local",
			"genesis": { "runtimeGenesis": { "code": "0x00", "patch": {
				"aura": { "authorities": ["Alice", "Bob"] },
				"grandpa": { "authorities": [["Alice", 1], ["Bob", 1]] },
				"energyMarket": { "eraLengthMs": 1_800_000, "communities": [{ "name": "paper" }] }
			}}}
		});
		let authorities = ["A", "B", "C"].map(|name| Authority {
			aura: format!("aura {name}"),
			grandpa: format!("grandpa {name}"),
		});
		adapt(&mut spec, Consensus::Authorities, &authorities, None).unwrap();
		let patch = &spec["genesis"]["runtimeGenesis"]["patch"];
		assert_eq!(
			patch["aura"]["authorities"],
			json!(["aura A", "aura B", "aura C"])
		);
		assert_eq!(
			patch["grandpa"]["authorities"],
			json!([["grandpa A", 1], ["grandpa B", 1], ["grandpa C", 1]])
		);
		assert_eq!(patch["energyMarket"]["eraLengthMs"], 1_800_000);
		assert_eq!(patch["energyMarket"]["communities"][0]["name"], "paper");
		assert_eq!(
			(&spec["id"], &spec["chainType"]),
			(&json!(CHAIN_ID), &json!("Local"))
		);

		adapt(&mut spec, Consensus::Authorities, &authorities, Some(15)).unwrap();
		let patch = &spec["genesis"]["runtimeGenesis"]["patch"];
		assert_eq!(patch["energyMarket"]["eraLengthMs"], 15_000);
		assert!(adapt(&mut json!({}), Consensus::Authorities, &authorities, None).is_err());
	}
}
