//! `commonwatt audit` against the real node, and against one that lies.

mod common;

use common::{commonwatt, json, paper, pass_slot, Folder, Node, Outcome};
use serde_json::Value;
use std::{
	io::{Read, Write},
	net::{TcpListener, TcpStream},
	sync::{
		atomic::{AtomicUsize, Ordering},
		Arc,
	},
	thread,
};
use subxt::rpcs::{rpc_params, RpcClient};

fn audit(url: &str, era: u64, more: &[&str]) -> Outcome {
	let era = era.to_string();
	let mut command = commonwatt(&["audit", "--url", url, "--era", &era]);
	command.args(more).output().expect("commonwatt runs").into()
}

/// Plays the paper's day on a node and returns the eras.
fn played(place: &Folder, node: &Node, more: &[&str]) -> Vec<Value> {
	place.run(node, &paper(), more).expect_code(0);
	place.report()["eras"].as_array().unwrap().clone()
}

/// Starts a proxy between a client and a node. It replaces `truth` in the node's answers by `lie`, which is as long.
/// (The frames of a WebSocket server are not masked, so their text can be changed.) Returns its URL and the number of
/// replacements.
fn liar(node: &Node, truth: &str, lie: &str) -> (String, Arc<AtomicUsize>) {
	assert_eq!(truth.len(), lie.len());
	let (truth, lie) = (truth.as_bytes().to_vec(), lie.as_bytes().to_vec());
	let listener = TcpListener::bind("127.0.0.1:0").unwrap();
	let url = format!("ws://{}", listener.local_addr().unwrap());
	let target = node.url.trim_start_matches("ws://").to_owned();
	let told = Arc::new(AtomicUsize::new(0));
	let count = told.clone();
	thread::spawn(move || {
		for client in listener.incoming() {
			let (client, server) = (client.unwrap(), TcpStream::connect(&target).unwrap());
			let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
			thread::spawn(move || std::io::copy(&mut from, &mut to));
			let (truth, lie, count) = (truth.clone(), lie.clone(), count.clone());
			thread::spawn(move || pass_lies(server, client, &truth, &lie, &count));
		}
	});
	(url, told)
}

fn pass_lies(mut server: TcpStream, mut client: TcpStream, truth: &[u8], lie: &[u8], told: &AtomicUsize) {
	let mut buffer = vec![0; 1 << 22];
	while let Ok(read @ 1..) = server.read(&mut buffer) {
		let mut at = 0;
		while let Some(found) = buffer[at..read].windows(truth.len()).position(|w| w == truth) {
			at += found;
			buffer[at..at + lie.len()].copy_from_slice(lie);
			told.fetch_add(1, Ordering::SeqCst);
		}
		if client.write_all(&buffer[..read]).is_err() {
			return;
		}
	}
}

/// The bytes of a SCALE value in hexadecimal.
fn hex(bytes: &[u8]) -> String {
	bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn every_era_of_a_day_agrees() {
	let place = Folder::new();
	let node = Node::start(&place.folder("chain"));
	for era in played(&place, &node, &[]) {
		let number = era["era"].as_u64().unwrap();
		let file = place.path("audit.json");
		let outcome = audit(&node.url, number, &["--against", &node.url, "--json", &file]).expect_code(0);
		assert!(outcome.stdout.contains("agrees"), "{}", outcome.stdout);
		let report = json(&place.folder("audit.json"));
		assert_eq!(report["notes"], serde_json::json!([]));
		let computed = &report["gate"]["computed"];
		assert_eq!(computed["record"]["certificate"], era["certificate"]);
		for household in era["households"].as_array().unwrap() {
			let id = household["household"].to_string();
			assert_eq!(computed["contracts"][&id]["energy"], household["contracted"]);
			let statement = &report["settlement"]["computed"]["statements"][&id];
			assert_eq!(statement["amounts"], household["amounts"]);
		}
	}
}

#[test]
fn false_input_from_the_node_is_found() {
	let place = Folder::new();
	let node = Node::start(&place.folder("chain"));
	let eras = played(&place, &node, &["--first", "6"]);
	let era = &eras[5];
	let number = era["era"].as_u64().unwrap();
	// Bob's reading or strategy in the state: his generation, then his consumption.
	let bob = &era["households"][1];
	let generation = bob["generation_wh"].as_u64().unwrap() as u32;
	let consumption = bob["contracted_consumption_wh"].as_u64().unwrap() as u32;
	let reading = |consumption: u32| {
		let bytes = [generation.to_le_bytes(), consumption.to_le_bytes()].concat();
		hex(&bytes)
	};
	let (url, told) = liar(&node, &reading(consumption), &reading(consumption + 1));
	let outcome = audit(&url, number, &[]).expect_code(1);
	assert!(told.load(Ordering::SeqCst) > 0, "the proxy replaced nothing");
	assert!(
		outcome.stderr.contains("differs: ") && outcome.stderr.contains("block "),
		"{}",
		outcome.stderr
	);
	audit(&node.url, number, &[]).expect_code(0);
}

/// `System.LastRuntimeUpgrade` in the state: the version as a compact number, then the runtime's name.
fn last_upgrade(spec_version: u16) -> String {
	hex(&[&(spec_version << 2 | 1).to_le_bytes()[..], b"\x28commonwatt"].concat())
}

/// A proxy that says of the node's runtime that it has version 100.
async fn liar_about_the_version(node: &Node) -> (String, Arc<AtomicUsize>) {
	let rpc = RpcClient::from_insecure_url(&node.url).await.unwrap();
	let version: Value = rpc
		.request("state_getRuntimeVersion", rpc_params![])
		.await
		.unwrap();
	let version = version["specVersion"].as_u64().expect("a number");
	let version = version.try_into().expect("a small number");
	liar(node, &last_upgrade(version), &last_upgrade(100))
}

/// Certificates under other rules are not judged, so naming an old version would excuse a false one.
#[tokio::test]
async fn false_runtime_version_from_the_node_is_found() {
	let place = Folder::new();
	let node = Node::start(&place.folder("chain"));
	let eras = played(&place, &node, &["--first", "2"]);
	let number = eras[1]["era"].as_u64().unwrap();
	let (url, told) = liar_about_the_version(&node).await;
	let outcome = audit(&url, number, &[]).expect_code(1);
	assert!(told.load(Ordering::SeqCst) > 0, "the proxy replaced nothing");
	assert!(outcome.stderr.contains("differs: block "), "{}", outcome.stderr);
}

/// The other commands trust their node. To them this is a chain whose runtime has other rules.
#[tokio::test]
async fn eras_under_other_rules_are_named_and_not_judged() {
	let place = Folder::new();
	let node = Node::start(&place.folder("chain"));
	let (url, told) = liar_about_the_version(&node).await;
	let replay = place.replay(&url, &paper(), &["--first", "3"]).output();
	let outcome = Outcome::from(replay.unwrap()).expect_code(5);
	assert!(told.load(Ordering::SeqCst) > 0, "the proxy replaced nothing");
	assert_eq!(
		outcome.stdout.matches(" other rules ").count(),
		4,
		"{}",
		outcome.stdout
	);
	let words =
		": cleared under other rules (runtime version 100), whose certificate this client cannot judge";
	assert_eq!(outcome.stderr.matches(words).count(), 3, "{}", outcome.stderr);
	let report = place.report();
	assert_eq!(report["faults"], serde_json::json!([]));
	assert_eq!(report["not_judged"].as_array().unwrap().len(), 6);
	let sums = &report["sums"];
	let counted = |name: &str| sums[name].as_u64().unwrap();
	assert_eq!(
		(counted("periods"), counted("other_rules"), counted("equilibria")),
		(3, 3, 0)
	);
	assert!(counted("checks_passed") > 30, "{sums}");

	let file = place.path("bills.json");
	let mut bills = commonwatt(&["bills", "--url", &url, "--json", &file]);
	let outcome = Outcome::from(bills.output().unwrap()).expect_code(0);
	assert!(
		outcome.stdout.contains("cleared under rules that"),
		"{}",
		outcome.stdout
	);
	let community = &json(&place.folder("bills.json"))["community"];
	assert_eq!(
		community["other_rules"].as_array().unwrap().len() as u64,
		community["games"]
	);
	assert_eq!(community["equilibria"], 0);
}

/// Number of a chain's newest block.
async fn head(rpc: &RpcClient) -> u64 {
	let header: Value = rpc.request("chain_getHeader", rpc_params![]).await.unwrap();
	let number = header["number"].as_str().unwrap().trim_start_matches("0x");
	u64::from_str_radix(number, 16).unwrap()
}

#[tokio::test]
async fn blocks_of_another_chain_differ() {
	let place = Folder::new();
	let node = Node::start(&place.folder("chain"));
	let other = Node::start(&place.folder("other"));
	let eras = played(&place, &node, &["--first", "2"]);
	place
		.run(&other, &paper(), &["--first", "2", "--restart"])
		.expect_code(0);
	// How many blocks a replay takes depends on the machine. Both chains must have a block of the audited number.
	let rpc = RpcClient::from_insecure_url(&node.url).await.unwrap();
	let rpc_of_other = RpcClient::from_insecure_url(&other.url).await.unwrap();
	while head(&rpc_of_other).await < head(&rpc).await {
		pass_slot(&rpc_of_other).await;
	}
	let number = eras[1]["era"].as_u64().unwrap();
	let outcome = audit(&node.url, number, &["--against", &other.url]).expect_code(1);
	assert!(outcome.stderr.contains("its hash is"), "{}", outcome.stderr);
}

#[test]
fn eras_and_communities_that_cannot_be_audited_are_refused() {
	let place = Folder::new();
	let node = Node::start(&place.folder("chain"));
	played(&place, &node, &["--first", "1"]);
	let outcome = audit(&node.url, 5, &[]).expect_code(2);
	assert!(outcome.stderr.contains("no gate closure"), "{}", outcome.stderr);
	let outcome = audit(&node.url, u64::from(u32::MAX), &[]).expect_code(2);
	assert!(outcome.stderr.contains("has not begun"), "{}", outcome.stderr);
	let outcome = audit(&node.url, 5, &["--community", "nowhere"]).expect_code(2);
	assert!(outcome.stderr.contains("no such community"), "{}", outcome.stderr);
	audit("ws://127.0.0.1:1", 5, &[]).expect_code(3);
}
