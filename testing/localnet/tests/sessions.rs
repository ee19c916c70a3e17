//! Validators that come and go while a replay runs: they join, leave, change their keys, vote twice and fall silent.

mod common;

use common::{
	chain::{connect, must},
	until, OrPanic, Running,
};
use commonwatt_client::{
	chain::{value, Node},
	keys::{account, key},
};
use serde::Deserialize;
use sp_core::Bytes;
use std::{
	collections::BTreeSet,
	sync::{
		atomic::{AtomicBool, Ordering},
		Arc,
	},
	time::{Duration, Instant},
};
use subxt::{
	dynamic::{value, Value},
	rpcs::rpc_params,
	utils::{to_hex, AccountId32},
};
use subxt_signer::sr25519::Keypair;

/// Length of a session: 30 slots of half a second.
const SESSION_SECONDS: u64 = 15;

/// A validator's new session keys, as its node returns them.
#[derive(Deserialize)]
struct NewKeys {
	/// The public keys, one after the other.
	keys: Bytes,
	/// The proof that the node has the secret ones.
	proof: Bytes,
}

/// The key of a node's account.
fn signer(running: &Running, index: usize) -> Keypair {
	key(&running.network.account_phrase(index).or_panic()).or_panic()
}

fn named(running: &Running, indices: &[usize]) -> BTreeSet<[u8; 32]> {
	indices
		.iter()
		.map(|index| account(&signer(running, *index)).0)
		.collect()
}

/// The accounts of the validators at work in the newest final block.
async fn at_work(node: &Node) -> BTreeSet<[u8; 32]> {
	let at = node.head().await.or_panic();
	let set: Vec<AccountId32> = value(&at, "Session", "Validators").await.or_panic().unwrap();
	set.into_iter().map(|account| account.0).collect()
}

/// The number of GRANDPA's set in the newest final block.
async fn set_id(node: &Node) -> u64 {
	let at = node.head().await.or_panic();
	value(&at, "Grandpa", "CurrentSetId").await.or_panic().unwrap()
}

/// Waits until exactly these nodes are validators at work.
async fn until_at_work(running: &Running, node: &Node, indices: &[usize]) {
	let wanted = named(running, indices);
	let begun = Instant::now();
	let what = format!("validators at work: {indices:?}");
	until(&what, async || at_work(node).await == wanted).await;
	println!("  at work after {} s: {indices:?}", begun.elapsed().as_secs());
}

/// A node makes new session keys, and its account sets them.
async fn set_new_keys(running: &Running, index: usize) {
	let node = connect(&running.network.node(index).url()).await;
	let signer = signer(running, index);
	let made: NewKeys = node
		.rpc()
		.request(
			"author_rotateKeysWithOwner",
			rpc_params![to_hex(account(&signer).0)],
		)
		.await
		.or_panic();
	let (aura, grandpa) = made.keys.split_at(32);
	let (aura, grandpa) = (Value::from_bytes(aura), Value::from_bytes(grandpa));
	let proof = Value::from_bytes(&made.proof.0);
	let arguments = value!({ keys: { aura: aura, grandpa: grandpa }, proof: proof });
	must(&node, &signer, ("Session", "set_keys"), arguments).await;
}

/// Governance admits a node's account.
async fn admit(running: &Running, node: &Node, index: usize) {
	let validator = Value::from_bytes(account(&signer(running, index)).0);
	let alice = key("//Alice").or_panic();
	let arguments = value!({ call: Validators(admit { validator: validator }) });
	must(node, &alice, ("Sudo", "sudo"), arguments).await;
}

/// Measures the longest time for which a node makes no new block final.
struct Finality {
	stop: Arc<AtomicBool>,
	longest: tokio::task::JoinHandle<Duration>,
}

impl Finality {
	async fn watch(url: &str) -> Self {
		let node = connect(url).await;
		let stop = Arc::new(AtomicBool::new(false));
		let stopped = stop.clone();
		let longest = tokio::spawn(async move {
			let (mut longest, mut since, mut last) = (Duration::ZERO, Instant::now(), None);
			while !stopped.load(Ordering::Relaxed) {
				let hash: String = node
					.rpc()
					.request("chain_getFinalizedHead", rpc_params![])
					.await
					.or_panic();
				if last.as_ref() != Some(&hash) {
					(last, since) = (Some(hash), Instant::now());
				}
				longest = longest.max(since.elapsed());
				tokio::time::sleep(Duration::from_millis(100)).await;
			}
			longest
		});
		Self { stop, longest }
	}

	/// Panics if finality stopped for longer than a session.
	async fn check(self) {
		self.stop.store(true, Ordering::Relaxed);
		let longest = self.longest.await.or_panic();
		println!(
			"  longest time without a new final block: {:.1} s",
			longest.as_secs_f64()
		);
		assert!(longest < Duration::from_secs(SESSION_SECONDS), "{longest:?}");
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn validators_join_leave_and_change_their_keys_while_eras_are_cleared() {
	let running = Running::start_with_sessions(4, 1, SESSION_SECONDS).await;
	let replay = running.replay(0, 3);
	let node = connect(&running.network.node(0).url()).await;
	let finality = Finality::watch(&running.network.node(0).url()).await;

	// Without keys nobody is admitted; with keys, and a proof that they are its own, the fifth is.
	admit(&running, &node, 4).await;
	set_new_keys(&running, 4).await;
	admit(&running, &node, 4).await;
	until_at_work(&running, &node, &[0, 1, 2, 3, 4]).await;

	for index in 0..3 {
		set_new_keys(&running, index).await;
	}
	must(&node, &signer(&running, 3), ("Validators", "leave"), value!({})).await;
	until_at_work(&running, &node, &[0, 1, 2, 4]).await;
	assert!(set_id(&node).await >= 2, "GRANDPA's sets are numbered");

	replay.finish().await;
	finality.check().await;
	running.check().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; scripts/faults.sh runs it"]
async fn double_voter_and_silent_validator_are_removed_and_a_new_node_follows() {
	let mut running = Running::start_with_sessions(6, 1, SESSION_SECONDS).await;
	let replay = running.replay(0, 6);
	let node = connect(&running.network.node(0).url()).await;
	let finality = Finality::watch(&running.network.node(0).url()).await;

	// Somebody runs a second node with the keys of validator 3.
	let mut twin = running.network.start_twin(2).await.or_panic();
	until_at_work(&running, &node, &[0, 1, 3, 4, 5]).await;
	twin.stop().or_panic();

	// Validator 6 falls silent.
	running.network.kill(5).or_panic();
	until_at_work(&running, &node, &[0, 1, 3, 4]).await;

	// The set is replaced as far as there are others: the spare node comes, the first one goes.
	set_new_keys(&running, 6).await;
	admit(&running, &node, 6).await;
	until_at_work(&running, &node, &[0, 1, 3, 4, 6]).await;
	must(&node, &signer(&running, 0), ("Validators", "leave"), value!({})).await;
	until_at_work(&running, &node, &[1, 3, 4, 6]).await;
	// All of them change their keys until the set has changed ten times.
	while set_id(&node).await < 10 {
		for index in [1, 3, 4, 6] {
			set_new_keys(&running, index).await;
		}
		let before = set_id(&node).await;
		until("the use of new keys", async || set_id(&node).await > before).await;
	}

	replay.finish().await;
	finality.check().await;
	running.network.start(5).or_panic();
	let head = running.network.node(0).finalized().await.or_panic();
	running.wait_for_final(5, head.number).await;
	running.check().await;

	// A node without a database gets the state by proofs of finality of all these sets.
	let mut fresh = running.network.start_fresh(&["--sync", "warp"]).await.or_panic();
	let begun = Instant::now();
	let is_there = async || {
		fresh
			.finalized()
			.await
			.is_ok_and(|seen| seen.number >= head.number)
	};
	until("the new node", is_there).await;
	println!(
		"  a new node followed by warp sync after {} s",
		begun.elapsed().as_secs()
	);
	fresh.stop().or_panic();
}
