//! `commonwatt replay` against the real node.

mod common;

use common::{assert_complete, commonwatt, json, paper, pass_slot, week, Folder, Node, Outcome, Running};
use std::{
	fs::{self, OpenOptions},
	io::Write,
	path::Path,
};
use subxt::rpcs::RpcClient;

#[test]
fn paper_day_is_played_once_and_adds_up() {
	let place = Folder::new();
	let node = Node::start(&place.folder("chain"));
	let outcome = place.run(&node, &paper(), &[]).expect_code(0);
	let report = place.report();
	assert_complete(&report, 24);
	assert_eq!(report["sums"]["repeated"], 0);
	assert_eq!(
		report["sent"],
		serde_json::json!({ "strategies": 96, "readings": 96 })
	);
	assert_eq!(
		outcome.stdout.matches("Equilibrium").count(),
		24,
		"{}",
		outcome.stdout
	);
	assert!(report["sums"]["community_wh"].as_u64().unwrap() > 0);

	place.run(&node, &paper(), &[]).expect_code(0);
	let again = place.report();
	assert_complete(&again, 24);
	assert_eq!(
		again["sent"],
		serde_json::json!({ "strategies": 0, "readings": 0 })
	);
	assert_eq!(again["eras"], report["eras"]);
}

#[test]
fn without_flexibility_consumption_is_that_of_the_file() {
	let place = Folder::new();
	let node = Node::start(&place.folder("chain"));
	place
		.run(&node, &paper(), &["--flexible", "0", "--first", "8"])
		.expect_code(0);
	let report = place.report();
	assert_complete(&report, 8);
	let sums = &report["sums"];
	assert_eq!(sums["contracted_consumption_wh"], sums["file_consumption_wh"]);
	assert_eq!((&sums["not_used_wh"], &sums["added_wh"]), (&0.into(), &0.into()));
	let saved = |which: &str| {
		let bought = |who: &str| sums[who][which].as_u64().unwrap();
		bought("alone_as_in_file") - bought("with_community")
	};
	assert_eq!(saved("bought_wh"), sums["community_wh"].as_u64().unwrap());
	assert_eq!(saved("sold_wh"), sums["community_wh"].as_u64().unwrap());
}

#[test]
fn new_community_is_created_and_played() {
	let place = Folder::new();
	let file = week(&place);
	let node = Node::start(&place.folder("chain"));
	let options = ["--community", "street", "--day", "2021-08-02"];
	place.run(&node, &file, &options).expect_code(0);
	let report = place.report();
	assert_complete(&report, 48);
	assert_eq!(report["community"], 1);
	place.run(&node, &file, &options).expect_code(0);
	assert_eq!(
		place.report()["sent"],
		serde_json::json!({ "strategies": 0, "readings": 0 })
	);
}

#[test]
fn replay_resumes_after_node_and_client_were_killed() {
	let place = Folder::new();
	let (chain, copy) = (place.folder("chain"), place.folder("copy"));
	let node = Node::start(&chain);
	let mut running = Running::start(place.replay(&node.url, &paper(), &[]));
	running.wait_for_eras(7);
	let url = node.url.clone();
	node.kill();
	let outcome = running.finish().expect_code(3);
	assert!(
		outcome.stderr.contains(&url) && outcome.stderr.contains("to resume"),
		"{}",
		outcome.stderr
	);
	copy_folder(&chain, &copy);

	let node = Node::start(&chain);
	let mut running = Running::start(place.replay(&node.url, &paper(), &[]));
	running.wait_for_eras(15);
	running.kill();
	node.kill();

	// The worst case of a power cut: blocks that the journal knows are lost, and its last line is incomplete.
	let mut journal = OpenOptions::new()
		.append(true)
		.open(place.path("journal"))
		.unwrap();
	journal.write_all(b"{\"Planned\":{\"per").unwrap();
	let node = Node::start(&copy);
	place.run(&node, &paper(), &[]).expect_code(0);
	let report = place.report();
	assert_complete(&report, 24);
	let sent = report["sent"]["strategies"].as_u64().unwrap();
	assert!((4..96).contains(&sent), "{}", report["sent"]);
}

fn copy_folder(from: &Path, to: &Path) {
	fs::create_dir_all(to).unwrap();
	for entry in fs::read_dir(from).unwrap() {
		let entry = entry.unwrap();
		let to = to.join(entry.file_name());
		if entry.file_type().unwrap().is_dir() {
			copy_folder(&entry.path(), &to);
		} else {
			fs::copy(entry.path(), to).unwrap();
		}
	}
}

/// The pause is longer than the node keeps events, and several eras pass without being played.
#[tokio::test]
async fn replay_resumes_after_a_long_pause() {
	let place = Folder::new();
	let node = Node::start_with(&place.folder("chain"), &["--state-pruning", "32"]);
	let mut running = Running::start(place.replay(&node.url, &paper(), &["--first", "12"]));
	running.wait_for_eras(4);
	running.kill();
	let rpc = RpcClient::from_insecure_url(&node.url).await.unwrap();
	for _ in 0..150 {
		pass_slot(&rpc).await;
	}
	let outcome = place.run(&node, &paper(), &["--first", "12"]).expect_code(0);
	assert!(
		outcome.stderr.contains("no longer has the events of blocks"),
		"{}",
		outcome.stderr
	);
	let report = place.report();
	let sums = &report["sums"];
	assert_eq!(
		(&sums["periods"], &report["faults"]),
		(&12.into(), &serde_json::json!([])),
		"{sums}"
	);
	assert!(
		report["sent"]["strategies"].as_u64().unwrap() < 48,
		"{}",
		report["sent"]
	);
}

#[test]
fn eras_may_pass_by_themselves() {
	let place = Folder::new();
	// Every block is one slot of two seconds, so an era of a minute lasts six seconds.
	let node = Node::start_with(&place.folder("chain"), &["--block-interval-ms", "200"]);
	place
		.run(&node, &paper(), &["--wait", "--first", "3"])
		.expect_code(0);
	let report = place.report();
	assert_eq!(
		(&report["sums"]["periods"], &report["faults"]),
		(&3.into(), &serde_json::json!([]))
	);
}

/// Both replays use the same keys for Sudo, operator and funder. If the other replay used a nonce, a replay must not
/// take that for success, but sign again.
#[test]
fn two_replays_at_once_create_and_play_their_communities() {
	let place = Folder::new();
	// Transactions wait for the next block, so that both replays sign with the same nonces.
	let options = ["--sealing", "interval", "--block-interval-ms", "400"];
	let node = Node::start_with(&place.folder("chain"), &options);
	let names = ["north", "south"];
	let runs = names.map(|name| {
		let mut text = "period_start,household,generation_wh,consumption_wh\n".to_owned();
		for hour in 0..2 {
			text += &format!("2021-07-31T0{hour}:00:00,{name}-1,1500,300\n");
			text += &format!("2021-07-31T0{hour}:00:00,{name}-2,0,900\n");
		}
		let file = place.folder(&format!("{name}.csv"));
		fs::write(&file, text).unwrap();
		let mut command = commonwatt(&["replay", "--wait", "--url", &node.url]);
		command.arg(&file);
		command.args(["--journal", &place.path(&format!("{name}.journal"))]);
		command.args(["--json", &place.path(&format!("{name}.json"))]);
		Running::start(command)
	});
	for run in runs {
		run.finish().expect_code(0);
	}
	for name in names {
		let report = json(&place.folder(&format!("{name}.json")));
		assert_eq!(
			(&report["sums"]["periods"], &report["faults"]),
			(&2.into(), &serde_json::json!([])),
			"{name}"
		);
	}
}

#[test]
fn second_run_of_a_running_replay_is_refused() {
	let place = Folder::new();
	// Eras pass by themselves, so the first run has not ended when the second begins.
	let node = Node::start_with(&place.folder("chain"), &["--block-interval-ms", "200"]);
	let mut first = Running::start(place.replay(&node.url, &paper(), &["--wait"]));
	first.wait_for_eras(1);
	let second = place.run(&node, &paper(), &[]).expect_code(2);
	assert!(second.stderr.contains("already running"), "{}", second.stderr);
	first.kill();
}

#[test]
fn journal_of_another_replay_is_refused() {
	let place = Folder::new();
	let node = Node::start(&place.folder("chain"));
	place.run(&node, &paper(), &["--first", "1"]).expect_code(0);
	let outcome = place.run(&node, &paper(), &["--first", "2"]).expect_code(2);
	assert!(outcome.stderr.contains("--restart"), "{}", outcome.stderr);
	place
		.run(&node, &paper(), &["--first", "2", "--restart"])
		.expect_code(0);
	assert_complete(&place.report(), 2);
}

#[test]
fn unreachable_node_is_named() {
	let place = Folder::new();
	let outcome: Outcome = place
		.replay("ws://127.0.0.1:1", &paper(), &[])
		.output()
		.expect("commonwatt runs")
		.into();
	let outcome = outcome.expect_code(3);
	assert!(
		outcome
			.stderr
			.contains("no connection to the node at ws://127.0.0.1:1"),
		"{}",
		outcome.stderr
	);
}

#[test]
fn gaps_of_a_file_are_played_as_gaps() {
	let place = Folder::new();
	let node = Node::start(&place.folder("chain"));
	let case = |name: &str| common::repository().join("client/cli/tests/cases").join(name);
	let gap = "no household has a reading in the 5 periods from 2021-07-31T11:00:00 to 2021-07-31T13:00:00";
	let outcome = place
		.run(&node, &case("gap-all-homes.csv"), &["--first", "9"])
		.expect_code(0);
	assert!(
		outcome.stderr.contains(gap) && outcome.stdout.contains(gap),
		"{}{}",
		outcome.stderr,
		outcome.stdout
	);
	let report = place.report();
	assert_eq!(report["sums"]["periods"], 9);
	let players: Vec<u64> = report["eras"]
		.as_array()
		.unwrap()
		.iter()
		.map(|era| era["players"].as_u64().unwrap())
		.collect();
	assert_eq!(players, [2, 2, 0, 0, 0, 0, 0, 2, 2]);
	// The chain estimates what nobody reports: two households in five eras.
	assert_eq!(report["sums"]["missing_readings"], 10);

	let place = Folder::new();
	let outcome = place.run(
		&node,
		&case("gap-one-home.csv"),
		&["--community", "other", "--homes", &homes(&place)],
	);
	// The two households have their keys from the other community.
	let said = outcome.expect_code(2).stderr;
	assert!(said.contains("is already registered in community"), "{said}");
}

/// A homes' file with the defaults.
fn homes(place: &Folder) -> String {
	let path = place.folder("homes.toml");
	fs::write(&path, "").unwrap();
	path.display().to_string()
}

#[test]
fn silent_meter_of_a_file_is_estimated() {
	let place = Folder::new();
	let node = Node::start(&place.folder("chain"));
	let file = common::repository().join("client/cli/tests/cases/gap-one-home.csv");
	let outcome = place
		.run(&node, &file, &["--homes", &homes(&place)])
		.expect_code(0);
	let said = "b has no reading in the period 2021-07-31T10:30:00: its meter is silent there";
	assert!(outcome.stdout.contains(said), "{}", outcome.stdout);
	let report = place.report();
	let of = |number: usize| -> Vec<String> {
		let households = report["eras"][number]["households"].as_array().unwrap();
		households
			.iter()
			.map(|household| household["name"].as_str().unwrap().into())
			.collect()
	};
	assert_eq!(
		[of(0), of(1), of(2)],
		[
			vec!["a".to_owned(), "b".into()],
			vec!["a".into()],
			vec!["a".into(), "b".into()]
		]
	);
	assert_eq!(report["sums"]["missing_readings"], 1);
}

/// Transactions that the account of a development key has sent.
async fn nonce(node: &Node, uri: &str) -> u64 {
	let account = commonwatt_client::keys::account(&commonwatt_client::keys::key(uri).unwrap());
	let rpc = RpcClient::from_insecure_url(&node.url).await.unwrap();
	let params = subxt::rpcs::rpc_params![account.to_string()];
	rpc.request("system_accountNextIndex", params).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn file_that_does_not_fit_is_refused_before_anything_is_sent() {
	let place = Folder::new();
	let node = Node::start(&place.folder("chain"));
	let header = "period_start,household,generation_wh,consumption_wh\n";
	let file = |name: &str, households: &[String]| {
		let rows: String = households
			.iter()
			.map(|household| format!("2021-07-31T10:00,{household},0,1000\n"))
			.collect();
		let path = place.folder(name);
		fs::write(&path, format!("{header}{rows}")).unwrap();
		path
	};
	let many: Vec<String> = (0..1_001).map(|number| format!("home-{number}")).collect();
	let village = file("village.csv", &["Alice".into(), "newcomer".into()]);
	for (path, options, said) in [
		(
			file("many.csv", &many),
			vec![],
			"would have 1001, but a community has at most 1000: split the file",
		),
		(
			village.clone(),
			vec!["--community", "elsewhere"],
			"household Alice: its meter //Alice//stash is already registered in community 0",
		),
		(
			village,
			vec!["--community", "paper", "--operator", "//Dave"],
			"the community paper exists already, 1 household(s) of the file are not members of it, and //Dave is not its \
			 operator",
		),
	] {
		let outcome = place.run(&node, &path, &options).expect_code(2);
		assert!(outcome.stderr.contains(said), "{said}: {}", outcome.stderr);
	}
	for uri in ["//Alice", "//Dave", "//Eve", "//Ferdie"] {
		assert_eq!(nonce(&node, uri).await, 0, "{uri}");
	}
}
