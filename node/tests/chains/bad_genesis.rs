//! A genesis that people wrote by hand, with something wrong in it.

use serde_json::{json, Value};
use std::{fs, process::Command};

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
	let market = |genesis: &mut Value, change: fn(&mut Value)| change(&mut genesis["energyMarket"]);
	let (taken, said) = raw(|_| ());
	assert!(taken, "{said}");
	for (change, words) in [
		(
			(|market| market["eraLengthMs"] = json!(900)) as fn(&mut Value),
			"genesis: era_length_ms is 900, but must be at least 1,000, or 0 for the default",
		),
		(
			|market| market["communities"][0]["terms"]["tariffs"]["feed_in_per_kwh"] = json!("999000000000"),
			"TariffsOutOfOrder",
		),
		(
			|market| {
				let households = &mut market["communities"][0]["households"];
				households[1]["meter"] = households[0]["meter"].clone();
			},
			"genesis: household 1 of community",
		),
		(
			|market| {
				// An account without funds: nobody has the key of 32 zeros.
				market["communities"][0]["operator"] =
					json!("5C4hrfjw9DjXZTzV3MwzrrAr9P1MJhSrvWGWqi1eSuyUpnhM");
			},
			"genesis: community",
		),
	] {
		let (taken, said) = raw(|genesis| market(genesis, change));
		assert!(!taken && said.contains(words), "{words}: {said}");
		for trace in ["backtrace", "panicked", "wasm function"] {
			assert!(!said.contains(trace), "{trace}: {said}");
		}
	}
}
