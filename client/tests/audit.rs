//! `commonwatt audit` against the real node, and against one that lies.

mod common;

use common::{commonwatt, json, paper, Node, Outcome, Place};
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

fn audit(url: &str, era: u64, more: &[&str]) -> Outcome {
	let era = era.to_string();
	let mut command = commonwatt(&["audit", "--url", url, "--era", &era]);
	command.args(more).output().expect("commonwatt runs").into()
}

/// A community's day on a node, and the eras that it took.
fn played(place: &Place, node: &Node, more: &[&str]) -> Vec<Value> {
	place.run(node, &paper(), more).expect_code(0);
	place.report()["eras"].as_array().unwrap().clone()
}

/// Stands between a client and a node, and puts other bytes of the same length in place of what the node answers. (A
/// server's frames are not masked, so their text is there to be changed.)
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

/// As SCALE has it, in hexadecimal.
fn hex(bytes: &[u8]) -> String {
	bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn every_era_of_a_day_agrees() {
	let place = Place::new();
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
fn node_that_lies_about_an_input_is_found_out() {
	let place = Place::new();
	let node = Node::start(&place.folder("chain"));
	let eras = played(&place, &node, &["--first", "6"]);
	let era = &eras[5];
	let number = era["era"].as_u64().unwrap();
	// Bob's readings or strategies, as the state has them: his generation, then a consumption.
	let bob = &era["households"][1];
	let generation = bob["generation_wh"].as_u64().unwrap() as u32;
	let consumption = bob["contracted_consumption_wh"].as_u64().unwrap() as u32;
	let reading = |consumption: u32| {
		let bytes = [generation.to_le_bytes(), consumption.to_le_bytes()].concat();
		hex(&bytes)
	};
	let (url, told) = liar(&node, &reading(consumption), &reading(consumption + 1));
	let outcome = audit(&url, number, &[]).expect_code(1);
	assert!(told.load(Ordering::SeqCst) > 0, "the lie was never told");
	assert!(
		outcome.stderr.contains("differs: ") && outcome.stderr.contains("block "),
		"{}",
		outcome.stderr
	);
	audit(&node.url, number, &[]).expect_code(0);
}

#[test]
fn another_chain_has_other_blocks() {
	let place = Place::new();
	let node = Node::start(&place.folder("chain"));
	let other = Node::start(&place.folder("other"));
	let eras = played(&place, &node, &["--first", "2"]);
	place
		.run(&other, &paper(), &["--first", "2", "--restart"])
		.expect_code(0);
	let number = eras[1]["era"].as_u64().unwrap();
	let outcome = audit(&node.url, number, &["--against", &other.url]).expect_code(1);
	assert!(outcome.stderr.contains("its hash is"), "{}", outcome.stderr);
}

#[test]
fn what_cannot_be_audited_is_named() {
	let place = Place::new();
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
