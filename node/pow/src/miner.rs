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

/// So many hashes are made between two looks whether there is a new block to mine: some milliseconds.
const BATCH: u64 = 10_000;

/// How long to wait for a block to mine, while there is none.
const PAUSE: Duration = Duration::from_millis(20);

/// Looks for seals until the node stops; for a blocking task of its own, since it keeps a core busy. Several of these
/// share the nonces of one block by their number, which is unique in `0..count`.
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
		// A share of the nonces lasts for longer than any machine lives.
		while handle.version() == version {
			let end = next.saturating_add(BATCH);
			if let Some(seal) = Seal::search(&block.pre_hash, block.difficulty, next..end) {
				// Another task may have been faster; then this seal is refused, and the next block waits already.
				// Its future stays on this thread, as it holds a lock while it imports.
				block_on(handle.submit(seal.encode()));
				break;
			}
			next = end;
			// Here the node may end this task.
			tokio::task::yield_now().await;
		}
	}
}
