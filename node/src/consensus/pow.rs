//! Proof of work: whoever finds a seal makes the next block, and the chain with the most work is the chain.
//!
//! The work is that of [`commonwatt_pow`]; the runtime's `pallet_mining` sets the difficulty and pays the miner.
//!
//! Work never makes a block final. So that a node can forget old states, and its clients can rely on something, each
//! node takes as final what lies [`MiningOptions::finality_depth`] blocks under its head. That is its own decision and
//! not the network's: a node follows no chain that leaves its own before such a block.

use crate::{
	cli::MiningOptions,
	service::{FullClient, ProposerFactory, SelectChain},
};
use codec::Encode;
use commonwatt_pow::Work;
use commonwatt_runtime::{opaque::Block, Hash};
use futures::StreamExt;
use sc_client_api::{BlockchainEvents, Finalizer, HeaderBackend};
use sc_consensus::DefaultImportQueue;
use sc_consensus_pow::{start_mining_worker, PowBlockImport};
use sc_service::{config::Configuration, error::Error as ServiceError, TaskManager};
use std::{
	future::{ready, Ready},
	sync::Arc,
	time::Duration,
};

type SyncingService = sc_network_sync::SyncingService<Block>;

/// What a block takes from outside the chain: the time at which its making begins.
type Taken = Ready<Result<sp_timestamp::InherentDataProvider, Box<dyn std::error::Error + Send + Sync>>>;

/// How it is taken, after a parent.
type Inherents = fn(Hash, ()) -> Taken;

/// Checks the seals and the work of blocks before they are executed and kept.
pub type BlockImport =
	PowBlockImport<Block, Arc<FullClient>, FullClient, SelectChain, Work<FullClient>, Inherents>;

/// A new head is looked for so often, should its notification be lost.
const LOOK_FOR_HEAD: Duration = Duration::from_secs(10);

/// So long may a block's transactions be collected: as much as an author has in a slot of the default length.
const BUILD_TIME: Duration = Duration::from_secs(2);

fn inherents(_: Hash, _: ()) -> Taken {
	ready(Ok(sp_timestamp::InherentDataProvider::from_system_time()))
}

/// The queue that checks blocks from peers and from files, and the check itself.
pub fn import_queue(
	config: &Configuration,
	client: &Arc<FullClient>,
	select_chain: &SelectChain,
	task_manager: &TaskManager,
) -> Result<(DefaultImportQueue<Block>, BlockImport), ServiceError> {
	let work = Work::new(client.clone());
	// All of a block's inherents are checked from the first block on.
	let block_import: BlockImport = PowBlockImport::new(
		client.clone(),
		client.clone(),
		work.clone(),
		0,
		select_chain.clone(),
		inherents,
	);
	let queue = sc_consensus_pow::import_queue(
		Box::new(block_import.clone()),
		None,
		work,
		&task_manager.spawn_essential_handle(),
		config.prometheus_registry(),
	)?;
	Ok((queue, block_import))
}

/// What a node that is being started does for its chain.
pub struct Miner {
	/// What the command line says.
	pub options: MiningOptions,
	/// The client.
	pub client: Arc<FullClient>,
	/// Chooses the block to build on.
	pub select_chain: SelectChain,
	/// Builds blocks.
	pub proposer_factory: ProposerFactory,
	/// Knows whether the node has caught up with its peers.
	pub sync: Arc<SyncingService>,
}

impl Miner {
	/// Starts mining, if that is wanted, and takes deep blocks as final.
	pub fn spawn(self, block_import: BlockImport, task_manager: &TaskManager) -> Result<(), ServiceError> {
		let depth = self.options.finality_depth;
		task_manager.spawn_essential_handle().spawn(
			"finality-by-depth",
			None,
			finalize_deep_blocks(self.client.clone(), depth),
		);
		let threads = u64::from(self.options.miner_threads);
		if threads == 0 {
			return Ok(());
		}
		let account = self
			.options
			.miner_account
			.ok_or("--miner-threads needs --miner-account: who gets the reward?")?;
		log::info!("⛏ Mining with {threads} threads for {account}");
		let (handle, worker) = start_mining_worker(
			Box::new(block_import),
			self.client.clone(),
			self.select_chain,
			Work::new(self.client),
			self.proposer_factory,
			self.sync.clone(),
			self.sync,
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
}

/// Takes blocks as final once they lie so deep under the head.
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
			log::warn!("Block {deep} is deep enough, and could not be made final: {error}");
		}
	}
}
