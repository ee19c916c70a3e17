//! The search for seals.

use crate::{Seal, Work};
use codec::Encode;
use futures::executor::block_on;
use sc_consensus::JustificationSyncLink;
use sc_consensus_pow::MiningHandle;
use sp_api::ProvideRuntimeApi;
use sp_consensus_pow::DifficultyApi;
use sp_core::H256;
use sp_runtime::traits::Block as BlockT;
use std::time::Duration;

/// Number of hashes between two checks for a new block to mine; some milliseconds.
const BATCH: u64 = 10_000;

/// How long to wait before looking for a block to mine again.
const PAUSE: Duration = Duration::from_millis(20);

/// Searches for seals until the node stops. It keeps one core busy, so it needs a blocking task of its own. `count`
/// such tasks share the nonces of a block; each has a unique `number` in `0..count`.
pub async fn mine<Block, Client, Link>(
	handle: MiningHandle<Block, Work<Client>, Link>,
	number: u64,
	count: u64,
) where
	Block: BlockT<Hash = H256>,
	Client: ProvideRuntimeApi<Block>,
	Client::Api: DifficultyApi<Block, u128>,
	Link: JustificationSyncLink<Block>,
{
	let share = u64::MAX / count.max(1);
	loop {
		let version = handle.version();
		let Some(block) = handle.metadata() else {
			tokio::time::sleep(PAUSE).await;
			continue;
		};
		let mut next = share.saturating_mul(number);
		// No machine runs long enough to exhaust a share of the nonces.
		while handle.version() == version {
			let end = next.saturating_add(BATCH);
			if let Some(seal) = Seal::search(&block.pre_hash, block.difficulty, next..end) {
				// If another task was faster, this seal is refused and the next block is already waiting. `submit`
				// holds a lock while it imports, so its future must stay on this thread.
				block_on(handle.submit(seal.encode()));
				break;
			}
			next = end;
			// Lets the node end this task.
			tokio::task::yield_now().await;
		}
	}
}
