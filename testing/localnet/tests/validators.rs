//! Faults of four validators while a replay runs: kills, splits, wrong clocks, and an outage of all four.

mod common;

use common::{OrPanic, Progress, Running, ERA, ERA_SECONDS};
use std::{path::PathBuf, time::Duration};

/// An outage that contains at least three whole eras, wherever in an era it starts.
const OUTAGE: Duration = Duration::from_secs(4 * ERA_SECONDS + 1);
/// Error of the wrong clocks: far more than the 30 s that the chain allows a timestamp to be ahead.
const WRONG_SECONDS: u32 = 180;

/// Whether blocks become final and eras begin.
fn goes_on(seen: &Progress) -> bool {
	seen.finalized > 5 && seen.eras >= 1
}

/// Whether blocks are made for an era, final or not.
fn grows(seen: &Progress) -> bool {
	seen.blocks > 2 && seen.time >= ERA
}

/// Without one of four validators the chain continues and finalizes. Without two it continues, but does not finalize.
/// Validators that come back catch up.
#[tokio::test(flavor = "multi_thread")]
async fn killed_validators_come_back_and_nothing_is_lost() {
	let mut running = Running::start(4).await;
	let replay = running.replay(0, 3);

	running.network.kill(3).or_panic();
	let one_down = running.watch_until(0, goes_on).await;
	println!("one of four killed: {one_down}");
	running.network.start(3).or_panic();
	let head = running.network.node(0).finalized().await.or_panic();
	running.wait_for_final(3, head.number).await;

	running.network.kill(2).or_panic();
	running.network.kill(3).or_panic();
	running.wait_until_finality_stops(0).await;
	let two_down = running.watch_until(0, grows).await;
	println!("two of four killed: {two_down}");
	assert_eq!(two_down.finalized, 0, "{two_down}");
	let open = running.network.node(0).best().await.or_panic();
	running.network.start(2).or_panic();
	running.network.start(3).or_panic();
	running.wait_for_final(0, open.number).await;

	replay.finish().await;
	running.check().await;
}

/// Watches the first and the last node of a split network.
async fn watch_both(
	running: &Running,
	enough: impl Fn(&Progress) -> bool,
	enough_of_other: impl Fn(&Progress) -> bool,
) -> (Progress, Progress) {
	let seen = tokio::join!(
		running.watch_until(0, enough),
		running.watch_until(3, enough_of_other)
	);
	println!("  one side: {}; other side: {}", seen.0, seen.1);
	seen
}

/// Rejoins a split network, and waits until every node has new final blocks.
async fn join(running: &mut Running) {
	let before = running.network.node(0).best().await.or_panic();
	running.network.heal().await.or_panic();
	for node in 0..4 {
		running.wait_for_final(node, before.number + 2).await;
	}
}

/// A split two to two stops finality on both sides; a split three to one does not stop it for the three. Rejoined, the
/// nodes have one chain, on which no era was settled twice.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; scripts/faults.sh runs it"]
async fn split_network_becomes_one_chain_again() {
	let mut running = Running::start(4).await;
	let replay = running.replay(0, 3);

	println!("split two to two");
	running.network.split(&[&[0, 1], &[2, 3]]).await.or_panic();
	for node in [0, 3] {
		running.wait_until_finality_stops(node).await;
	}
	let (one, other) = watch_both(&running, grows, grows).await;
	assert_eq!(one.finalized, 0, "{one}");
	assert_eq!(other.finalized, 0, "{other}");
	let (one, other) = (running.network.node(0), running.network.node(3));
	let best = (one.best().await.or_panic(), other.best().await.or_panic());
	let number = best.0.number.min(best.1.number);
	let there = (one.at(number).await.or_panic(), other.at(number).await.or_panic());
	assert_ne!(there.0, there.1, "block {number} is the same on both sides");
	join(&mut running).await;

	println!("split three to one");
	running.network.split(&[&[0, 1, 2], &[3]]).await.or_panic();
	let (_, alone) = watch_both(&running, goes_on, |seen| seen.time >= ERA).await;
	// A validator without peers waits for some before it makes blocks.
	assert_eq!((alone.blocks, alone.finalized), (0, 0), "{alone}");
	join(&mut running).await;

	replay.finish().await;
	running.check().await;
}

/// Environment variables that shift a process's clock by `offset` through libfaketime. Its monotonic clock stays
/// correct.
fn clock(offset: &str) -> Vec<(String, String)> {
	let library = std::fs::read_dir("/usr/lib")
		.expect("there are libraries")
		.flatten()
		.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"))
		.find(|path: &PathBuf| path.exists())
		.expect("libfaketime is missing; scripts/setup.sh installs it");
	let library = library.display().to_string();
	[
		("LD_PRELOAD", library.as_str()),
		("FAKETIME", offset),
		("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
	]
	.map(|(name, value)| (name.to_owned(), value.to_owned()))
	.to_vec()
}

/// A validator whose clock is minutes ahead or behind does not disturb the others. With the right time it takes part
/// again.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; scripts/faults.sh runs it"]
async fn validator_with_a_wrong_clock_does_not_disturb_the_others() {
	let mut running = Running::start(4).await;
	let replay = running.replay(0, 3);
	for sign in ["+", "-"] {
		running.network.kill(3).or_panic();
		let offset = format!("{sign}{WRONG_SECONDS}s");
		running.network.start_with(3, &clock(&offset)).or_panic();
		running.network.wait_until_ready().await.or_panic();
		let seen = tokio::join!(
			running.watch_until(0, goes_on),
			running.watch_until(3, |seen| seen.time >= ERA)
		);
		println!(
			"one clock off by {offset}: the others {}; that one {}",
			seen.0, seen.1
		);
	}
	running.network.kill(3).or_panic();
	running.network.start(3).or_panic();
	let head = running.network.node(0).finalized().await.or_panic();
	running.wait_for_final(3, head.number).await;
	replay.finish().await;
	running.check().await;
}

/// All validators are down for more than three eras: these are missed once, and everything that was open before is
/// settled.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; scripts/faults.sh runs it"]
async fn chain_continues_after_an_outage_of_several_eras() {
	let mut running = Running::start(4).await;
	let replay = running.replay(0, 3);
	running.watch_until(0, |seen| seen.eras >= 2).await;
	let before = running.network.node(0).finalized().await.or_panic();
	for index in 0..4 {
		running.network.kill(index).or_panic();
	}
	tokio::time::sleep(OUTAGE).await;
	running.network.start_all().or_panic();
	running.network.wait_until_ready().await.or_panic();
	running.wait_for_final(0, before.number + 2).await;
	replay.finish().await;
	println!("all four down for {} s", OUTAGE.as_secs());
	let eras = running.check().await;
	assert!(eras.missed() >= 3, "{eras}");
}
