//! Four validators, and what befalls them while a replay runs: kills, splits, wrong clocks, and all of them down.

mod common;

use common::{OrPanic, Running, ERA};
use std::time::Duration;

/// One of four is no loss; two of four stop finality and nothing else; whoever comes back catches up.
#[tokio::test(flavor = "multi_thread")]
async fn killed_validators_come_back_and_nothing_is_lost() {
	let mut running = Running::start(4).await;
	let replay = running.replay(0, 3);

	running.network.kill(3).or_panic();
	let one_down = running.watch(0, ERA + ERA / 2).await;
	println!(
		"one of four validators killed, for {} s: {one_down:?}",
		2 * ERA.as_secs()
	);
	assert!(one_down.finalized > 15 && one_down.eras >= 1, "{one_down:?}");
	running.network.start(3).or_panic();
	let head = running.network.node(0).finalized().await.or_panic();
	running.wait_for_final(3, head.number).await;

	running.network.kill(2).or_panic();
	running.network.kill(3).or_panic();
	// Votes that were under way may still finalize a block or two.
	tokio::time::sleep(Duration::from_secs(3)).await;
	let two_down = running.watch(0, ERA + ERA / 2).await;
	println!(
		"two of four killed, for {} s: {two_down:?}",
		(ERA + ERA / 2).as_secs()
	);
	assert_eq!(two_down.finalized, 0, "{two_down:?}");
	assert!(two_down.blocks > 5 && two_down.eras >= 1, "{two_down:?}");
	let open = running.network.node(0).best().await.or_panic();
	running.network.start(2).or_panic();
	running.network.start(3).or_panic();
	running.wait_for_final(0, open.number).await;

	replay.finish().await;
	running.check().await;
}
