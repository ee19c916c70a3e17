//! Miners: the market on proof of work, and what a reorganisation of the chain leaves of it.

mod common;

use common::{eras, OrPanic, Running, ERA, PATIENCE};
use std::{
	collections::BTreeMap,
	time::{Duration, Instant},
};
use subxt::ext::scale_decode::DecodeAsType;

/// Deep enough for two miners that hear of each other, or soon will.
const JOINED: u32 = 30;
/// Deeper than anything that two miners make while they are parted: one must be able to give up its blocks.
const DEEP: u32 = 10_000;

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "::subxt::ext::scale_decode")]
struct RewardPaid {
	miner: [u8; 32],
	amount: u128,
}

/// How many final blocks a chain has, and the rewards in them by miner.
async fn rewards(url: &str) -> (u64, BTreeMap<[u8; 32], Vec<u128>>) {
	let api = eras::connect(url).await.unwrap();
	let last = api.at_current_block().await.unwrap().block_number();
	let mut rewards = BTreeMap::<_, Vec<_>>::new();
	for number in 1..=last {
		let events = api
			.at_block(number)
			.await
			.unwrap()
			.events()
			.fetch()
			.await
			.unwrap();
		for event in events.iter().map(Result::unwrap) {
			if (event.pallet_name(), event.event_name()) == ("Mining", "RewardPaid") {
				let paid: RewardPaid = event.decode_fields_unchecked_as().unwrap();
				rewards.entry(paid.miner).or_default().push(paid.amount);
			}
		}
	}
	(last, rewards)
}

/// Stops the miners and starts them again, with another depth at which a block is final.
async fn restart(running: &mut Running, finality_depth: u32) {
	running.network.stop().or_panic();
	running.network.set_finality_depth(finality_depth);
	running.network.start_all().or_panic();
	running.network.wait_until_ready().await.or_panic();
}

/// Waits until both miners have the same block of a number.
async fn wait_for_one_chain(running: &Running, number: u64) {
	let begun = Instant::now();
	loop {
		let mut heads = Vec::new();
		for node in running.network.nodes() {
			heads.push(node.at(number).await.or_panic());
		}
		if heads[0].is_some() && heads[0] == heads[1] {
			return;
		}
		assert!(begun.elapsed() < PATIENCE, "two chains: {heads:?}");
		tokio::time::sleep(Duration::from_millis(200)).await;
	}
}

/// Two miners make one chain. Parted, they make two, on both of which eras begin, are solved and settled; joined again,
/// one of the two is given up, and every era was handled once.
#[tokio::test(flavor = "multi_thread")]
async fn reorganisation_settles_no_era_twice_and_pays_no_block_twice() {
	let mut running = Running::mined(2, JOINED).await;
	restart(&mut running, DEEP).await;
	running.network.split(&[&[0], &[1]]).await.or_panic();
	let common = running.network.node(0).best().await.or_panic().number;

	let alone = running.watch(0, ERA + Duration::from_secs(5)).await;
	assert!(alone.eras >= 1 && alone.blocks > 2, "{alone:?}");
	let mut parted = Vec::new();
	for node in running.network.nodes() {
		parted.push(node.best().await.or_panic());
	}
	assert_ne!(parted[0].hash, parted[1].hash);

	running.network.heal().await.or_panic();
	let highest = parted[0].number.max(parted[1].number);
	wait_for_one_chain(&running, highest + 1).await;
	restart(&mut running, JOINED).await;
	for node in 0..2 {
		running.wait_for_final(node, highest + 1).await;
	}
	let mut given_up = 0;
	for (node, head) in running.network.nodes().iter().zip(&parted) {
		let now = node
			.at(head.number)
			.await
			.or_panic()
			.expect("the chain is that long");
		if now.hash != head.hash {
			given_up += head.number - common;
		}
	}
	let seen = running.check().await;
	println!("two miners parted for {alone:?}; {given_up} blocks given up; {seen}");
	assert!(given_up > 0, "one side gives up its blocks");

	let (blocks, rewards) = rewards(&running.network.node(0).url()).await;
	assert_eq!(rewards.len(), 2, "both are paid for blocks of the one chain");
	let paid: u64 = rewards.values().map(|amounts| amounts.len() as u64).sum();
	assert_eq!(paid, blocks, "every block is paid once");
}

/// Eras, games, contracts and settlement are what they are on any other chain.
#[tokio::test(flavor = "multi_thread")]
async fn market_is_cleared_on_a_mined_chain() {
	let running = Running::mined(1, 2).await;
	running.replay(0, 3).finish().await;
	running.check().await;
}
