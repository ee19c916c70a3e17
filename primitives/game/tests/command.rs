//! Runs the command as a user does.
#![cfg(feature = "cli")]

use serde_json::{json, Value};
use std::{
	io::Write,
	process::{Command, Stdio},
};

struct Output {
	status: i32,
	stdout: String,
	stderr: String,
}

fn run(arguments: &[&str], input: &str) -> Output {
	let mut child = Command::new(env!("CARGO_BIN_EXE_commonwatt-game"))
		.args(arguments)
		.stdin(Stdio::piped())
		.stdout(Stdio::piped())
		.stderr(Stdio::piped())
		.spawn()
		.unwrap();
	// Writing fails if the command stops before it has read everything. The exit status tells why.
	let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
	let output = child.wait_with_output().unwrap();
	let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
	Output {
		status: output.status.code().unwrap(),
		stdout: text(output.stdout),
		stderr: text(output.stderr),
	}
}

fn game() -> Value {
	json!({"lambda": "4", "resolution_wh": 10, "households": [
		{"generation_wh": 3300, "comfort": {"min_centi_c": 1500, "max_centi_c": 2700, "a": "1/36"}, "strategies": [
			{"kind": "SellToCommunity", "consumption_wh": 1200, "temperature_centi_c": 2250},
			{"kind": "SellToMain", "consumption_wh": 1200, "temperature_centi_c": 2250}]},
		{"generation_wh": 0, "comfort": null, "strategies": [
			{"kind": "BuyFromCommunity", "consumption_wh": 2100, "temperature_centi_c": 0}]}]})
}

#[test]
fn a_game_can_be_solved_and_its_solution_verified_and_explained() {
	let output = run(&["solve"], &game().to_string());
	assert_eq!(output.status, 0);
	let solution: Value = serde_json::from_str(&output.stdout).unwrap();
	assert_eq!(solution["status"], "Equilibrium");
	assert_eq!(solution["profile"], json!([0, 0]));
	assert_eq!(solution["traded_wh"], 2100);
	assert_eq!(solution["households"][0]["community_wh"], 2100);
	assert_eq!(solution["households"][1]["community_wh"], -2100);
	// 4.2 + log2(100) = 10.84385618977, rounded to the nearest unit of 2^-32.
	assert_eq!(solution["households"][0]["payoff_log2"], "10.8438561899");
	// -4.2 + log2(100) = 2.44385618977, within a unit of 2^-32: the buyer's E_in is negative.
	assert_eq!(solution["households"][1]["payoff_log2"], "2.4438561900");

	let input = json!({"game": game(), "solution": solution}).to_string();
	let output = run(&["verify"], &input);
	assert_eq!(output.status, 0);
	let certificate: Value = serde_json::from_str(&output.stdout).unwrap();
	for field in [
		"status",
		"offered_wh",
		"requested_wh",
		"traded_wh",
		"max_gain_log2",
	] {
		assert_eq!(certificate[field], solution[field]);
	}
	let output = run(&["explain", "--household", "0"], &input);
	assert_eq!(output.status, 0);
	let payoffs: Value = serde_json::from_str(&output.stdout).unwrap();
	assert_eq!(payoffs[0]["chosen"], true);
	// The comfort at 22.5 degrees is 7.5 * 4.5 / 36; divided by 2.1 kWh.
	let expected = (7.5f64 * 4.5 / 36.0 / 2.1).log2();
	let shown: f64 = payoffs[1]["payoff_log2"].as_str().unwrap().parse().unwrap();
	assert!((shown - expected).abs() < 1e-9);
}

#[test]
fn verify_exits_with_status_1_if_the_profile_is_not_an_equilibrium() {
	let input = json!({"game": game(), "solution": {"profile": [1, 0]}}).to_string();
	let output = run(&["verify"], &input);
	assert_eq!(output.status, 1);
	assert!(output.stdout.contains("Approximate"), "{}", output.stdout);
}

#[test]
fn invalid_input_exits_with_status_2_and_names_household_and_field() {
	let with = |change: &dyn Fn(&mut Value)| {
		let mut game = game();
		change(&mut game);
		let output = run(&["solve"], &game.to_string());
		assert_eq!((output.status, output.stdout.as_str()), (2, ""));
		output.stderr
	};
	let names = |fault: String, parts: &[&str]| {
		for part in parts {
			assert!(fault.contains(part), "{fault:?} does not name {part:?}");
		}
	};
	names(with(&|game| game["lambda"] = json!("1")), &["lambda"]);
	names(with(&|game| game["lambda"] = json!("four")), &["lambda", "four"]);
	names(with(&|game| game["resolution_wh"] = json!(0)), &["resolution_wh"]);
	names(
		with(&|game| game["households"][1]["strategies"] = json!([])),
		&["household 1", "strategies"],
	);
	names(
		with(&|game| game["households"][1]["generation_wh"] = json!(-1)),
		&["household 1", "generation_wh"],
	);
	names(
		with(&|game| game["households"][0]["comfort"]["a"] = json!("1")),
		&["household 0", "comfort.a"],
	);
	names(
		with(&|game| game["households"][0]["comfort"]["a"] = json!("x")),
		&["household 0", "comfort.a"],
	);
	names(
		with(&|game| game["households"][0]["strategies"][1]["kind"] = json!("BuyFromMain")),
		&["household 0", "strategy 1", "kind"],
	);
	names(
		with(&|game| game["households"][0]["strategies"][1]["kind"] = json!("Gift")),
		&["household 0", "strategy 1", "Gift"],
	);
	names(
		with(&|game| game["households"][0]["strategies"][1]["consumption_wh"] = json!(1.5)),
		&["household 0", "strategy 1", "consumption_wh"],
	);
	names(
		with(&|game| {
			game["households"][0]["strategies"][1]
				.as_object_mut()
				.unwrap()
				.remove("temperature_centi_c");
		}),
		&["household 0", "strategy 1", "temperature_centi_c"],
	);
	assert_eq!(run(&["solve"], "{").status, 2);
	let input = json!({"game": game(), "solution": {"profile": [0, 7]}}).to_string();
	let output = run(&["verify"], &input);
	assert_eq!(output.status, 2);
	names(output.stderr, &["household 1"]);
}

/// A game of 100 buyers with dominated strategies, a seller, and four buyers without a pure equilibrium. An earlier
/// solver counted profiles instead of evaluations and evaluated every strategy of this game for each profile.
#[test]
fn the_slow_game_stays_within_its_budget() {
	let game = include_str!("games/slow-105.json");
	let budget = (65_536 + 1_024 * 105).to_string();
	let output = run(&["solve", "--max-evaluations", &budget], game).stdout;
	let solution: Value = serde_json::from_str(&output).unwrap();
	assert!(
		solution["evaluations"].as_u64().unwrap() <= 65_536 + 1_024 * 105,
		"{output}"
	);
	// Without a budget, the certificate is still made: one evaluation for each household and each strategy.
	let output = run(&["solve", "--max-evaluations", "0"], game).stdout;
	let solution: Value = serde_json::from_str(&output).unwrap();
	let parsed: Value = serde_json::from_str(game).unwrap();
	let households = parsed["households"].as_array().unwrap();
	let strategies: usize = households
		.iter()
		.map(|h| h["strategies"].as_array().unwrap().len())
		.sum();
	assert_eq!(solution["evaluations"], json!(105 + strategies));
}
