//! The ways of sealing of a development chain: `--sealing`.

use crate::harness::{command, seal_at, signed_remarks, Node};
use serde_json::Value;
use std::{
	path::Path,
	time::{Duration, SystemTime, UNIX_EPOCH},
};
use subxt::{dynamic, rpcs::rpc_params, OnlineClient, SubstrateConfig};
use subxt_signer::sr25519::dev;

const METHOD_NOT_FOUND: i32 = -32601;

const MANUAL: &[&str] = &["--dev", "--sealing", "manual"];
const AURA: &[&str] = &["--dev", "--sealing", "aura"];

/// Submits a transaction to the pool.
async fn submit(node: &Node) {
	let api = OnlineClient::<SubstrateConfig>::from_rpc_client(node.rpc.clone())
		.await
		.unwrap();
	let remark = dynamic::transaction("System", "remark", (b"one".to_vec(),));
	let mut transactions = api.at_current_block().await.unwrap().transactions();
	transactions
		.sign_and_submit_then_watch_default(&remark, &dev::alice())
		.await
		.unwrap();
}

/// Number of extrinsics in a block, including the timestamp.
async fn transactions_in(node: &Node, number: u64) -> usize {
	let block: Value = node
		.call("chain_getBlock", rpc_params![node.at(number).await.hash])
		.await;
	block["block"]["extrinsics"].as_array().unwrap().len()
}

async fn sleep(seconds: f64) {
	tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
}

/// Runs a node that must refuse to start; returns its error output.
fn refused(args: &[&str], base_path: &Path) -> String {
	let output = command(args, base_path)
		.args(["--rpc-port", "0"])
		.output()
		.unwrap();
	assert!(!output.status.success(), "the node accepted {args:?}");
	String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn manual_sealing_keeps_transactions_in_the_pool_until_dev_seal_at() {
	let dir = tempfile::tempdir().unwrap();
	let node = Node::start(MANUAL, dir.path()).await;
	let first = node.wait_for_finalized(1).await;
	submit(&node).await;
	// The subscription is accepted before the pool has checked the transaction.
	node.wait_for_pending().await;
	sleep(2.5).await;
	assert_eq!(node.best().await, first);
	let sealed = seal_at(&node, first.timestamp_ms + 60_000).await;
	assert_eq!(
		(sealed.number, transactions_in(&node, sealed.number).await),
		(2, 2)
	);
}

/// Transactions arrive while the node seals a block and while its pool follows that block.
#[tokio::test]
async fn dev_seal_at_includes_every_transaction_that_the_pool_has_accepted() {
	const ROUNDS: u64 = 30;
	let dir = tempfile::tempdir().unwrap();
	let node = Node::start(MANUAL, dir.path()).await;
	let mut time = node.wait_for_finalized(1).await.timestamp_ms;
	let api = OnlineClient::<SubstrateConfig>::from_rpc_client(node.rpc.clone())
		.await
		.unwrap();
	let senders = [
		dev::alice(),
		dev::bob(),
		dev::charlie(),
		dev::dave(),
		dev::eve(),
		dev::ferdie(),
	];
	for round in 0..ROUNDS {
		let mut arrivals = Vec::new();
		let signers = senders.iter().map(|sender| (sender.clone(), round));
		for (delay, hex) in (0..).zip(signed_remarks(&api, signers).await) {
			let rpc = node.rpc.clone();
			arrivals.push(tokio::spawn(async move {
				sleep(0.002 * (delay * 2 + round % 5) as f64).await;
				let answer = rpc.request::<String>("author_submitExtrinsic", rpc_params![hex]);
				answer.await.map_err(|error| error.to_string())
			}));
		}
		time += 60_000;
		let during = seal_at(&node, time).await;
		for arrival in arrivals {
			arrival.await.unwrap().unwrap();
		}
		time += 60_000;
		let after = seal_at(&node, time).await;
		let included =
			transactions_in(&node, during.number).await + transactions_in(&node, after.number).await;
		// Each block has the timestamp, too.
		assert_eq!(included, senders.len() + 2, "round {round}: {during:?} {after:?}");
	}
}

#[tokio::test]
async fn interval_sealing_makes_transactions_wait_for_the_next_block() {
	let dir = tempfile::tempdir().unwrap();
	let args = ["--dev", "--sealing", "interval", "--block-interval-ms", "3000"];
	let node = Node::start(&args, dir.path()).await;
	// From here the next block is nearly three seconds away.
	let number = node.best().await.number;
	node.wait_for_finalized(number + 1).await;
	submit(&node).await;
	let number = node.best().await.number;
	let last = node.wait_for_finalized(number + 2).await;
	let mut included = 0;
	for number in 2..=last.number {
		let (parent, block) = (node.at(number - 1).await, node.at(number).await);
		// A block that was caused by the transaction would come one slot, two seconds, after its parent.
		assert!(
			block.timestamp_ms >= parent.timestamp_ms + 2_900,
			"{parent:?} {block:?}"
		);
		included += transactions_in(&node, number).await - 1;
	}
	assert_eq!(included, 1);
}

#[tokio::test]
async fn aura_signs_a_block_in_each_slot_of_the_wall_clock() {
	let dir = tempfile::tempdir().unwrap();
	let node = Node::start(AURA, dir.path()).await;
	let slot_ms = node.slot_ms().await;
	let head = node.wait_for_finalized(3).await;
	let wall_ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
	assert!(u128::from(head.timestamp_ms) <= wall_ms && u128::from(head.timestamp_ms) + 300_000 > wall_ms);
	for number in 2..=3 {
		let (parent, child) = (node.at(number - 1).await, node.at(number).await);
		assert!(child.timestamp_ms / slot_ms > parent.timestamp_ms / slot_ms);
		let logs = node.header(&child.hash).await["digest"]["logs"].clone();
		// The last item must be a seal (0x05) of the engine "aura".
		let seal = logs.as_array().unwrap().last().unwrap().as_str().unwrap();
		assert!(seal.starts_with("0x0561757261"), "{seal}");
	}
	let (code, text) = node
		.call_fails("dev_sealAt", rpc_params![head.timestamp_ms + 60_000])
		.await;
	assert_eq!(code, METHOD_NOT_FOUND, "{text}");
	// Put a transaction into the pool; the next slot's block includes it.
	submit(&node).await;
	node.kill();

	let node = Node::start(AURA, dir.path()).await;
	node.wait_for_finalized(head.number + 2).await;
	node.kill();
	let text = refused(&["--dev", "--sealing", "manual"], dir.path());
	assert!(text.contains("continue with --sealing aura"), "{text}");
}

#[tokio::test]
async fn aura_refuses_a_chain_that_was_sealed_on_demand() {
	let dir = tempfile::tempdir().unwrap();
	let node = Node::start(MANUAL, dir.path()).await;
	let head = node.wait_for_finalized(1).await;
	// The database writes in the background; more blocks make sure that the first one is stored.
	for block in 1..=3 {
		seal_at(&node, head.timestamp_ms + block * 60_000).await;
	}
	node.kill();
	let text = refused(AURA, dir.path());
	assert!(text.contains("this chain was sealed on demand"), "{text}");
}

#[test]
fn intervals_without_effect_are_refused() {
	let dir = tempfile::tempdir().unwrap();
	for (sealing, interval, expected) in [
		("manual", "5", "has no effect with --sealing manual"),
		("aura", "5", "has no effect with --sealing aura"),
		(
			"interval",
			"0",
			"--sealing interval needs --block-interval-ms above 0",
		),
	] {
		let args = ["--dev", "--sealing", sealing, "--block-interval-ms", interval];
		let text = refused(&args, dir.path());
		assert!(text.contains(expected), "{text}");
	}
}
