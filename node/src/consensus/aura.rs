//! Aura and GRANDPA: the validators of the genesis take turns in making blocks, and vote on which blocks are final.

use crate::service::{FullBackend, FullClient, SelectChain, Shared, SyncingService};
use commonwatt_runtime::{opaque::Block, Hash};
use sc_client_api::BlockBackend;
use sc_consensus_aura::{ImportQueueParams, SlotDuration, SlotProportion, StartAuraParams};
use sc_consensus_grandpa::{GrandpaParams, SharedVoterState};
use sc_network::{
	config::{FullNetworkConfiguration, Role},
	service::{traits::NetworkService, NotificationMetrics},
	NetworkBackend, NotificationService, ProtocolName,
};
use sc_service::{config::Configuration, error::Error as ServiceError, TaskManager, WarpSyncConfig};
use sc_telemetry::Telemetry;
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_consensus_aura::sr25519::AuthorityPair as AuraPair;
use std::{sync::Arc, time::Duration};

type BlockImport = sc_consensus_grandpa::GrandpaBlockImport<FullBackend, Block, FullClient, SelectChain>;
type Link = sc_consensus_grandpa::LinkHalf<Block, FullClient, SelectChain>;

/// GRANDPA stores a justification at least once in this many blocks, for nodes that sync by justifications.
const JUSTIFICATION_PERIOD: u32 = 512;

/// GRANDPA's part of block import, and its link to the voter.
pub struct Grandpa {
	block_import: BlockImport,
	link: Link,
	/// The voter's protocol and its connection to its peers.
	voter_network: Option<(ProtocolName, Box<dyn NotificationService>)>,
}

/// What Aura and GRANDPA need of a starting node besides what its tasks share.
pub struct Validator {
	/// The node's role: authority or full node.
	pub role: Role,
	/// The node's name, which the voter logs.
	pub name: String,
	/// Whether to author blocks even without peers.
	pub force_authoring: bool,
	/// Whether to start no voter.
	pub disable_grandpa: bool,
	/// The connections to peers.
	pub network: Arc<dyn NetworkService>,
	/// Reports whether the node has caught up with its peers.
	pub sync: Arc<SyncingService>,
}

/// Builds the import queue, which checks blocks from peers and from files, with GRANDPA's block import.
pub fn import_queue(
	config: &Configuration,
	client: &Arc<FullClient>,
	select_chain: &SelectChain,
	task_manager: &TaskManager,
	telemetry: Option<&Telemetry>,
) -> Result<(sc_consensus::DefaultImportQueue<Block>, Grandpa), ServiceError> {
	let (block_import, link) = sc_consensus_grandpa::block_import(
		client.clone(),
		JUSTIFICATION_PERIOD,
		client,
		select_chain.clone(),
		telemetry.map(Telemetry::handle),
	)?;

	let slot_client = client.clone();
	let import_queue = sc_consensus_aura::import_queue::<AuraPair, _, _, _, _, _>(ImportQueueParams {
		block_import: block_import.clone(),
		justification_import: Some(Box::new(block_import.clone())),
		client: client.clone(),
		create_inherent_data_providers: move |parent, ()| {
			let client = slot_client.clone();
			async move {
				Ok(inherents(sc_consensus_aura::standalone::slot_duration_at(
					&*client, parent,
				)?))
			}
		},
		spawner: &task_manager.spawn_essential_handle(),
		registry: config.prometheus_registry(),
		check_for_equivocation: Default::default(),
		telemetry: telemetry.map(Telemetry::handle),
		compatibility_mode: Default::default(),
	})?;
	let grandpa = Grandpa {
		block_import,
		link,
		voter_network: None,
	};
	Ok((import_queue, grandpa))
}

/// The inherents of a block: the current time, and the slot that it falls in.
fn inherents(
	slot_duration: SlotDuration,
) -> (
	sp_consensus_aura::inherents::InherentDataProvider,
	sp_timestamp::InherentDataProvider,
) {
	let timestamp = sp_timestamp::InherentDataProvider::from_system_time();
	let slot = sp_consensus_aura::inherents::InherentDataProvider::from_timestamp_and_slot_duration(
		*timestamp,
		slot_duration,
	);
	(slot, timestamp)
}

impl Grandpa {
	/// Adds the voter's protocol to the network. Must be called before the network starts.
	pub fn join_network<N: NetworkBackend<Block, Hash>>(
		&mut self,
		config: &Configuration,
		client: &FullClient,
		net_config: &mut FullNetworkConfiguration<Block, Hash, N>,
		metrics: NotificationMetrics,
	) -> Result<(), ServiceError> {
		let genesis_hash = client
			.block_hash(0)?
			.ok_or("the database does not have the genesis block")?;
		let protocol_name = sc_consensus_grandpa::protocol_standard_name(&genesis_hash, &config.chain_spec);
		let (protocol_config, notifications) = sc_consensus_grandpa::grandpa_peers_set_config::<_, N>(
			protocol_name.clone(),
			metrics,
			net_config.peer_store_handle(),
		);
		net_config.add_notification_protocol(protocol_config);
		self.voter_network = Some((protocol_name, notifications));
		Ok(())
	}

	/// Enables warp sync (`--sync warp`): peers, and this node, may catch up by finality proofs alone.
	pub fn warp_sync(&self, backend: Arc<FullBackend>) -> WarpSyncConfig<Block> {
		WarpSyncConfig::WithProvider(Arc::new(sc_consensus_grandpa::warp_proof::NetworkProvider::new(
			backend,
			self.link.shared_authority_set().clone(),
			Vec::default(),
		)))
	}
}

impl Validator {
	/// Starts authoring if the node is an authority, and the voter unless it is disabled. Without authority, the voter
	/// follows the votes but casts none.
	pub fn spawn(
		self,
		shared: &Shared,
		grandpa: Grandpa,
		task_manager: &TaskManager,
	) -> Result<(), ServiceError> {
		if self.role.is_authority() {
			self.spawn_author(shared, grandpa.block_import, task_manager)?;
		}
		match grandpa.voter_network {
			Some(network) if !self.disable_grandpa => {
				self.spawn_voter(shared, grandpa.link, network, task_manager)
			}
			_ => Ok(()),
		}
	}

	fn spawn_author(
		&self,
		shared: &Shared,
		block_import: BlockImport,
		task_manager: &TaskManager,
	) -> Result<(), ServiceError> {
		let slot_duration = sc_consensus_aura::slot_duration(&*shared.client)?;
		let author =
			sc_consensus_aura::start_aura::<AuraPair, _, _, _, _, _, _, _, _, _, _>(StartAuraParams {
				slot_duration,
				client: shared.client.clone(),
				select_chain: shared.select_chain.clone(),
				block_import,
				proposer_factory: shared.proposer_factory.clone(),
				create_inherent_data_providers: move |_, ()| async move { Ok(inherents(slot_duration)) },
				force_authoring: self.force_authoring,
				backoff_authoring_blocks: None::<()>,
				keystore: shared.keystore.clone(),
				sync_oracle: self.sync.clone(),
				justification_sync_link: self.sync.clone(),
				// The rest of the slot is for the block to reach the other validators.
				block_proposal_slot_portion: SlotProportion::new(2f32 / 3f32),
				max_block_proposal_slot_portion: None,
				telemetry: shared.telemetry.clone(),
				compatibility_mode: Default::default(),
			})?;
		// Essential: if authoring ends, the node stops, so that somebody notices.
		task_manager
			.spawn_essential_handle()
			.spawn_blocking("aura", Some("block-authoring"), author);
		Ok(())
	}

	fn spawn_voter(
		self,
		shared: &Shared,
		link: Link,
		(protocol_name, notification_service): (ProtocolName, Box<dyn NotificationService>),
		task_manager: &TaskManager,
	) -> Result<(), ServiceError> {
		let voter = sc_consensus_grandpa::run_grandpa_voter(GrandpaParams {
			config: sc_consensus_grandpa::Config {
				gossip_duration: Duration::from_millis(333),
				justification_generation_period: JUSTIFICATION_PERIOD,
				observer_enabled: false,
				local_role: self.role,
				name: Some(self.name),
				keystore: self.role.is_authority().then(|| shared.keystore.clone()),
				telemetry: shared.telemetry.clone(),
				protocol_name,
			},
			link,
			network: self.network,
			sync: self.sync,
			notification_service,
			voting_rule: sc_consensus_grandpa::VotingRulesBuilder::default().build(),
			prometheus_registry: shared.prometheus_registry.clone(),
			shared_voter_state: SharedVoterState::empty(),
			telemetry: shared.telemetry.clone(),
			offchain_tx_pool_factory: OffchainTransactionPoolFactory::new(shared.pool.clone()),
		})?;
		task_manager
			.spawn_essential_handle()
			.spawn_blocking("grandpa-voter", None, voter);
		Ok(())
	}
}
