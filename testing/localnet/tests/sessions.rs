//! Validators that come and go while a replay runs: they join, leave, change their keys, vote twice and fall silent.

mod common;

use common::{
	chain::{connect, must, next_nonce, signed, submit},
	commonwatt, until, OrPanic, Running,
};
use commonwatt_client::{
	chain::{
		self, council, executed_by,
		types::{Close, Propose, RuntimeCall, ValidatorsCall, Vote},
		value, Node,
	},
	council::encoded,
	keys::account,
};
use commonwatt_localnet::Governance;
use std::{
	collections::BTreeSet,
	sync::{
		atomic::{AtomicBool, Ordering},
		Arc,
	},
	time::{Duration, Instant},
};
use subxt::{dynamic, ext::scale_encode::EncodeAsFields, rpcs::rpc_params, utils::AccountId32};
use subxt_signer::sr25519::Keypair;

/// Length of a session: 30 slots of half a second.
const SESSION_SECONDS: u64 = 15;

fn named(governance: &Governance, indices: &[usize]) -> BTreeSet<[u8; 32]> {
	let account_of = |index: &usize| account(governance.account(*index).or_panic()).0;
	indices.iter().map(account_of).collect()
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
async fn until_at_work(governance: &Governance, node: &Node, indices: &[usize]) {
	let wanted = named(governance, indices);
	let begun = Instant::now();
	let what = format!("validators at work: {indices:?}");
	until(&what, async || at_work(node).await == wanted).await;
	println!("  at work after {} s: {indices:?}", begun.elapsed().as_secs());
}

/// A node, whose RPC allows that, makes new session keys, and its account sets them.
async fn set_new_keys(running: &Running, governance: &Governance, index: usize) {
	let url = running.network.node(index).url();
	governance.set_new_keys(index, &url).await.or_panic();
}

/// A node's account leaves the validators.
async fn leave(governance: &Governance, node: &Node, index: usize) {
	let signer = governance.account(index).or_panic();
	must(node, signer, ("Validators", "leave"), dynamic::value!({})).await;
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
	let governance = running.network.governance(0).await.or_panic();
	let finality = Finality::watch(&running.network.node(0).url()).await;

	// Without keys nobody is admitted; with keys, and a proof that they are its own, the fifth is.
	let refused = governance.admit(4).await.unwrap_err().to_string();
	assert!(refused.contains("NoKeys"), "{refused}");
	set_new_keys(&running, &governance, 4).await;
	governance.admit(4).await.or_panic();
	until_at_work(&governance, &node, &[0, 1, 2, 3, 4]).await;

	for index in 0..3 {
		set_new_keys(&running, &governance, index).await;
	}
	leave(&governance, &node, 3).await;
	until_at_work(&governance, &node, &[0, 1, 2, 4]).await;
	assert!(set_id(&node).await >= 2, "GRANDPA's sets are numbered");

	replay.finish().await;
	finality.check().await;
	running.check().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; scripts/faults.sh runs it"]
async fn double_voter_and_silent_validator_are_removed_the_council_upgrades_and_new_nodes_follow() {
	let mut running = Running::start_with_sessions(6, 1, SESSION_SECONDS).await;
	let replay = running.replay(0, 6);
	let node = connect(&running.network.node(0).url()).await;
	let governance = running.network.governance(0).await.or_panic();
	let finality = Finality::watch(&running.network.node(0).url()).await;

	// Somebody runs a second node with the keys of validator 3.
	let mut twin = running.network.start_twin(2).await.or_panic();
	until_at_work(&governance, &node, &[0, 1, 3, 4, 5]).await;
	twin.stop().or_panic();

	// Validator 6 falls silent.
	running.network.kill(5).or_panic();
	until_at_work(&governance, &node, &[0, 1, 3, 4]).await;

	// The set is replaced as far as there are others: the spare node comes, the first one goes.
	set_new_keys(&running, &governance, 6).await;
	governance.admit(6).await.or_panic();
	until_at_work(&governance, &node, &[0, 1, 3, 4, 6]).await;
	leave(&governance, &node, 0).await;
	until_at_work(&governance, &node, &[1, 3, 4, 6]).await;
	// All of them change their keys until the set has changed ten times.
	while set_id(&node).await < 10 {
		for index in [1, 3, 4, 6] {
			set_new_keys(&running, &governance, index).await;
		}
		let before = set_id(&node).await;
		until("the use of new keys", async || set_id(&node).await > before).await;
	}
	replay.finish().await;

	// The council upgrades the runtime while another day is played.
	let second = running.replay_again(0, 3);
	let before = executed_by(&node.head().await.or_panic()).await.or_panic();
	let code = commonwatt_runtime_rehearsal::WASM_BINARY.expect("the rehearsal is built");
	governance.upgrade(1, code.to_vec()).await.or_panic();
	let is_newer = async || executed_by(&node.head().await.or_panic()).await.or_panic() > before;
	until("the new runtime", is_newer).await;
	second.finish().await;

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

	// A light client too.
	let light = running.network.write_light_specification().await.or_panic();
	let begun = Instant::now();
	let [by_node, by_light] = [
		["--url".to_owned(), running.network.node(0).url()],
		["--light".to_owned(), light.display().to_string()],
	]
	.map(|way| {
		let said = commonwatt(&["council", "list", &way[0], &way[1]])
			.output()
			.expect("commonwatt runs");
		assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
		String::from_utf8_lossy(&said.stdout).into_owned()
	});
	assert_eq!(by_light, by_node);
	println!("  a light client followed after {} s", begun.elapsed().as_secs());
}

/// Two of four machines are gone for good. Nothing becomes final any more, so the council cannot wait for final blocks: it
/// removes them, and says from which block on the others vote.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; scripts/faults.sh runs it"]
async fn finality_goes_on_after_more_than_a_third_is_gone_for_good() {
	let mut running = Running::start_with_sessions(4, 1, SESSION_SECONDS).await;
	let node = connect(&running.network.node(0).url()).await;
	let governance = running.network.governance(0).await.or_panic();
	for index in [2, 3] {
		running.network.kill(index).or_panic();
	}
	running.wait_until_finality_stops(0).await;
	let last = running.network.node(0).finalized().await.or_panic();

	for index in [2, 3] {
		let validator = account(governance.account(index).or_panic());
		let call = ValidatorsCall::remove { validator };
		decide_at_best(&governance, &node, RuntimeCall::Validators(call)).await;
	}
	// The set is planned for the session after next. In the session before it, the council speaks.
	let session = async || {
		let at = node.best().await.or_panic();
		value::<u32>(&at, "Session", "CurrentIndex")
			.await
			.or_panic()
			.unwrap_or(0)
	};
	let now = session().await;
	until("the session before the new set", async || session().await > now).await;
	let call = ValidatorsCall::note_stalled {
		delay: 4,
		best_final: u32::try_from(last.number).expect("a young chain"),
	};
	decide_at_best(&governance, &node, RuntimeCall::Validators(call)).await;

	let stopped = Instant::now();
	running.wait_for_final(0, last.number + 60).await;
	println!(
		"  blocks became final again; {} s until the 60th",
		stopped.elapsed().as_secs()
	);
	assert_eq!(at_work(&node).await, named(&governance, &[0, 1]));
}

/// The council decides on a call, and nobody waits for final blocks.
async fn decide_at_best(governance: &Governance, node: &Node, call: RuntimeCall) {
	let at = node.best().await.or_panic();
	let signers: Vec<_> = (0..4).map(|index| governance.account(index).or_panic()).collect();
	let bytes = encoded(&at, &call).or_panic();
	let length_bound = u32::try_from(bytes.len()).expect("a short call");
	let threshold = 4;
	let motion = Propose {
		threshold,
		proposal: call,
		length_bound,
	};
	must_at_best(node, signers[0], ("Council", "propose"), motion).await;
	let motions = council::motions(&node.best().await.or_panic()).await.or_panic();
	let [motion] = motions.as_slice() else {
		panic!("one motion is open, not {}", motions.len());
	};
	for signer in &signers {
		let vote = Vote {
			proposal: motion.hash.0,
			index: motion.votes.index,
			approve: true,
		};
		must_at_best(node, signer, ("Council", "vote"), vote).await;
	}
	let close = Close {
		proposal_hash: motion.hash.0,
		index: motion.votes.index,
		proposal_weight_bound: council::weight(&at, &bytes).await.or_panic(),
		length_bound,
	};
	must_at_best(node, signers[0], ("Council", "close"), close).await;
	let left = council::motions(&node.best().await.or_panic()).await.or_panic();
	assert!(left.is_empty(), "{left:?}");
}

/// Sends a call, and waits until the best chain has it.
async fn must_at_best(node: &Node, signer: &Keypair, call: (&str, &str), arguments: impl EncodeAsFields) {
	let at = node.best().await.or_panic();
	let nonce = next_nonce(node, signer).await.or_panic();
	let bytes = signed(&at, signer, nonce, call, arguments);
	submit(node, &bytes).await.or_panic();
	let what = format!("{}.{} in a block", call.0, call.1);
	let is_in = async || {
		let at = node.best().await.or_panic();
		chain::account(&at, &account(signer)).await.or_panic().nonce > nonce
	};
	until(&what, is_in).await;
}
