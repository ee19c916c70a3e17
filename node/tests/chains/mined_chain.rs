//! A mined chain: which blocks the import refuses, and what the command line does.

use crate::harness::{command, Node, PATIENCE};
use codec::{Decode, Encode};
use commonwatt_pow::Seal;
use commonwatt_runtime::opaque::Block;
use sp_consensus_pow::POW_ENGINE_ID;
use sp_runtime::{generic, Digest, DigestItem};
use std::{
	fs,
	path::{Path, PathBuf},
	process::Command,
	time::{Duration, Instant},
};
use subxt::rpcs::rpc_params;

type SignedBlock = generic::SignedBlock<Block>;

/// Alice's account, whose key is public.
const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

/// Mining rules for quick blocks: the first ones take a test machine about 20 ms.
const QUICK: [(&str, u64); 2] = [("initialDifficulty", 5_000), ("targetBlockMs", 200)];

/// Writes the node's `pow` chain with the rules of [`QUICK`] to a file.
fn quick_chain(dir: &Path) -> PathBuf {
	let run = Command::new(env!("CARGO_BIN_EXE_commonwatt-node"))
		.args(["export-chain-spec", "--chain", "pow"])
		.output()
		.unwrap();
	let mut spec: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
	for (rule, value) in QUICK {
		let rules = &mut spec["genesis"]["runtimeGenesis"]["patch"]["mining"];
		assert!(rules[rule].is_u64(), "the preset has no {rule}: {rules}");
		rules[rule] = value.into();
	}
	let path = dir.join("quick.json");
	fs::write(&path, spec.to_string()).unwrap();
	path
}

async fn start(chain: &Path, base_path: &Path, more: &[&str]) -> Node {
	let chain = chain.to_str().unwrap();
	let args = [
		"--chain",
		chain,
		"--listen-addr",
		"/ip4/127.0.0.1/tcp/0",
		"--finality-depth",
		"3",
	];
	Node::start(&[&args[..], more].concat(), base_path).await
}

/// Runs a subcommand on a chain's database; returns whether it succeeded, and its output.
fn subcommand(args: &[&str], chain: &Path, base_path: &Path) -> (bool, String) {
	let mut all = args.to_vec();
	all.extend(["--chain", chain.to_str().unwrap()]);
	let mut command = Command::new(env!("CARGO_BIN_EXE_commonwatt-node"));
	let output = command
		.args(all)
		.arg("--base-path")
		.arg(base_path)
		.output()
		.unwrap();
	let said = [output.stdout, output.stderr].concat();
	(
		output.status.success(),
		String::from_utf8_lossy(&said).into_owned(),
	)
}

/// The number of the best block in a database.
fn height(chain: &Path, base_path: &Path) -> u64 {
	let (done, said) = subcommand(&["chain-info"], chain, base_path);
	assert!(done, "{said}");
	let json = &said[said.find('{').unwrap()..=said.rfind('}').unwrap()];
	let info: serde_json::Value = serde_json::from_str(json).unwrap();
	info["best_number"].as_u64().unwrap()
}

/// Blocks in the format of `export-blocks --binary`: their number, followed by the blocks.
struct Blocks(Vec<SignedBlock>);

impl Blocks {
	fn read(path: &Path) -> Self {
		let bytes = fs::read(path).unwrap();
		let mut rest = bytes.as_slice();
		let count = u64::decode(&mut rest).unwrap();
		Self(
			(0..count)
				.map(|_| SignedBlock::decode(&mut rest).unwrap())
				.collect(),
		)
	}

	fn write(&self, path: &Path) {
		let mut bytes = (self.0.len() as u64).encode();
		self.0.iter().for_each(|block| block.encode_to(&mut bytes));
		fs::write(path, bytes).unwrap();
	}

	/// The blocks up to `index`, of which `forge` changes the last one.
	fn with(&self, index: usize, forge: impl FnOnce(&mut SignedBlock)) -> Self {
		let mut blocks = self.0[..=index].to_vec();
		forge(&mut blocks[index]);
		Self(blocks)
	}
}

fn digest(block: &mut SignedBlock) -> &mut Digest {
	&mut block.block.header.digest
}

fn seal_of(block: &SignedBlock) -> Seal {
	match block.block.header.digest.logs.last() {
		Some(DigestItem::Seal(POW_ENGINE_ID, seal)) => Seal::decode(&mut seal.as_slice()).unwrap(),
		other => panic!("the last digest item is not a seal: {other:?}"),
	}
}

fn seal_with(block: &mut SignedBlock, seal: Vec<u8>) {
	*digest(block).logs.last_mut().unwrap() = DigestItem::Seal(POW_ENGINE_ID, seal);
}

fn pre_hash(block: &SignedBlock) -> commonwatt_runtime::Hash {
	let mut header = block.block.header.clone();
	header.digest.pop();
	header.hash()
}

/// Replaces the seal by real work on the block as it is now, at any difficulty.
fn mine_again(block: &mut SignedBlock, difficulty: u128) {
	let seal = Seal::search(&pre_hash(block), difficulty, 0..u64::MAX).unwrap();
	seal_with(block, seal.encode());
}

/// Index of the block that is forged: the fifth block of the chain.
const LAST: usize = 4;
/// Index of its parent.
const PARENT: usize = LAST - 1;

/// Mines a chain in `dir`, and exports its first blocks up to [`LAST`].
async fn mine_blocks(dir: &Path, chain: &Path) -> Blocks {
	let miner_path = dir.join("miner");
	let mining = ["--miner-threads", "1", "--miner-account", ALICE];
	let miner = start(chain, &miner_path, &mining).await;
	miner.wait_for_finalized(6).await;
	miner.kill();

	let file = dir.join("blocks");
	let file_name = file.to_str().unwrap();
	let (done, said) = subcommand(
		&["export-blocks", file_name, "--binary", "--to", "5"],
		chain,
		&miner_path,
	);
	assert!(done, "{said}");
	let blocks = Blocks::read(&file);
	assert_eq!(blocks.0.len(), LAST + 1);
	blocks
}

/// Imports blocks into a new database; returns whether the node accepted all of them, and its output.
fn import(blocks: &Blocks, file: &Path, chain: &Path, base_path: &Path) -> (bool, String) {
	blocks.write(file);
	subcommand(
		&["import-blocks", file.to_str().unwrap(), "--binary"],
		chain,
		base_path,
	)
}

/// Chains whose last block has a seal that is missing, malformed or not its own.
fn with_forged_seal(blocks: &Blocks) -> Vec<(&'static str, Blocks)> {
	let true_seal = seal_of(&blocks.0[LAST]);
	vec![
		(
			"another nonce",
			blocks.with(LAST, |block| {
				let seal = Seal {
					nonce: true_seal.nonce.wrapping_add(1),
					..true_seal
				};
				seal_with(block, seal.encode());
			}),
		),
		(
			"the seal of its parent",
			blocks.with(LAST, |block| {
				seal_with(block, seal_of(&blocks.0[PARENT]).encode())
			}),
		),
		(
			"a byte after the seal",
			blocks.with(LAST, |block| seal_with(block, (true_seal, 0u8).encode())),
		),
		(
			"an empty seal",
			blocks.with(LAST, |block| seal_with(block, Vec::new())),
		),
		("no seal", blocks.with(LAST, |block| drop(digest(block).pop()))),
		(
			"a seal of another engine",
			blocks.with(LAST, |block| {
				*digest(block).logs.last_mut().unwrap() = DigestItem::Seal(*b"aura", true_seal.encode());
			}),
		),
	]
}

/// Chains whose last block has the wrong amount of work.
fn with_wrong_work(blocks: &Blocks) -> Vec<(&'static str, Blocks)> {
	let required = seal_of(&blocks.0[LAST]).difficulty;
	vec![
		(
			"real work, but less than required",
			blocks.with(LAST, |block| mine_again(block, required / 2)),
		),
		(
			"real work, but more than required",
			blocks.with(LAST, |block| mine_again(block, required + 1)),
		),
		(
			"no work",
			blocks.with(LAST, |block| {
				seal_with(
					block,
					Seal {
						difficulty: 0,
						nonce: 0,
					}
					.encode(),
				)
			}),
		),
	]
}

/// Chains whose last block has other contents than it was mined or executed with.
fn with_forged_contents(blocks: &Blocks) -> Vec<(&'static str, Blocks)> {
	let required = seal_of(&blocks.0[LAST]).difficulty;
	let other_account = DigestItem::PreRuntime(POW_ENGINE_ID, [7u8; 32].to_vec());
	vec![
		(
			"another account for the reward after it was sealed",
			blocks.with(LAST, |block| digest(block).logs[0] = other_account),
		),
		(
			"a valid seal, but a wrong state root",
			blocks.with(LAST, |block| {
				block.block.header.state_root = Default::default();
				mine_again(block, required);
			}),
		),
	]
}

#[tokio::test]
async fn forged_blocks_are_refused_and_valid_ones_accepted() {
	let dir = tempfile::tempdir().unwrap();
	let chain = quick_chain(dir.path());
	let blocks = mine_blocks(dir.path(), &chain).await;

	let forgeries = [
		with_forged_seal(&blocks),
		with_wrong_work(&blocks),
		with_forged_contents(&blocks),
	];
	for (number, (what, forged)) in forgeries.into_iter().flatten().enumerate() {
		let base_path = dir.path().join(format!("victim-{number}"));
		let (done, said) = import(&forged, &dir.path().join("forged"), &chain, &base_path);
		assert!(!done, "the node accepted a block with {what}: {said}");
		assert_eq!(height(&chain, &base_path), LAST as u64, "{what}: {said}");
	}

	// A block that is unchanged, or that was mined again with real work, is accepted.
	let required = seal_of(&blocks.0[LAST]).difficulty;
	for (what, honest) in [
		("as it was", blocks.with(LAST, |_| ())),
		(
			"mined again",
			blocks.with(LAST, |block| mine_again(block, required)),
		),
	] {
		let base_path = dir.path().join(what);
		let (done, said) = import(&honest, &dir.path().join("honest"), &chain, &base_path);
		assert!(done, "{what}: {said}");
		assert_eq!(height(&chain, &base_path), LAST as u64 + 1, "{what}: {said}");
	}
}

/// Executing a block costs far more than a hash, so a block without the required work must not get that far.
#[tokio::test]
async fn claimed_difficulty_is_checked_before_the_body() {
	let dir = tempfile::tempdir().unwrap();
	let chain = quick_chain(dir.path());
	let blocks = mine_blocks(dir.path(), &chain).await;
	let required = seal_of(&blocks.0[LAST]).difficulty;
	let without_body = |difficulty| {
		blocks.with(LAST, |block| {
			block.block.extrinsics.clear();
			mine_again(block, difficulty);
		})
	};
	let fault = format!("the seal claims difficulty 1, but {required} is required");
	for (difficulty, is_claim_at_fault) in [(1, true), (required, false)] {
		let base_path = dir.path().join(difficulty.to_string());
		let forged = without_body(difficulty);
		let (done, said) = import(&forged, &dir.path().join("forged"), &chain, &base_path);
		assert!(!done, "{said}");
		assert_eq!(said.contains(&fault), is_claim_at_fault, "{said}");
		assert_eq!(height(&chain, &base_path), LAST as u64, "{said}");
	}
}

#[tokio::test]
async fn miner_continues_after_sigkill() {
	let dir = tempfile::tempdir().unwrap();
	let chain = quick_chain(dir.path());
	let base_path = dir.path().join("node");
	let mining = ["--miner-threads", "2", "--miner-account", ALICE];
	let miner = start(&chain, &base_path, &mining).await;
	let head = miner.wait_for_finalized(5).await;
	let rewards: String = miner
		.call(
			"state_call",
			rpc_params!["DifficultyApi_difficulty", "0x", &head.hash],
		)
		.await;
	assert_ne!(
		rewards,
		format!("0x{}", "0".repeat(32)),
		"a mined chain has a difficulty"
	);
	miner.kill();

	let again = start(&chain, &base_path, &mining).await;
	let later = again.wait_for_finalized(head.number + 5).await;
	assert_eq!(again.at(head.number).await, head, "a final block changed");
	assert!(later.timestamp_ms > head.timestamp_ms);
}

#[tokio::test]
async fn node_without_miner_threads_only_follows() {
	let dir = tempfile::tempdir().unwrap();
	let chain = quick_chain(dir.path());
	let miner = start(
		&chain,
		&dir.path().join("miner"),
		&["--miner-threads", "1", "--miner-account", ALICE],
	)
	.await;
	let addresses: Vec<String> = miner.call("system_localListenAddresses", rpc_params![]).await;
	let address = addresses
		.iter()
		.find(|address| address.contains("127.0.0.1"))
		.expect("the node listens on 127.0.0.1");
	let follower = start(&chain, &dir.path().join("follower"), &["--bootnodes", address]).await;
	let head = follower.wait_for_finalized(8).await;
	assert_eq!(miner.at(head.number).await, head);
	miner.kill();
	// Nobody mines any more. After the last blocks have been imported, no block may come in a time in which dozens came
	// before.
	let begun = Instant::now();
	let mut best = follower.best().await;
	loop {
		tokio::time::sleep(Duration::from_secs(5)).await;
		let now = follower.best().await;
		if now == best {
			break;
		}
		assert!(begun.elapsed() < PATIENCE, "blocks still arrive: {now:?}");
		best = now;
	}
}

#[test]
fn options_for_other_chains_and_mining_without_an_account_are_refused() {
	let dir = tempfile::tempdir().unwrap();
	for (chain, more, expected) in [
		("pow", &[][..], "--miner-threads needs --miner-account"),
		(
			"dev",
			&["--miner-account", ALICE],
			"--miner-threads applies only to mined chains",
		),
		(
			"pow",
			&["--sealing", "manual"],
			"--sealing applies only to development chains",
		),
	] {
		let mut all = vec!["--chain", chain, "--miner-threads", "1", "--rpc-port", "0"];
		all.extend(["--listen-addr", "/ip4/127.0.0.1/tcp/0"]);
		all.extend(more);
		let output = command(&all, &dir.path().join(chain)).output().unwrap();
		assert!(!output.status.success());
		let said = String::from_utf8_lossy(&output.stderr);
		assert!(said.contains(expected), "{said}");
	}
}
