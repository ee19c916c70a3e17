//! A genesis that people wrote by hand, with something wrong in it.

use serde_json::{json, Value};
use std::{fs, process::Command};

/// An account that everybody knows.
const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

/// Changes the development chain's genesis, makes the raw specification of it, and returns whether that succeeded and
/// what it said.
fn raw(change: impl FnOnce(&mut Value)) -> (bool, String) {
	let node = env!("CARGO_BIN_EXE_commonwatt-node");
	let exported = Command::new(node)
		.args(["export-chain-spec", "--chain", "dev"])
		.output()
		.unwrap();
	let mut spec: Value = serde_json::from_slice(&exported.stdout).unwrap();
	change(&mut spec["genesis"]["runtimeGenesis"]["patch"]);
	let dir = tempfile::tempdir().unwrap();
	let path = dir.path().join("chain.json");
	fs::write(&path, spec.to_string()).unwrap();
	let run = Command::new(node)
		.args(["export-chain-spec", "--raw", "--chain"])
		.arg(&path)
		.output()
		.unwrap();
	(
		run.status.success(),
		String::from_utf8_lossy(&run.stderr).into_owned(),
	)
}

#[test]
fn mistakes_are_named_without_a_trace_of_the_runtime() {
	let (taken, said) = raw(|_| ());
	assert!(taken, "{said}");
	for (change, words) in [
		(
			(|genesis| genesis["energyMarket"]["eraLengthMs"] = json!(900)) as fn(&mut Value),
			"genesis: era_length_ms is 900, but must be at least 1,000, or 0 for the default",
		),
		(
			|genesis| {
				genesis["energyMarket"]["communities"][0]["terms"]["tariffs"]["feed_in_per_kwh"] =
					json!("999000000000")
			},
			"TariffsOutOfOrder",
		),
		(
			|genesis| {
				let households = &mut genesis["energyMarket"]["communities"][0]["households"];
				households[1]["meter"] = households[0]["meter"].clone();
			},
			"genesis: household 1 of community",
		),
		(
			|genesis| {
				// An account without funds: nobody has the key of 32 zeros.
				genesis["energyMarket"]["communities"][0]["operator"] =
					json!("5C4hrfjw9DjXZTzV3MwzrrAr9P1MJhSrvWGWqi1eSuyUpnhM");
			},
			"genesis: community",
		),
		(
			|genesis| genesis["aura"] = json!({ "authorities": [ALICE] }),
			"genesis: aura.authorities and grandpa.authorities must be empty",
		),
		(
			|genesis| {
				let keys = &mut genesis["session"]["keys"];
				*keys = json!([keys[0], keys[0]]);
			},
			"genesis: session.keys has an account or a key twice",
		),
		(
			|genesis| genesis["validators"]["sessionLength"] = json!(1),
			"genesis: session_length must be at least 2 blocks for each validator",
		),
		(
			|genesis| {
				genesis["councilMembership"]["members"] = json!([]);
				genesis["sudo"]["key"] = json!(null);
			},
			"genesis: councilMembership.members must name at least one account, or nobody governs the chain",
		),
		(
			|genesis| {
				let members = &mut genesis["councilMembership"]["members"];
				*members = json!([members[0], members[0]]);
			},
			"genesis: councilMembership.members has an account twice",
		),
		(
			|genesis| genesis["council"]["members"] = genesis["councilMembership"]["members"].clone(),
			"genesis: council.members must be empty; councilMembership.members has the council",
		),
	] {
		let (taken, said) = raw(change);
		assert!(!taken && said.contains(words), "{words}: {said}");
		for trace in ["backtrace", "panicked", "wasm function"] {
			assert!(!said.contains(trace), "{trace}: {said}");
		}
	}
}
