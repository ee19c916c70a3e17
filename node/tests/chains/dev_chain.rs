//! A development chain: sealing, the clock, restarts.

use crate::harness::{command, decode_u64, seal_at, signed_remarks, Head, Node, PATIENCE};
use serde_json::Value;
use std::{
	collections::BTreeMap,
	fs::File,
	path::{Path, PathBuf},
	time::{Duration, Instant, SystemTime},
};
use subxt::{dynamic, rpcs::rpc_params, OnlineClient, SubstrateConfig};
use subxt_signer::sr25519::dev;

const INVALID_PARAMS: i32 = -32602;
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// No blocks by time.
const STILL: &[&str] = &["--dev", "--block-interval-ms", "0"];
/// Blocks by time, faster than the wall clock.
const FAST: &[&str] = &["--dev", "--block-interval-ms", "200"];

fn temp_dir() -> tempfile::TempDir {
	tempfile::tempdir().unwrap()
}

/// The slot in a header. The first digest item is Aura's: 0x06 "aura", a length and the number.
async fn slot_of(node: &Node, head: &Head) -> u64 {
	let header = node.header(&head.hash).await;
	let item = header["digest"]["logs"][0].as_str().unwrap();
	decode_u64(
		item.strip_prefix("0x066175726120")
			.expect("the first digest item is an Aura slot"),
	)
}

#[tokio::test]
async fn blocks_come_by_themselves_each_in_a_later_slot_and_final() {
	let dir = temp_dir();
	let node = Node::start(FAST, dir.path()).await;
	let slot_ms = node.slot_ms().await;
	node.wait_for_finalized(5).await;
	for number in 1..5 {
		let (parent, child) = (node.at(number).await, node.at(number + 1).await);
		assert_eq!(slot_of(&node, &child).await, child.timestamp_ms / slot_ms);
		assert!(
			child.timestamp_ms / slot_ms > parent.timestamp_ms / slot_ms,
			"{parent:?} {child:?}"
		);
	}
}

#[tokio::test]
async fn default_block_interval_is_the_slot_duration() {
	let dir = temp_dir();
	let node = Node::start(&["--dev"], dir.path()).await;
	let first = node.wait_for_finalized(1).await;
	let later = node.wait_for_finalized(first.number + 2).await;
	assert!(later.timestamp_ms >= first.timestamp_ms + 2 * node.slot_ms().await);
}

#[tokio::test]
async fn clock_moves_to_the_requested_time() {
	let dir = temp_dir();
	let node = Node::start(STILL, dir.path()).await;
	let slot_ms = node.slot_ms().await;
	let mut head = node.wait_for_finalized(1).await;
	for step in [DAY_MS, slot_ms, slot_ms + 1, 30 * 60 * 1_000] {
		let wanted = head.timestamp_ms + step;
		let sealed = seal_at(&node, wanted).await;
		assert_eq!(sealed.number, head.number + 1);
		assert_eq!(sealed.timestamp_ms, wanted);
		// The block is final at once, without waiting.
		assert_eq!(node.finalized().await, sealed);
		assert_eq!(node.best().await, sealed);
		assert_eq!(slot_of(&node, &sealed).await, wanted / slot_ms);
		head = sealed;
	}
}

#[tokio::test]
async fn clock_refuses_the_past_and_the_far_future() {
	let dir = temp_dir();
	let node = Node::start(STILL, dir.path()).await;
	node.wait_for_finalized(1).await;
	let slot_ms = node.slot_ms().await;
	let start = node.best().await;
	// Start at the beginning of a slot, so that the test knows which timestamps are in the same slot.
	let head = seal_at(&node, (start.timestamp_ms / slot_ms + 5) * slot_ms).await;
	let now = head.timestamp_ms;
	for wanted in [0, now - slot_ms, now, now + slot_ms - 1, now + 11 * 365 * DAY_MS] {
		let (code, text) = node.call_fails("dev_sealAt", rpc_params![wanted]).await;
		assert_eq!(code, INVALID_PARAMS, "{text}");
		assert!(
			text.contains(&format!("{wanted} ms")) && text.contains(&format!("{now} ms")),
			"{text}"
		);
		assert_eq!(node.best().await, head);
	}
	assert_eq!(seal_at(&node, now + slot_ms).await.number, head.number + 1);
}

#[tokio::test]
async fn chain_time_continues_from_the_moved_clock() {
	let dir = temp_dir();
	let node = Node::start(FAST, dir.path()).await;
	let slot_ms = node.slot_ms().await;
	let head = node.wait_for_finalized(1).await;
	let sealed = seal_at(&node, head.timestamp_ms + DAY_MS).await;
	node.wait_for_finalized(sealed.number + 2).await;
	for ahead in 1..=2 {
		let timestamp_ms = node.at(sealed.number + ahead).await.timestamp_ms;
		assert_eq!(timestamp_ms, sealed.timestamp_ms + ahead * slot_ms);
	}
}

#[tokio::test]
async fn concurrent_callers_of_the_clock_never_race() {
	let dir = temp_dir();
	let node = Node::start(FAST, dir.path()).await;
	let head = node.wait_for_finalized(1).await;
	let calls = (1..=8).map(|day| {
		let rpc = node.rpc.clone();
		let wanted = head.timestamp_ms + day * DAY_MS;
		tokio::spawn(async move { rpc.request::<Value>("dev_sealAt", rpc_params![wanted]).await })
	});
	let mut blocks = Vec::new();
	for call in calls.collect::<Vec<_>>() {
		// If a later day came first, the node refuses the earlier one.
		if let Ok(sealed) = call.await.unwrap() {
			blocks.push((
				sealed["number"].as_u64().unwrap(),
				sealed["timestamp_ms"].as_u64().unwrap(),
			));
		}
	}
	blocks.sort();
	assert!(!blocks.is_empty());
	assert!(
		blocks
			.windows(2)
			.all(|pair| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1),
		"{blocks:?}"
	);
	for (number, timestamp_ms) in blocks {
		assert_eq!(node.at(number).await.timestamp_ms, timestamp_ms);
	}
}

#[tokio::test]
async fn transactions_get_a_block_at_once() {
	let dir = temp_dir();
	let node = Node::start(STILL, dir.path()).await;
	let before = node.wait_for_finalized(1).await;
	let api = OnlineClient::<SubstrateConfig>::from_rpc_client(node.rpc.clone())
		.await
		.unwrap();
	let remark = dynamic::transaction("System", "remark", (b"one".to_vec(),));
	let included = api
		.at_current_block()
		.await
		.unwrap()
		.transactions()
		.sign_and_submit_then_watch_default(&remark, &dev::alice())
		.await
		.unwrap()
		.wait_for_finalized()
		.await
		.unwrap();
	included.wait_for_success().await.unwrap();
	// This chain makes no blocks by time, so the transaction caused this one.
	assert_eq!(node.best().await.number, before.number + 1);
}

#[tokio::test]
async fn burst_of_transactions_is_all_included() {
	let dir = temp_dir();
	let node = Node::start(STILL, dir.path()).await;
	let before = node.wait_for_finalized(1).await;
	let api = OnlineClient::<SubstrateConfig>::from_rpc_client(node.rpc.clone())
		.await
		.unwrap();
	let transactions = api.at_current_block().await.unwrap().transactions();
	const BURST: u64 = 50;
	let account = dev::alice().public_key().to_account_id();
	let first: u64 = transactions.account_nonce(&account).await.unwrap();
	let signers = (first..first + BURST).map(|nonce| (dev::alice(), nonce));
	let mut answers = Vec::new();
	for hex in signed_remarks(&api, signers).await {
		let rpc = node.rpc.clone();
		answers.push(tokio::spawn(async move {
			rpc.request::<String>("author_submitExtrinsic", rpc_params![hex])
				.await
		}));
	}
	for answer in answers {
		answer
			.await
			.unwrap()
			.unwrap_or_else(|error| panic!("{error}; the node's log:\n{}", node.log()));
	}
	// This chain makes no blocks by time, so the transactions alone cause the blocks that include them.
	let begun = Instant::now();
	loop {
		let at_block = api.at_current_block().await.unwrap();
		let nonce: u64 = at_block.transactions().account_nonce(&account).await.unwrap();
		if nonce == first + BURST {
			break;
		}
		assert!(
			begun.elapsed() < PATIENCE,
			"transactions are missing at nonce {nonce}; the node's log:\n{}",
			node.log()
		);
		tokio::time::sleep(Duration::from_millis(100)).await;
	}
	assert_eq!(node.pending().await, 0);
	let blocks = node.best().await.number - before.number;
	assert!(blocks < BURST, "{blocks} blocks for {BURST} transactions");
}

#[tokio::test]
async fn chain_continues_after_sigkill() {
	let dir = temp_dir();
	let node = Node::start(FAST, dir.path()).await;
	let head = node.wait_for_finalized(1).await;
	// Chain time is a day ahead of the wall clock when the node is killed.
	let sealed = seal_at(&node, head.timestamp_ms + DAY_MS).await;
	// The database writes in the background: the newest blocks may be lost, but no older ones.
	let kept = node.wait_for_finalized(sealed.number + 3).await.number - 2;
	let kept = node.at(kept).await;
	node.kill();

	let node = Node::start(STILL, dir.path()).await;
	let slot_ms = node.slot_ms().await;
	assert_eq!(node.at(kept.number).await, kept);
	let head = node.best().await;
	assert!(
		head.number >= kept.number && head.timestamp_ms >= kept.timestamp_ms,
		"{kept:?} {head:?}"
	);
	// The first block of the new process does not fall back to the wall clock.
	let next = node.wait_for_finalized(kept.number + 1).await;
	assert_eq!(
		next.timestamp_ms - kept.timestamp_ms,
		(next.number - kept.number) * slot_ms,
		"{kept:?} {next:?}"
	);
	let moved = seal_at(&node, node.best().await.timestamp_ms + DAY_MS).await;
	assert_eq!(node.finalized().await, moved);
}

#[tokio::test]
async fn old_blocks_keep_their_state() {
	let dir = temp_dir();
	let node = Node::start(STILL, dir.path()).await;
	let first = node.wait_for_finalized(1).await;
	let slot_ms = node.slot_ms().await;
	// Other chains by default discard the state of a block after 256 blocks.
	let mut head = node.best().await;
	for _ in 0..300 {
		head = seal_at(&node, head.timestamp_ms + slot_ms).await;
	}
	assert_eq!(node.at(1).await, first);
}

/// The compiled runtimes in a folder: file and content.
fn compiled_in(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
	let mut found = BTreeMap::new();
	for entry in std::fs::read_dir(folder).unwrap() {
		let path = entry.unwrap().path();
		if path.is_dir() {
			found.append(&mut compiled_in(&path));
		} else if path.extension().is_none() {
			// Files with an extension say how often a runtime was used.
			let content = std::fs::read(&path).unwrap();
			found.insert(path, content);
		}
	}
	found
}

#[tokio::test]
async fn runtime_is_compiled_once_and_again_if_the_file_is_damaged() {
	let (dir, folder) = (temp_dir(), temp_dir());
	let option = folder.path().to_str().unwrap();
	let args = &["--dev", "--block-interval-ms", "0", "--compiled-runtimes", option];
	Node::start(args, dir.path()).await.kill();
	let compiled = compiled_in(folder.path());
	assert_eq!(compiled.len(), 1, "{:?}", compiled.keys());

	let marked = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
	let (file, content) = compiled.into_iter().next().unwrap();
	let handle = File::options().write(true).open(&file).unwrap();
	handle.set_modified(marked).unwrap();
	Node::start(args, dir.path()).await.kill();
	// If the node had compiled the runtime again, it would have written the file again.
	assert_eq!(file.metadata().unwrap().modified().unwrap(), marked);

	std::fs::write(&file, b"damaged").unwrap();
	let node = Node::start(args, dir.path()).await;
	// Later than the block that the node seals when it starts.
	let slot_ms = node.slot_ms().await;
	seal_at(&node, node.best().await.timestamp_ms + 30 * slot_ms).await;
	assert_eq!(compiled_in(folder.path()), BTreeMap::from([(file, content)]));
}

#[tokio::test]
async fn development_chain_has_no_network() {
	let dir = temp_dir();
	let node = Node::start(STILL, dir.path()).await;
	let addresses: Vec<String> = node.call("system_localListenAddresses", rpc_params![]).await;
	assert_eq!(addresses, Vec::<String>::new());
}

#[test]
fn block_interval_is_refused_on_other_chains() {
	let dir = temp_dir();
	let output = command(&["--chain", "local", "--block-interval-ms", "5"], dir.path())
		.output()
		.unwrap();
	let text = String::from_utf8_lossy(&output.stderr);
	assert!(!output.status.success());
	assert!(
		text.contains("--block-interval-ms applies only to development chains"),
		"{text}"
	);
}
