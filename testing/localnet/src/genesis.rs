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

/// Tokens, in the smallest unit, with which each validator's account starts.
const VALIDATORS_MONEY: u64 = 1_000 * 1_000_000_000_000;

/// Share of fees, in percent, that the author of a block gets.
const FEE_SHARE_PERCENT: u8 = 50;

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
	adapt(&mut spec, plan, authorities)?;
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

/// Writes the plan into a specification: lengths of eras and sessions, and either the validators or the settings of mining.
fn adapt(spec: &mut Value, plan: &Plan, authorities: &[Authority]) -> Result<(), Fault> {
	spec["name"] = json!("Commonwatt Network");
	spec["id"] = json!(CHAIN_ID);
	let genesis = patch(spec)?;
	if let Some(seconds) = plan.era_seconds {
		genesis["energyMarket"]["eraLengthMs"] = json!(seconds.saturating_mul(1_000));
	}
	if let Some(seconds) = plan.upgrade_seconds {
		genesis["upgrades"]["noticeMs"] = json!(seconds.saturating_mul(1_000));
	}
	match plan.consensus {
		Consensus::Authorities => {
			let at_work = authorities.len().saturating_sub(plan.spare);
			let keys = authorities.iter().take(at_work).map(|authority| {
				let Authority {
					account,
					aura,
					grandpa,
				} = authority;
				json!([account, account, { "aura": aura, "grandpa": grandpa }])
			});
			genesis["session"]["keys"] = keys.collect();
			if let Some(balances) = genesis["balances"]["balances"].as_array_mut() {
				balances.extend(
					authorities
						.iter()
						.map(|authority| json!([authority.account, VALIDATORS_MONEY])),
				);
			}
			genesis["validators"]["feeSharePercent"] = json!(FEE_SHARE_PERCENT);
			give_seats(genesis, authorities.iter().take(at_work));
			if let Some(seconds) = plan.session_seconds {
				let era_ms = genesis["energyMarket"]["eraLengthMs"].as_u64().unwrap_or(0);
				genesis["validators"]["sessionLength"] =
					json!(session_blocks(seconds, era_ms, authorities.len())?);
			}
		}
		Consensus::Work { target_block_ms, .. } => {
			genesis["mining"]["targetBlockMs"] = json!(target_block_ms);
			// Low at first; the chain adjusts it to the hash rate.
			genesis["mining"]["initialDifficulty"] = json!(FIRST_DIFFICULTY);
		}
	}
	Ok(())
}

/// Makes the accounts of these validators the council, together with the operators of the communities.
fn give_seats<'a>(genesis: &mut Value, validators: impl Iterator<Item = &'a Authority>) {
	let communities = genesis["energyMarket"]["communities"].as_array();
	let operators = communities
		.into_iter()
		.flatten()
		.map(|community| community["operator"].clone());
	let mut members: Vec<Value> = validators.map(|authority| json!(authority.account)).collect();
	for operator in operators {
		if !members.contains(&operator) {
			members.push(operator);
		}
	}
	genesis["councilMembership"]["members"] = json!(members);
}

/// The blocks of a session of so many seconds: one in each slot, and a slot is a thirtieth of an era within the runtime's
/// limits.
fn session_blocks(seconds: u64, era_ms: u64, validators: usize) -> Result<u64, Fault> {
	let slot_ms = (era_ms / 30).clamp(500, 6_000);
	let blocks = seconds.saturating_mul(1_000) / slot_ms;
	let least = 2 * validators as u64;
	if blocks < least {
		return Err(Fault::Input(format!(
			"a session of {seconds} s has {blocks} slots of {slot_ms} ms, but {validators} validators need {least}; choose \
			 at least {} s",
			(least * slot_ms).div_ceil(1_000)
		)));
	}
	Ok(blocks)
}

#[cfg(test)]
mod tests {
	use super::*;

	fn plan(era_seconds: Option<u64>, session_seconds: Option<u64>) -> Plan {
		Plan {
			validators: 3,
			spare: 0,
			consensus: Consensus::Authorities,
			era_seconds,
			session_seconds,
			upgrade_seconds: None,
			base: PathBuf::new(),
			first_rpc_port: None,
			can_be_split: false,
		}
	}

	#[test]
	fn adapt_sets_validators_and_lengths_and_keeps_the_rest_of_the_preset() {
		let mut spec = json!({
			"id": "local",
			"chainType": "Local",
			"genesis": { "runtimeGenesis": { "code": "0x00", "patch": {
				"balances": { "balances": [["Alice", 1]] },
				"session": { "keys": [["Alice", "Alice", { "aura": "Alice", "grandpa": "Alice" }]] },
				"validators": { "sessionLength": 600, "feeSharePercent": 0 },
				"councilMembership": { "members": ["Alice"] },
				"energyMarket": { "eraLengthMs": 1_800_000, "communities": [{ "name": "paper", "operator": "Eve" }] }
			}}}
		});
		let authorities = ["A", "B", "C"].map(|name| Authority {
			account: format!("account {name}"),
			aura: format!("aura {name}"),
			grandpa: format!("grandpa {name}"),
		});
		adapt(&mut spec, &plan(None, None), &authorities).unwrap();
		let patch = &spec["genesis"]["runtimeGenesis"]["patch"];
		assert_eq!(patch["session"]["keys"].as_array().unwrap().len(), 3);
		assert_eq!(
			patch["session"]["keys"][1],
			json!(["account B", "account B", { "aura": "aura B", "grandpa": "grandpa B" }])
		);
		assert_eq!(
			patch["balances"]["balances"][3],
			json!(["account C", VALIDATORS_MONEY])
		);
		assert_eq!(
			patch["validators"],
			json!({ "sessionLength": 600, "feeSharePercent": 50 })
		);
		assert_eq!(
			patch["councilMembership"]["members"],
			json!(["account A", "account B", "account C", "Eve"])
		);
		assert_eq!(patch["energyMarket"]["eraLengthMs"], 1_800_000);
		assert_eq!(patch["energyMarket"]["communities"][0]["name"], "paper");
		assert_eq!(
			(&spec["id"], &spec["chainType"]),
			(&json!(CHAIN_ID), &json!("Local"))
		);

		adapt(&mut spec, &plan(Some(30), Some(60)), &authorities).unwrap();
		let patch = &spec["genesis"]["runtimeGenesis"]["patch"];
		assert_eq!(patch["energyMarket"]["eraLengthMs"], 30_000);
		assert_eq!(patch["validators"]["sessionLength"], 60);
		assert!(adapt(&mut json!({}), &plan(None, None), &authorities).is_err());
		let spare = Plan {
			spare: 1,
			..plan(None, None)
		};
		adapt(&mut spec, &spare, &authorities).unwrap();
		let patch = &spec["genesis"]["runtimeGenesis"]["patch"];
		assert_eq!(patch["session"]["keys"].as_array().unwrap().len(), 2);
		// Nor does a spare node have a seat.
		assert_eq!(
			patch["councilMembership"]["members"],
			json!(["account A", "account B", "Eve"])
		);
		// A session in which a validator may have no turn is refused before anything starts.
		let refused = adapt(&mut spec, &plan(Some(30), Some(5)), &authorities).unwrap_err();
		assert!(refused.to_string().contains("choose at least 6 s"), "{refused}");
	}
}
