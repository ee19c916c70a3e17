//! Kills replays and restarts them on a mined chain, whose final block is far behind its best block.
//!
//! A replay reads nonces and eras in the final block, but the pool validates transactions against the best block. So
//! the second run may sign what the first run sent already, or what is too late by now, and the pool refuses it.
//! Neither may end a replay.

mod common;

use common::{books, until, OrPanic, Replay, Running};
use commonwatt_client::keys::{account, key};
use commonwatt_localnet::Node;
use serde_json::Value;
use subxt::rpcs::rpc_params;
use subxt_signer::sr25519::Keypair;

/// How far below the head a block is final: about five seconds.
const FINALITY_DEPTH: u32 = 10;
/// Length of an era. Long enough for two waves of transactions, one after the other, to become final within one.
const ERA_SECONDS: u64 = 15;
/// The owners of the paper's households.
const OWNERS: [&str; 4] = ["//Alice", "//Bob", "//Charlie", "//Dave"];
/// The owners of two households that the replay registers. Their meters have no money, so the pool accepts only their
/// free readings.
const NEW_OWNERS: [&str; 2] = ["//north", "//south"];

async fn start() -> Running {
	Running::mined_with_eras(1, FINALITY_DEPTH, ERA_SECONDS).await
}

/// An account's next nonce after a block.
async fn nonce(node: &Node, key: &Keypair, hash: &str) -> u32 {
	let account: String = account(key).0.iter().map(|byte| format!("{byte:02x}")).collect();
	let params = rpc_params!["AccountNonceApi_account_nonce", format!("0x{account}"), hash];
	let rpc = node.rpc().await.or_panic();
	let nonce: String = node.call(&rpc, "state_call", params).await.or_panic();
	let digits = nonce.trim_start_matches("0x");
	u32::from_str_radix(digits, 16)
		.expect("the nonce is a u32")
		.swap_bytes()
}

/// Nonces of accounts after a block.
async fn nonces(node: &Node, owners: &[&str], hash: &str) -> Vec<u32> {
	let mut nonces = Vec::new();
	for owner in owners {
		nonces.push(nonce(node, &key(owner).or_panic(), hash).await);
	}
	nonces
}

/// Kills a replay at once, as a power cut would.
fn kill(replay: Replay) {
	drop(replay);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; scripts/faults.sh runs it"]
async fn killed_replay_resumes_while_its_transactions_are_not_final() {
	let running = start().await;
	let node = running.network.node(0);
	let first = running.replay(0, 2);
	until("strategies in a block that is not final", async || {
		let (best, last) = (node.best().await.or_panic(), node.finalized().await.or_panic());
		let ahead = nonces(node, &OWNERS, &best.hash).await;
		let behind = nonces(node, &OWNERS, &last.hash).await;
		ahead.iter().zip(behind).all(|(ahead, behind)| *ahead > behind)
	})
	.await;
	kill(first);

	running.replay(0, 2).finish().await;
	running.check().await;
}

/// The era for which the replay planned its first period, as its journal says.
fn first_planned(running: &Running) -> u32 {
	let text = std::fs::read_to_string(running.file("journal")).expect("there is a journal");
	let lines = text
		.lines()
		.filter_map(|line| serde_json::from_str::<Value>(line).ok());
	let mut eras = lines.filter_map(|line| line["Planned"]["era"].as_u64());
	let era = eras
		.next()
		.expect("the journal has a planned period before anything is sent");
	u32::try_from(era).expect("an era is a u32")
}

/// The entry of an era in a report.
fn line_of(report: &Value, era: u32) -> &Value {
	let lines = report["eras"].as_array().expect("there are eras");
	let line = lines.iter().find(|line| line["era"] == era);
	line.unwrap_or_else(|| panic!("the report has no era {era}: {report}"))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; scripts/faults.sh runs it"]
async fn killed_replay_resumes_when_its_readings_are_too_late_in_the_best_block_only() {
	let running = start().await;
	let node = running.network.node(0);
	let file = running.file("homes.csv");
	let mut text = "period_start,household,generation_wh,consumption_wh\n".to_owned();
	for hour in 0..2 {
		text += &format!("2021-07-31T0{hour}:00:00,north,1500,300\n2021-07-31T0{hour}:00:00,south,0,900\n");
	}
	std::fs::write(&file, text).expect("there is room for a file");
	let first = running.replay_of(&file, 0, 2);
	until("strategies in a final block", async || {
		let last = node.finalized().await.or_panic();
		nonces(node, &NEW_OWNERS, &last.hash)
			.await
			.iter()
			// The first transaction of an owner accepts the membership.
			.all(|nonce| *nonce > 1)
	})
	.await;
	kill(first);
	let era = first_planned(&running);

	// The chain accepts readings of an era during the next one. That one is over in the best block, but not yet in the
	// final block.
	until("the end of the era in which readings are accepted", async || {
		node.status().await.or_panic().era == Some(era + 2)
	})
	.await;
	let report = running.replay_of(&file, 0, 2).finish().await;
	let line = line_of(&report, era);
	assert_eq!(line["settled"]["missing_readings"], NEW_OWNERS.len(), "{line}");
	books(&node.url());
}
