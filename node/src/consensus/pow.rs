//! Proof of work: whoever finds a seal makes the next block, and nodes follow the chain with the most work.
//!
//! [`commonwatt_pow`] defines the work; the runtime's `pallet_mining` sets the difficulty and pays the miner.
//!
//! Work never makes a block final. So that a node can discard old states and its clients can rely on old blocks, each
//! node treats blocks as final that are [`MiningOptions::finality_depth`] blocks below its head. This is the node's own
//! decision, not the network's: it follows no chain that branches off below such a block.

use crate::{
	cli::MiningOptions,
	service::{FullClient, SelectChain, Shared, SyncingService},
};
use async_trait::async_trait;
use codec::{Decode, Encode};
use commonwatt_pow::{Seal, Work};
use commonwatt_runtime::{opaque::Block, Hash};
use futures::StreamExt;
use sc_client_api::{BlockchainEvents, Finalizer, HeaderBackend};
use sc_consensus::{BlockCheckParams, BlockImportParams, DefaultImportQueue, ImportResult};
use sc_consensus_pow::{start_mining_worker, PowAlgorithm, PowBlockImport};
use sc_service::{config::Configuration, error::Error as ServiceError, TaskManager};
use sp_consensus::Error as ConsensusError;
use sp_consensus_pow::POW_ENGINE_ID;
use sp_runtime::DigestItem;
use std::{
	future::{ready, Ready},
	sync::Arc,
	time::Duration,
};

/// The inherent of a block: the time at which its making begins.
type Taken = Ready<Result<sp_timestamp::InherentDataProvider, Box<dyn std::error::Error + Send + Sync>>>;

/// Creates the inherent for a parent block.
type Inherents = fn(Hash, ()) -> Taken;

/// Checks inherents, seal and work of a block, and stores it.
type CheckedImport =
	PowBlockImport<Block, Arc<FullClient>, FullClient, SelectChain, Work<FullClient>, Inherents>;

/// Refuses a block whose seal claims another difficulty than the runtime requires after its parent. Only then
/// [`CheckedImport`] looks at the block: it begins with the inherents, for which it runs the runtime on the whole body.
/// Otherwise a block that cost no work would make every node do that.
#[derive(Clone)]
pub struct BlockImport {
	work: Work<FullClient>,
	checked: CheckedImport,
}

#[async_trait]
impl sc_consensus::BlockImport<Block> for BlockImport {
	type Error = ConsensusError;

	async fn check_block(&self, block: BlockCheckParams<Block>) -> Result<ImportResult, ConsensusError> {
		self.checked.check_block(block).await
	}

	async fn import_block(&self, block: BlockImportParams<Block>) -> Result<ImportResult, ConsensusError> {
		let required = PowAlgorithm::<Block>::difficulty(&self.work, block.header.parent_hash)?;
		let claimed = match block.post_digests.last() {
			Some(DigestItem::Seal(POW_ENGINE_ID, seal)) => Seal::decode(&mut seal.as_slice()).ok(),
			_ => None,
		};
		match claimed {
			Some(seal) if seal.difficulty == required => self.checked.import_block(block).await,
			Some(seal) => Err(ConsensusError::ClientImport(format!(
				"the seal claims difficulty {}, but {required} is required",
				seal.difficulty
			))),
			None => Err(ConsensusError::ClientImport("the block has no seal".into())),
		}
	}
}

/// The mining worker checks for a new head this often, in case it missed a notification.
const LOOK_FOR_HEAD: Duration = Duration::from_secs(10);

/// Time limit for collecting a block's transactions: as much as an author has in a slot of the default length.
const BUILD_TIME: Duration = Duration::from_secs(2);

fn inherents(_: Hash, _: ()) -> Taken {
	ready(Ok(sp_timestamp::InherentDataProvider::from_system_time()))
}

/// Builds the import queue, which checks blocks from peers and from files, and the block import that does the checks.
pub fn import_queue(
	config: &Configuration,
	client: &Arc<FullClient>,
	select_chain: &SelectChain,
	task_manager: &TaskManager,
) -> Result<(DefaultImportQueue<Block>, BlockImport), ServiceError> {
	let work = Work::new(client.clone());
	// Check inherents from block 0 on, so in every block.
	let checked = PowBlockImport::new(
		client.clone(),
		client.clone(),
		work.clone(),
		0,
		select_chain.clone(),
		inherents as Inherents,
	);
	let block_import = BlockImport {
		work: work.clone(),
		checked,
	};
	let queue = sc_consensus_pow::import_queue(
		Box::new(block_import.clone()),
		None,
		work,
		&task_manager.spawn_essential_handle(),
		config.prometheus_registry(),
	)?;
	Ok((queue, block_import))
}

/// Starts finality by depth and, if there are miner threads, mining.
///
/// Error: there are miner threads but no account for the reward.
pub fn spawn(
	shared: &Shared,
	options: MiningOptions,
	block_import: BlockImport,
	sync: Arc<SyncingService>,
	task_manager: &TaskManager,
) -> Result<(), ServiceError> {
	task_manager.spawn_essential_handle().spawn(
		"finality-by-depth",
		None,
		finalize_deep_blocks(shared.client.clone(), options.finality_depth),
	);
	let threads = u64::from(options.miner_threads);
	if threads == 0 {
		return Ok(());
	}
	let account = options
		.miner_account
		.ok_or("--miner-threads needs --miner-account, the account that gets the rewards")?;
	log::info!("⛏ Mining with {threads} threads for {account}");
	let (handle, worker) = start_mining_worker(
		Box::new(block_import),
		shared.client.clone(),
		shared.select_chain.clone(),
		Work::new(shared.client.clone()),
		shared.proposer_factory.clone(),
		sync.clone(),
		sync,
		Some(account.encode()),
		inherents as Inherents,
		LOOK_FOR_HEAD,
		BUILD_TIME,
	);
	let essential = task_manager.spawn_essential_handle();
	essential.spawn_blocking("mining-worker", Some("block-authoring"), worker);
	for number in 0..threads {
		essential.spawn_blocking(
			"miner",
			Some("block-authoring"),
			commonwatt_pow::mine(handle.clone(), number, threads),
		);
	}
	Ok(())
}

/// Finalizes each block when it is `depth` blocks below the head.
async fn finalize_deep_blocks(client: Arc<FullClient>, depth: u32) {
	let mut imports = client.import_notification_stream();
	while imports.next().await.is_some() {
		let info = client.info();
		let deep = info.best_number.saturating_sub(depth);
		if deep <= info.finalized_number {
			continue;
		}
		let outcome = match client.hash(deep) {
			Ok(Some(hash)) => client.finalize_block(hash, None, true),
			Ok(None) => continue,
			Err(error) => Err(error),
		};
		if let Err(error) = outcome {
			log::warn!("Could not finalize block {deep} at the finality depth: {error}");
		}
	}
}
