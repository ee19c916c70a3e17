//! Miners: the market on a chain with proof of work, before and after a reorganisation.

mod common;

use common::{chain::connect, OrPanic, Running};
use commonwatt_client::chain::value;
use commonwatt_localnet::Node;
use std::collections::BTreeMap;
use subxt::{config::DefaultExtrinsicParamsBuilder, dynamic, ext::scale_decode::DecodeAsType};
use subxt_signer::sr25519::dev;

/// Finality depth that exceeds the number of blocks a miner makes while separated, so that it can still give them up.
const DEEP: u32 = 80;

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "::subxt::ext::scale_decode")]
struct RewardPaid {
	miner: [u8; 32],
	amount: u128,
}

/// Reads all final blocks. Returns the number of the last one, the rewards by miner, and the number of events called
/// `event_name`.
async fn history(url: &str, event_name: &str) -> (u64, BTreeMap<[u8; 32], Vec<u128>>, u32) {
	let node = connect(url).await;
	let last = node.head().await.or_panic().block_number();
	let (mut rewards, mut found) = (BTreeMap::<_, Vec<_>>::new(), 0);
	for number in 1..=last {
		let events = node.at(number).await.or_panic().events().fetch().await.unwrap();
		for event in events.iter().map(Result::unwrap) {
			match (event.pallet_name(), event.event_name()) {
				("Mining", "RewardPaid") => {
					let paid: RewardPaid = event.decode_fields_unchecked_as().unwrap();
					rewards.entry(paid.miner).or_default().push(paid.amount);
				}
				(_, name) if name == event_name => found += 1,
				_ => {}
			}
		}
	}
	(last, rewards, found)
}

/// The number of the last block, at most `at_most`, that the first two nodes have in common.
async fn last_common(nodes: &[Node], at_most: u64) -> u64 {
	for number in (0..=at_most).rev() {
		let one = nodes[0].at(number).await.or_panic();
		if one.is_some() && one == nodes[1].at(number).await.or_panic() {
			return number;
		}
	}
	panic!("the nodes do not even have the same genesis block")
}

/// Two miners make one chain. Separated, they make two, and eras are cleared and settled on both. Rejoined, one gives
/// up its blocks, and on the remaining chain every era was handled once.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; scripts/faults.sh runs it"]
async fn reorganisation_settles_no_era_twice_and_loses_no_transaction() {
	let mut running = Running::mined(2, DEEP).await;
	running.network.split(&[&[0], &[1]]).await.or_panic();

	// A transaction on each side, so that there is one on the side that gives up its blocks.
	for (node, account) in [(0, dev::alice()), (1, dev::bob())] {
		let node = connect(&running.network.node(node).url()).await;
		let call = dynamic::transaction("System", "remark_with_event", (b"parted".to_vec(),));
		let mut transactions = node.head().await.or_panic().transactions();
		// A mortal transaction's lifetime starts at a final block, and here that is older than such a lifetime.
		let params = DefaultExtrinsicParamsBuilder::new().immortal().build();
		transactions
			.sign_and_submit_then_watch(&call, &account, params)
			.await
			.unwrap();
	}
	let (alone, other) = tokio::join!(
		running.watch_until(0, |seen| seen.eras >= 1 && seen.blocks > 10),
		running.watch_until(1, |seen| seen.eras >= 1 && seen.blocks > 5)
	);
	let mut parted = Vec::new();
	for node in running.network.nodes() {
		parted.push(node.best().await.or_panic());
	}
	let fork = last_common(running.network.nodes(), parted[0].number.min(parted[1].number)).await;

	running.network.heal().await.or_panic();
	let highest = parted[0].number.max(parted[1].number);
	for node in 0..2 {
		running.wait_for_final(node, highest + 1).await;
	}
	let mut given_up = 0;
	for (node, head) in running.network.nodes().iter().zip(&parted) {
		let now = node
			.at(head.number)
			.await
			.or_panic()
			.expect("the chain has a block of that number");
		if now.hash != head.hash {
			given_up += head.number - fork;
		}
	}
	let seen = running.check().await;
	println!(
		"two miners separated, one side: {alone}; other side: {other}; {given_up} blocks given up; {seen}"
	);
	assert!(given_up > 3, "one side must give up its blocks");

	let (blocks, rewards, remarks) = history(&running.network.node(0).url(), "Remarked").await;
	assert_eq!(
		remarks, 2,
		"each remark must be on the chain once, also the one in blocks that were given up"
	);
	assert_eq!(
		rewards.len(),
		2,
		"both miners must have rewards on the remaining chain"
	);
	let paid: u64 = rewards.values().map(|amounts| amounts.len() as u64).sum();
	assert_eq!(paid, blocks, "every block must have one reward");
}

/// A replay on a mined chain plays every period, as on any other chain.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; scripts/faults.sh runs it"]
async fn replay_plays_every_period_on_a_mined_chain() {
	let running = Running::mined(1, 2).await;
	running.replay(0, 3).finish().await;
	running.check().await;
}

/// Waits for `skipped` and then `counted` more final blocks, and returns the mean difficulty of the latter. The skipped
/// ones let the difficulty forget an earlier hash rate.
async fn difficulty(running: &Running, skipped: u64, counted: u64) -> f64 {
	let first = running.network.node(0).best().await.or_panic().number + skipped;
	running.wait_for_final(0, first + counted).await;
	let node = connect(&running.network.node(0).url()).await;
	let mut sum = 0;
	for number in first + 1..=first + counted {
		let at = node.at(number).await.or_panic();
		let difficulty: Option<u128> = value(&at, "Mining", "Difficulty").await.or_panic();
		sum += difficulty.expect("a mined chain has a difficulty");
	}
	sum as f64 / counted as f64
}

/// When a miner joins or leaves, the difficulty follows the hash rate within the retarget window of 60 blocks. (A hash
/// rate estimated from 60 blocks is off by an eighth on average, so the test averages the difficulty of 120 blocks.)
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; scripts/faults.sh runs it"]
async fn difficulty_follows_miners_that_come_and_go() {
	let mut running = Running::mined(2, 10).await;
	let mut seen = Vec::new();
	for is_there in [false, true, false] {
		if is_there {
			running.network.start(1).or_panic();
			running.network.wait_until_ready().await.or_panic();
		} else {
			running.network.kill(1).or_panic();
		}
		seen.push(difficulty(&running, 80, 120).await);
	}
	println!("difficulty with one miner, two, and one again: {seen:.0?}");
	assert!(seen[1] > 1.3 * seen[0] && seen[2] * 1.3 < seen[1], "{seen:?}");
}
